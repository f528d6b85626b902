"""Windows: every byte of a split once, and nothing of its padding alone."""

import numpy as np
from absl.testing import absltest, parameterized

from datasets import packing, windows
from haiku_spectral import vocab

R = packing.RECORD_BYTES


def records_of(size):
  """The records of one document of `size` bytes: a stream of size + 1 positions."""
  return list(packing.pack([(1, [np.arange(size, dtype=np.uint32).astype(np.uint8).tobytes()])]))


class WindowsTest(parameterized.TestCase):

  @parameterized.product(
      size=(0, 1, 63, 64, 65, 1000, R - 2, R - 1, R, R + 5, 2 * R + 700), length=(64, 1024, R))
  def test_every_target_stands_in_one_window(self, size, length):
    records = records_of(size)
    cut = windows.Windows(records, length)
    for index in range(len(cut)):
      ids = cut.ids(index, 0, length)
      self.assertEqual(ids.shape, (length + 1,))
      self.assertTrue(size == 0 or (ids[1:] != vocab.PAD).any(), f'window {index} has no target')
    targets = sum((cut.ids(i, 0, length)[1:] != vocab.PAD).sum() for i in range(len(cut)))
    self.assertEqual(targets, max(0, size + 1 - len(records)))  # The last byte of each has none.

  @parameterized.parameters(1000, R - 1, R, 2 * R + 700, 4 * R - 1, 4 * R + 40)
  def test_a_window_of_several_records_is_read_in_slices(self, size):
    records = records_of(size)
    cut, short = windows.Windows(records, 2 * R), windows.Windows(records, 1024)
    slices = [cut.ids(index, part * 1024, 1024) for index in range(len(cut))
              for part in range(cut.count_slices(index, 1024))]
    self.assertLen(slices, len(short))
    for index, ids in enumerate(slices):
      np.testing.assert_array_equal(ids, short.ids(index, 0, 1024))

  @parameterized.parameters(1000, R - 1, R, 2 * R + 700, 4 * R - 1, 4 * R + 40)
  def test_a_window_of_several_records_is_read_at_once(self, size):
    records = records_of(size)
    text = np.concatenate([packing.record_ids(record) for record in records])
    cut = windows.Windows(records, 2 * R)
    for index in range(len(cut)):
      start = index * 2 * R
      expected = text[start : start + 2 * R]
      ids = cut.ids(index, 0, 2 * R)
      np.testing.assert_array_equal(ids[: len(expected)], expected)
      self.assertTrue((ids[len(expected):] == vocab.PAD).all())

  def test_a_window_is_where_arithmetic_says(self):
    records = records_of(3 * R)
    cut = windows.Windows(records, 1024)
    for index in (0, 63, 64, 130):
      start = index % 64 * 1024
      expected = np.append(packing.record_ids(records[index // 64]), vocab.PAD)
      np.testing.assert_array_equal(
          cut.ids(index, 0, 1024), expected[start:start + 1025])
      np.testing.assert_array_equal(
          cut.ids(index, 512, 64), expected[start + 512:start + 512 + 65])

  @parameterized.parameters(1, 63, 64, 65, 200, 1023, 1024, 1025, 3000, R + 1, R + 1100)
  def test_slices_are_those_with_a_byte_to_predict(self, size):
    cut = windows.Windows(records_of(size), 1024)
    for index in range(len(cut)):
      scored = [(cut.ids(index, part * 64, 64)[1:] != vocab.PAD).any() for part in range(16)]
      self.assertEqual(cut.count_slices(index, 64), sum(scored), f'window {index}')
      self.assertTrue(all(scored[:cut.count_slices(index, 64)]))


if __name__ == '__main__':
  absltest.main()
