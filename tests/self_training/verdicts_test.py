"""Verdicts: what they say, that they stay, and that the sandbox's own failures are none."""

import json
import pathlib

from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import result
from haiku_spectral.self_training import verdicts
from haiku_spectral.tasks import golden_record
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
THREE, FOUR = FAMILY.problem(3), FAMILY.problem(4)


class VerdictsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path) / 'verdicts.jsonl'

  def judge(self, *cases):
    executor = stand_ins.Executor()
    with verdicts.Verdicts(self.path, FAMILY, executor) as court:
      found = court.judge(cases)
    return found, executor.jobs

  def test_the_sandbox_knows_its_statuses(self):
    ran = {status.value for status in result.Status} - {'infrastructure'}
    self.assertEqual(set(golden_record.SANDBOX), ran | {golden_record.NOT_RUN})

  @parameterized.parameters(
      ('6', golden_record.ACCEPTED, 'ok'), ('7', 'wrong', 'ok'), ('six', 'wrong', 'ok'),
      ('', 'malformed', 'not_run'), ('loop', 'failed', 'timeout_cpu'),
      ('chance', 'unstable', 'ok'))
  def test_verdicts(self, completion, verdict, status):
    (found,), _ = self.judge((THREE, completion))
    self.assertEqual((found.verdict, found.sandbox), (verdict, status))
    self.assertEqual(found.right, verdict == golden_record.ACCEPTED)

  def test_each_is_run_under_both_hash_seeds(self):
    _, jobs = self.judge((THREE, '6'))
    self.assertEqual([job.hash_seed for job in jobs], [0, 1])

  def test_nothing_is_run_twice_in_one_process_or_two(self):
    first, jobs = self.judge((THREE, '6'), (THREE, '7'), (THREE, '6'), (FOUR, '6'))
    self.assertLen(jobs, 6)
    again, jobs = self.judge((THREE, '6'), (THREE, '7'), (THREE, '6'), (FOUR, '6'))
    self.assertEmpty(jobs)
    self.assertEqual(again, first)

  def test_a_cut_line_is_judged_again_and_what_follows_is_whole(self):
    first, _ = self.judge((THREE, '6'), (FOUR, '6'))
    data = self.path.read_bytes()
    for length in range(len(data)):
      self.path.write_bytes(data[:length])
      found, jobs = self.judge((THREE, '6'), (FOUR, '6'))
      self.assertEqual([each.verdict for each in found], [each.verdict for each in first])
      self.assertLen(jobs, 2 * (2 - data[:length].count(b'\n')))
      self.assertLen([json.loads(line) for line in self.path.read_text().splitlines()], 2)

  def test_a_damaged_line_is_told(self):
    self.judge((THREE, '6'))
    self.path.write_text('{"key": 1}\n' + self.path.read_text())
    with self.assertRaisesRegex(ValueError, 'damaged at byte 0'):
      self.judge((THREE, '6'))

  def test_a_failure_of_the_sandbox_is_no_verdict(self):
    with self.assertRaisesRegex(result.Unavailable, 'nothing was judged: gone'):
      self.judge((THREE, '6'), (THREE, 'lost'), (THREE, '7'))
    self.assertLen(self.path.read_text().splitlines(), 1)


if __name__ == '__main__':
  absltest.main()
