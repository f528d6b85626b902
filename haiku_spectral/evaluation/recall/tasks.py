"""The recall tasks: facts that a text states somewhere, and questions at its end.

Sources: passkey: Mohtashami and Jaggi (2023), "Landmark attention"; needles: Hsieh et al. (2024),
"RULER"; MQAR: Arora et al. (2023), "Zoology"; induction: Olsson et al. (2022), Gu and Dao (2023).
All that is asked for is drawn uniformly from an alphabet, so that chance is known exactly.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

LETTERS = b'abcdefghijklmnopqrstuvwxyz'
CAPITALS = LETTERS.upper()
DIGITS = b'0123456789'
CODE_LENGTH = 8
PAIRS = (4, 8, 16, 32, 64, 128, 256)  # Of the MQAR tasks.


class Question(NamedTuple):
  """What stands at the end of a text."""

  cue: bytes
  answer: bytes  # What the model is to continue with.


class Script(NamedTuple):
  """The facts in the order in which the text states them, then the questions."""

  facts: tuple[bytes, ...]
  questions: tuple[Question, ...]


class Draw:
  """Random strings that do not occur in the filler, all different."""

  def __init__(self, generator: np.random.Generator, known: Callable[[bytes], bool]) -> None:
    self.generator = generator
    self._known, self._drawn = known, set[bytes]()  # What the filler holds, and what was drawn.

  def letters(self, count: int, alphabet: bytes = LETTERS) -> bytes:
    """Any letters."""
    return self.generator.choice(np.frombuffer(alphabet, np.uint8), count).tobytes()

  def new(self, make: Callable[[], bytes]) -> bytes:
    """A string that is new. Raises ValueError when no such string turns up."""
    for _ in range(10_000):
      if (found := make()) not in self._drawn and not self._known(found):
        self._drawn.add(found)
        return found
    raise ValueError(f'the filler holds all strings like {found.decode()!r}: give other text.')

  def code(self) -> bytes:
    """Eight small letters: what most tasks ask for."""
    return self.new(lambda: self.letters(CODE_LENGTH))

  def name(self) -> bytes:
    """What a fact is about."""
    return self.new(lambda: self.letters(CODE_LENGTH).capitalize())


class Task(NamedTuple):
  """A kind of text with questions."""

  name: str
  about: str  # For people.
  script: Callable[[Draw], Script]
  # Where fact i of k stands at a depth: 0 is the beginning, 1 right before the questions.
  place: Callable[[float, int, int], float] = lambda depth, i, k: depth
  alphabet: int = len(LETTERS)  # From which each byte of an answer is drawn.
  lasting: bool = False  # No later text of a document contradicts it: it may be asked for again.
  noise: bool = False  # Random letters around the facts, in the place of text.
  boundary: bool = False  # A BOUNDARY id stands between facts and questions,
  resets: bool = False  # and the state begins anew with it.

  @property
  def chance(self) -> float:
    """The share of an answer's bytes that chance gets right."""
    return 1 / self.alphabet


def _sentence(name: bytes) -> bytes:
  return b'\nThe keeper of ' + name + b' hid '


def _verbatim(draw: Draw) -> Script:
  name, code = draw.name(), draw.code()
  return Script((_sentence(name) + code + b' here.\n',), (Question(_sentence(name), code),))


def _paraphrased(draw: Draw) -> Script:
  name, code = draw.name(), draw.code()
  return Script((b'\n' + name + b' = ' + code + b'\n',), (Question(b'\n' + name + b'? ', code),))


def _passkey(draw: Draw) -> Script:
  key = draw.new(lambda: draw.letters(5, DIGITS))
  fact = b'\nThe pass key is ' + key + b'. Remember it. ' + key + b' is the pass key.\n'
  return Script((fact,), (Question(b'\nWhat is the pass key? The pass key is ', key),))


def _needles(draw: Draw) -> Script:
  pairs = [(_sentence(draw.name()), draw.code()) for _ in range(4)]
  asked = [pairs[i] for i in draw.generator.permutation(len(pairs))]
  return Script(tuple(cue + code + b' here.\n' for cue, code in pairs),
                tuple(Question(cue, code) for cue, code in asked))


def _mqar(count: int) -> Callable[[Draw], Script]:
  def script(draw: Draw) -> Script:
    pairs = [(draw.new(lambda: draw.letters(2, CAPITALS) + b'='), draw.letters(2))
             for _ in range(count)]
    asked = [pairs[i] for i in draw.generator.permutation(count)]
    stated = b';'.join(key + value for key, value in pairs)
    return Script((b'\n' + stated + b'\n',), tuple(
        Question((b';' if i else b'\n') + key, value) for i, (key, value) in enumerate(asked)
    ))

  return script


def _copy(draw: Draw) -> Script:
  cue, code = b'\nCopy this: ', draw.new(lambda: draw.letters(64))
  return Script((cue + code + b'\n',), (Question(cue, code),))


def _induction(draw: Draw) -> Script:
  trigger, code = draw.new(lambda: draw.letters(4, CAPITALS)), draw.code()
  return Script((trigger + code,), (Question(trigger, code),))


def _update(draw: Draw) -> Script:
  cue = b'\n' + draw.name() + b' = '
  codes = [draw.code() for _ in range(4)]
  return Script(tuple(cue + code + b'\n' for code in codes), (Question(cue, codes[-1]),))


TASKS = {task.name: task for task in (
    Task('verbatim', 'a sentence begins again', _verbatim, lasting=True),
    Task('paraphrased', 'NAME = CODE is asked as NAME? CODE', _paraphrased, lasting=True),
    Task('passkey', 'five digits, asked with a question before', _passkey, alphabet=len(DIGITS)),
    Task('needles', 'four sentences begin again, in another order', _needles,
         place=lambda depth, i, k: depth + (1 - depth) * i / k, lasting=True),
    *(Task(f'mqar_{count}', f'{count} pairs KEY=VALUE, each key asked once', _mqar(count))
      for count in PAIRS),
    Task('copy', '64 random letters once more', _copy),
    Task('induction', 'what followed four letters before, in random letters', _induction,
         noise=True),
    Task('update', 'the latest of four values of a name', _update,
         place=lambda depth, i, k: depth * (i + 1) / k),
    Task('session', 'verbatim, behind a BOUNDARY id of the same session', _verbatim, boundary=True),
    Task('reset', 'verbatim, but the state was reset: no model can know', _verbatim, boundary=True,
         resets=True),
)}


def chosen(names: list[str]) -> list[Task]:
  """The tasks of some names. Raises ValueError for a name that none has."""
  if unknown := [name for name in names if name not in TASKS]:
    raise ValueError(
        f'there is no recall task {unknown[0]!r}: give some of {", ".join(TASKS)}.')
  return [TASKS[name] for name in names]
