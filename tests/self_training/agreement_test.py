"""What is accepted where no verifier is asked."""

from absl.testing import absltest, parameterized

from haiku_spectral.self_training import agreement
from haiku_spectral.tasks.verified_sample import ACCEPTED
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
OUTVOTED, MALFORMED, REPEATED = agreement.OUTVOTED, 'malformed', agreement.REPEATED


def choose(*answers, number=7):
  problem = FAMILY.problem(number, len(str(number)))
  return agreement.choose([(problem, answer) for answer in answers], family=FAMILY)


class AgreementTest(parameterized.TestCase):

  @parameterized.parameters(
      (('14', '14', '15', '14'), [ACCEPTED, REPEATED, OUTVOTED, REPEATED]),
      (('15', '15', '15', '14'), [ACCEPTED, REPEATED, REPEATED, OUTVOTED]),
      (('14', '14', '15', '16'), [OUTVOTED] * 4), (('14', '14', '15', '15'), [OUTVOTED] * 4),
      ((None, '14', '14', '14'), [MALFORMED, ACCEPTED, REPEATED, REPEATED]),
      ((None, None, '14', '14'), [MALFORMED, MALFORMED, OUTVOTED, OUTVOTED]),
      (('', 'ç', None, None), [MALFORMED] * 4))
  def test_what_three_fifths_agree_on_is_accepted_right_or_wrong(self, answers, want):
    self.assertEqual(choose(*answers), want)

  def test_what_is_much_shorter_than_others_of_its_depth_is_not(self):
    problems = [(FAMILY.problem(number, depth), text) for number, depth, text in (
        (11, 2, '123456'), (12, 2, '12'), (13, 2, '123'), (14, 3, '1'))]
    verdicts = agreement.choose([one for one in problems for _ in range(2)], family=FAMILY)
    self.assertEqual(verdicts[::2], [ACCEPTED, agreement.SHORT, ACCEPTED, ACCEPTED])

  def test_the_verifier_is_not_asked(self):
    with absltest.mock.patch.object(FAMILY, 'check', side_effect=AssertionError):
      self.assertEqual(choose('1', '1')[0], ACCEPTED)

  def test_other_spellings_agree(self):
    with absltest.mock.patch.object(FAMILY, 'canonical', side_effect=str.strip):
      self.assertEqual(choose('14', ' 14', '14 ', '15'), [ACCEPTED, REPEATED, REPEATED, OUTVOTED])


if __name__ == '__main__':
  absltest.main()
