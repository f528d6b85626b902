"""The split of objects, for ever, and what counts as the same value."""

import time

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest, parameterized

from haiku_spectral.tasks import problem
from tests.fixed_examples import fixed_examples
from tests.tasks import trusted

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from((0.0, 1.0, '1', b'1', 1j)),
    lambda inner: st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple)
    | st.frozensets(st.booleans() | st.integers(0, 1), max_size=2)
    | st.dictionaries(st.booleans() | st.integers(0, 1) | st.just('1'), inner, max_size=2),
    max_leaves=6)


def canonical(value):
  """A text that is the same for the same value only."""
  if isinstance(value, list | tuple):
    return f'{type(value).__name__}({",".join(map(canonical, value))})'
  if isinstance(value, dict):
    return f'dict({",".join(sorted(f"{canonical(k)}:{canonical(v)}" for k, v in value.items()))})'
  if isinstance(value, frozenset):
    return f'frozenset({",".join(sorted(map(canonical, value)))})'
  return f'{type(value).__name__}:{value!r}'


# Never to be changed: a model may have been trained on what these say is for training.
PINNED = {
  'train': ('ev', 'araba', 'güzel', 'şiir', 'kapı', 'yağmur', 'göz', 'ışın', 'zürafa',
            '347+589', '12038+82714', 'list 1a7ed965f118e131', 'str 754d4188316fa83b'),
  'gate': ('7+9',),
  'heldout': ('kumaş', 'tencere', 'tablo', 'servet', 'radyo', 'kiraz', '0+1', '0+2',
              'list 088bd854730748dc', 'str c514b1c4ba2468d9'),
}


class ProblemTest(parameterized.TestCase):

  @hypothesis.given(VALUES, VALUES)
  @fixed_examples(500)
  def test_identical_means_the_same_text(self, left, right):
    self.assertEqual(problem.identical(left, right), canonical(left) == canonical(right))

  @parameterized.parameters(
      (True, 1), (1, 1.0), ('a', b'a'), ([1], (1,)), ([1, [True]], [1, [1]]), ({1}, {True}),
      ({1}, frozenset({1})), ({'a': 1}, {'a': True}), ({1: 'a'}, {True: 'a'}), ([], [None]),
      ([1, 2], [2, 1]), ('ev', trusted.Text('ev')), ('ev', trusted.Agreeable()),
      ([trusted.Agreeable()], ['ev']),
      (None, False), (0, -1), ([], ()), ({(1,)}, {(True,)}), ({1: 1}, {2: 1}))
  def test_other_values(self, left, right):
    self.assertFalse(problem.identical(left, right))
    self.assertFalse(problem.identical(right, left))

  @parameterized.parameters(
      ([1, ['a', (None, 2.5)]],), ({'a': {1, 2}, 'b': frozenset()},), (b'',), (True,), (10**30,))
  def test_same_values(self, value):
    self.assertTrue(problem.identical(value, eval(repr(value))))

  @parameterized.parameters(
      '{*range(11000)}', '{x: 0 for x in range(11000)}', '{x * (2**61 - 1) for x in range(2000)}',
      '[{x} for x in range(5000)]')
  def test_comparing_takes_no_longer_than_reading(self, text):
    value = eval(text)
    start = time.thread_time()
    self.assertTrue(problem.identical(value, value))
    self.assertFalse(problem.identical(value, [value]))
    self.assertLess(time.thread_time() - start, 0.5)  # 0.02 s; by pairs it took a minute and more.

  def test_pinned_sides(self):
    for split, keys in PINNED.items():
      for key in keys:
        self.assertEqual(problem.side(key), split, key)

  def test_a_quarter_is_held_out_and_a_tenth_is_the_gates(self):
    sides = [problem.side(str(number)) for number in range(20_000)]
    for split, share in (('heldout', problem.HELDOUT), ('gate', problem.GATE)):
      self.assertAlmostEqual(sides.count(split) / 20_000, share, delta=0.01)


if __name__ == '__main__':
  absltest.main()
