"""What is reported as recalled is there, is the latest, and is found."""

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.serving import recall

ORDERS = (2, 3, 5, 8, 11)


def by_hand(text, orders=ORDERS):
  """(length, distance) of each byte by searching the whole text."""
  found = []
  for end in range(len(text)):
    best = (0, 0)
    for order in orders:
      if order >= recall.SHORTEST and end >= order:
        window = text[end - order:end + 1]
        place = text.rfind(window, 0, end)
        if place >= 0:
          best = order, end - order - place
    found.append(best)
  return np.array(found).reshape(-1, 2)


def some_text(seed, size=3000):
  generator = np.random.default_rng(seed)
  words = [generator.bytes(generator.integers(3, 14)) for _ in range(40)]
  text = b''.join(words[i] for i in generator.integers(0, 40, size))
  return text[:size]


class RecallTest(parameterized.TestCase):

  @parameterized.parameters(*range(4))
  def test_is_what_a_search_finds(self, seed):
    text = some_text(seed)
    found, want = recall.Recall(ORDERS).extend(text), by_hand(text)
    # Two contexts may share a place in the index: then one is missed, and nothing is invented.
    same = (found == want).all(axis=1)
    self.assertGreater(same.mean(), 0.98)
    self.assertTrue((found[~same, 0] < want[~same, 0]).all())
    self.assertGreater((found[:, 0] > 0).mean(), 0.1)
    for end in np.flatnonzero(found[:, 0]):
      length, distance = found[end]
      self.assertEqual(text[end - length:end + 1],
                       text[end - length - distance:end + 1 - distance])

  @parameterized.parameters(*range(4))
  def test_pieces_change_nothing(self, seed):
    text, generator = some_text(seed), np.random.default_rng(seed)
    memory, found, start = recall.Recall(ORDERS), [], 0
    while start < len(text):
      size = int(generator.integers(0, 40))
      found.append(memory.extend(text[start:start + size]))
      start += size
    np.testing.assert_array_equal(np.concatenate(found), recall.Recall(ORDERS).extend(text))

  def test_far_back(self):
    fact = b'the key is under the third stone'
    text = fact + np.random.default_rng(0).bytes(10_000) + fact
    found = recall.Recall(ORDERS).extend(text)[-len(fact):]
    self.assertEqual(found[-1].tolist(), [11, 10_000 + len(fact)])

  def test_nothing(self):
    self.assertEqual(recall.Recall(ORDERS).extend(b'').shape, (0, 2))
    self.assertFalse(recall.Recall(()).extend(b'aaaaaaaaaaaaaaa').any())


if __name__ == '__main__':
  absltest.main()
