"""Compositions against an interpreter of their names, and answers that look right and are not."""

import itertools

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.sandbox.result import Status
from haiku_spectral.tasks import functions, problem
from tests.fixed_examples import fixed_examples
from tests.tasks import trusted

FAMILY = functions.Functions()
TEMPLATES = {(name, *template.split('{}')) for primitives in functions.PRIMITIVES.values()
             for name, (template, _) in primitives.items()}
CHAINS = st.tuples(st.sampled_from((list, str)), st.integers(1, 6), st.integers(0)).map(
    lambda drawn: (drawn[0], draw_any(np.random.default_rng(drawn[2]), *drawn[:2])))


def draw_any(rng, kind, depth):
  """A chain whose types fit, telling or not."""
  chain = []
  for _ in range(depth):
    names = list(functions.PRIMITIVES[kind])
    chain.append(names[rng.integers(len(names))])
    kind = str if chain[-1] == 'join' else kind
  return chain


def interpret(names, value):
  """What a chain does, element by element; None where a primitive does not fit."""
  for name in names:
    if isinstance(value, str) and name in ('increment', 'double', 'odd', 'sum', 'distinct', 'join'):
      return None
    if isinstance(value, list) and name in ('upper', 'lower', 'swap', 'title', 'without', 'shout'):
      return None
    kept, text = list(value), isinstance(value, str)
    match name:
      case 'reverse':
        kept = [kept[-place] for place in range(1, len(kept) + 1)]
      case 'tail':
        kept = [item for place, item in enumerate(kept) if place]
      case 'init':
        kept = [item for place, item in enumerate(kept) if place + 1 < len(kept)]
      case 'alternate':
        kept = [item for place, item in enumerate(kept) if not place & 1]
      case 'repeat':
        kept = [*kept, *kept]
      case 'sort':
        rest, kept = kept, []
        while rest:
          kept.append(min(rest))
          rest.remove(kept[-1])
      case 'distinct':
        kept = [number for number in range(2000) if number in kept]
      case 'increment':
        kept = [-~number for number in kept]
      case 'double':
        kept = [number + number for number in kept]
      case 'odd':
        kept = [number for number in kept if number & 1]
      case 'sum':
        total = 0
        for number in kept:
          total += number
        kept = [total]
      case 'join':
        kept, text = [*''.join(f'{number}' for number in kept)], True
      case 'upper':
        kept = [chr(ord(c) - 32) if 'a' <= c <= 'z' else c for c in kept]
      case 'lower':
        kept = [chr(ord(c) + 32) if 'A' <= c <= 'Z' else c for c in kept]
      case 'swap':
        kept = [chr(ord(c) ^ 32) if c.isalpha() else c for c in kept]
      case 'title':
        kept = [c if not c.isalpha() else chr(ord(c) | 32) if place and kept[place - 1].isalpha()
                else chr(ord(c) & ~32) for place, c in enumerate(kept)]
      case 'without':
        kept = [c for c in kept if c != 'a']
      case 'shout':
        kept = [*kept, '!']
      case _:
        raise ValueError(name)
    value = ''.join(kept) if text else kept
  return value


def read_shown(prompt):
  """The examples of a prompt as (input, output)."""
  shown = prompt.removesuffix('|def f(x):return ')
  return [tuple(map(eval, pair.split('->'))) for pair in shown.split(' ')]


class FunctionsTest(parameterized.TestCase):

  @parameterized.parameters(
      (list, 'sort reverse', 'sorted(x)[::-1]', [3, 1, 2], [3, 2, 1]),
      (list, 'increment double', '[y*2 for y in [y+1 for y in x]]', [0, 4], [2, 10]),
      (list, 'odd sum', '[sum([y for y in x if y%2])]', [1, 2, 3], [4]),
      (list, 'tail join shout', "(''.join(map(str,x[1:]))+'!')", [7, 1, 2], '12!'),
      (list, 'distinct repeat init', '(sorted(set(x))*2)[:-1]', [2, 1, 2], [1, 2, 1]),
      (str, 'repeat alternate', '(x*2)[::2]', 'abc', 'acb'),
      (str, 'sort swap', "''.join(sorted(x)).swapcase()", 'bA', 'aB'),
      (str, 'without title lower upper', "x.replace('a','').title().lower().upper()", 'abA', 'BA'))
  def test_checked_by_hand(self, kind, names, text, value, expected):
    self.assertEqual(functions.expression(kind, names.split()), text)
    self.assertEqual(functions.run(names.split(), value), expected)
    self.assertEqual(interpret(names.split(), value), expected)
    self.assertEqual(eval(text, {'x': value}), expected)

  @hypothesis.given(CHAINS, st.integers(0))
  @fixed_examples(400)
  def test_text_and_chain_do_what_an_interpreter_of_names_does(self, drawn, seed):
    kind, chain = drawn
    text = functions.expression(kind, chain)
    self.assertEqual(parses(text), [chain])
    for value in functions.draw_inputs(np.random.default_rng(seed), kind):
      expected = interpret(chain, value)
      self.assertTrue(problem.identical(functions.run(chain, value), expected))
      self.assertTrue(problem.identical(eval(text, {'x': value}), expected))

  @parameterized.product(depth=(1, 2, 3, 4, 5, 6, 9), split=problem.SPLITS)
  def test_examples_need_every_primitive(self, depth, split):
    rng = np.random.default_rng(depth)
    for _ in range(10 if depth < 7 else 1):
      each = FAMILY.propose(rng, depth, split)
      (chain,) = parses(each.answer)
      self.assertLen(chain, depth)
      shown = read_shown(each.prompt)
      self.assertLen(shown, 3)
      self.assertLen(each.hidden, 33)
      self.assertEqual(shown, [(value, output) for (value,), output in each.hidden[:3]])
      self.assertLen({repr(args) for args, _ in each.hidden}, 33)
      for size in range(depth):
        for shorter in itertools.combinations(chain, size):
          self.assertNotEqual([interpret(shorter, value) for value, _ in shown],
                              [output for _, output in shown], (each, shorter))

  @parameterized.parameters(
      (list, 'reverse tail reverse', 'init'),
      (list, 'increment double', 'double increment increment'), (str, 'swap lower', 'lower'),
      (str, 'reverse sort', 'sort'), (list, 'sort sort', 'sort'))
  def test_what_does_the_same_has_the_same_key(self, kind, one, other):
    self.assertEqual(functions.behaviour(kind, one.split()),
                     functions.behaviour(kind, other.split()))

  @parameterized.parameters(
      (list, 'sort', 'list 1a7ed965f118e131'), (list, 'odd', 'list 088bd854730748dc'),
      (str, 'reverse', 'list ff1fb9a8375c73cf'), (str, 'swap', 'str c514b1c4ba2468d9'),
      (list, 'sort reverse', 'list 5955b366865d7198'),
      (str, 'title tail repeat', 'str 864cb84cc6eed6a3'))
  def test_pinned_keys(self, kind, names, key):
    self.assertEqual(functions.behaviour(kind, names.split()), key)

  def test_keys_of_single_primitives_differ(self):
    keys = [functions.behaviour(kind, [name])
            for kind in (list, str) for name in functions.PRIMITIVES[kind]
            if kind is list or name not in functions.BOTH]
    self.assertLen(set(keys), len(keys))
    self.assertEqual({problem.side(key) for key in keys}, set(problem.SPLITS))

  def test_no_held_out_answer_is_an_answer_of_training(self):
    answers = {split: set() for split in problem.SPLITS}
    for split, found in answers.items():
      rng = np.random.default_rng(0)
      found |= {FAMILY.propose(rng, depth, split).answer for depth in (1, 2) for _ in range(150)}
    for one, other in itertools.combinations(answers.values(), 2):
      self.assertEmpty(one & other)

  def test_answers_of_another_form_are_right(self):
    each = make([2, 1, 3], [[5, 4], [9, 8, 8]], 'sort reverse')
    for completion in ('sorted(x)[::-1]', 'sorted(x, reverse=True)', 'list(reversed(sorted(x)))'):
      self.assertTrue(trusted.accepts(FAMILY, each, completion))
    for completion in ('x', 'sorted(x)', 'x[::-1]', 'tuple(sorted(x)[::-1])', '[3,2,1]', '1/0'):
      self.assertFalse(trusted.accepts(FAMILY, each, completion))

  def test_values_of_another_type_are_rejected(self):
    each = make([1, 0], [[1, 1], [0]], 'sort')
    right = [[0, 1], [1, 1], [0]]
    self.assertTrue(FAMILY.check(each, trusted.outcome(value=right)))
    for wrong in ([[0, 1], [1, True], [0]], [[0, 1], [1, 1.0], [0]], [(0, 1), [1, 1], [0]],
                  tuple(right), right[:2], [*right, []], [[0, 1], [1, 1], [trusted.Agreeable()]],
                  [trusted.Agreeable()] * 3, trusted.Agreeable(), None, repr(right)):
      self.assertFalse(FAMILY.check(each, trusted.outcome(value=wrong)), wrong)
    self.assertFalse(FAMILY.check(each, trusted.outcome(Status.TIMEOUT_CPU, right)))

  def test_the_shown_examples_alone_are_not_enough(self):
    each = FAMILY.propose(np.random.default_rng(0), 2, 'train')
    table = {repr(value): output for value, output in read_shown(each.prompt)}
    values = [table.get(repr(value), output[:0]) for (value,), output in each.hidden]
    self.assertEqual(values[:3], [output for _, output in each.hidden[:3]])
    self.assertFalse(FAMILY.check(each, trusted.outcome(value=values)))

  @parameterized.parameters(
      ' x', 'x ', 'x#', "x if'#'else x", 'x;y', 'x\\', 'x\ty', 'x\r', 'xé', 'x\x7f', 'x' * 320)
  def test_what_is_no_expression(self, completion):
    self.assertIsNone(FAMILY.job(make([2, 1], [], 'sort'), completion))

  @parameterized.parameters(
      '(x,"x")[0]', '(sorted(x),1)[0]', 'x if x else x', 'x or x', 'y', 'x.__class__(x)',
      '__import__("os")', '(lambda y:y)(x)', '[x,1][0]',
      'x:=x')
  def test_what_pads_or_reaches_elsewhere_is_no_expression(self, completion):
    self.assertIsNone(FAMILY.job(make([2, 1], [], 'sort'), completion))

  def test_the_same_answer_is_known_however_it_is_spelled(self):
    spellings = ('[y+1 for y in sorted(x)]', '[y+1  for  y in sorted( x )]',
                 '[item+1 for item in sorted(x)]', '[((y))+1 for y in (sorted(x))]')
    self.assertLen({FAMILY.canonical(text) for text in spellings}, 1)
    self.assertNotEqual(FAMILY.canonical('sorted(x)'), FAMILY.canonical('sorted(x)[:]'))

  def test_thirty_inputs_at_least_are_hidden(self):
    for depth in (1, 6):
      each = FAMILY.propose(np.random.default_rng(3), depth, 'train')
      hidden = {repr(args) for args, _ in each.hidden[functions.SHOWN:]}
      self.assertGreaterEqual(len(hidden), 30)
      self.assertFalse(any(args in each.prompt for args in hidden))

  def test_the_job_has_the_inputs_only(self):
    each = FAMILY.propose(np.random.default_rng(1), 3, 'train')
    job = FAMILY.job(each, 'x')
    self.assertEqual(job.args, ([value for (value,), _ in each.hidden],))
    self.assertEqual(job.source, 'def f(x):return x\n\ndef run(xs):\n  return [f(x) for x in xs]\n')


def parses(text):
  """All chains that are written so."""
  if text == 'x':
    return [[]]
  return [[*chain, name] for name, head, tail in TEMPLATES
          if text.startswith(head) and text.endswith(tail) and len(text) > len(head + tail)
          for chain in parses(text[len(head):len(text) - len(tail)])]


def make(first, others, names):
  pairs = tuple(((value,), functions.run(names.split(), value)) for value in (first, *others))
  return problem.Problem('functions', len(names.split()), 'key', 'prompt',
                         functions.expression(type(first), names.split()), pairs)


if __name__ == '__main__':
  absltest.main()
