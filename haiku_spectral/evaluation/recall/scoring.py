"""How much of the answers a model recalls, by length of the text and depth of the fact.

The model reads each text once, in chunks, from the initial state. At each byte of an answer it is
given the right bytes before: all bytes of an answer are the most likely ones if and only if greedy
decoding would have generated this answer.

Shapes: B rows of a device call, T bytes of a chunk.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from haiku_spectral import vocab
from haiku_spectral.evaluation.recall import example as example_lib
from haiku_spectral.evaluation.recall.background import Filler
from haiku_spectral.evaluation.recall.example import Example
from haiku_spectral.evaluation.recall.tasks import Task
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.requirement import require


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
  """A task at one length and depth; shares lie in 0 .. 1, `chance_*` is what chance gives."""

  task: str
  length: int
  depth: float
  examples: int
  answers: int
  exact: float  # Share of the answers of which every byte was the most likely one.
  byte_accuracy: float  # Share of the answers' bytes that were the most likely ones.
  first_byte: float  # The same of each answer's first byte.
  bits_per_byte: float  # Of the answers' bytes.
  chance_exact: float
  chance_byte: float
  chance_bits: float
  recallable: bool  # False: the state was reset, so that chance is what is wanted.


class Answer(NamedTuple):
  """The bytes of one answer, in order."""

  hit: np.ndarray  # [n] bool: was the most likely one.
  nll: np.ndarray  # [n] float32 nats


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def _step(
    model: spectral_gpt.Model,
    params: Any,
    state: Any,
    targets: jax.Array,  # [B, T] int32
    inputs: jax.Array,  # [B, T] int32
    *starts: jax.Array,  # [B, T] bool, where a state begins anew.
) -> tuple[tuple[jax.Array, jax.Array], Any]:  # [B, T] bool, [B, T] float32 nats; the state.
  logits, state = model.apply(params, inputs, state, *starts)
  log_probs = jax.nn.log_softmax(logits, axis=-1)
  nll = -jnp.take_along_axis(log_probs, targets[..., None], axis=-1)[..., 0]
  return (jnp.argmax(logits, axis=-1) == targets, nll), state


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def _pass_over(
    model: spectral_gpt.Model, params: Any, state: Any, inputs: jax.Array, *starts: jax.Array
) -> Any:
  """The state after a chunk in which nothing is asked: what only logits need is not computed."""
  return model.apply(params, inputs, state, *starts)[1]


def read(
    model: spectral_gpt.Model,
    params: Any,
    examples: Sequence[Example],  # At most `batch_size`, all of one length.
    *,
    batch_size: int,
    chunk: int,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> list[list[Answer]]:
  """What the model makes of each answer of each example. Holds a chunk of the texts at a time.

  `on_progress` gets the bytes of all examples that were read.
  """
  length, state = examples[0].length, model.initial_state(batch_size, dtype)
  resets = any(each.restart is not None for each in examples)
  first = min(each.answers[0].start for each in examples)
  last = np.full((batch_size, 1), vocab.BOUNDARY, np.int32)
  kept = []
  for start in range(0, length, chunk):
    stop = min(start + chunk, length)
    targets = np.full((batch_size, chunk), vocab.PAD, np.int32)
    for row, each in enumerate(examples):
      targets[row, :stop - start] = each.ids(start, stop)
    inputs = np.concatenate([last, targets[:, :-1]], axis=1)
    last = targets[:, -1:]
    given = (inputs, _starts(examples, start, inputs.shape)) if resets else (inputs,)
    jax.block_until_ready(state)  # So that the host is one call ahead and no more.
    if stop > first:
      scores, state = _step(model, params, state, targets, *given)
      kept.append(jax.tree.map(np.asarray, scores))
    else:
      state = _pass_over(model, params, state, *given)
    if on_progress:
      on_progress((stop - start) * len(examples))
  hit, nll = (np.concatenate(parts, axis=1) for parts in zip(*kept, strict=True))
  skipped = first // chunk * chunk
  return [
      [Answer(*(x[row, place.start - skipped:place.stop - skipped] for x in (hit, nll)))
       for place in each.answers] for row, each in enumerate(examples)]


def _starts(examples: Sequence[Example], start: int, shape: tuple[int, ...]) -> np.ndarray:
  """Where the state begins anew: the id at `restart` is the input one step after it was a target.
  """
  found = np.zeros(shape, bool)
  for row, each in enumerate(examples):
    if each.restart is not None and 0 <= (place := each.restart + 1 - start) < shape[1]:
      found[row, place] = True
  return found


class _Job(NamedTuple):
  """An example that is not made yet."""

  task: Task
  length: int
  depth: float
  number: int


def _batches(jobs: Iterable[_Job], size: int) -> Iterator[list[_Job]]:
  """Jobs that can share device calls: of one length, and with resets or without."""
  def alike(job: _Job) -> tuple[int, bool]:
    return job.length, job.task.resets

  for _, group in itertools.groupby(sorted(jobs, key=alike), alike):
    rest = list(group)
    yield from (rest[i:i + size] for i in range(0, len(rest), size))


def evaluate(
    model: spectral_gpt.Model,
    params: Any,
    filler: Filler,
    *,
    tasks: Sequence[Task],
    lengths: Sequence[int],
    depths: Sequence[float],
    examples: int = 8,
    seed: int = 0,
    batch_size: int = 8,
    chunk: int = 1024,
    dtype: DTypeLike = jnp.float32,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[Cell, ...]:
  """Reads `examples` texts of every task, length and depth; cells come in this order.

  `params` are in `dtype`, which is also that of the state. `on_progress` gets bytes read, `work` in
  all. Raises ValueError for arguments that are not allowed.
  """
  example_lib.check(tasks, lengths, depths)
  for name, value in (('examples', examples), ('batch_size', batch_size), ('chunk', chunk)):
    require(value >= 1, name, value, '1 or more')
  jobs = [_Job(task, length, depth, number) for task in tasks for length in lengths
          for depth in depths for number in range(examples)]
  found: dict[tuple[Task, int, float], list[list[Answer]]] = {}
  for batch in _batches(jobs, batch_size):
    texts = [example_lib.make(job.task, length=job.length, depth=job.depth, filler=filler,
                              seed=(example_lib.EVALUATION, seed, job.number)) for job in batch]
    answers = read(model, params, texts, batch_size=batch_size, chunk=chunk, dtype=dtype,
                   on_progress=on_progress)
    for job, each in zip(batch, answers, strict=True):
      found.setdefault(job[:3], []).append(each)
  return tuple(_cell(*key, found[key]) for key in dict.fromkeys(job[:3] for job in jobs))


def work(tasks: Sequence[Task], lengths: Sequence[int], depths: Sequence[float],
         examples: int) -> int:
  """Bytes that `evaluate` reads."""
  return len(tasks) * sum(lengths) * len(depths) * examples


def _cell(task: Task, length: int, depth: float, answers: list[list[Answer]]) -> Cell:
  every = [answer for of_example in answers for answer in of_example]
  hit = np.stack([answer.hit for answer in every])  # [answers, n]
  nll = np.stack([answer.nll for answer in every]).astype(np.float64)
  return Cell(
      task=task.name, length=length, depth=depth, examples=len(answers), answers=len(every),
      exact=float(hit.all(axis=1).mean()), byte_accuracy=float(hit.mean()),
      first_byte=float(hit[:, 0].mean()), bits_per_byte=float(nll.mean() / math.log(2)),
      chance_exact=task.chance**hit.shape[1], chance_byte=task.chance,
      chance_bits=math.log2(task.alphabet), recallable=not task.resets)
