"""The samples that a round learns from: propose, sample, verify, filter.

Each stage is a function of the seed, the model before the round and the samples of earlier rounds.
The arms differ in which stages they use:

  golden      what the model generated and the acceptance filter accepted
  unfiltered  what it generated
  oracle      right answers to the same problems
"""

import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from haiku_spectral.self_training import acceptance_filter, evaluator, frontier, proposals
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


def of_round(run: SeedRun, this: Round, model: Model) -> list[VerifiedSample]:
  """The samples of a round. Raises Mastered or NoSignal when there is nothing to ask."""
  found = probe(run, this, model)
  run.callbacks.report(
      f'{this}: depths {_list(found.open)} are worked on, {_list(found.mastered)} mastered, '
      f'{_list(found.closed)} out of reach')
  _require_open(run, this, found)
  return _ARMS[this.arm](run, this, model, Proposal(propose(run, this, found), found))


def probe(run: SeedRun, this: Round, model: Model) -> frontier.Frontier:
  """Where the model's frontier is, by a few problems of each depth."""
  problems = proposals.draw(
      run.family, dict.fromkeys(run.family.depths, run.settings.probe),
      seed=(run.seed, proposals.PROBE, this.number), split='train')
  return frontier.find(evaluator.attempts(
      seed_runs.evaluator(run, model), problems, frontier.ATTEMPTS,
      key=seed_runs.key(run, this.number, PROBE), temperature=run.settings.temperature,
      stage=f'{this}: probe'))


def propose(run: SeedRun, this: Round, found: frontier.Frontier) -> list[Problem]:
  """The problems of a round, most of them at the frontier."""
  return proposals.draw(
      run.family, frontier.shares(found, run.settings.prompts),
      seed=(run.seed, proposals.ROUND, this.number), split='train')


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


def _golden(run: SeedRun, this: Round, model: Model, proposal: Proposal) -> list[VerifiedSample]:
  requests = _requests(run, this, proposal)
  judge = seed_runs.evaluator(run, model)
  generated = judge.sample(requests, temperature=run.settings.temperature, stage=str(this))
  executed = judge.verify(requests, generated, stage=str(this))
  verdicts = acceptance_filter.choose(
      [acceptance_filter.Candidate(problem, sample.text, verdict.verdict)
       for (problem, _), sample, verdict in zip(requests, generated, executed, strict=True)],
      family=run.family, easy=proposal.frontier.mastered, seen=_seen(run, this),
      heldout={problem.prompt for problem in run.heldout})
  return _samples(run, model, requests, generated, executed, verdicts)


def _unfiltered(
    run: SeedRun, this: Round, model: Model, proposal: Proposal
) -> list[VerifiedSample]:
  """As many of a prompt as the acceptance filter would take, whatever they are."""
  requests = _requests(run, this, proposal)
  generated = seed_runs.evaluator(run, model).sample(
      requests, temperature=run.settings.temperature, stage=str(this))
  verdicts = [
      ACCEPTED if sample.complete and place % run.settings.samples < acceptance_filter.PROGRAMS
      else MALFORMED for place, sample in enumerate(generated)]
  return _samples(run, model, requests, generated, [NO_ANSWER] * len(generated), verdicts,
                  verifier=verified_sample.UNVERIFIED)


def _oracle(run: SeedRun, this: Round, model: Model, proposal: Proposal) -> list[VerifiedSample]:
  del model
  return answered(run, proposal.problems, f'{this}: answers')


_ARMS: dict[str, Callable[[SeedRun, Round, Model, Proposal], list[VerifiedSample]]] = {
    'golden': _golden, 'unfiltered': _unfiltered, 'oracle': _oracle}


def _require_open(run: SeedRun, this: Round, found: frontier.Frontier) -> None:
  """Raises Mastered or NoSignal unless a depth is worth asking."""
  if found.open:
    return
  if not found.closed:
    raise Mastered(
        f'{this}: every depth is mastered: of {run.settings.probe} problems of each, '
        f'{frontier.MASTERED:.0%} and more of {frontier.ATTEMPTS} attempts are right. Nothing is '
        f'left to learn, and the best model is the one before this round.')
  raise NoSignal(
      f'{this}: no signal at the frontier. Of {run.settings.probe} problems of depth '
      f'{found.closed[0]} fewer than {frontier.OPEN:.0%} were solved in {frontier.ATTEMPTS} '
      'attempts, and all below is mastered: give labelled examples of that depth '
      '(--labelled_depth), or train the base model longer.')


def _requests(run: SeedRun, this: Round, proposal: Proposal) -> list[evaluator.Request]:
  count = run.settings.samples
  repeated = [problem for problem in proposal.problems for _ in range(count)]
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
  """Of an answer of the family's own, unless `changes` say otherwise."""
  fields: dict[str, Any] = dict(
      family=run.family.name, prompt=problem.prompt, completion=completion, depth=problem.depth,
      seed=run.seed, temperature=0.0, log_probability=0.0, step=0, fingerprint='0',
      verifier=f'{run.family.name}-{run.family.version}', verdict=ran.verdict,
      sandbox=ran.sandbox, seconds=ran.seconds, peak_bytes=ran.peak_bytes)
  return verified_sample.rounded(**{**fields, **changes})


def _samples(
    run: SeedRun, model: Model, requests: Sequence[evaluator.Request],
    generated: Sequence[samplers.Sample], executed: Sequence[Verdict], verdicts: Sequence[str],
    **changes: Any,
) -> list[VerifiedSample]:
  """What the model generated, each with its last verdict."""
  return [
      _sample(
          run, problem, sample.text + STOP * sample.complete, ran, verdict=verdict, seed=seed,
          temperature=run.settings.temperature, log_probability=sample.log_probability,
          step=model.step, fingerprint=model.fingerprint, **changes)
      for (problem, seed), sample, ran, verdict in zip(
          requests, generated, executed, verdicts, strict=True)]


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
      'accepted_prompts': float(len({sample.prompt for sample in accepted})),
      'accepted_programs': float(len({sample.completion for sample in accepted})),
  }


def _counts(values: Iterable[Any]) -> dict[Any, float]:
  """How often each value occurs, in their order."""
  names, counts = np.unique(list(values), return_counts=True)
  return dict(zip(names.tolist(), counts.astype(float).tolist(), strict=True))


def _list(depths: Sequence[int]) -> str:
  return ', '.join(map(str, depths)) or 'none'
