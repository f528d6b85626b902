"""Texts of the recall tasks, each a function of (task, length, depth, seed), made in pieces.

Shapes: L ids of a text.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.evaluation.recall import background as background_lib
from haiku_spectral.evaluation.recall.tasks import Draw, Script, Task
from haiku_spectral.requirement import require

MAX_LENGTH = 1 << 20
EVALUATION, TRAINING = 0, 1  # First number of a seed: no text of one is one of the other.


class Insert(NamedTuple):
  """Ids that stand in the place of the background's."""

  start: int
  ids: np.ndarray  # [n] int32


class Example(NamedTuple):
  """A text of exactly `length` ids; it ends with its last answer."""

  task: Task
  length: int
  depth: float
  background: background_lib.Background
  spaces: tuple[Insert, ...]  # In the place of characters that are cut by what is inserted.
  inserts: tuple[Insert, ...]
  answers: tuple[slice, ...]  # Where the answers stand in the text.
  restart: int | None  # The position of the id with which the state begins anew.

  @property
  def ending(self) -> np.ndarray:  # [n] int32
    """The questions with their answers, as they stand at the end."""
    return self.inserts[-1].ids

  def ids(self, start: int, stop: int) -> np.ndarray:  # [stop - start] int32
    """A piece of the text, 0 <= start <= stop <= L; nothing else is made."""
    found = self.background.take(start, stop - start).astype(np.int32)
    for place, ids in (*self.spaces, *self.inserts):
      low, high = max(place, start), min(place + ids.size, stop)
      if low < high:
        found[low - start:high - start] = ids[low - place:high - place]
    return found


def minimum_length(task: Task) -> int:
  """The ids that the facts and questions of a task take."""
  script = task.script(Draw(np.random.default_rng(0), lambda string: False))
  return sum(map(len, script.facts)) + _ending(task, script).size


def check(tasks: Sequence[Task], lengths: Sequence[int], depths: Sequence[float], *,
          prefix: str = '') -> None:
  """Raises ValueError for what `make` does not allow; `prefix` goes before names."""
  for name, values in (('tasks', tasks), ('lengths', lengths), ('depths', depths)):
    require(bool(values), prefix + name, list(values), 'one or more')
  for depth in depths:
    require(0 <= depth <= 1, prefix + 'depths', depth, '0 (the beginning) to 1 (the end)')
  longest = max(tasks, key=minimum_length)
  for length in lengths:
    require(minimum_length(longest) <= length <= MAX_LENGTH, prefix + 'lengths', length,
            f'{minimum_length(longest):,} bytes, which the task {longest.name} takes, to '
            f'{MAX_LENGTH:,}')


def make(
    task: Task, *, length: int, depth: float, seed: Sequence[int],
    filler: background_lib.Filler,
) -> Example:
  """The text of a task: the same arguments give the same text.

  At depth 0 the text begins with the facts, at depth 1 they stand right before the questions. No
  answer occurs in the filler (for MQAR: no key). Raises ValueError for arguments that are not
  allowed, and for a filler that leaves nothing to ask for.
  """
  check([task], [length], [depth])
  key = (*seed, zlib.crc32(task.name.encode()), length, round(depth * 1e6))
  script = task.script(Draw(np.random.default_rng((*key, 0)), filler.holds))
  around = background_lib.Noise((*key, 1)) if task.noise else filler.shuffled((*key, 1))
  ending = _ending(task, script)
  asked_from = length - ending.size
  inserts, answers = _facts(task, script, asked_from, depth), []
  inserts.append(Insert(asked_from, ending))
  place = asked_from + task.boundary
  for cue, answer in script.questions:
    place += len(cue) + len(answer)
    answers.append(slice(place - len(answer), place))
  return Example(task, length, depth, around, _spaces(around, inserts), tuple(inserts),
                 tuple(answers), asked_from if task.resets else None)


def _spaces(background: background_lib.Background, inserts: Sequence[Insert]) -> tuple[Insert, ...]:
  """Spaces for what inserts leave of UTF-8 characters at their edges."""
  found = []
  for start, ids in inserts:
    stop = start + ids.size
    before = background_lib.cut_before(background, start)
    after = background_lib.cut_after(background, stop)
    for place, count in ((start - before, before), (stop, after)):
      if count:
        found.append(Insert(place, np.full(count, ord(' '), np.int32)))
  return tuple(found)


def _facts(task: Task, script: Script, end: int, depth: float) -> list[Insert]:
  """The facts at their places in the first `end` ids of a text."""
  room, used, found = end - sum(map(len, script.facts)), 0, []
  for number, fact in enumerate(script.facts):
    place = used + round(task.place(depth, number, len(script.facts)) * room)
    found.append(Insert(place, vocab.encode(fact)))
    used += len(fact)
  return found


def _ending(task: Task, script: Script) -> np.ndarray:  # [n] int32
  """The questions and what stands before them."""
  data = b''.join(cue + answer for cue, answer in script.questions)
  before = np.full(int(task.boundary), vocab.BOUNDARY, np.int32)
  return np.concatenate([before, vocab.encode(data)])
