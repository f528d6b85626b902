"""Values cross whole or not at all."""

import concurrent.futures
import math
import sys

from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from haiku_spectral.sandbox import literals

ATOMS = (st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers()
         | st.text() | st.binary() | st.just(5000).map(lambda digits: 10**digits))
KEYS = st.recursive(
    ATOMS, lambda keys: st.lists(keys).map(tuple) | st.frozensets(keys), max_leaves=3)
VALUES = st.recursive(ATOMS, lambda values: (
    st.lists(values) | st.lists(values).map(tuple) | st.dictionaries(KEYS, values)
    | st.sets(KEYS) | st.frozensets(KEYS)), max_leaves=8)


def same(left: object, right: object) -> bool:
  """Equal in type and value all the way down; a NaN is like another, 0.0 not like -0.0."""
  if type(left) is not type(right):
    return False
  if isinstance(left, float):
    return (math.isnan(left) and math.isnan(right)) or (
        left == right and math.copysign(1, left) == math.copysign(1, right))
  if isinstance(left, complex):
    return same(left.real, right.real) and same(left.imag, right.imag)
  if isinstance(left, dict):
    return same(list(left.items()), list(right.items()))
  if isinstance(left, set | frozenset):  # Their order is nobody's.
    return len(left) == len(right) and all(any(same(a, b) for b in right) for a in left)
  if isinstance(left, list | tuple):
    return len(left) == len(right) and all(map(same, left, right))
  return left == right


class LiteralsTest(parameterized.TestCase):

  @settings(deadline=None, max_examples=60)
  @given(VALUES)
  def test_round_trip(self, value):
    text = literals.dumps(value)
    self.assertTrue(text.isascii())
    self.assertTrue(same(literals.loads(text), value))

  @settings(deadline=None)
  @given(st.text('[](){},:\'"\\bxu0139afinstoredmplNTF.-+eE_ğ\n') | st.text())
  def test_any_text_is_a_value_or_an_error(self, text):
    try:
      value = literals.loads(text)
    except literals.LiteralError:
      return
    self.assertTrue(same(literals.loads(literals.dumps(value)), value))

  @parameterized.parameters(
      '', '1,2', '[1', '1]', '(1]', '[]()', "b'\\u0041'", "'\\d'", "'\\N{DIGIT ONE}'", "f'{1}'",
      "'a\nb'", "'\\U00110000'", '{1,}', '{[]:1,}', 'set([1,],)', '{set():1,}', 'complex(1,2,)',
      "complex('1','2',)", '007', '-', '--1', '1_0', '0b1', '1e5', 'Infinity', 'object()',
      '__name__', '1if 1else 2', '[x for x in ()]', 'dict()', '().__class__', 'lambda:0',
      '9' * 5000, '[' * 65 + ']' * 65, '-' * 10**6 + '1', '(' * 10**6, '[' + '1,' * 3)
  def test_refused(self, text: str):
    with self.assertRaises(literals.LiteralError):
      literals.loads(text)

  @parameterized.parameters(
      (object(),), (int,), (len,), (range(3),), (bytearray(),), ({'x': [{1: object()}]},),
      (type('Text', (str,), {})('x'),), (type('Truth', (int,), {})(1),),
      (type('Bag', (dict,), {})(),))
  def test_other_types_do_not_cross(self, value: object):
    with self.assertRaisesRegex(literals.LiteralError, 'of type .* cannot cross: only None, bool'):
      literals.dumps(value)

  def test_nesting_is_bounded(self):
    value = 0
    for _ in range(literals.DEPTH):
      value = [value]
    self.assertEqual(literals.loads(literals.dumps(value)), value)
    with self.assertRaisesRegex(literals.LiteralError, 'deep'):
      literals.dumps([value])
    endless = []
    endless.append(endless)
    with self.assertRaisesRegex(literals.LiteralError, 'deep'):
      literals.dumps(endless)

  def test_threads_do_not_disturb_each_other(self):
    text = literals.dumps(['é\n', b'\xff', None, (True, {'k': 'v' * 9})] * 200)
    before = sys.getswitchinterval()
    self.addCleanup(sys.setswitchinterval, before)
    sys.setswitchinterval(1e-6)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
      found = list(threads.map(literals.loads, [text] * 64))
    self.assertEqual(found, [literals.loads(text)] * 64)


if __name__ == '__main__':
  absltest.main()
