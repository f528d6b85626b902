"""Runners: the same results in the same order, whoever does the work."""

import functools
import os
import signal
from concurrent.futures import process

from absl.testing import absltest, parameterized

from datasets.streaming import runners


class Task(int):
  """A number whose size is itself."""

  @property
  def size(self):
    return int(self)


def square(task, advance=None):
  if task == 13:
    raise ValueError('thirteen is not allowed')
  if advance:
    advance(task.size)
  return {'square': task * task}


def interrupt(task):
  os.kill(os.getpid(), signal.SIGINT)
  return {'task': task}


class RunnersTest(parameterized.TestCase):

  @parameterized.parameters(1, 2)
  def test_results_in_order_and_all_work_reported(self, workers):
    reported = []
    run = runners.choose(workers=workers, options=None)
    results = list(run(square, [Task(i) for i in range(12)], reported.append))
    self.assertEqual(results, [{'square': i * i} for i in range(12)])
    self.assertEqual(sum(reported), sum(range(12)))

  @parameterized.parameters(1, 2)
  def test_an_error_of_a_task_is_raised_unchanged(self, workers):
    run = runners.choose(workers=workers, options=None)
    with self.assertRaisesRegex(ValueError, 'thirteen is not allowed'):
      list(run(square, [Task(13)], lambda size: None))

  def test_an_interrupted_worker_prints_nothing(self):
    run = runners.choose(workers=2, options=None)
    with self.assertRaisesRegex(process.BrokenProcessPool, 'terminated abruptly'):
      list(run(interrupt, [Task(1)], lambda size: None))

  def test_what_is_not_asked_for_is_not_run(self):
    run = runners.choose(workers=1, options=None)
    self.assertEqual(next(run(square, [Task(2), Task(13)], lambda size: None)), {'square': 4})

  def test_without_beam_the_error_says_what_to_do(self):
    run = runners.choose(workers=1, options=('--runner=DirectRunner',))
    self.assertIsInstance(run, functools.partial)
    with absltest.mock.patch.dict('sys.modules', apache_beam=None), \
        self.assertRaisesRegex(ValueError, 'run `./run //binaries:prepare_data_beam`'):
      list(run(square, [Task(1)], lambda size: None))


if __name__ == '__main__':
  absltest.main()
