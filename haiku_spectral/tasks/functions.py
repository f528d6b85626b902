"""Short functions from examples: compositions of primitives of lists and of strings.

A prompt shows three inputs with their outputs and ends, after a blank, where an expression of x is
due:

    [3,1,2]->[1,2,3] [5,0,5]->[0,5,5] [8,4,6]->[4,6,8]|def f(x):return

The sandbox runs the expression on these inputs and on thirty others. Whatever does the same as the
reference on all of them is right.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from haiku_spectral.sandbox.result import ExecResult, Job, Status
from haiku_spectral.tasks import expressions
from haiku_spectral.tasks.problem import Family, Problem, check_request, identical, side

Primitives = dict[str, tuple[str, Callable[[Any], Any]]]  # name: (expression of {}, function)

BOTH: Primitives = {
  'reverse': ('{}[::-1]', lambda x: x[::-1]),
  'tail': ('{}[1:]', lambda x: x[1:]),
  'init': ('{}[:-1]', lambda x: x[:-1]),
  'alternate': ('{}[::2]', lambda x: x[::2]),
  'repeat': ('({}*2)', lambda x: x * 2),
}
PRIMITIVES: dict[type, Primitives] = {
  list: BOTH | {
    'sort': ('sorted({})', sorted),
    'distinct': ('sorted(set({}))', lambda x: sorted(set(x))),
    'increment': ('[y+1 for y in {}]', lambda x: [y + 1 for y in x]),
    'double': ('[y*2 for y in {}]', lambda x: [y * 2 for y in x]),
    'odd': ('[y for y in {} if y%2]', lambda x: [y for y in x if y % 2]),
    'sum': ('[sum({})]', lambda x: [sum(x)]),
    'join': ("''.join(map(str,{}))", lambda x: ''.join(map(str, x))),
  },
  str: BOTH | {
    'sort': ("''.join(sorted({}))", lambda x: ''.join(sorted(x))),
    'upper': ('{}.upper()', str.upper),
    'lower': ('{}.lower()', str.lower),
    'swap': ('{}.swapcase()', str.swapcase),
    'title': ('{}.title()', str.title),
    'without': ("{}.replace('a','')", lambda x: x.replace('a', '')),
    'shout': ("({}+'!')", lambda x: x + '!'),
  },
}
PROBES: dict[type, tuple] = {  # What tells functions apart.
  list: ([3, 1, 2], [5, 0, 5, 8], [9, 9, 4, 7, 2], [1], [6, 2, 2, 8, 3, 0], [7, 4, 1, 1, 0]),
  str: ('bAc', 'aaBd', 'CabDa', 'd', 'DcbAab', 'BBacd'),
}
SHOWN, HIDDEN = 3, 30
LONGEST = 32  # Characters of a value in a prompt.
EXPRESSION = re.compile(r'[!-~](?:[ -~]{0,317}[!-~])?')
EXTRAS = re.compile(r'[#;\\]')  # Not needed in an expression, good for hiding things behind it.

Chain = Sequence[str]  # Names of primitives in the order in which they are applied.


class Functions(Family):
  """Compositions of `depth` primitives, none of which the examples could do without.

  The object is what the function does, not how it is spelled: its key is a hash of what it makes of
  fixed probes, so different compositions of the same effect are on the same side of the split.
  """

  name = 'functions'
  version = '4'
  depths = range(1, 13)
  max_bytes = 320

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    while True:
      kind = (list, str)[rng.integers(2)]
      inputs = draw_inputs(rng, kind)
      chain = draw_chain(rng, kind, depth, inputs[:SHOWN])
      if not chain or side(key := behaviour(kind, chain)) != split:
        continue
      pairs = [(value, run(chain, value)) for value in inputs]
      if len(expression(kind, chain)) < self.max_bytes:
        shown = ' '.join(f'{render(value)}->{render(output)}' for value, output in pairs[:SHOWN])
        return Problem(self.name, depth, key, f'{shown}|def f(x):return ', expression(kind, chain),
                       tuple(((value,), output) for value, output in pairs))

  def job(self, problem: Problem, completion: str) -> Job | None:
    if not EXPRESSION.fullmatch(completion) or EXTRAS.search(completion):
      return None
    try:
      expressions.canonical(completion)
    except ValueError:
      return None
    source = f'def f(x):return {completion}\n\ndef run(xs):\n  return [f(x) for x in xs]\n'
    return Job(source, 'run', ([value for (value,), _ in problem.hidden],))

  def canonical(self, completion: str) -> str:
    return expressions.canonical(completion)

  def check(self, problem: Problem, result: ExecResult) -> bool:
    expected = [output for _, output in problem.hidden]
    return result.status is Status.OK and identical(result.value, expected)


def run(chain: Chain, value: Any) -> Any:
  """Applies a chain; raises KeyError where a primitive is none of the value's type."""
  for name in chain:
    value = PRIMITIVES[type(value)][name][1](value)
  return value


def expression(kind: type, chain: Chain) -> str:
  """The chain as Python, an expression of x, which is of type `kind`."""
  text = 'x'
  for name in chain:
    text = PRIMITIVES[kind][name][0].format(text)
    kind = str if name == 'join' else kind
  return text


def behaviour(kind: type, chain: Chain) -> str:
  """The key of what a chain does. One that does the same to any sequence has one key."""
  kind = list if all(name in BOTH for name in chain) else kind
  outputs = repr([run(chain, probe) for probe in PROBES[kind]])
  return f'{kind.__name__} {hashlib.blake2b(outputs.encode(), digest_size=8).hexdigest()}'


def render(value: Any) -> str:
  """A value as it stands in prompts: Python without spaces."""
  return repr(value).replace(' ', '')


def draw_chain(
    rng: np.random.Generator, kind: type, depth: int, inputs: Sequence[Any]
) -> list[str]:
  """A chain that shows in what it makes of `inputs`: none that lacks some of it does the same.

  Each primitive is drawn from those that leave the chain so far telling, which all beginnings of a
  telling chain are, and outputs short. An empty list where there is none.
  """
  full: tuple[Any, ...] = tuple(inputs)
  others: dict[str, tuple[Any, ...]] = {}  # By their text: what shorter chains make of them.
  chain: list[str] = []
  for _ in range(depth):
    shorter = {**others, repr(full): full}
    names = [name for name in PRIMITIVES[type(full[0])] if _tells(name, full, others)]
    if not names:
      return []
    chain.append(names[rng.integers(len(names))])
    others = {**shorter, **_apply_to_all(chain[-1], others)}
    full = _apply(chain[-1], full)
  return chain


def _tells(name: str, full: tuple[Any, ...], others: Mapping[str, tuple[Any, ...]]) -> bool:
  """Whether a telling chain, which makes `full`, stays so with one more primitive."""
  longer = _apply(name, full)
  shown = repr(longer)
  return (max(len(render(value)) for value in longer) <= LONGEST
          and shown != repr(full) and shown not in others
          and shown not in _apply_to_all(name, others))


def _apply(name: str, values: tuple[Any, ...]) -> tuple[Any, ...]:
  return tuple(PRIMITIVES[type(value)][name][1](value) for value in values)


def _apply_to_all(
    name: str, others: Mapping[str, tuple[Any, ...]]
) -> dict[str, tuple[Any, ...]]:
  """What remains possible, by its text: a primitive does not fit where a type has not changed."""
  longer = (_apply(name, values) for values in others.values()
            if name in PRIMITIVES[type(values[0])])
  return {repr(values): values for values in longer}


def draw_inputs(rng: np.random.Generator, kind: type) -> list:
  """Different lists of digits, or strings of small and capital letters."""
  drawn: dict[str, Any] = {}
  while len(drawn) < SHOWN + HIDDEN:
    size = rng.integers(3, 7)
    value: Any = rng.integers(10, size=size).tolist()
    if kind is str:
      value = ''.join('abcdeABCDE'[digit] for digit in value)
    drawn.setdefault(repr(value), value)
  return list(drawn.values())
