"""Short functions from examples: compositions of primitives of lists and of strings.

A prompt shows three inputs with their outputs and ends, after a blank, where an expression of x is
due:

    [3,1,2]->[1,2,3] [5,0,5]->[0,5,5] [8,4,6]->[4,6,8]|def f(x):return

The sandbox runs the expression on these inputs and on thirty others. Whatever does the same as the
reference on all of them is right.
"""

import hashlib
import itertools
import re
from collections.abc import Callable, Iterable, Sequence
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
EXPRESSION = re.compile(r'[!-~](?:[ -~]{0,157}[!-~])?')
EXTRAS = re.compile(r'[#;\\]')  # Not needed in an expression, good for hiding things behind it.

Chain = Sequence[str]  # Names of primitives in the order in which they are applied.


class Functions(Family):
  """Compositions of `depth` primitives, none of which the examples could do without.

  The object is what the function does, not how it is spelled: its key is a hash of what it makes of
  fixed probes, so different compositions of the same effect are on the same side of the split.
  """

  name = 'functions'
  version = '2'
  depths = range(1, 7)
  max_bytes = 160

  def propose(self, rng: np.random.Generator, depth: int, split: str) -> Problem:
    check_request(self, depth, split)
    while True:
      kind = (list, str)[rng.integers(2)]
      chain = draw_chain(rng, kind, depth)
      key = behaviour(kind, chain)
      inputs = draw_inputs(rng, kind)
      if side(key) != split or not _is_telling(chain, inputs[:SHOWN]):
        continue
      pairs = [(value, run(chain, value)) for value in inputs]
      if max(len(render(output)) for _, output in pairs[:SHOWN]) <= LONGEST:
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
  """The key of what a chain does."""
  outputs = repr([run(chain, probe) for probe in PROBES[kind]])
  return f'{kind.__name__} {hashlib.blake2b(outputs.encode(), digest_size=8).hexdigest()}'


def render(value: Any) -> str:
  """A value as it stands in prompts: Python without spaces."""
  return repr(value).replace(' ', '')


def draw_chain(rng: np.random.Generator, kind: type, depth: int) -> list[str]:
  """Names of primitives, each drawn from those of the type that it meets."""
  chain: list[str] = []
  for _ in range(depth):
    names = list(PRIMITIVES[kind])
    chain.append(names[rng.integers(len(names))])
    kind = str if chain[-1] == 'join' else kind
  return chain


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


def _is_telling(chain: Chain, inputs: Iterable) -> bool:
  """Whether no chain that lacks some of the primitives does the same to all inputs."""
  inputs = list(inputs)
  outputs = [run(chain, value) for value in inputs]
  for size in range(len(chain)):
    for shorter in set(itertools.combinations(chain, size)):
      try:
        if [run(shorter, value) for value in inputs] == outputs:
          return False
      except KeyError:  # Its types do not fit without what it lacks.
        continue
  return True
