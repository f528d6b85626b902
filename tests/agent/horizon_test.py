"""Chains that depend on each answer, verdicts of the families, and restarts that change nothing."""

import json
import os
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.agent import horizon, horizon_report
from haiku_spectral.sandbox.result import ExecResult, Status, Unavailable
from haiku_spectral.tasks import registry, turkish_stems
from tests.agent import scripted
from tests.decoding import tiny_model

SUFFIXES = registry.family('turkish_suffixes')
PLAN = horizon.Plan(families=(SUFFIXES,), goals=3, lengths=(1, 2, 4), seed=5)


def load():
  return horizon.LoadedModel(tiny_model.decoder(), scripted.OWNER)


class Solver:
  """Writes right answers, but wrong ones at some places (goal, sub-task)."""

  def __init__(self, *wrong):
    self._wrong = wrong
    self._count = 0

  def __call__(self, decoder, context, problems):
    self._count += 1
    return [b'+pl+pl+pl' if (goal, self._count - 1) in self._wrong else problem.answer.encode()
            for goal, (_, problem) in enumerate(problems)]


def solve(*wrong, plan=PLAN, **kwargs):
  with mock.patch.object(horizon, '_generate', Solver(*wrong)):
    return horizon.play(plan, load, **{'persistent': False, **kwargs})


class HorizonTest(parameterized.TestCase):

  @parameterized.parameters(*registry.FAMILIES)
  def test_right_answers_are_right(self, name):
    plan = horizon.Plan(families=(registry.family(name),), goals=2, lengths=(2,), depth=2)
    right = horizon.verify(plan, solve(plan=plan), scripted.Here())
    np.testing.assert_array_equal(right, np.ones((2, 2), bool))

  def test_a_wrong_answer_is_wrong_and_leads_elsewhere(self):
    right, wrong = solve(), solve((1, 2))
    found = horizon.verify(PLAN, wrong, scripted.Here())
    want = np.ones((3, 4), bool)
    want[1, 2] = False
    np.testing.assert_array_equal(found, want)
    for goal in range(3):
      self.assertEqual(right[goal][:2], wrong[goal][:2])
      self.assertEqual(right[goal][3] == wrong[goal][3], goal != 1)

  def test_problems_are_held_out_and_differ_by_goal_place_answer_and_seed(self):
    other = horizon.Plan(families=(SUFFIXES,), seed=6)
    places = [(PLAN, 0, []), (PLAN, 1, []), (PLAN, 0, [b'a']), (PLAN, 0, [b'b']),
              (PLAN, 0, [b'a', b'a']), (other, 0, [])]
    problems = [plan.problem(goal, before)[1] for plan, goal, before in places]
    self.assertLen({problem.prompt for problem in problems}, len(problems))
    self.assertEqual({SUFFIXES.split(problem.key) for problem in problems}, {'heldout'})
    self.assertEqual(PLAN.problem(0, [b'x', b'a']), PLAN.problem(0, [b'y', b'a']))

  def test_answers_without_end_or_form_are_wrong(self):
    answers = [[b'x' * SUFFIXES.max_bytes], [b'\xff'], [b'nothing'], [solve()[0][0]]]
    np.testing.assert_array_equal(
        horizon.verify(PLAN, answers[:3], scripted.Here()), np.zeros((3, 1), bool))

  def test_a_failing_sandbox_is_no_verdict(self):
    box = mock.Mock()
    box.map = lambda jobs: [ExecResult(status=Status.INFRASTRUCTURE, error='gone') for _ in jobs]
    with self.assertRaisesRegex(Unavailable, r'The sandbox failed \(gone\): nothing was measured'):
      horizon.verify(PLAN, solve(), box)

  @parameterized.parameters(True, False)
  def test_a_restart_changes_nothing_that_the_real_model_writes(self, persistent):
    folder = self.create_tempdir().full_path
    loads = mock.Mock(side_effect=load)
    answers = horizon.play(PLAN, load, persistent=persistent)
    restarted = horizon.play(PLAN, loads, persistent=persistent, restart_in=folder)
    self.assertEqual(loads.call_count, 1 + len({0, 1, 2}))
    self.assertCountEqual(os.listdir(folder), ['answers.json', 'context'])
    size = sum(len(answer) for given in answers for answer in given)
    self.assertEqual(horizon.check_restart(answers, restarted), size)
    self.assertEqual([len(given) for given in answers], [4, 4, 4])
    restarted[1][2] += b'x'
    with self.assertRaisesRegex(RuntimeError, 'A restart has changed what is generated: goal 1'):
      horizon.check_restart(answers, restarted)

  @parameterized.parameters(True, False)
  def test_the_context_goes_on_through_documents_or_not(self, persistent):
    seen = []

    def look(decoder, context, problems):
      seen.append(context)
      return [problem.answer.encode() + b'x' * goal for goal, (_, problem) in enumerate(problems)]

    with mock.patch.object(horizon, '_generate', look):
      answers = horizon.play(PLAN, load, persistent=persistent)
    for goal, given in enumerate(answers):
      past = [vocab.BOUNDARY]
      for number, answer in enumerate(given):
        prompt = PLAN.problem(goal, given[:number])[1].prompt.encode()
        ids = [*past, *prompt]
        self.assertEqual(seen[number].position[goal], len(ids))
        np.testing.assert_array_equal(seen[number].recent[goal, -len(ids):], ids)
        if persistent:
          past = [*ids, *answer, ord('\n'), vocab.BOUNDARY]

  @parameterized.parameters(
      ({'goals': 0}, 'goals=0 is not allowed'), ({'lengths': ()}, r'lengths=\(\) is not allowed'),
      ({'lengths': (0, 1)}, r'lengths=\(0, 1\) is not allowed'),
      ({'families': ()}, r'families=\(\) is not allowed: give one or more'),
      ({'depth': 13}, 'depth=13 is not allowed: give 1 to 12, which turkish_suffixes has'))
  def test_mistakes(self, fields, message):
    with self.assertRaisesRegex(ValueError, message):
      horizon.Plan(**{'families': (SUFFIXES,), **fields})


class ReportTest(absltest.TestCase):

  def _report(self, keys=('a', 'b', 'c', 'd')):
    persistent = np.ones((4, 4), bool)
    persistent[0, 3] = persistent[1, 1] = False
    return horizon_report.summarize(
        'a run', (4, 1, 2), persistent, np.zeros((4, 4), bool), 1234,
        objects=[[key, 'x', 'y', 'z'] for key in keys])

  def test_success_by_length(self):
    report = self._report()
    self.assertEqual([(row.length, row.persistent.value, row.fresh.value, row.difference.value)
                      for row in report.rows], [(1, 1, 0, 1), (2, 0.75, 0, 0.75), (4, 0.5, 0, 0.5)])
    self.assertEqual(report.by_position[horizon_report.PERSISTENT], (1, 0.75, 1, 0.75))
    # Wilson's interval for 0 of 4, by hand: z^2 / (4 + z^2).
    self.assertAlmostEqual(report.rows[0].fresh.high, 1.95996**2 / (4 + 1.95996**2), places=4)
    self.assertEqual(report.rows[0].fresh.low, 0)
    self.assertLess(report.rows[2].difference.low, 0.5)

  def test_goals_about_the_same_objects_count_as_one(self):
    for keys, count in (('abcd', 4), ('aabb', 2), ('aaaa', 1)):
      row = self._report(keys).rows[0]
      self.assertEqual((row.different, row.persistent.value), (count, 1))
      self.assertAlmostEqual(row.persistent.low, count / (count + 1.95996**2), places=4)
    self.assertIsNone(self._report('aaaa').rows[2].difference.low)

  def test_the_objects_of_goals_are_those_of_their_problems(self):
    answers = solve()
    for goal, keys in enumerate(horizon.objects(PLAN, answers)):
      self.assertLen(keys, 4)
      stem = PLAN.problem(goal, answers[goal][:3])[1].prompt.split(':')[0]
      self.assertEqual(keys[3], turkish_stems.root(stem))

  def test_text_json_and_picture(self):
    report = self._report()
    text = horizon_report.to_text(report)
    self.assertIn('0.75 [0.30, 0.95]', text)
    self.assertIn('+0.75 [', text)
    self.assertIn('1.00 0.75 1.00 0.75', text)
    self.assertIn('the same 1,234 bytes', text)
    document = json.loads(horizon_report.to_json(report))
    self.assertEqual(document['rows'][1]['persistent']['value'], 0.75)
    self.assertEqual(document['restart_bytes'], 1234)
    path = os.path.join(self.create_tempdir().full_path, 'picture.png')
    horizon_report.save(report, path)
    with open(path, 'rb') as file:
      self.assertEqual(file.read(8), b'\x89PNG\r\n\x1a\n')


if __name__ == '__main__':
  absltest.main()
