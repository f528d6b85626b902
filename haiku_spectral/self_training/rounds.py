"""Rounds of self-improvement: propose, write, execute, filter, train, measure.

  RUN/verdicts.jsonl                 what executing completions showed, for all
  RUN/seed_0/labelled/               the labelled problems, as golden records
  RUN/seed_0/base/                   the base model: a training run
  RUN/seed_0/ARM/records/            golden records, a file for each round
  RUN/seed_0/ARM/round_1/            the model after the round: a training run
  .../evaluation.json                of each of the models; it finishes the round

The arms differ in what the second half of the training data is: `golden` what the model wrote and
the golden rule accepted; `unfiltered` what it wrote; `oracle` right answers to the same problems;
`control` more of the first half, the original data. Everything else is the same code.

A step is done when its file is there, and files are renamed into place; what they hold is a
function of the seed and of the steps before. So a run that was killed goes on to the same bytes.
"""

import dataclasses
import pathlib
import shutil
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from haiku_spectral import config as configs
from haiku_spectral.config import Config, phases
from haiku_spectral.decoding import session
from haiku_spectral.self_training import frontier, golden_rule, measure, proposals, verdicts
from haiku_spectral.self_training import sampler as samplers
from haiku_spectral.self_training import settings as settings_lib
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks import golden_record
from haiku_spectral.tasks.problem import STOP, Family, Problem
from haiku_spectral.training import checkpoint, metrics, run_folder

LABELLED = 'golden/labelled'
EVALUATION = 'evaluation.json'
_EASY = 2  # The lowest depths, at which no model may become worse.
_EXAMPLE, _PROBE, _ATTEMPT = range(3)  # What keys are folded with: samples for what.


class NoSignal(Exception):
  """The model solves nothing at the frontier, so there is nothing to learn from."""


class Regression(Exception):
  """A round has made the model worse than is allowed."""


class Stopped(Exception):
  """A signal came; the same command goes on."""


class Workshop(NamedTuple):
  """What a program lends to the rounds."""

  build: Callable[[str, pathlib.Path], None]  # Name and folder of records -> a built dataset.
  # Run folder, config, last step -> trains up to there; False when it was told to stop.
  train: Callable[[pathlib.Path, Config, int], bool]
  report: Callable[[str], None]
  progress: measure.Progress


class Model(NamedTuple):
  """A trained model."""

  folder: pathlib.Path
  step: int
  fingerprint: str
  sampler: samplers.Sampler


def load(folder: pathlib.Path) -> Model:
  """The model of a training run."""
  config, params, step = checkpoint.load_params(folder)
  owner = session.owner(config.model, params)
  return Model(folder, step, owner.parameters, samplers.Sampler(config.model, params))


def plan(config: Config, *, seed: int, arm: str = '', rounds: int = 0) -> Config:
  """The config of a whole run: the preset's first phase, then its second one for each round.

  In the mixture of the second, 'golden' stands for what the arm brings; `control` brings nothing.
  """
  if len(config.curriculum) != 2:
    raise ValueError(
        f'config.curriculum has {len(config.curriculum)} phases: give two, the training of the '
        'base model and that of each round.')
  base, each = config.curriculum
  shares = configs.parse_mixture(each.mixture)
  if 'golden' not in shares:
    raise ValueError(
        f'config.curriculum[1].mixture={each.mixture!r} is not allowed: give one with golden.')
  later = []
  for number in range(1, rounds + 1):
    names = {name if name != 'golden' else f'golden/{arm}_{number}': share
             for name, share in shares.items() if name != 'golden' or arm != 'control'}
    mixture = ','.join(f'{name}:{share}' for name, share in names.items())
    later.append(dataclasses.replace(each, name=f'round {number}', mixture=mixture))
  return configs.validate(dataclasses.replace(
      config, curriculum=(base, *later), train=dataclasses.replace(config.train, seed=seed)))


class Rounds:
  """The runs of one seed."""

  def __init__(
      self, config: Config, settings: settings_lib.Settings, family: Family, *, seed: int,
      folder: pathlib.Path, court: verdicts.Verdicts, workshop: Workshop,
  ) -> None:
    self._config, self._settings, self._family = config, settings, family
    self._seed, self._folder = seed, folder
    self._court, self._workshop = court, workshop
    self._heldout = proposals.heldout(family, settings.heldout)

  def base(self) -> measure.Evaluation:
    """Trains and measures the base model."""
    folder = self._folder / 'base'
    self._write_labelled()
    config = plan(self._config, seed=self._seed)
    return self._finish(folder, config, phases.total_steps(config), 'base', {})

  def run(self, arm: str) -> None:
    """All rounds of an arm. Raises NoSignal, Regression or Stopped where it ends before."""
    config = plan(self._config, seed=self._seed, arm=arm, rounds=self._settings.rounds)
    base = measure.load(self._folder / 'base' / EVALUATION)
    before = self._folder / 'base'
    for number in range(1, self._settings.rounds + 1):
      folder = self._folder / arm / f'round_{number}'
      if not (folder / EVALUATION).exists():
        self._round(arm, number, before, folder, config, base)
      else:
        self._check(base, measure.load(folder / EVALUATION), folder, before)
      before = folder

  def _round(
      self, arm: str, number: int, before: pathlib.Path, folder: pathlib.Path, config: Config,
      base: measure.Evaluation,
  ) -> None:
    name = f'seed {self._seed}, {arm}, round {number}'
    told = {}
    if arm != 'control':
      records = self._folder / arm / 'records'
      if not (records / f'round_{number}.jsonl').exists():
        self._write_records(arm, number, before, records, name)
      told = _told(records / f'round_{number}.jsonl')
      self._workshop.build(f'golden/{arm}_{number}', records)
    _begin(before, folder, config)
    until = phases.plan(config)[number].end
    found = self._finish(folder, config, until, name, told)
    writer = metrics.Writer(self._folder / arm, step=number, work_done=False)
    writer.write(number, 'round', found.scalars())
    writer.close()
    self._check(base, found, folder, before)

  def _write_labelled(self) -> None:
    path = self._folder / 'labelled' / 'labelled.jsonl'
    if not path.exists():
      depths = range(self._family.depths.start, self._settings.labelled_depth + 1)
      counts = {depth: self._settings.labelled // len(depths) for depth in depths}
      labelled = proposals.draw(
          self._family, counts, seed=(self._seed, proposals.LABELLED), split='train')
      _write(path, self._answered(labelled, f'seed {self._seed}, labelled problems'))
    self._workshop.build(LABELLED, path.parent)

  def _answered(self, problems: list[Problem], stage: str) -> list[golden_record.Record]:
    """Problems with the family's own answers, which are executed as all are."""
    cases = [(problem, problem.answer) for problem in problems]
    found = self._court.judge(cases, self._workshop.progress(stage, len(cases)))
    wrong = [case for case, verdict in zip(cases, found, strict=True) if not verdict.right]
    if wrong:
      raise ValueError(f'{self._family.name} has a wrong answer of its own to '
                       f'{wrong[0][0].prompt!r}: {wrong[0][1]!r}. Its verifier or its answers are '
                       'broken.')
    return [self._record(problem, problem.answer + STOP, verdict)
            for problem, verdict in zip(problems, found, strict=True)]

  def _record(
      self, problem: Problem, completion: str, ran: verdicts.Verdict, **changes: Any
  ) -> golden_record.Record:
    """Of what the family wrote itself, unless `changes` say who did."""
    said: dict[str, Any] = dict(
        family=self._family.name, prompt=problem.prompt, completion=completion,
        depth=problem.depth, seed=self._seed, temperature=0.0, log_probability=0.0, step=0,
        fingerprint='0', verifier=f'{self._family.name}-{self._family.version}',
        verdict=ran.verdict, sandbox=ran.sandbox, seconds=ran.seconds, peak_bytes=ran.peak_bytes)
    return golden_record.rounded(**{**said, **changes})

  def _write_records(
      self, arm: str, number: int, before: pathlib.Path, folder: pathlib.Path, name: str
  ) -> None:
    """Proposes problems and keeps what the arm makes of them."""
    model = load(before)
    found = self._probe(model, number, name)
    self._workshop.report(
        f'{name}: depths {_list(found.open)} are worked on, {_list(found.mastered)} mastered, '
        f'{_list(found.closed)} out of reach')
    if not found.signal and found.closed:
      raise NoSignal(
          f'{name}: no signal at the frontier. Of {self._settings.probe} problems of depth '
          f'{found.closed[0]} fewer than {frontier.OPEN:.0%} were solved in {frontier.ATTEMPTS} '
          'attempts, and all below is mastered: give labelled examples of that depth '
          '(--labelled_depth), or train the base model longer.')
    asked = proposals.draw(
        self._family, frontier.shares(found, self._settings.prompts),
        seed=(self._seed, proposals.ROUND, number), split='train')
    if arm == 'oracle':
      records = self._answered(asked, f'{name}: answers')
    else:
      records = self._sampled(model, asked, number, arm, found, name, folder)
    _write(folder / f'round_{number}.jsonl', records)

  def _key(self, number: int, use: int) -> jax.Array:
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(self._seed), number), use)

  def _examiner(self, model: Model) -> measure.Examiner:
    return measure.Examiner(self._family, model.sampler, self._court, self._workshop.progress)

  def _probe(self, model: Model, number: int, name: str) -> frontier.Frontier:
    problems = proposals.draw(
        self._family, dict.fromkeys(self._family.depths, self._settings.probe),
        seed=(self._seed, proposals.PROBE, number), split='train')
    return frontier.find(measure.attempts(
        self._examiner(model), problems, frontier.ATTEMPTS, key=self._key(number, _PROBE),
        temperature=self._settings.temperature, stage=f'{name}: probe'))

  def _sampled(
      self, model: Model, asked: list[Problem], number: int, arm: str, found: frontier.Frontier,
      name: str, folder: pathlib.Path,
  ) -> list[golden_record.Record]:
    """What the model writes, each with its verdict."""
    settings, examiner = self._settings, self._examiner(model)
    requests = list(zip(
        [problem for problem in asked for _ in range(settings.samples)],
        samplers.seeds(self._key(number, _EXAMPLE), len(asked) * settings.samples), strict=True))
    how: dict[str, Any] = dict(temperature=settings.temperature, stage=name)
    verifier = {}
    if arm == 'unfiltered':
      samples = examiner.written(requests, **how)
      # As many of a prompt as the golden rule would take, whatever they are.
      judged = [verdicts.CUT] * len(samples)
      chosen = [golden_record.ACCEPTED if sample.whole and place % settings.samples
                < golden_rule.PROGRAMS else verdicts.MALFORMED
                for place, sample in enumerate(samples)]
      verifier = {'verifier': golden_record.UNVERIFIED}
    else:
      samples, judged = examiner.judged(requests, **how)
      chosen = golden_rule.choose(
          [golden_rule.Candidate(problem, sample.text, verdict.verdict) for (problem, _), sample,
           verdict in zip(requests, samples, judged, strict=True)],
          family=self._family, easy=found.mastered, seen=self._seen(folder),
          heldout={problem.prompt for problem in self._heldout})
    return [
        self._record(
            problem, sample.text + STOP * sample.whole, verdict, verdict=last, seed=seed,
            temperature=settings.temperature, log_probability=sample.log_probability,
            step=model.step, fingerprint=model.fingerprint, **verifier)
        for (problem, seed), sample, verdict, last in zip(
            requests, samples, judged, chosen, strict=True)]

  def _seen(self, folder: pathlib.Path) -> set[tuple[str, str]]:
    """Prompts with completions that are training data already."""
    paths = [self._folder / 'labelled' / 'labelled.jsonl', *folder.glob('round_*.jsonl')]
    return {(record.prompt, record.completion.removesuffix(STOP))
            for path in paths for record in golden_record.read(path)
            if record.verdict == golden_record.ACCEPTED}

  def _finish(
      self, folder: pathlib.Path, config: Config, until: int, name: str,
      told: dict[str, float],
  ) -> measure.Evaluation:
    """Trains up to a step and measures the model."""
    if (folder / EVALUATION).exists():
      return measure.load(folder / EVALUATION)
    self._workshop.report(f'{name}: training up to step {until:,}')
    if not self._workshop.train(folder, config, until):
      raise Stopped(f'{name}: training')
    found = self._measure(load(folder), name, told, ends=until in _ends(config))
    measure.save(folder / EVALUATION, found)
    scores = ' '.join(f'{np.mean(right):.3f}' for right in found.greedy.values())
    self._workshop.report(f'{name}: pass@1 by depth {scores}, {found.bits_per_byte:.3f} bits/byte '
                          'on real text')
    return found

  def _measure(
      self, model: Model, name: str, told: dict[str, float], *, ends: bool
  ) -> measure.Evaluation:
    """Greedily always; within several attempts before the first round and after the last."""
    settings, examiner = self._settings, self._examiner(model)
    _, judged = examiner.judged(
        [(problem, 0) for problem in self._heldout], temperature=0.0, stage=f'{name}: held-out')
    greedy: dict[str, list[bool]] = {}
    for problem, verdict in zip(self._heldout, judged, strict=True):
      greedy.setdefault(str(problem.depth), []).append(verdict.right)
    few = proposals.heldout(self._family, settings.pass_heldout) if ends else []
    rights = measure.attempts(
        examiner, few, settings.pass_attempts, key=self._key(0, _ATTEMPT),
        temperature=settings.temperature, stage=f'{name}: attempts')
    return measure.Evaluation(
        model.step, _bits_per_byte(model.folder, model.step), greedy, settings.pass_attempts,
        {str(depth): right for depth, right in rights.items()}, told)

  def _check(
      self, base: measure.Evaluation, found: measure.Evaluation, folder: pathlib.Path,
      before: pathlib.Path,
  ) -> None:
    """Raises Regression when a model has forgotten more than is allowed."""
    easy = list(base.greedy)[:_EASY]
    lost = np.mean([np.mean(base.greedy[d]) - np.mean(found.greedy[d]) for d in easy])
    bits = found.bits_per_byte - base.bits_per_byte
    allowed = self._settings
    if lost > allowed.allowed_easy_loss or bits > allowed.allowed_bits:
      raise Regression(
          f'{folder} is worse than the base model: pass@1 at depths {_list(easy)} lost {lost:.3f} '
          f'(allowed: {allowed.allowed_easy_loss}), real text takes {bits:+.3f} bits per byte '
          f'(allowed: {allowed.allowed_bits}). The model to keep is that of {before}; with greater '
          '--allowed_easy_loss and --allowed_bits the rounds go on.')


def _begin(before: pathlib.Path, folder: pathlib.Path, config: Config) -> None:
  """Makes the run folder of a round, which goes on from the last checkpoint of another run."""
  if folder.exists():
    return
  step = max(checkpoint.steps(before))
  partial = folder.with_name(folder.name + '.partial')
  shutil.rmtree(partial, ignore_errors=True)
  shutil.copytree(before / run_folder.CHECKPOINTS / str(step),
                  partial / run_folder.CHECKPOINTS / str(step))
  run_folder.write_config(partial, config)
  partial.rename(folder)


def _ends(config: Config) -> tuple[int, int]:
  """The last steps of the base model and of the last round."""
  plan_ = phases.plan(config)
  return plan_[0].end, plan_[-1].end


def _bits_per_byte(folder: pathlib.Path, step: int) -> float:
  """What the training measured on held-out real text at its end."""
  return next(row['bits_per_byte'] for row in reversed(metrics.read(folder))
              if row['kind'] == metrics.HELDOUT and row['step'] == step)


def _write(path: pathlib.Path, records: list[golden_record.Record]) -> None:
  path.parent.mkdir(parents=True, exist_ok=True)
  atomic_file.write_text(
      path, ''.join(golden_record.dumps(record) + '\n' for record in records))


def _told(path: pathlib.Path) -> dict[str, float]:
  """Verdicts, diversity and acceptance by depth of a round's records."""
  records = list(golden_record.read(path))
  accepted = [record for record in records if record.verdict == golden_record.ACCEPTED]
  told = {f'verdicts/{name}': float(count) for name, count in sorted(
      _counts(record.verdict for record in records).items())}
  told |= {f'sandbox/{name}': float(count) for name, count in sorted(
      _counts(record.sandbox for record in records).items())}
  depths, right = (_counts(record.depth for record in part) for part in (records, accepted))
  told |= {f'acceptance/{depth}': right.get(depth, 0) / count
           for depth, count in sorted(depths.items())}
  told['accepted_prompts'] = float(len({record.prompt for record in accepted}))
  told['accepted_programs'] = float(len({record.completion for record in accepted}))
  return told


def _counts(values: object) -> dict:
  names, counts = np.unique(list(values), return_counts=True)  # type: ignore[call-overload]
  return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _list(depths: object) -> str:
  return ', '.join(map(str, depths)) or 'none'  # type: ignore[call-overload]
