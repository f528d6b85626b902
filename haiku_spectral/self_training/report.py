"""What a run of self-improvement found: the claim and its test, a table of the arms, pictures."""

import json
import pathlib
from collections.abc import Sequence

import numpy as np

from haiku_spectral.evaluation.report import aligned
from haiku_spectral.self_training import claim as claims
from haiku_spectral.self_training import evaluation as evaluations
from haiku_spectral.self_training import outcomes, plot
from haiku_spectral.self_training import paths as run_paths
from haiku_spectral.self_training import settings as settings_lib
from haiku_spectral.self_training.claim import Claim, Found, K
from haiku_spectral.self_training.evaluation import Evaluation
from haiku_spectral.storage import atomic_file

BASE = 'base'


def read(root: pathlib.Path) -> Found:
  """All evaluations and outcomes; an arm that ended before its first round is the base model."""
  found: dict[str, dict[int, list[Evaluation]]] = {}
  ended: dict[str, dict[int, outcomes.Outcome]] = {}
  for seed, paths in run_paths.of_seeds(root).items():
    base = evaluations.load(paths.base / run_paths.EVALUATION)
    found.setdefault(BASE, {})[seed] = [base]
    for arm in settings_lib.ARMS:
      done = [evaluations.load(path) for path in paths.rounds(arm)]
      outcome = outcomes.load(paths.outcome(arm))
      if outcome:
        ended.setdefault(arm, {})[seed] = outcome
      if done or outcome:
        found.setdefault(arm, {})[seed] = [base, *done]
  if not found:
    raise FileNotFoundError(f'{root} has no measured model yet: run self_improve first.')
  return Found(found, ended)


def _mean(evaluation: Evaluation, depths: Sequence[str]) -> float:
  return float(np.mean(np.concatenate([evaluation.greedy[depth] for depth in depths])))


def _row(arm: str, seed: str, evaluations_: Sequence[Evaluation]) -> list[str]:
  """Means over evaluations, one for each seed."""
  hard = evaluations_[0].hard
  return [
      arm, seed,
      *(f'{np.mean([_mean(each, [depth]) for each in evaluations_]):.2f}'
        for depth in evaluations_[0].greedy),
      f'{np.mean([_mean(each, hard) for each in evaluations_]):.3f}',
      f'{np.mean([each.pass_at(K, depth) for each in evaluations_ for depth in hard]):.3f}',
      f'{np.mean([each.frontier for each in evaluations_]):.1f}',
      f'{np.mean([each.bits_per_byte for each in evaluations_]):.3f}']


def to_text(found: Found, claim: Claim | None) -> str:
  """The claim, and the table of the arms after their last rounds."""
  base = next(iter(found.evaluations[BASE].values()))[0]
  hard = base.hard
  header = ['arm', 'seed', *(f'd{depth}' for depth in base.greedy),
            f'd{hard[0]}-{hard[-1]}', f'pass@{K}', 'frontier', 'bits per byte']
  table = []
  for arm in (BASE, *settings_lib.ARMS):
    by_seed = found.evaluations.get(arm, {})
    table += [_row(f'{arm}, round {len(all_) - 1}' if arm != BASE else arm, str(seed), all_[-1:])
              for seed, all_ in by_seed.items()]
    if len(by_seed) > 1:
      table.append(_row(arm, 'mean', [all_[-1] for all_ in by_seed.values()]))
  return '\n'.join([
      claims.text(claim), '',
      'Held-out problems solved by the greedy completion (pass@1), by depth; pass@8, and the '
      'frontier (the deepest depth with pass@8 of 0.05 or more), by several attempts:',
      *aligned(header, table)])


def write(root: pathlib.Path) -> str:
  """Writes report.txt, report.json and report.png; returns the text."""
  found = read(root)
  claim = claims.test(found)
  text = to_text(found, claim)
  atomic_file.write_text(root / 'report.txt', text + '\n')
  atomic_file.write_text(root / 'report.json', json.dumps({
      'claim': claims.to_json(claim),
      'arms': {arm: {seed: [each.scalars() for each in all_] for seed, all_ in by_seed.items()}
               for arm, by_seed in found.evaluations.items()},
      'outcomes': {arm: {seed: outcome._asdict() for seed, outcome in by_seed.items()}
                   for arm, by_seed in found.outcomes.items()},
  }, indent=2) + '\n')
  plot.save(found, claims.headline(claim), root / 'report.png')
  return text
