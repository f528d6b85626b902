"""What a run of self-improvement found: a table of the arms, the claim and its test, pictures."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral.evaluation import bootstrap
from haiku_spectral.self_training import evaluation as evaluations
from haiku_spectral.self_training import paths as run_paths
from haiku_spectral.self_training import plot
from haiku_spectral.self_training import settings as settings_lib
from haiku_spectral.self_training.evaluation import DEEP, Evaluation
from haiku_spectral.storage import atomic_file

BASE = 'base'
_K = 8
LOST_PASS, LOST_EASY = 0.02, 0.03  # What a gain may cost of pass@8 and of easy depths.

Found = Mapping[str, Mapping[int, list[Evaluation]]]  # By arm and seed, by round.


class Claim(NamedTuple):
  """'The loop improves the model', and whether it holds."""

  seeds: tuple[int, ...]
  prompts: int  # Held-out problems of the deep depths.
  objects: int  # What these are about: behaviours, stems.
  gain: bootstrap.Estimate  # pass@1 of golden minus that of control.
  lost_pass: float  # pass@8 of base minus that of golden, at the deep depths.
  lost_easy: float  # pass@1 of base minus that of golden, at the others.

  @property
  def holds(self) -> bool:
    """All three parts of it."""
    return bool(self.gain.low is not None and self.gain.low > 0
                and self.lost_pass <= LOST_PASS and self.lost_easy <= LOST_EASY)


def read(root: pathlib.Path) -> dict[str, dict[int, list[Evaluation]]]:
  """By arm and seed: the evaluations of all rounds, the base model's first."""
  found: dict[str, dict[int, list[Evaluation]]] = {}
  for seed, paths in run_paths.of_seeds(root).items():
    base = evaluations.load(paths.base / run_paths.EVALUATION)
    found.setdefault(BASE, {})[seed] = [base]
    for arm in settings_lib.ARMS:
      if done := [evaluations.load(path) for path in paths.rounds(arm)]:
        found.setdefault(arm, {})[seed] = [base, *done]
  if not found:
    raise FileNotFoundError(f'{root} has no measured model yet: run self_improve first.')
  return found


def right(evaluation: Evaluation, depths: Sequence[str]) -> np.ndarray:
  """Whether each held-out problem of some depths is solved greedily."""
  return np.concatenate([evaluation.greedy[depth] for depth in depths]).astype(float)


def _split(evaluation: Evaluation) -> tuple[list[str], list[str]]:
  """The easy depths and the deep ones."""
  depths = list(evaluation.greedy)
  return ([depth for depth in depths if int(depth) < DEEP],
          [depth for depth in depths if int(depth) >= DEEP])


def test_claim(found: Found) -> Claim | None:
  """Over the seeds that have both arms with as many rounds; None when there is none.

  The interval is of objects drawn again, each with all its problems, seeds and both arms: problems
  about the same behaviour are no independent evidence.
  """
  golden, control = found.get('golden', {}), found.get('control', {})
  seeds = tuple(seed for seed in golden if golden[seed][-1].sampled
                and len(golden[seed]) == len(control.get(seed, [])))
  if not seeds:
    return None
  easy, deep = _split(golden[seeds[0]][0])
  gains = np.mean([right(golden[seed][-1], deep) - right(control[seed][-1], deep)
                   for seed in seeds], axis=0)
  table = by_object(gains, golden[seeds[0]][-1], deep)
  lost = [[np.mean([golden[seed][0].pass_at(_K, depth) - golden[seed][-1].pass_at(_K, depth)
                    for depth in deep]),
           np.mean(right(golden[seed][0], easy) - right(golden[seed][-1], easy))]
          for seed in seeds]
  lost_pass, lost_easy = np.mean(lost, axis=0).tolist()
  gain = bootstrap.estimate(table, lambda sums: sums[..., 0] / sums[..., 1])
  return Claim(seeds, len(gains), len(table), gain, lost_pass, lost_easy)


def by_object(
    values: np.ndarray,  # [problems]
    evaluation: Evaluation, depths: Sequence[str],
) -> np.ndarray:  # [objects, 2]
  """Sum and count of the values of each object's problems."""
  objects = np.concatenate([evaluation.objects[depth] for depth in depths])
  _, places = np.unique(objects, return_inverse=True)
  return np.stack([np.bincount(places, values), np.bincount(places)], axis=1)


def claim_text(claim: Claim | None) -> str:
  """The claim's test in words."""
  if claim is None:
    return ('The claim "the loop improves the model" is not tested: run the arms golden and '
            'control with the same seeds.')
  gain, low, high = claim.gain
  interval = ('no interval from one object' if low is None
              else f'95 % interval [{low:+.3f}, {high:+.3f}]')
  return (
      f'The claim "the loop improves the model" {"HOLDS" if claim.holds else "FAILS"} over '
      f'{len(claim.seeds)} seed{"s" * (len(claim.seeds) > 1)}. At depth {DEEP} and deeper, golden '
      f'solves {gain:+.3f} more of {claim.prompts:,} held-out problems ({claim.objects:,} '
      f'different objects) than control ({interval}, above 0 wanted); pass@{_K} there lost '
      f'{claim.lost_pass:+.3f} against the base model (at most {LOST_PASS}), the easier depths '
      f'lost {claim.lost_easy:+.3f} (at most {LOST_EASY}).')


def _row(arm: str, seed: str, evaluations: Sequence[Evaluation]) -> list[str]:
  """Means over evaluations, one for each seed."""
  _, deep = _split(evaluations[0])
  greedy = {depth: np.mean([right(each, [depth]).mean() for each in evaluations])
            for depth in evaluations[0].greedy}
  return [
      arm, seed, *(f'{value:.3f}' for value in greedy.values()),
      f'{np.mean([greedy[depth] for depth in deep]):.3f}',
      f'{np.mean([each.pass_at(_K, depth) for each in evaluations for depth in deep]):.3f}'
      if all(each.sampled for each in evaluations) else '-',
      f'{np.mean([each.bits_per_byte for each in evaluations]):.3f}']


def to_text(found: Found, claim: Claim | None) -> str:
  """The table of the arms after their last rounds, and the claim."""
  depths = list(next(iter(found[BASE].values()))[0].greedy)
  header = ['arm', 'seed', *(f'd{depth}' for depth in depths), f'd{DEEP}-{depths[-1]}',
            f'pass@{_K}', 'bits per byte']
  table = []
  for arm in (BASE, *settings_lib.ARMS):
    by_seed = found.get(arm, {})
    table += [_row(f'{arm}, round {len(all_) - 1}' if arm != BASE else arm, str(seed), all_[-1:])
              for seed, all_ in by_seed.items()]
    if len(by_seed) > 1:
      table.append(_row(arm, 'mean', [all_[-1] for all_ in by_seed.values()]))
  widths = [max(map(len, column)) for column in zip(header, *table, strict=True)]
  lines = ['  '.join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
           for row in [header, *table]]
  return '\n'.join([
      'Held-out problems solved by the greedy completion (pass@1), by depth:', *lines, '',
      claim_text(claim)])


def write(root: pathlib.Path) -> str:
  """Writes report.txt, report.json and report.png; returns the text."""
  found = read(root)
  claim = test_claim(found)
  text = to_text(found, claim)
  atomic_file.write_text(root / 'report.txt', text + '\n')
  atomic_file.write_text(root / 'report.json', json.dumps({
      'arms': {arm: {seed: [each.scalars() for each in all_] for seed, all_ in by_seed.items()}
               for arm, by_seed in found.items()},
      'claim': claim and {**claim._asdict(), 'gain': claim.gain._asdict(), 'holds': claim.holds},
  }, indent=2) + '\n')
  plot.save({arm: [[right_by_depth(each) for each in all_] for all_ in by_seed.values()]
             for arm, by_seed in found.items()}, root / 'report.png')
  return text


def right_by_depth(evaluation: Evaluation) -> dict[int, float]:
  """pass@1 by depth."""
  return {int(depth): float(np.mean(values)) for depth, values in evaluation.greedy.items()}
