"""Documents full of recall tasks, for training. None of their texts is one of the evaluation's."""

import os
import pathlib
from collections.abc import Callable, Iterator
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
WORDED = tuple(task for task in TASKS.values() if not task.boundary)  # Files hold no BOUNDARY ids.


class _Plan(NamedTuple):
  """A text of a document."""

  task: Task
  length: int
  depth: float


def document(number: int, *, size: int, seed: int, filler: Filler) -> bytes:
  """Texts of random tasks, lengths and depths one after the other, `size` bytes in all.

  Lengths are up to 16 KiB, most of them short. A function of (number, size, seed, filler).
  """
  key = (example_lib.TRAINING, seed, number)
  parts = []
  for place, plan in enumerate(_plans(np.random.default_rng(key), size)):
    text = example_lib.make(plan.task, length=plan.length, depth=plan.depth, filler=filler,
                            seed=(*key, place))
    parts.append(text.ids(0, plan.length).astype(np.uint8).tobytes())
  rest = size - sum(map(len, parts))
  last = filler.shuffled(key)
  cut = background.cut_before(last, rest)
  return b''.join([*parts, last.take(0, rest - cut).tobytes(), b' ' * cut])


def _plans(generator: np.random.Generator, size: int) -> Iterator[_Plan]:
  """Random tasks until none fits into what is left."""
  least = {task.name: example_lib.minimum_length(task) for task in WORDED}
  while fitting := [task for task in WORDED if least[task.name] <= size]:
    # MQAR is one kind of task with many numbers of pairs.
    kinds = sorted({task.name.split('_')[0] for task in fitting})
    kind = kinds[generator.integers(len(kinds))]
    of_kind = [task for task in fitting if task.name.split('_')[0] == kind]
    task = of_kind[generator.integers(len(of_kind))]
    low, high = least[task.name], min(size, LONGEST)
    # Most are short, so that there are many; all lengths occur.
    length = min(int(low * (high / low) ** generator.random() ** 3), high)
    yield _Plan(task, length, round(generator.random(), 3))
    size -= length


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
