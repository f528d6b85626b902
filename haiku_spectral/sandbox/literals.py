"""Values as text, in both directions: literals of exact built-in types and of nothing else.

What comes out of the sandbox was written by code that nobody trusts. So it is not unpickled, and
the compiler never sees it (nor would CPython 3.11 let several threads ask the compiler at a time):
a value is a run of tokens from a closed list, and any text that they make up gives plain data or a
`LiteralError`. Never code, never an object with methods of its own. Inside, the same module writes;
nothing here relies on that.

Beside Python's own literals: inf, nan, set(1,2,), frozenset(1,2,) and complex(1.0,2.0,), and large
integers in hexadecimal, because Python refuses to read and write long decimals.
"""

import re
from collections.abc import Callable
from typing import Any

DEPTH = 64  # Of nesting.
TYPES = 'None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset'
_LONG = 1 << 63
_ESCAPE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2})"""
_WIDE = r"""\\(?:[\\'"nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"""
_TOKEN = re.compile(rf"""
    (?P<open> [\[({{] | (?:set|frozenset|complex)\( ) | (?P<close> [\])}}] ) | (?P<between> [,:] )
  | (?P<float> -?(?: \d+\.\d+(?:e[+-]\d+)? | \d+e[+-]\d+ | inf | nan ) )
  | (?P<int> -?(?: 0x[0-9a-f]++ | \d{{1,19}} ) )
  | (?P<word> None | True | False )
  | (?P<text> b' (?:[ -&(-[\]-~] | {_ESCAPE})*+ ' | b" (?:[ !#-[\]-~] | {_ESCAPE})*+ "
            |  ' (?:[ -&(-[\]-~] | {_WIDE})*+ '   |  " (?:[ !#-[\]-~] | {_WIDE})*+ " )
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


def _text(token: str) -> str | bytes:
  """Of the escapes that may stand in a token, Python's codec knows all."""
  body = token[token[0] == 'b':][1:-1].encode('ascii').decode('unicode_escape')
  return body.encode('latin-1') if token[0] == 'b' else body


_ATOMS: dict[str, Callable[[str], Any]] = {
    'int': lambda token: int(token, 0), 'float': float, 'text': _text,
    'word': {'None': None, 'True': True, 'False': False}.__getitem__}


def dumps(value: Any, depth: int = DEPTH) -> str:
  """The text of a value, in ASCII; raises LiteralError when its type does not cross."""
  kind = type(value)  # Exactly: an instance of a subclass brings code with it.
  if kind in (type(None), bool, str, bytes):
    return ascii(value)
  if kind is float:
    return repr(value)
  if kind is int:
    return str(value) if -_LONG < value < _LONG else hex(value)
  if kind is complex:
    return f'complex({value.real!r},{value.imag!r},)'
  if depth == 0:
    raise LiteralError(f'a value nested more than {DEPTH} deep cannot cross')
  if kind is dict:
    return '{' + ''.join(
        f'{dumps(key, depth - 1)}:{dumps(item, depth - 1)},' for key, item in value.items()) + '}'
  if kind not in (list, tuple, set, frozenset):
    raise LiteralError(f'a value of type {kind.__name__} cannot cross: only {TYPES}, exactly')
  items = ''.join(dumps(item, depth - 1) + ',' for item in value)
  if kind is list:
    return f'[{items}]'
  return f'({items})' if kind is tuple else f'{kind.__name__}({items})'


def loads(text: str) -> Any:
  """The value of a text, which may be anybody's; raises LiteralError when it is not one."""
  values: list[Any] = []
  opened: list[tuple[str, list]] = []  # The containers around `values`, each with what it held.
  at = 0
  try:
    while at < len(text):
      token = _TOKEN.match(text, at)
      if token is None:
        raise LiteralError('not a literal')
      at, kind = token.end(), token.lastgroup
      if kind == 'open':
        if len(opened) == DEPTH:
          raise LiteralError(f'nested more than {DEPTH} deep')
        opened.append((token[0], values))
        values = []
      elif kind == 'close':
        opener, around = opened.pop()
        closer, build = _CONTAINERS[opener]
        if token[0] != closer:
          raise LiteralError(f'{opener} closed by {token[0]}')
        around.append(build(values))
        values = around
      elif kind in _ATOMS:
        values.append(_ATOMS[kind](token[0]))
  except (IndexError, SyntaxError, TypeError, ValueError) as error:
    raise LiteralError(f'what came out is no value: {error}') from error
  if opened or len(values) != 1:
    raise LiteralError('what came out is no value: not one whole literal')
  return values[0]
