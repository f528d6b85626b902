"""How far a model gets without a mistake: goals that are chains of sub-tasks.

Which problem sub-task i + 1 is depends on the answer to sub-task i, right or wrong. A goal of m
sub-tasks is reached if all m answers are right, as the sandbox finds. A goal of fewer is the
beginning of a longer one, so all lengths are measured on the same chains.

With a persistent context a goal is one text of many documents, prompt + answer + STOP each;
without, each sub-task begins in a fresh context.
"""

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill, sampling, session
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.requirement import require
from haiku_spectral.sandbox.result import ExecResult, Job, Status, Unavailable
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks.problem import STOP, Family, Problem

Answers = list[list[bytes]]  # [goals][sub-tasks so far]
_STOP = STOP.encode()
_GREEDY = sampling.SamplingConfig(temperature=0.0)


class Runner(Protocol):
  """What runs answers: sandbox.Sandbox."""

  def map(self, jobs: Iterable[Job]) -> Iterable[ExecResult]:
    """The results of some jobs, in order."""


class LoadedModel(NamedTuple):
  """A model, as it was loaded."""

  decoder: decoder_lib.Decoder
  owner: session.Owner


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
  """Which goals. Raises ValueError naming the field that is wrong."""

  families: tuple[Family, ...]
  depth: int = 1  # Of each sub-task.
  goals: int = 50
  lengths: tuple[int, ...] = (1, 2, 4, 8)  # In sub-tasks.
  seed: int = 0

  def __post_init__(self) -> None:
    """Checks what a user may have given."""
    require(self.goals >= 1, 'goals', self.goals, '1 or more')
    require(min(self.lengths, default=0) >= 1, 'lengths', self.lengths, 'numbers of 1 or more')
    require(bool(self.families), 'families', self.families, 'one or more')
    for family in self.families:
      require(self.depth in family.depths, 'depth', self.depth,
              f'{family.depths.start} to {family.depths.stop - 1}, which {family.name} has')

  @property
  def middles(self) -> set[int]:
    """Before which sub-tasks a restart is in the middle of a goal."""
    return {length // 2 for length in self.lengths}

  def problem(self, goal: int, before: Sequence[bytes]) -> tuple[Family, Problem]:
    """The sub-task of a goal behind some answers."""
    last = hashlib.blake2b(before[-1] if before else b'', digest_size=8).digest()
    rng = np.random.default_rng([self.seed, goal, len(before), int.from_bytes(last, 'big')])
    family = self.families[rng.integers(len(self.families))]
    return family, family.propose(rng, self.depth, 'heldout')


def play(
    plan: Plan,
    load: Callable[[], LoadedModel],
    *,
    persistent: bool,
    restart_in: str | os.PathLike[str] | None = None,
    on_progress: Callable[[int], None] = lambda sub_tasks: None,
) -> Answers:
  """The model's answers, greedily.

  With `restart_in`, a folder, all is saved there in the middle of the goals of each length, the
  model is loaded anew, and goes on from the files.
  """
  model = load()
  decoder = model.decoder
  context = prefill.begin(decoder.model, decoder.params, plan.goals, decoder.dtype)
  answers: Answers = [[] for _ in range(plan.goals)]
  for number in range(max(plan.lengths)):
    if restart_in and number in plan.middles:
      folder = pathlib.Path(restart_in)
      _save(folder, model.owner, answers, context)
      model = load()
      decoder = model.decoder
      answers, context = _load(folder, model)
    problems = [plan.problem(goal, before) for goal, before in enumerate(answers)]
    prompted = prefill.extend_rows(
        decoder.model, decoder.params, context,
        [vocab.encode(problem.prompt.encode()) for _, problem in problems])
    generated = _generate(decoder, prompted, problems)
    answers = [[*before, answer] for before, answer in zip(answers, generated, strict=True)]
    if persistent:
      context = prefill.extend_rows(
          decoder.model, decoder.params, prompted,
          [np.array([*answer, *_STOP, vocab.BOUNDARY]) for answer in generated])
    on_progress(plan.goals)
  return answers


def verify(plan: Plan, answers: Answers, sandbox: Runner) -> np.ndarray:  # [goals, sub-tasks] bool
  """Which answers are right. Raises Unavailable when the sandbox fails."""
  right = np.zeros((len(answers), len(answers[0])), bool)
  jobs = {}
  for goal, given in enumerate(answers):
    for number, answer in enumerate(given):
      family, problem = plan.problem(goal, given[:number])
      if (job := _job(family, problem, answer)) is not None:
        jobs[goal, number] = family, problem, job
  results = sandbox.map(job for _, _, job in jobs.values())
  for (place, (family, problem, _)), result in zip(jobs.items(), results, strict=True):
    if result.status == Status.INFRASTRUCTURE:
      raise Unavailable(f'The sandbox failed ({result.error}): nothing was measured.')
    right[place] = family.check(problem, result)
  return right


def objects(plan: Plan, answers: Answers) -> list[list[str]]:  # [goals][sub-tasks]
  """What each problem of a goal is about: the keys of their objects."""
  return [[plan.problem(goal, given[:number])[1].key for number in range(len(given))]
          for goal, given in enumerate(answers)]


def check_restart(without: Answers, restarted: Answers) -> int:
  """How many bytes a restart has left alone; raises RuntimeError if it was not all of them."""
  for goal, (one, other) in enumerate(zip(without, restarted, strict=True)):
    if one != other:
      raise RuntimeError(
          f'A restart has changed what is generated: goal {goal} has the answers {other}, without '
          f'a restart {one}.')
  return sum(len(answer) for given in without for answer in given)


def _generate(
    decoder: decoder_lib.Decoder, context: Context, problems: list[tuple[Family, Problem]]
) -> list[bytes]:
  """An answer in each row, without the STOP."""
  request = Request(
      max(family.max_bytes for family, _ in problems), jax.random.key(0), stops=[_STOP])
  return Generation(decoder, context, request, _GREEDY).run().texts


def _job(family: Family, problem: Problem, answer: bytes) -> Job | None:
  """What the sandbox shall run; None for what has no end or no form."""
  if len(answer) >= family.max_bytes:
    return None
  try:
    return family.job(problem, answer.decode())
  except UnicodeDecodeError:
    return None


def _save(
    folder: pathlib.Path, owner: session.Owner, answers: Answers, context: Context
) -> None:
  texts = [[answer.decode('latin-1') for answer in given] for given in answers]
  atomic_file.write(folder / 'answers.json', json.dumps(texts).encode())
  session.save(folder / 'context', context, owner)


def _load(folder: pathlib.Path, model: LoadedModel) -> tuple[Answers, Context]:
  texts = json.loads((folder / 'answers.json').read_bytes())
  answers = [[answer.encode('latin-1') for answer in given] for given in texts]
  like = context_lib.empty(model.decoder.model, len(answers), model.decoder.dtype)
  return answers, session.load(folder / 'context', like, model.owner)
