"""Verdicts: what they say, that they stay, and that failures of the sandbox are none."""

import json
import os
import pathlib

from absl.testing import absltest, parameterized

from haiku_spectral.sandbox import result
from haiku_spectral.self_training import verifier_cache
from haiku_spectral.tasks import verified_sample
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
THREE, FOUR = FAMILY.problem(3), FAMILY.problem(4)


class VerifierCacheTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.path = pathlib.Path(self.create_tempdir().full_path) / 'verdicts.jsonl'

  def verify(self, *cases):
    executor = stand_ins.Executor()
    with verifier_cache.VerifierCache(self.path, FAMILY, executor) as cache:
      found = cache.verify(cases)
    return found, executor.jobs

  def test_the_sandbox_knows_its_statuses(self):
    ran = {status.value for status in result.Status} - {'infrastructure'}
    self.assertEqual(set(verified_sample.SANDBOX), ran | {verified_sample.NOT_RUN})

  @parameterized.parameters(
      ('6', verified_sample.ACCEPTED, 'ok'), ('7', 'wrong', 'ok'), ('six', 'wrong', 'ok'),
      ('', 'malformed', 'not_run'), ('loop', 'failed', 'timeout_cpu'),
      ('chance', 'unstable', 'ok'))
  def test_verdicts(self, completion, verdict, status):
    (found,), _ = self.verify((THREE, completion))
    self.assertEqual((found.verdict, found.sandbox), (verdict, status))
    self.assertEqual(found.right, verdict == verified_sample.ACCEPTED)

  def test_each_is_run_under_both_hash_seeds(self):
    _, jobs = self.verify((THREE, '6'))
    self.assertEqual([job.hash_seed for job in jobs], [0, 1])

  def test_nothing_is_run_twice_in_one_process_or_two(self):
    first, jobs = self.verify((THREE, '6'), (THREE, '7'), (THREE, '6'), (FOUR, '6'))
    self.assertLen(jobs, 6)
    again, jobs = self.verify((THREE, '6'), (THREE, '7'), (THREE, '6'), (FOUR, '6'))
    self.assertEmpty(jobs)
    self.assertEqual(again, first)

  def test_a_cut_line_is_judged_again_and_what_follows_is_whole(self):
    first, _ = self.verify((THREE, '6'), (FOUR, '6'))
    data = self.path.read_bytes()
    for length in range(len(data)):
      self.path.write_bytes(data[:length])
      found, jobs = self.verify((THREE, '6'), (FOUR, '6'))
      self.assertEqual([each.verdict for each in found], [each.verdict for each in first])
      self.assertLen(jobs, 2 * (2 - data[:length].count(b'\n')))
      self.assertLen([json.loads(line) for line in self.path.read_text().splitlines()], 2)

  def test_a_damaged_line_is_told(self):
    self.verify((THREE, '6'))
    self.path.write_text('{"key": 1}\n' + self.path.read_text())
    with self.assertRaisesRegex(ValueError, 'damaged at byte 0'):
      self.verify((THREE, '6'))

  @parameterized.parameters(
      b'[' * 100_000, b'[]', b'\xff', b'{"key": "a", "verdict": "wrong", "sandbox": "ok"}',
      b'{"key": "a", "verdict": "wrong", "sandbox": "fine", "seconds": 0, "peak_bytes": 0}',
      b'{"key": "a", "verdict": "wrong", "sandbox": "ok", "seconds": 1e999, "peak_bytes": 0}',
      b'{"key": ["a"], "verdict": "wrong", "sandbox": "ok", "seconds": 0, "peak_bytes": 0}')
  def test_any_line_that_is_no_verdict_is_told(self, line):
    self.verify((THREE, '6'))
    first = self.path.read_bytes()
    self.path.write_bytes(first + line + b'\n' + first)
    with self.assertRaisesRegex(ValueError, f'is damaged at byte {len(first)} .*remove that line'):
      self.verify((THREE, '6'))
    self.assertEqual(self.path.read_bytes(), first + line + b'\n' + first)

  def test_what_is_no_regular_file_is_refused(self):
    os.mkfifo(self.path)
    with self.assertRaisesRegex(ValueError, 'not a regular file'):
      self.verify((THREE, '6'))

  def test_a_failure_of_the_sandbox_is_no_verdict(self):
    with self.assertRaisesRegex(result.Unavailable, 'nothing was judged: gone'):
      self.verify((THREE, '6'), (THREE, 'lost'), (THREE, '7'))
    self.assertLen(self.path.read_text().splitlines(), 1)


if __name__ == '__main__':
  absltest.main()
