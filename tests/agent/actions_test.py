"""A turn of any bytes is either understood or refused with a line for the model."""

import re

import hypothesis
import hypothesis.strategies as st
from absl.testing import absltest, parameterized

from haiku_spectral.agent import actions
from tests.fixed_examples import fixed_examples

LINES = st.sampled_from([
    b'```', b'```python', b'```c', b'DONE', b'DONE ', b'REMEMBER a=b', b'REMEMBER a', b'REMEMBER ',
    b'x = 1', b'', b'  ```', b'\xff', b'~~~', b'~~~~ py', b'````', b'``` \r', b'DONE\r'])
TURNS = st.one_of(
    st.binary(max_size=60), st.lists(LINES, max_size=8).map(b'\n'.join),
    st.lists(LINES, max_size=8).map(lambda lines: b''.join(line + b'\n' for line in lines)))
settings = fixed_examples(300)


class ActionsTest(parameterized.TestCase):

  @parameterized.parameters(
      (b'```\nx = 1\n```\n', actions.Actions('x = 1')),
      (b'First:\n```python\n\nx\n```', actions.Actions('\nx')),
      (b'```\n```\n', actions.Actions('')),
      (b'```\nDONE\nREMEMBER a=b\n```\n', actions.Actions('DONE\nREMEMBER a=b')),
      (b'REMEMBER a=b=c\nso\nREMEMBER d.1-_= e \n',
       actions.Actions(None, (('a', 'b=c'), ('d.1-_', ' e ')))),
      (b'REMEMBER a=', actions.Actions(None, (('a', ''),))),
      ('REMEMBER a=ğ\n```\ns = "ğ"\n```\n'.encode(), actions.Actions('s = "ğ"', (('a', 'ğ'),))),
      (b'DONE', actions.Actions(done=True)),
      (b'I am DONE\nREMEMBER a=b\nDONE\n', actions.Actions(None, (('a', 'b'),), True)),
  )
  def test_understood(self, turn, want):
    self.assertEqual(actions.parse(turn), want)

  @parameterized.parameters(
      (b'```py\nprint(1)\n```\nso\n```python\nB()\n```\n', 'print(1)'),
      (b'~~~\nprint(1)\n~~~\nso\n', 'print(1)'), (b'```Python3\nprint(1)\n```\n', 'print(1)'),
      (b'~~~ python run=1\nprint(1)\n~~~~~\n', 'print(1)'),
      (b'```python \nprint(1)\n``` \t\n', 'print(1)'),
      (b'```python\r\nprint(1)\r\n\r\nx\r\n```\r\n', 'print(1)\n\nx'),
      (b'  ```\n  if x:\n    y\n z\n  ```\n', 'if x:\n  y\nz'),
      (b'````\n```\nx\n~~~~\n````\n', '```\nx\n~~~~'),
      (b'```\ns = 1\n````\n', 's = 1'),
      (b'``` a`b\nprose\n```\ncode\n```\n', 'code'), (b'    ```\n``\n```\nx\n```\n', 'x'))
  def test_blocks_are_fenced_as_in_commonmark(self, turn, code):
    self.assertEqual(actions.parse(turn), actions.Actions(code))
    self.assertEqual(turn[:actions.end(turn)].rstrip().splitlines()[-1].strip()[:1],
                     turn.strip()[:1])

  @parameterized.parameters(
      (b'```bash\nls\n```\nrm it all\n```\n',), (b'```c\n```\nDONE\nprose\n```\n',),
      (b'~~~\rpy = 1\r~~~\nprose\n~~~\n',))
  def test_the_line_that_closes_a_block_opens_none(self, turn):
    self.assertEqual(actions.end(turn), re.search(rb'\n(```|~~~)\n', turn).end())
    with self.assertRaisesRegex(ValueError, 'only Python runs'):
      actions.parse(turn)

  @parameterized.parameters(
      (b'DONE \t\r\n', actions.Actions(done=True)),
      (b'REMEMBER a=b \r\nDONE\r\n', actions.Actions(None, (('a', 'b '),), True)),
      (b'REMEMBER a=b\r', actions.Actions(None, (('a', 'b'),))))
  def test_line_ends_and_trailing_blanks(self, turn, want):
    self.assertEqual(actions.parse(turn), want)

  @parameterized.parameters(
      (b'', 'nothing to do: write a block of code between lines ```, REMEMBER key=value or DONE'),
      (b'DONE.\n DONE\ndone', 'nothing to do'),
      (b'```\nx = 1\n', 'the block of code is not closed: end it with a line ```'),
      (b'```\nx = 1\n    ```\nDONE\n', 'the block of code is not closed'),
      (b'````\nx = 1\n```\nDONE\n', 'the block of code is not closed: end it with a line ````'),
      (b'~~~\nx = 1\n```\nDONE\n', 'the block of code is not closed: end it with a line ~~~'),
      (b'```bash\nls\n```\n', "is marked 'bash': only Python runs, open it with ```python"),
      (b'~~~ text\nso\n~~~\n', "is marked 'text': only Python runs"),
      (b'REMEMBER', 'REMEMBER needs key=value, with a key of 1 to 64 letters'),
      (b'REMEMBER a b=c', 'REMEMBER needs key=value'),
      (b'REMEMBER =c\nDONE\n', 'REMEMBER needs key=value'),
      (b'REMEMBER ' + b'k' * 65 + b'=c', 'REMEMBER needs key=value'),
      (b'REMEMBER a=' + 'ğ'.encode() * 513, 'REMEMBER a has a value of more than 1024 bytes'),
      (b'REMEMBER a=\xff', 'REMEMBER is not UTF-8 at its byte 2'),
      (b'```\nx = "\xff"\n```\n', 'the block of code is not UTF-8 at its byte 5'),
      (b'```\n' + b'#' * 10_000_000 + b'\n```\n',
       'the block of code has 10000000 bytes: write 16384 at most'),
  )
  def test_refused(self, turn, message):
    with self.assertRaisesRegex(ValueError, message.replace('(', r'\(')):
      actions.parse(turn)

  @hypothesis.given(TURNS)
  @settings
  def test_a_turn_ends_at_one_place_however_it_comes(self, data):
    place = actions.end(data)
    ends = {actions.end(data[:size]) for size in range(len(data) + 1)}
    self.assertEqual(ends, {None, place})
    if place is not None:
      # Not a byte later than it can be known.
      self.assertIsNone(actions.end(data[:place - 1]))
      self.assertEqual(self._parsed(data), self._parsed(data[:place]))

  @hypothesis.given(TURNS, TURNS)
  @settings
  def test_what_comes_behind_the_end_changes_nothing(self, data, more):
    parsed = self._parsed(data)
    if not isinstance(parsed, str) and (parsed.done or parsed.code is not None):
      closed = data if data.endswith(b'\n') or actions.end(data) else data + b'\n'
      self.assertEqual(self._parsed(closed + more), parsed)

  @hypothesis.given(st.text(st.characters(codec='utf-8'), max_size=40))
  @settings
  def test_code_comes_through_as_it_is(self, code):
    hypothesis.assume(not any(line.strip().startswith('```') for line in code.split('\n')))
    self.assertEqual(actions.parse(f'So:\n```\n{code}\n```\n'.encode()).code, code)

  def _parsed(self, data):
    try:
      return actions.parse(data)
    except ValueError as error:
      return str(error)

  def test_memory_is_bounded_and_forgets(self):
    full = {str(number): 'x' for number in range(64)}
    self.assertEqual(actions.remember(full, (('0', ''), ('new', 'y')))['new'], 'y')
    self.assertEqual(actions.remember(full, (('0', 'z'),))['0'], 'z')
    self.assertNotIn('0', actions.remember(full, (('0', ''), ('none', ''))))
    with self.assertRaisesRegex(ValueError, 'holds 64 keys at most: forget one with REMEMBER key='):
      actions.remember(full, (('new', 'y'),))


if __name__ == '__main__':
  absltest.main()
