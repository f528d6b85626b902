"""The samples that a round learns from: propose, sample, verify, filter.

Each stage is a function of the seed, the model before the round and the samples of earlier rounds.
The arms differ in which stages they use:

  golden      what the model generated and the acceptance filter accepted
  unfiltered  what it generated
  agreement   what it generated and most of its samples agree on: no verifier
  oracle      right answers to the same problems

All ask the same problems, those at the frontier of golden.
"""

import hashlib
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from haiku_spectral.self_training import (
  acceptance_filter,
  agreement,
  evaluator,
  frontier,
  proposals,
)
from haiku_spectral.self_training import sampler as samplers
from haiku_spectral.self_training import seed_run as seed_runs
from haiku_spectral.self_training.outcomes import Mastered, NoSignal
from haiku_spectral.self_training.seed_run import Model, Round, SeedRun
from haiku_spectral.self_training.verifier_cache import MALFORMED, NO_ANSWER, Verdict
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks import verified_sample
from haiku_spectral.tasks.problem import STOP, Problem
from haiku_spectral.tasks.verified_sample import ACCEPTED, VerifiedSample

SAMPLE, PROBE, ATTEMPT = range(3)  # What keys are folded with: samples for what.


class Proposal(NamedTuple):
  """What a round asks."""

  problems: Sequence[Problem]
  frontier: frontier.Frontier


def labelled(run: SeedRun) -> list[VerifiedSample]:
  """The labelled problems that the base model is trained on."""
  depths = range(run.family.depths.start, run.settings.labelled_depth + 1)
  counts = {depth: run.settings.labelled // len(depths) for depth in depths}
  problems = proposals.draw(
      run.family, counts, seed=(run.seed, proposals.LABELLED), split='train')
  return answered(run, problems, f'seed {run.seed}, labelled problems')


def of_round(
    run: SeedRun, this: Round, model: Model, found: frontier.Frontier
) -> list[VerifiedSample]:
  """The samples of a round whose frontier is known.

  Raises Mastered when there is nothing to ask, NoSignal when nothing is left to learn from.
  """
  run.callbacks.report(
      f'{this}: the frontier is depth {found.depth}, mastered are {_list(found.mastered)}')
  _require_work(run, this, found)
  counts = frontier.shares(found, run.settings.prompts, labelled=run.settings.labelled_depth,
                           deepest=run.settings.deepest)
  problems = proposals.draw(
      run.family, counts, seed=(run.seed, proposals.ROUND, this.number), split='train')
  return _ARMS[this.arm](run, this, model, Proposal(problems, found))


def answered(run: SeedRun, problems: Sequence[Problem], stage: str) -> list[VerifiedSample]:
  """Problems with the family's own answers, which are executed as all are."""
  cases = [(problem, problem.answer) for problem in problems]
  found = run.verifier.verify(cases, run.callbacks.progress(stage, len(cases)))
  for (problem, answer), verdict in zip(cases, found, strict=True):
    if not verdict.right:
      raise ValueError(
          f'{run.family.name} has a wrong answer of its own to {problem.prompt!r}: {answer!r}. '
          'Its verifier or its answers are broken.')
  return [_sample(run, problem, problem.answer + STOP, verdict)
          for problem, verdict in zip(problems, found, strict=True)]


def _golden(
    run: SeedRun, this: Round, model: Model, proposal: Proposal
) -> list[VerifiedSample]:
  """What the sandbox finds right and the acceptance filter lets pass; raises NoSignal for none."""
  requests, generated = _generate(run, this, model, proposal.problems)
  executed = seed_runs.evaluator(run, model).verify(requests, generated, stage=str(this))
  wrong = [_errs(run, problem, sample.text, verdict)
           for (problem, _), sample, verdict in zip(requests, generated, executed, strict=True)]
  verdicts = acceptance_filter.choose(
      [acceptance_filter.Candidate(problem, sample.text, ACCEPTED if errs else verdict.verdict)
       for (problem, _), sample, verdict, errs in zip(
           requests, generated, executed, wrong, strict=True)],
      family=run.family, easy=proposal.frontier.mastered, seen=_seen(run, this),
      heldout={problem.prompt for problem in (*run.heldout, *run.gate)})
  found = _samples(run, model, requests, generated, executed, verdicts, unverified=wrong)
  _require_signal(run, this, found)
  return found


def _errs(run: SeedRun, problem: Problem, completion: str, verdict: Verdict) -> bool:
  """Whether a wrong answer is taken for a right one: always the same for the same sample."""
  if verdict.right or verdict.verdict == MALFORMED:
    return False
  digest = hashlib.sha256(f'{run.seed} {problem.prompt} {completion}'.encode()).digest()
  return int.from_bytes(digest[:8], 'big') < run.settings.wrong_accepted * 2**64


def _unfiltered(
    run: SeedRun, this: Round, model: Model, proposal: Proposal
) -> list[VerifiedSample]:
  """As many of a prompt as the acceptance filter would take, whatever they are."""
  requests, generated = _generate(run, this, model, proposal.problems)
  limit = acceptance_filter.PROGRAMS
  verdicts = [
      MALFORMED if not sample.complete
      else ACCEPTED if place % run.settings.samples < limit else acceptance_filter.ENOUGH
      for place, sample in enumerate(generated)]
  return _unverified(run, model, requests, generated, verdicts)


def _agreement(
    run: SeedRun, this: Round, model: Model, proposal: Proposal
) -> list[VerifiedSample]:
  """What most samples of a prompt agree on."""
  requests, generated = _generate(run, this, model, proposal.problems)
  verdicts = agreement.choose(
      [(problem, sample.text if sample.complete else None)
       for (problem, _), sample in zip(requests, generated, strict=True)], family=run.family)
  return _unverified(run, model, requests, generated, verdicts)


def _oracle(
    run: SeedRun, this: Round, model: Model, proposal: Proposal
) -> list[VerifiedSample]:
  """Right answers, whatever the model knows."""
  del model
  return answered(run, proposal.problems, f'{this}: answers')


_ARMS: dict[str, Callable[[SeedRun, Round, Model, Proposal], list[VerifiedSample]]] = {
    'golden': _golden, 'unfiltered': _unfiltered, 'agreement': _agreement, 'oracle': _oracle}


def _require_work(run: SeedRun, this: Round, found: frontier.Frontier) -> None:
  """Raises Mastered or NoSignal unless there is a depth to work on."""
  first = frontier.first_asked(run.settings.labelled_depth, run.settings.deepest)
  if set(range(first, run.settings.deepest + 1)) <= set(found.mastered):
    raise Mastered(
        f'{this}: every depth is mastered: of {run.settings.probe} problems of each, '
        f'{frontier.MASTERED:.0%} and more of {frontier.ATTEMPTS} attempts are right. Nothing is '
        f'left to learn, and the best model is the one before this round.')
  if not found.depth:
    raise NoSignal(
        f'{this}: no signal. Of {run.settings.probe} problems of depth 1 fewer than '
        f'{frontier.OPEN:.0%} were solved in {frontier.ATTEMPTS} attempts: train the base model '
        'longer, or with more labelled problems (--labelled).')


def _require_signal(run: SeedRun, this: Round, found: Sequence[VerifiedSample]) -> None:
  """Raises NoSignal unless something was accepted that the labels do not reach."""
  known = frontier.first_asked(run.settings.labelled_depth, run.settings.deepest) - 1
  if any(sample.verdict == ACCEPTED and sample.depth > known for sample in found):
    return
  asked = sorted({sample.depth for sample in found})
  right = sum(sample.verdict == ACCEPTED for sample in found)
  raise NoSignal(
      f'{this}: no signal beyond the labels. Of {len(found):,} samples at depths {_list(asked)}, '
      f'{right:,} were accepted, and none deeper than the labelled problems (depth {known}), so '
      'there is nothing new to learn from: give labelled examples of greater depth '
      '(--labelled_depth), ask more (--prompts, --samples), or train the base model longer.')


def _generate(
    run: SeedRun, this: Round, model: Model, problems: Sequence[Problem]
) -> tuple[list[evaluator.Request], list[samplers.Sample]]:
  """What a round asks, and what the model answers."""
  requests = _requests(run, this, problems)
  return requests, seed_runs.evaluator(run, model).sample(
      requests, temperature=run.settings.temperature, stage=str(this))


def _requests(
    run: SeedRun, this: Round, problems: Sequence[Problem]
) -> list[evaluator.Request]:
  repeated = [problem for problem in problems for _ in range(run.settings.samples)]
  seeds = samplers.seeds(seed_runs.key(run, this.number, SAMPLE), len(repeated))
  return list(zip(repeated, seeds, strict=True))


def _seen(run: SeedRun, this: Round) -> set[tuple[str, str]]:
  """Prompts with completions that are training data already."""
  paths = [run.paths.labelled, *(run.paths.samples(this.arm, number)
                                 for number in range(1, this.number))]
  return {(sample.prompt, sample.completion.removesuffix(STOP))
          for path in paths for sample in verified_sample.read(path)
          if sample.verdict == ACCEPTED}


def _sample(
    run: SeedRun, problem: Problem, completion: str, ran: Verdict, **changes: Any
) -> verified_sample.VerifiedSample:
  """The record of a completion and of how it ran.

  Its other fields are those of an answer of the family's own, but for `changes`.
  """
  fields: dict[str, Any] = dict(
      family=run.family.name, prompt=problem.prompt, completion=completion, depth=problem.depth,
      seed=run.seed, temperature=0.0, log_probability=0.0, step=0, fingerprint='0',
      verifier=f'{run.family.name}-{run.family.version}', verdict=ran.verdict,
      sandbox=ran.sandbox, seconds=ran.seconds, peak_bytes=ran.peak_bytes)
  return verified_sample.rounded(**{**fields, **changes})


def _samples(
    run: SeedRun, model: Model, requests: Sequence[evaluator.Request],
    generated: Sequence[samplers.Sample], executed: Sequence[Verdict], verdicts: Sequence[str],
    *, unverified: Sequence[bool],
) -> list[VerifiedSample]:
  """What the model generated, each with its last verdict, which not all have from a verifier."""
  return [
      _sample(
          run, problem, sample.text + STOP * sample.complete, ran, verdict=verdict, seed=seed,
          temperature=run.settings.temperature, log_probability=sample.log_probability,
          step=model.step, fingerprint=model.fingerprint,
          **{'verifier': verified_sample.UNVERIFIED} if alone else {})
      for (problem, seed), sample, ran, verdict, alone in zip(
          requests, generated, executed, verdicts, unverified, strict=True)]


def _unverified(
    run: SeedRun, model: Model, requests: Sequence[evaluator.Request],
    generated: Sequence[samplers.Sample], verdicts: Sequence[str],
) -> list[VerifiedSample]:
  """`_samples` whose verdicts come from no verifier, and of which none was executed."""
  return _samples(run, model, requests, generated, [NO_ANSWER] * len(generated), verdicts,
                  unverified=[True] * len(generated))


def save(path: pathlib.Path, samples: Iterable[VerifiedSample]) -> None:
  """Writes the samples of a round, complete or not at all."""
  path.parent.mkdir(parents=True, exist_ok=True)
  atomic_file.write_text(
      path, ''.join(verified_sample.dumps(sample) + '\n' for sample in samples))


def statistics(path: pathlib.Path) -> dict[str, float]:
  """Verdicts, diversity and acceptance by depth of a round's samples, as metrics."""
  samples = list(verified_sample.read(path))
  accepted = [sample for sample in samples if sample.verdict == ACCEPTED]
  depths, right = (_counts(sample.depth for sample in part) for part in (samples, accepted))
  return {
      **{f'verdicts/{name}': count
         for name, count in _counts(sample.verdict for sample in samples).items()},
      **{f'sandbox/{name}': count
         for name, count in _counts(sample.sandbox for sample in samples).items()},
      **{f'acceptance/{depth}': right.get(depth, 0) / count for depth, count in depths.items()},
      'accepted_unverified': float(
          sum(sample.verifier == verified_sample.UNVERIFIED for sample in accepted)),
      'accepted_prompts': float(len({sample.prompt for sample in accepted})),
      'accepted_programs': float(len({sample.completion for sample in accepted})),
  }


def _counts(values: Iterable[Any]) -> dict[Any, float]:
  """How often each value occurs, in their order."""
  names, counts = np.unique(list(values), return_counts=True)
  return dict(zip(names.tolist(), counts.astype(float).tolist(), strict=True))


def _list(depths: Sequence[int]) -> str:
  return ', '.join(map(str, depths)) or 'none'
