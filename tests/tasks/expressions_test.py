"""One spelling for one expression, another for another, and nothing that could pad one."""

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.tasks import expressions, functions


class ExpressionsTest(parameterized.TestCase):

  @parameterized.parameters(
      ('sorted(x)[::-1]', 'sorted( x )[ : : -1 ]'), ('x+x', 'x  +  x'), ('x', '((x))'),
      ("x.replace('a','')", 'x.replace("a", "")'), ("x+'!'", "(x+'!')"), ("'ab'+x", "'a' 'b'+x"),
      ('[y+1 for y in x]', '[item+1 for item in x]'), ('[y for y in x]', '[x for x in x]'),
      ('[y*2 for y in [y+1 for y in x]]', '[a*2 for a in [b+1 for b in x]]'),
      ('[y for z in x for y in z]', '[a for b in x for a in b]'),
      ('[[z+y for z in x] for y in x]', '[[y+z for y in x] for z in x]'),
      ('list(map(lambda y:y+1,x))', 'list(map(lambda z: z + 1, x))'),
      ('x[0x1]', 'x[1]'), ('sorted(x,key=lambda y:-y)', 'sorted(x, key=lambda k: -k)'))
  def test_one_answer_has_one_spelling(self, one, other):
    self.assertEqual(expressions.canonical(one), expressions.canonical(other))

  @parameterized.parameters(
      ('x[1:]', 'x[:-1]'), ('[y+1 for y in x]', '[y+2 for y in x]'), ('x[True:]', 'x[1:]'),
      ('[[z+y for z in x] for y in x]', '[[z+y for y in x] for z in x]'),
      ('[y for y in x if y%2]', '[y for y in x]'), ('sorted(x)', 'sorted(x,reverse=True)'),
      ('[y for z in x for y in z]', '[z for z in x for y in z]'),
      ('[[[y+z for z in x] for y in x] for y in x]', '[[[z+z for z in x] for y in x] for y in x]'),
      ('list(map(lambda y:x,x))', 'list(map(lambda x:x,x))'), ("x+'1'", 'x+1'))
  def test_other_answers_have_other_spellings(self, one, other):
    self.assertNotEqual(expressions.canonical(one), expressions.canonical(other))

  @parameterized.parameters(
      '(sorted(x),"x")[0]', '[sorted(x),"x"][0]', '(lambda y:y)(x)', '{0:x}[0]', 'x if 1 else x',
      'x or x', 'x and x', 'y:=x', '(y:=x)', 'y', '__import__("os")', 'open("x")', 'eval("x")',
      'x.__class__', 'x._a', 'f"{x}"', 'None', '...', 'x**9', 'x|x', '1.5', "b''", 'lambda:y',
      '[a for a,b in x]', '(lambda *a:a)', '(lambda y=x:y)', 'await x', 'x.y=1', '', 'x x',
      '[y async for y in x]', '(yield)', '(' * 150, '-' * 159, '[y for y in y]',
      '[x for y in x]+[y]')
  def test_what_is_not_allowed(self, text):
    with self.assertRaises(ValueError):
      expressions.canonical(text)

  def test_what_the_problems_need_is_allowed_and_keeps_its_meaning(self):
    generator = np.random.default_rng(0)
    for number in range(200):
      kind = (list, str)[number % 2]
      inputs = functions.draw_inputs(generator, kind)[:3]
      chain = functions.draw_chain(generator, kind, 1 + number % 6, inputs)
      text = functions.expression(kind, chain)
      same = expressions.canonical(text)
      self.assertEqual(expressions.canonical(same), same)
      for value in functions.draw_inputs(generator, kind)[:3]:
        self.assertEqual(eval(same, {'x': value}), functions.run(chain, value), text)


if __name__ == '__main__':
  absltest.main()
