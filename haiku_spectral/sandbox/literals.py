"""Values as text, in both directions: literals of exact built-in types and of nothing else.

What comes out of the sandbox was written by untrusted code. So it is not unpickled, and the
compiler never sees it (nor would CPython 3.11 let several threads use the compiler at a time): a
value is a run of tokens from a closed list, and any text that they make up gives plain data or a
`LiteralError`. Never code, never an object with methods of its own. Inside, the same module writes;
nothing here relies on that.

Nor may a text keep the host busy. Each token is read in time linear in its length and there are
at most `MAX_VALUES`; what remains is hashing, where numbers, tuples and frozensets can be chosen
such that all of them collide. So the work that a set or a dict could cause at worst is bounded
too, by `MAX_COMPARISONS`. Two values are compared by their `canonical` texts, which hashes nothing.

Beside Python's own literals: inf, nan, set(1,2,), frozenset(1,2,) and complex(1.0,2.0,), and large
integers in hexadecimal, because Python refuses to read and write long decimals. A comma or a colon
ends each item.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

DEPTH = 64  # Of nesting.
MAX_VALUES = 1 << 14  # Items and containers together, in untrusted text: read in 20 ms.
MAX_BITS = 1 << 17  # Of an integer.
MAX_COMPARISONS = 1 << 22  # Of two numbers, if all members of all sets and dicts collide: 40 ms.
TEXT_UNIT = 64  # Characters that are compared in the time of two numbers.
TYPES = 'None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset'
_LONG = 1 << 63
_ESCAPE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2})"""
_WIDE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"""
_IN_SINGLE, _IN_DOUBLE = r'[ -&(-[\]-~]', r'[ !#-[\]-~]'  # Without quote and backslash.


def _quoted(opening: str, plain: str, escape: str) -> str:
  """Plain characters by runs, which is ten times as fast as one by one."""
  return f'{opening} {plain}*+ (?: {escape} {plain}*+ )*+ {opening[-1]}'


_TOKEN = re.compile(rf"""
    (?P<open> [\[({{] | (?:set|frozenset|complex)\( )
  | (?: (?P<close> [\])}}] )
    | (?P<float> -?(?: \d{{1,17}}\.\d{{1,24}}(?:e[+-]\d{{1,3}})? | \d{{1,17}}e[+-]\d{{1,3}}
                   | inf | nan ) )
    | (?P<int> -?(?: 0x[0-9a-f]{{1,{MAX_BITS // 4}}}+ | \d{{1,19}} ) )
    | (?P<word> None | True | False )
    | (?P<text> {_quoted("b'", _IN_SINGLE, _ESCAPE)} | {_quoted('b"', _IN_DOUBLE, _ESCAPE)}
              | {_quoted("'", _IN_SINGLE, _WIDE)} | {_quoted('"', _IN_DOUBLE, _WIDE)} )
    ) (?: [,:] | \Z )
""", re.ASCII | re.VERBOSE)


class LiteralError(ValueError):
  """A value of a type that does not cross, or a text that is no value."""


def _dict(items: list) -> dict:
  return dict(zip(items[::2], items[1::2], strict=True))


def _complex(items: list) -> complex:
  if [type(item) for item in items] != [float, float]:
    raise ValueError('a complex number is two floats')
  return complex(*items)


_CONTAINERS: dict[str, tuple[str, Callable[[list], Any]]] = {
    '[': (']', list), '(': (')', tuple), '{': ('}', _dict), 'set(': (')', set),
    'frozenset(': (')', frozenset), 'complex(': (')', _complex)}
_HASHING = {'{': 2, 'set(': 1, 'frozenset(': 1}  # Of how many items one is hashed.


def _text(token: str) -> str | bytes:
  """Of the escapes that may stand in a token, Python's codec knows all."""
  body = token[token[0] == 'b':][1:-1].encode('ascii').decode('unicode_escape')
  return body.encode('latin-1') if token[0] == 'b' else body


_ATOMS: dict[str, Callable[[str], Any]] = {
    'int': lambda token: int(token, 0), 'float': float, 'text': _text,
    'word': {'None': None, 'True': True, 'False': False}.__getitem__}


def dumps(value: Any, depth: int = DEPTH, order: Callable[[Iterable[str]], Iterable[str]] = iter,
          ) -> str:
  """The text of a value, in ASCII; raises LiteralError when its type does not cross.

  `order` arranges the items of sets and dicts.
  """
  kind = type(value)  # Exactly: an instance of a subclass brings code with it.
  if kind in (type(None), bool, str, bytes):
    return ascii(value)
  if kind is float:
    return repr(value)
  if kind is int:
    return str(value) if -_LONG < value < _LONG else _hexadecimal(value)
  if kind is complex:
    return f'complex({value.real!r},{value.imag!r},)'
  if depth == 0:
    raise LiteralError(f'a value nested more than {DEPTH} deep cannot cross')
  if kind is dict:
    return '{' + ''.join(order(
        f'{dumps(key, depth - 1, order)}:{dumps(item, depth - 1, order)},'
        for key, item in value.items())) + '}'
  if kind not in (list, tuple, set, frozenset):
    raise LiteralError(f'a value of type {kind.__name__} cannot cross: only {TYPES}, exactly')
  items = (dumps(item, depth - 1, order) + ',' for item in value)
  if kind is list:
    return f'[{"".join(items)}]'
  if kind is tuple:
    return f'({"".join(items)})'
  return f'{kind.__name__}({"".join(order(items))})'


def canonical(value: Any) -> str:
  """A text that is the same for the same types and values only, however sets are ordered.

  Takes O(n log n), whatever the hashes are. Raises LiteralError as `dumps` does.
  """
  return dumps(value, order=sorted)


def _hexadecimal(value: int) -> str:
  if value.bit_length() > MAX_BITS:
    raise LiteralError(f'an integer of {value.bit_length()} bits cannot cross: {MAX_BITS} are the '
                       'most')
  return hex(value)


def loads(text: str, trusted: bool = False) -> Any:
  """The value of an untrusted text; raises LiteralError when it is not one.

  Only text that the host wrote is `trusted`: then nothing limits its cost.
  """
  values: list[Any] = []
  costs: list[int] = []  # Of comparing each value to one like it, in comparisons of numbers.
  opened: list[tuple[str, list, list]] = []  # The containers around `values`, with what they held.
  at = count = comparisons = 0
  try:
    while at < len(text):
      token = _TOKEN.match(text, at)
      if token is None:
        raise LiteralError('not a literal')
      at, kind = token.end(), token.lastgroup
      if kind == 'open':
        if len(opened) == DEPTH:
          raise LiteralError(f'nested more than {DEPTH} deep')
        opened.append((token[kind], values, costs))
        values, costs = [], []
      elif kind == 'close':
        opener, *around = opened.pop()
        closer, build = _CONTAINERS[opener]
        if token[kind] != closer:
          raise LiteralError(f'{opener} closed by {token[kind]}')
        cost = 1 + sum(costs)
        if opener in _HASHING:
          step = _HASHING[opener]
          cost += _collisions(values[::step], costs[::step], trusted)
          comparisons += cost
          if comparisons > MAX_COMPARISONS and not trusted:
            raise LiteralError('too many members of sets, or keys of dicts')
        value = build(values)
        values, costs = around
        values.append(value)
        costs.append(cost)
      elif kind in _ATOMS:
        values.append(_ATOMS[kind](token[kind]))
        costs.append(1 + len(token[kind]) // TEXT_UNIT)
      count += kind != 'close'
      if count > MAX_VALUES and not trusted:
        raise LiteralError(f'more than {MAX_VALUES} items')
  except (IndexError, SyntaxError, TypeError, ValueError) as error:
    raise LiteralError(f'what came out is no value: {error}') from error
  if opened or len(values) != 1:
    raise LiteralError('what came out is no value: not one complete literal')
  return values[0]


def _collisions(members: list, costs: list[int], trusted: bool) -> int:
  """Comparisons, if all members whose hash can be chosen collide: those of texts are secret."""
  chosen = []
  for member, cost in zip(members, costs, strict=True):
    if type(member) is int and not -_LONG <= member < 2 * _LONG and not trusted:
      raise LiteralError('an integer beyond 64 bits cannot be a key or a member')
    if type(member) not in (str, bytes):
      chosen.append(cost)
  return (len(chosen) - 1) * sum(chosen)
