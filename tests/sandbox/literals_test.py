"""Values cross whole or not at all."""

import concurrent.futures
import contextlib
import math
import sys
import time

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


def same_in_any_order(left: object, right: object) -> bool:
  """The same, but for the order of dicts."""
  if isinstance(left, dict) and isinstance(right, dict):
    return len(left) == len(right) and all(any(
        same(key, other) and same_in_any_order(left[key], right[other]) for other in right)
        for key in left)
  if isinstance(left, list | tuple) and type(left) is type(right):
    return len(left) == len(right) and all(map(same_in_any_order, left, right))
  return same(left, right)


def texts_at_the_limits() -> dict[str, str]:
  """What takes longest to read, and to refuse."""
  modulus, items = sys.hash_info.modulus, literals.MAX_VALUES - 1
  def collection(members: list[str], opening: str = 'set(') -> str:
    return f'{opening}{"".join(member + "," for member in members)})'
  def colliding_tuple(number: int, equal: int) -> str:
    digits = [f'{(number >> 2 * digit & 3) * modulus + 5},' for digit in range(6)]
    return f'({"1000000007," * equal}{"".join(digits)})'
  def colliding_set(number: int) -> str:
    digits = [f'{(number >> 2 * digit & 3) * modulus + digit}' for digit in range(8)]
    return collection([*digits, *(f'{1 << 30 + digit}' for digit in range(12))], 'frozenset(')
  return {
      'digits': '1' * 10**6, 'digits_after_a_point': '1.' + '1' * 10**6,
      'hexadecimal': '0x' + '1' * 10**6, 'exponent': '1e+' + '9' * 10**6,
      'commas': ',' * 10**6, 'colons': '{' + ':' * 10**6, 'brackets': '[' * 10**6,
      'escapes': '"' + r'\n' * 10**6 + '"', 'unclosed': "'" + r'\n' * 10**6,
      'many_items': '[' + '1,' * 10**6 + ']', 'most_items': '[' + '1,' * (items - 1) + ']',
      'most_lists': '[' + '[],' * (items - 1) + ']',
      'most_floats': '[' + '1.2345678901234567e+300,' * (items - 1) + ']',
      'long_numbers': '[' + ('0x' + 'f' * 60 + ',') * (items - 1) + ']',
      'numbers': collection([f'{number}' for number in range(11_000)]),
      'most_numbers': collection([f'{number << 40}' for number in range(2047)]),
      'huge_numbers': collection([f'0x{number * modulus:x}' for number in range(1, 10_000)]),
      'complex': collection([f'complex({2.0**50 - 1000003 * number},{float(number)},)'
                             for number in range(5000)]),
      'most_complex': collection([f'complex({2.0**50 - 1000003 * number},{float(number)},)'
                                  for number in range(1000)]),
      'tuples': collection([colliding_tuple(number, 14) for number in range(700)]),
      'most_tuples': collection([colliding_tuple(number, 14) for number in range(440)]),
      'keys': '{' + ''.join(f'{colliding_tuple(number, 0)}:0,' for number in range(600)) + '}',
      'sets': collection([colliding_set(number) for number in range(700)]),
      'most_sets': collection([colliding_set(number) for number in range(80)]),
      'nested_sets': 'frozenset(' * 64 + '1,' + '),' * 63 + ')'}


class CostTest(parameterized.TestCase):
  """Whatever the text: its value, or none, within 0.1 s of processor time; here five times that."""

  @parameterized.parameters(*texts_at_the_limits())
  def test_read_and_compared_in_time(self, name: str):
    text, value = texts_at_the_limits()[name], None
    start = time.thread_time()
    with contextlib.suppress(literals.LiteralError):
      value = literals.loads(text)
    literals.canonical(value)
    self.assertLess(time.thread_time() - start, 0.5)

  @parameterized.parameters(
      ('[' + '1,' * literals.MAX_VALUES + ']', 'more than 16384 items'),
      (f'set({1 << 64:#x},)', 'beyond 64 bits'),
      ('{(1,2,):1,' + f'{-2**63 - 1:#x}:1,' + '}', 'beyond 64 bits'),
      ('set(' + ''.join(f'{number},' for number in range(2048)) + ')', 'too many members'),
      ('[' + '0x' + 'f' * (literals.MAX_BITS // 4 + 1) + ',]', 'not a literal'),
      ('[1' + '2' * 30 + ',]', 'not a literal'), ('[1.' + '2' * 30 + ',]', 'not a literal'),
      ("['a' 'b',]", 'not a literal'), ('[1', 'not one complete'))
  def test_refused(self, text: str, message: str):
    with self.assertRaisesRegex(literals.LiteralError, message):
      literals.loads(text)

  def test_within_the_limits(self):
    for value in (list(range(literals.MAX_VALUES - 1)), set(range(2000)), {2**63: 1, -2**63: 2},
                  {str(number): number for number in range(8000)}, 1 << literals.MAX_BITS - 1):
      self.assertEqual(literals.loads(literals.dumps(value)), value)
    with self.assertRaisesRegex(literals.LiteralError, f'{literals.MAX_BITS + 1} bits'):
      literals.dumps([1 << literals.MAX_BITS])

  def test_text_that_the_host_wrote_has_no_limits(self):
    for value in (list(range(10**5)), set(range(10**4)), {2**70: 1}):
      self.assertEqual(literals.loads(literals.dumps(value), trusted=True), value)


class LiteralsTest(parameterized.TestCase):

  @settings(deadline=None, max_examples=60)
  @given(VALUES)
  def test_round_trip(self, value):
    text = literals.dumps(value)
    self.assertTrue(text.isascii())
    self.assertTrue(same(literals.loads(text, trusted=True), value))
    with contextlib.suppress(literals.LiteralError):  # For a key beyond 64 bits.
      self.assertTrue(same(literals.loads(text), value))

  @settings(deadline=None)
  @given(VALUES, VALUES)
  def test_canonical_texts_are_equal_for_the_same_values_only(self, left, right):
    self.assertEqual(literals.canonical(left) == literals.canonical(right),
                     same_in_any_order(left, right))

  def test_canonical_text_does_not_depend_on_order(self):
    left, right = {'a': {8, 16, 0}, 'b': 1}, {'b': 1, 'a': {16, 0, 8}}
    self.assertEqual(literals.canonical(left), literals.canonical(right))
    self.assertNotEqual(literals.canonical([1, 2]), literals.canonical([2, 1]))

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
