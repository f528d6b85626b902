"""Reading ahead: the same batches in the same order, bounded, and gone when closed."""

import contextlib
import itertools
import threading

import chex
import numpy as np
from absl.testing import absltest, parameterized

from datasets import pipeline, prefetch


class Numbers:
  """Stands for batches: gives their numbers and notes what was asked for."""

  def __init__(self, length=10**18, fails_at=None):
    self.length, self.fails_at, self.asked = length, fails_at, []
    self.threads, self.read = set(), threading.Condition()

  def __len__(self):
    return self.length

  def __getitem__(self, step):
    with self.read:
      self.asked.append(step)
      self.threads.add(threading.current_thread())
      self.read.notify_all()
    if step == self.fails_at:
      raise OSError('a broken record')
    return step

  def wait_until_asked_for(self, step):
    with self.read:
      return self.read.wait_for(lambda: step in self.asked, timeout=60)


def iterate(*arguments, **options):
  return contextlib.closing(prefetch.iterate(*arguments, **options))


class PrefetchTest(parameterized.TestCase):

  @parameterized.product(workers=(1, 3), buffer=(1, 4))
  def test_in_order_from_any_step(self, workers, buffer):
    with iterate(Numbers(), 7, buffer=buffer, threads=workers) as batches:
      self.assertEqual(list(itertools.islice(batches, 50)), list(range(7, 57)))

  def test_reads_its_buffer_before_it_is_asked_and_no_more(self):
    numbers = Numbers()
    with iterate(numbers, buffer=3) as batches:
      self.assertTrue(numbers.wait_until_asked_for(2))
      self.assertEqual(numbers.asked, [0, 1, 2])
      self.assertEqual([next(batches) for _ in range(5)], list(range(5)))
      self.assertTrue(numbers.wait_until_asked_for(7))
    self.assertEqual(numbers.asked, list(range(8)))

  def test_ends_where_the_batches_end(self):
    with iterate(Numbers(length=10), 6) as batches:
      self.assertEqual(list(batches), [6, 7, 8, 9])
      self.assertEmpty(list(batches))
    with iterate(Numbers(length=10), 10) as batches:
      self.assertEmpty(list(batches))

  def test_an_error_is_raised_where_its_batch_is_asked_for(self):
    with iterate(Numbers(fails_at=3)) as batches:
      self.assertEqual([next(batches) for _ in range(3)], [0, 1, 2])
      with self.assertRaisesRegex(OSError, 'a broken record'):
        next(batches)

  def test_closing_ends_the_threads(self):
    numbers = Numbers()
    batches = prefetch.iterate(numbers, threads=2)
    next(batches)
    batches.close()
    for thread in numbers.threads:
      thread.join(timeout=60)
      self.assertFalse(thread.is_alive())
    self.assertNotIn(threading.current_thread(), numbers.threads)
    batches.close()

  def test_batches_come_as_they_are(self):
    batch = pipeline.Batch(*np.arange(5), history=None)
    with iterate([batch, batch._replace(history=np.ones(3))]) as batches:
      chex.assert_trees_all_equal(next(batches), batch)
      np.testing.assert_array_equal(next(batches).history, 1)


if __name__ == '__main__':
  absltest.main()
