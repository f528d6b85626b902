"""Documents full of recall tasks, for training. None of their texts is one of the evaluation's."""

import os
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from haiku_spectral.evaluation.recall import background
from haiku_spectral.evaluation.recall import example as example_lib
from haiku_spectral.evaluation.recall.background import Filler
from haiku_spectral.evaluation.recall.tasks import TASKS, Task
from haiku_spectral.requirement import require
from haiku_spectral.storage import atomic_file

DOCUMENT_BYTES = 1 << 16
LONGEST = 1 << 14  # Of one text; a document holds several.
ASKED_BEHIND = 1.5  # Behind a text come the questions of so many earlier ones, on average.
ASKED_LATER = 0.75  # Share of the texts whose own questions come in this way alone.
WORDED = tuple(task for task in TASKS.values() if not task.boundary)  # Files hold no BOUNDARY ids.
_LEAST = {task.name: example_lib.minimum_length(task) for task in WORDED}


class _Plan(NamedTuple):
  """A text of a document."""

  task: Task
  length: int
  depth: float


def document(number: int, *, size: int, seed: int, filler: Filler) -> bytes:
  """Texts of random tasks, lengths and depths one after the other, `size` bytes in all.

  Lengths are up to 16 KiB, most of them short. Behind a text may come questions of any earlier one,
  some for the first time: so facts are asked for from anywhere in the document, for a few bytes
  each. Asked again alone, they would be answered by the question before. A function of (number,
  size, seed, filler).
  """
  key = (example_lib.TRAINING, seed, number)
  generator, parts, endings = np.random.default_rng(key), list[bytes](), list[bytes]()
  rest = size

  def append(part: bytes) -> None:
    nonlocal rest
    parts.append(part)
    rest -= len(part)

  while plan := _plan(generator, rest):
    text = example_lib.make(plan.task, length=plan.length, depth=plan.depth, filler=filler,
                            seed=(*key, len(parts)))
    later = plan.task.lasting and generator.random() < ASKED_LATER
    append(_bytes(text.ids(0, plan.length - later * text.ending.size)))
    for _ in range(generator.poisson(ASKED_BEHIND)) if endings else ():
      earlier = endings[generator.integers(len(endings))]
      if len(earlier) <= rest:
        append(earlier)
    if plan.task.lasting:
      endings.append(_bytes(text.ending))
  last = filler.shuffled(key)
  cut = background.cut_before(last, rest)
  return b''.join([*parts, last.take(0, rest - cut).tobytes(), b' ' * cut])


def _bytes(ids: np.ndarray) -> bytes:
  return ids.astype(np.uint8).tobytes()


def _plan(generator: np.random.Generator, size: int) -> _Plan | None:
  """A random task of those that fit into so many bytes, if any does."""
  fitting = [task for task in WORDED if _LEAST[task.name] <= size]
  if not fitting:
    return None
  # MQAR is one kind of task with many numbers of pairs.
  kinds = sorted({task.name.split('_')[0] for task in fitting})
  kind = kinds[generator.integers(len(kinds))]
  of_kind = [task for task in fitting if task.name.split('_')[0] == kind]
  task = of_kind[generator.integers(len(of_kind))]
  low, high = _LEAST[task.name], min(size, LONGEST)
  # Most are short, so that there are many; all lengths occur.
  length = min(int(low * (high / low) ** generator.random() ** 5), high)
  return _Plan(task, length, round(generator.random(), 3))


def write(
    folder: str | os.PathLike[str], *, size: int, seed: int, filler: Filler,
    on_progress: Callable[[int], None] | None = None,
) -> list[pathlib.Path]:
  """Writes documents of 64 KiB into a folder, `size` bytes in all, each atomically.

  Raises ValueError for a folder that holds anything already.
  """
  folder = pathlib.Path(folder)
  require(size >= 1, 'bytes', size, '1 or more')
  atomic_file.check_folder(folder, what='The text', flag='--write_training_text')
  if any(folder.iterdir()):
    raise ValueError(f'The folder {folder} is not empty: give another --write_training_text path.')
  paths = []
  for number, start in enumerate(range(0, size, DOCUMENT_BYTES)):
    data = document(number, size=min(DOCUMENT_BYTES, size - start), seed=seed, filler=filler)
    paths.append(folder / f'recall-{number:06}.txt')
    atomic_file.write(paths[-1], data, mode=None)
    if on_progress:
      on_progress(len(data))
  return paths
