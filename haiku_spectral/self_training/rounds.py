"""Rounds of self-improvement: propose, sample, verify, filter, build, train, measure.

The arms differ in what the second half of the training data is: that of `control` is more of the
first half, the original data; the others' come from `samples`. Everything else is the same code.

A stage is done when its file is there, and files are renamed into place; what they hold is a
function of the seed and of the stages before. So a run that was killed goes on to the same bytes.
"""

import pathlib
import shutil

import numpy as np

from haiku_spectral.config import Config
from haiku_spectral.self_training import curriculum, evaluation, evaluator, proposals, samples
from haiku_spectral.self_training import seed_run as seed_runs
from haiku_spectral.self_training.evaluation import Evaluation
from haiku_spectral.self_training.outcomes import Regression, Stopped
from haiku_spectral.self_training.paths import EVALUATION
from haiku_spectral.self_training.seed_run import Model, Round, SeedRun
from haiku_spectral.training import checkpoint, metrics, run_folder

_EASY = 2  # The lowest depths, at which no model may become worse.


def run_base(run: SeedRun) -> Evaluation:
  """Trains and measures the base model."""
  if not run.paths.labelled.exists():
    samples.save(run.paths.labelled, samples.labelled(run))
  run.callbacks.build(curriculum.LABELLED, run.paths.labelled.parent)
  config = curriculum.plan(run.config, seed=run.seed)
  return _finish(run, 0, 'base', run.paths.base, config, {})


def run_arm(run: SeedRun, arm: str) -> None:
  """All rounds of an arm. Raises one of `outcomes` where it ends before."""
  config = curriculum.plan(run.config, seed=run.seed, arm=arm, rounds=run.settings.rounds)
  base = evaluation.load(run.paths.base / EVALUATION)
  for number in range(1, run.settings.rounds + 1):
    this = Round(run.seed, arm, number)
    found = run_round(run, this, config)
    _check(run, this, base, found)


def run_round(run: SeedRun, this: Round, config: Config) -> Evaluation:
  """One round, or what remains of it; `config` is that of the whole arm."""
  folder = run.paths.model(this.arm, this.number)
  if (folder / EVALUATION).exists():
    return evaluation.load(folder / EVALUATION)
  statistics = _dataset(run, this) if this.arm != 'control' else {}
  _begin(run.paths.model(this.arm, this.number - 1), folder, config)
  found = _finish(run, this.number, str(this), folder, config, statistics)
  writer = metrics.Writer(folder.parent, step=this.number, work_done=False)
  writer.write(this.number, 'round', found.scalars())
  writer.close()
  return found


def _dataset(run: SeedRun, this: Round) -> dict[str, float]:
  """Builds the dataset of the samples up to this round; returns metrics of its samples."""
  path = run.paths.samples(this.arm, this.number)
  if not path.exists():
    model = seed_runs.load(run.paths.model(this.arm, this.number - 1))
    samples.save(path, samples.of_round(run, this, model))
  run.callbacks.build(curriculum.dataset(this.arm, this.number), path.parent)
  return samples.statistics(path)


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


def _finish(
    run: SeedRun, number: int, name: str, folder: pathlib.Path, config: Config,
    statistics: dict[str, float],
) -> Evaluation:
  """Trains a model to the end of its round and measures it."""
  if (folder / EVALUATION).exists():
    return evaluation.load(folder / EVALUATION)
  until = curriculum.last_step(config, number)
  run.callbacks.report(f'{name}: training up to step {until:,}')
  if not run.callbacks.train(folder, config, until):
    raise Stopped(f'{name}: training')
  ends = number in (0, run.settings.rounds)
  found = _measure(run, seed_runs.load(folder), name, ends=ends)._replace(round=statistics)
  evaluation.save(folder / EVALUATION, found)
  scores = ' '.join(f'{np.mean(right):.3f}' for right in found.greedy.values())
  run.callbacks.report(f'{name}: pass@1 by depth {scores}, {found.bits_per_byte:.3f} bits per byte '
                       'on real text')
  return found


def _measure(run: SeedRun, model: Model, name: str, *, ends: bool) -> Evaluation:
  """Greedily always; within several attempts before the first round and after the last."""
  judge = seed_runs.evaluator(run, model)
  solved = evaluator.greedy(judge, run.heldout, stage=f'{name}: held-out')
  few = proposals.heldout(run.family, run.settings.pass_heldout) if ends else []
  rights = evaluator.attempts(
      judge, few, run.settings.pass_attempts, key=seed_runs.key(run, 0, samples.ATTEMPT),
      temperature=run.settings.temperature, stage=f'{name}: attempts')
  return Evaluation(
      model.step, _bits_per_byte(model), solved, evaluation.number_objects(run.heldout),
      run.settings.pass_attempts, {str(depth): right for depth, right in rights.items()})


def _bits_per_byte(model: Model) -> float:
  """What the training measured on held-out real text at its end."""
  return next(row['bits_per_byte'] for row in reversed(metrics.read(model.folder))
              if row['kind'] == metrics.HELDOUT and row['step'] == model.step)


def _check(run: SeedRun, this: Round, base: Evaluation, found: Evaluation) -> None:
  """Raises Regression when a model has forgotten more than is allowed."""
  easy = list(base.greedy)[:_EASY]
  lost = np.mean([np.mean(base.greedy[d]) - np.mean(found.greedy[d]) for d in easy])
  bits = found.bits_per_byte - base.bits_per_byte
  allowed = run.settings
  if lost > allowed.allowed_easy_loss or bits > allowed.allowed_bits:
    raise Regression(
        f'{run.paths.model(this.arm, this.number)} is worse than the base model: pass@1 at depths '
        f'{", ".join(easy)} lost {lost:.3f} (allowed: {allowed.allowed_easy_loss}), real text '
        f'takes {bits:+.3f} bits per byte (allowed: {allowed.allowed_bits}). The model to keep is '
        f'that of {run.paths.model(this.arm, this.number - 1)}; with greater --allowed_easy_loss '
        'and --allowed_bits the rounds go on.')
