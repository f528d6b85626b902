"""Reading ahead: the same batches in the same order, bounded, and gone when closed."""

import itertools
import threading

from absl.testing import absltest, parameterized

from datasets import prefetch


class Numbers:
  """Stands for batches: gives their numbers and notes what was asked for."""

  def __init__(self, length=10**18, fails_at=None):
    self.length, self.fails_at, self.asked = length, fails_at, []

  def __len__(self):
    return self.length

  def __getitem__(self, step):
    self.asked.append(step)
    if step == self.fails_at:
      raise IndexError('a broken record')
    return step


def threads():
  return [thread for thread in threading.enumerate() if thread.name.startswith('prefetch')]


class PrefetchTest(parameterized.TestCase):

  @parameterized.product(workers=(1, 3), buffer=(1, 4))
  def test_in_order_from_any_step(self, workers, buffer):
    with prefetch.iterate(Numbers(), 7, buffer=buffer, threads=workers) as batches:
      self.assertEqual(list(itertools.islice(batches, 50)), list(range(7, 57)))

  def test_holds_no_more_than_its_buffer(self):
    numbers = Numbers()
    with prefetch.iterate(numbers, buffer=3) as batches:
      self.assertEqual([next(batches) for _ in range(5)], list(range(5)))
    self.assertLessEqual(max(numbers.asked), 4 + 3)

  def test_ends_where_the_batches_end(self):
    with prefetch.iterate(Numbers(length=10), 6) as batches:
      self.assertEqual(list(batches), [6, 7, 8, 9])
      self.assertEmpty(list(batches))

  def test_an_error_is_raised_where_its_batch_is_asked_for(self):
    with prefetch.iterate(Numbers(fails_at=3)) as batches:
      self.assertEqual([next(batches) for _ in range(3)], [0, 1, 2])
      with self.assertRaisesRegex(IndexError, 'a broken record'):
        next(batches)

  def test_closing_ends_the_threads(self):
    batches = prefetch.iterate(Numbers(), threads=2)
    next(batches)
    self.assertNotEmpty(threads())
    batches.close()
    self.assertEmpty(threads())
    self.assertEmpty(list(batches))
    batches.close()

  def test_leaving_the_block_by_an_error_closes(self):
    with self.assertRaises(KeyError), prefetch.iterate(Numbers()) as batches:
      next(batches)
      raise KeyError
    self.assertEmpty(threads())


if __name__ == '__main__':
  absltest.main()
