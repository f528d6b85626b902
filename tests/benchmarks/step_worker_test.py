"""Workers: they answer when asked, say why they ended, and are ended."""

import sys
import textwrap

from absl.testing import absltest

from haiku_spectral.benchmarks import step_worker

SERVE = """
from haiku_spectral.benchmarks import step_worker
count = 0

def step():
  global count
  count += 1
  if count == 3:
    raise ValueError('three is too many')
  return {'count': count}

print('installing ...')
step_worker.serve({'parameters': 7}, step)
"""


def worker(code, limit=60.0):
  return step_worker.Worker([sys.executable, '-c', textwrap.dedent(code)], limit=limit)


class StepWorkerTest(absltest.TestCase):

  def test_steps_when_told_to_until_it_fails(self):
    with worker(SERVE) as one, worker(SERVE) as other:
      self.assertEqual(one.about, {'parameters': 7})
      found = [one.step(), other.step(), one.step()]
      self.assertEqual([each['count'] for each in found], [1, 1, 2])
      for each in found:
        self.assertGreater(each['seconds'], 0)
        self.assertGreater(each['peak'], 1 << 20)
      with self.assertRaisesRegex(step_worker.WorkerError, 'exit code 1: .*three is too many'):
        one.step()
      with self.assertRaisesRegex(step_worker.WorkerError, 'exit code 1'):
        one.step()
      self.assertEqual(other.step()['count'], 2)
    self.assertIsNotNone(other._process.poll())

  def test_one_that_does_not_begin_says_why(self):
    with self.assertRaisesRegex(step_worker.WorkerError, 'exit code 3: no such package'):
      worker('import sys; print("no such package", file=sys.stderr); sys.exit(3)')

  def test_one_that_takes_too_long_is_ended(self):
    with self.assertRaisesRegex(step_worker.WorkerError, 'no answer in 0 s'):
      worker('import time; time.sleep(600)', limit=0.2)


if __name__ == '__main__':
  absltest.main()
