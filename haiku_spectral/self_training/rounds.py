"""Rounds of self-improvement: propose, sample, verify, filter, build, train, measure.

The arms differ in what the second half of the training data is: that of `control` is more of the
first half, the original data; the others' come from `samples`. Everything else is the same code,
and the same problems: `golden` comes first, and finds the frontier at which all of them ask. The
gate guards golden alone: the other arms are there to be compared with, wherever they go.

A stage is done when its file is there, and files are renamed into place; what they hold is a
function of the seed and of the stages before. So a run that was killed goes on to the same bytes.
"""

import pathlib
import shutil

import numpy as np

from haiku_spectral.config import Config
from haiku_spectral.self_training import (
  curriculum,
  evaluation,
  evaluator,
  frontier,
  outcomes,
  proposals,
  samples,
)
from haiku_spectral.self_training import seed_run as seed_runs
from haiku_spectral.self_training.evaluation import Evaluation
from haiku_spectral.self_training.outcomes import Regression, Stopped
from haiku_spectral.self_training.paths import EVALUATION
from haiku_spectral.self_training.seed_run import Model, Round, SeedRun
from haiku_spectral.self_training.settings import LEAD
from haiku_spectral.training import metrics, run_folder


def run_base(run: SeedRun) -> Evaluation:
  """Trains and measures the base model."""
  if not run.paths.labelled.exists():
    samples.save(run.paths.labelled, samples.labelled(run))
  run.callbacks.build(curriculum.LABELLED, run.paths.labelled.parent)
  config = curriculum.plan(run.config, seed=run.seed)
  return _finish(run, Round(run.seed, LEAD, 0), run.paths.base, config, {})


def run_arm(run: SeedRun, arm: str) -> None:
  """All rounds of an arm, and the note of how they ended. Raises one of `outcomes` if early."""
  note = run.paths.outcome(arm)
  note.unlink(missing_ok=True)
  try:
    _run_rounds(run, arm)
  except outcomes.Ended as ended:
    outcomes.save(note, outcomes.Outcome(ended.kind, len(run.paths.rounds(arm)), str(ended)))
    raise
  outcomes.save(note, outcomes.Outcome(outcomes.COMPLETED, len(run.paths.rounds(arm))))


def _run_rounds(run: SeedRun, arm: str) -> None:
  base = evaluation.load(run.paths.base / EVALUATION)
  for number in range(1, _last_round(run, arm) + 1):
    this = Round(run.seed, arm, number)
    found = run_round(run, this)
    if arm == LEAD:
      _check(run, this, base, found)


def _last_round(run: SeedRun, arm: str) -> int:
  """Of an arm: the others have those of LEAD."""
  if arm == LEAD:
    return run.settings.rounds
  return outcomes.of_lead(run.paths.outcome(LEAD), seed=run.seed, arm=arm).rounds


def run_round(run: SeedRun, this: Round) -> Evaluation:
  """One round, or what remains of it. It is the same however many follow it."""
  folder = run.paths.model(this.arm, this.number)
  if (folder / EVALUATION).exists():
    return _noted(this, folder.parent, evaluation.load(folder / EVALUATION))
  config = curriculum.plan(run.config, seed=run.seed, arm=this.arm, rounds=this.number)
  statistics = _dataset(run, this) if this.arm != 'control' else {}
  _begin(run.paths.model(this.arm, this.number - 1), folder, config)
  return _noted(this, folder.parent, _finish(run, this, folder, config, statistics))


def _noted(this: Round, folder: pathlib.Path, found: Evaluation) -> Evaluation:
  """With its row in the metrics of the arm, which is written unless it is there."""
  if not any(row['step'] == this.number for row in metrics.read(folder)):
    writer = metrics.Writer(folder, step=this.number, work_done=False)
    writer.write(this.number, 'round', found.scalars())
    writer.close()
  return found


def _dataset(run: SeedRun, this: Round) -> dict[str, float]:
  """Builds the dataset of the samples up to this round; returns metrics of its samples."""
  path = run.paths.samples(this.arm, this.number)
  if not path.exists():
    model = seed_runs.load(run.paths.model(this.arm, this.number - 1))
    samples.save(path, samples.of_round(run, this, model, _frontier(run, this.number)))
  run.callbacks.build(curriculum.dataset(this.arm, this.number), path.parent)
  return samples.statistics(path)


def _frontier(run: SeedRun, number: int) -> frontier.Frontier:
  """Where LEAD stood before a round."""
  before = evaluation.load(run.paths.model(LEAD, number - 1) / EVALUATION)
  return frontier.find({int(depth): rights for depth, rights in before.probe.items()})


def _begin(before: pathlib.Path, folder: pathlib.Path, config: Config) -> None:
  """Makes the run folder of a round, which goes on from the last checkpoint of another run."""
  if folder.exists():
    return
  step = max(run_folder.steps(before))
  partial = folder.with_name(folder.name + '.partial')
  shutil.rmtree(partial, ignore_errors=True)
  shutil.copytree(before / run_folder.CHECKPOINTS / str(step),
                  partial / run_folder.CHECKPOINTS / str(step))
  run_folder.write_config(partial, config)
  partial.rename(folder)


def _finish(
    run: SeedRun, this: Round, folder: pathlib.Path, config: Config, statistics: dict[str, float]
) -> Evaluation:
  """Trains a model to the end of its round and measures it; round 0 is the base model."""
  if (folder / EVALUATION).exists():
    return evaluation.load(folder / EVALUATION)
  name = str(this) if this.number else f'seed {run.seed}, base model'
  until = curriculum.last_step(config, this.number)
  run.callbacks.report(f'{name}: training up to step {until:,}')
  if not run.callbacks.train(folder, config, until):
    raise Stopped(f'{name}: training')
  model = seed_runs.load(folder)
  if model.step != until:
    raise ValueError(f'{folder} has no good checkpoint of step {until:,}: remove that folder, and '
                     'give the same command again.')
  found = _measure(run, this, model, name)._replace(round=statistics)
  evaluation.save(folder / EVALUATION, found)
  scores = ' '.join(f'{np.mean(right):.2f}' for right in found.greedy.values())
  run.callbacks.report(f'{name}: pass@1 by depth {scores}, frontier {found.frontier}, '
                       f'{found.bits_per_byte:.3f} bits per byte on real text')
  return found


def _measure(run: SeedRun, this: Round, model: Model, name: str) -> Evaluation:
  """Greedily and within several attempts; for LEAD by the gate's problems too."""
  bits = _bits_per_byte(model)
  judge, options = seed_runs.evaluator(run, model), run.settings
  solved = evaluator.greedy(judge, run.heldout, stage=f'{name}: held-out')
  rights = evaluator.attempts(
      judge, proposals.first(run.heldout, options.pass_heldout), options.pass_attempts,
      key=seed_runs.key(run, 0, samples.ATTEMPT), temperature=options.temperature,
      stage=f'{name}: attempts')
  leads = this.arm == LEAD
  gate = evaluator.greedy(judge, run.gate, stage=f'{name}: gate') if leads else {}
  return Evaluation(
      model.step, options.labelled_depth, bits, solved,
      evaluation.number_objects(run.heldout), options.pass_attempts, _by_name(rights),
      gate={depth: float(np.mean(right)) for depth, right in gate.items()},
      probe=_by_name(_probe(run, this, judge, name)) if leads else {})


def _probe(
    run: SeedRun, this: Round, judge: evaluator.Evaluator, name: str
) -> dict[int, list[int]]:
  """By depth, up to the first that is not open: right attempts at a few problems of the gate."""
  found: dict[int, list[int]] = {}
  for depth in run.settings.depths:
    problems = proposals.draw(
        run.family, {depth: run.settings.probe}, seed=(run.seed, proposals.PROBE, this.number),
        split='gate')
    found |= evaluator.attempts(
        judge, problems, frontier.ATTEMPTS, key=seed_runs.key(run, this.number, samples.PROBE),
        temperature=run.settings.temperature, stage=f'{name}: probe')
    if not frontier.is_open(frontier.ATTEMPTS, found[depth]):
      break
  return found


def _by_name(rights: dict[int, list[int]]) -> dict[str, list[int]]:
  """With keys that JSON can hold."""
  return {str(depth): right for depth, right in rights.items()}


def _bits_per_byte(model: Model) -> float:
  """What the training measured on held-out real text at its end."""
  bits = next((row['bits_per_byte'] for row in reversed(metrics.read(model.folder))
               if row['kind'] == metrics.HELDOUT and row['step'] == model.step), None)
  if bits is None:
    raise ValueError(f'{model.folder} has no finite held-out loss at step {model.step:,}: remove '
                     'that folder, and give the same command again.')
  return bits


def _check(run: SeedRun, this: Round, base: Evaluation, found: Evaluation) -> None:
  """Raises Regression when a model has forgotten more than is allowed."""
  lost = float(np.mean([base.gate[depth] - found.gate[depth] for depth in base.gate]))
  bits = found.bits_per_byte - base.bits_per_byte
  allowed = run.settings
  if lost > allowed.allowed_easy_loss or bits > allowed.allowed_bits:
    raise Regression(
        f'{run.paths.model(this.arm, this.number)} is worse than the base model: on the gate, '
        f'pass@1 at depths {", ".join(base.gate)} lost {lost:.3f} (allowed: '
        f'{allowed.allowed_easy_loss}), real text takes {bits:+.3f} bits per byte (allowed: '
        f'{allowed.allowed_bits}). The model to keep is that of '
        f'{run.paths.model(this.arm, this.number - 1)}; with greater --allowed_easy_loss and '
        '--allowed_bits the rounds go on.')
