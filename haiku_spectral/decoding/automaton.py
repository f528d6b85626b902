"""Finite automata over bytes, in arrays: which texts are allowed.

Shapes: N states, the last of them the one that is never entered: no text can be completed there.
"""

import collections
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral.decoding import regex_compiler

FAR = 2**30  # More bytes than any text has.


class Automaton(NamedTuple):
  """Which texts are allowed. A text begins in state 0."""

  next: jax.Array  # [N, 256] int32: the state after a byte.
  min_bytes: jax.Array  # [N] int32: the fewest bytes that complete the text; FAR where none do.
  in_context: bool  # It holds for context and text together: a text may begin inside a character.

  @property
  def allowed(self) -> jax.Array:  # [N, 256] bool
    """After which bytes the text can still be completed."""
    return self.min_bytes[self.next] < FAR

  @property
  def accepting(self) -> jax.Array:  # [N] bool
    """Where the text is complete."""
    return self.min_bytes == 0


def _automaton(
    start: int, transitions: Mapping[int, Mapping[int, int]], ends: Iterable[int], *,
    in_context: bool,
) -> Automaton:
  """Numbers the states that can reach an end; all others become the one never entered."""
  sources = collections.defaultdict(set)
  for source, row in transitions.items():
    for target in row.values():
      sources[target].add(source)
  distances = dict.fromkeys(ends, 0)
  queue = collections.deque(distances)
  while queue:  # Breadth first, backwards.
    for source in sources[target := queue.popleft()]:
      if source not in distances:
        distances[source] = distances[target] + 1
        queue.append(source)
  alive = sorted({start, *distances}, key=lambda state: state != start)
  number = {state: i for i, state in enumerate(alive)}
  table = np.full((len(number) + 1, 256), len(number), np.int32)
  min_bytes = np.full(len(number) + 1, FAR, np.int32)
  for state, i in number.items():
    min_bytes[i] = distances.get(state, FAR)
    for byte, target in transitions.get(state, {}).items():
      table[i, byte] = number.get(target, len(number))
  return Automaton(jnp.asarray(table), jnp.asarray(min_bytes), in_context)


def utf8() -> Automaton:
  """Well-formed UTF-8 and nothing else. Source: RFC 3629, section 4.

  Nothing overlong, no surrogates, nothing above U+10FFFF.
  """
  start, one, two, three, e0, ed, f0, f4 = range(8)  # Named by bytes still to come, or the lead.
  ranges = (
      (start, 0x00, 0x7F, start), (start, 0xC2, 0xDF, one), (start, 0xE0, 0xE0, e0),
      (start, 0xE1, 0xEC, two), (start, 0xED, 0xED, ed), (start, 0xEE, 0xEF, two),
      (start, 0xF0, 0xF0, f0), (start, 0xF1, 0xF3, three), (start, 0xF4, 0xF4, f4),
      (one, 0x80, 0xBF, start), (two, 0x80, 0xBF, one), (three, 0x80, 0xBF, two),
      (e0, 0xA0, 0xBF, one), (ed, 0x80, 0x9F, one), (f0, 0x90, 0xBF, two), (f4, 0x80, 0x8F, two))
  transitions: dict[int, dict[int, int]] = collections.defaultdict(dict)
  for source, first, last, target in ranges:
    transitions[source] |= dict.fromkeys(range(first, last + 1), target)
  return _automaton(start, transitions, [start], in_context=True)


def regex(pattern: str) -> Automaton:
  r"""The texts that match `pattern` as a whole; all of them are well-formed UTF-8.

  The syntax is that of Rust's regex crate: `\w`, `\d` and `.` mean Unicode characters, `(?i)` and
  `\p{Greek}` work, look-around, back-references and `\b` do not. A `^` at the start and a `$` at
  the end change nothing.

  Raises ValueError for a pattern that cannot be read, that no text matches, or whose automaton has
  more than 20,000 states.
  """
  name, mistake = f'regex={pattern!r}', _mistake(pattern)
  unbalanced = 'unbalanced parenthesis'
  if unbalanced in mistake or _closes_too_early(pattern):
    raise ValueError(f'{name} cannot be used: {mistake if unbalanced in mistake else unbalanced}.')
  pattern = pattern.removeprefix('^')
  if re.search(r'(?<!\\)(\\\\)*\$\Z', pattern):
    pattern = pattern[:-1]
  try:
    automaton = _automaton(*regex_compiler.compile_pattern(pattern), in_context=False)
  except MemoryError as error:
    raise ValueError(
        f'{name} needs more than {regex_compiler.MAX_STATES:,} states, or takes too long: give '
        r'smaller repetition counts, or narrower classes ([a-z] or [0-9] for \w or \d).') from error
  except UnicodeEncodeError as error:
    raise ValueError(f'{name} is no UTF-8: write such bytes as characters.') from error
  except ValueError as error:
    hint = f' (Python says: {mistake})' if mistake else ''
    raise ValueError(f'{name} cannot be used: {_reason(str(error))}{hint}.') from error
  if automaton.min_bytes[0] == FAR:
    raise ValueError(f'{name} cannot be used: no text matches it.')
  return automaton


def _mistake(pattern: str) -> str:
  """What Python, which says where, finds wrong with a pattern; often nothing."""
  try:
    with warnings.catch_warnings(action='ignore'):
      re.compile(pattern)
  except (re.error, OverflowError, RecursionError) as error:
    return str(error)
  return ''


def _closes_too_early(pattern: str) -> bool:
  """Whether it closes a group that is not open, and so would end the one that it is put into."""
  depth = 0
  # Escapes and classes of characters, in which parentheses are ordinary, come first.
  for part in re.findall(r'\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()]', pattern, re.DOTALL):
    depth += (part == '(') - (part == ')')
    if depth < 0:
      return True
  return False


def _reason(said: str) -> str:
  """What to do about what the library says, which was made for other readers."""
  if 'no transitions' in said or 'start state' in said:
    return ('no text matches it, or not a part of it. Leave out ^ and $ inside of it: it is '
            'matched as a whole anyway')
  if 'word boundaries' in said:
    return r'\b is not supported: write what may stand there instead, as \s or \W'
  return (r"this is not the syntax of Rust's regex crate: close every bracket, and use no "
          r'look-around, as (?=…), and no back-references, as \1')


def state_after(automaton: Automaton, data: bytes, state: int = 0) -> int:
  """The state after some bytes."""
  table = np.asarray(automaton.next)
  for byte in data:
    state = int(table[state, byte])
  return state
