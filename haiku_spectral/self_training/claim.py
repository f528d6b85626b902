"""The claim 'the loop improves the model', its three parts, and whether they hold.

  1. golden solves more than unfiltered: the same prompts and bytes, and no verifier. So what is
     gained is what the verifier brings.
  2. pass@8 is not lost against the base model, where problems are hard.
  3. Nothing is lost where problems are easy.

A part holds if its whole interval does. Intervals are over seeds and problems together, where a
problem counts with all others about the same object; one seed supports no claim over seeds.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from haiku_spectral.evaluation import bootstrap
from haiku_spectral.self_training import frontier
from haiku_spectral.self_training.evaluation import Evaluation
from haiku_spectral.self_training.outcomes import COMPLETED, Outcome
from haiku_spectral.self_training.settings import ARMS

GOLDEN, UNFILTERED = ARMS[:2]
SEEDS = 5  # That a claim wants.
K = 8
LOST_PASS, LOST_EASY = 0.02, 0.03  # What a gain may cost of pass@8 and of easy depths.


class Found(NamedTuple):
  """What there is of a run."""

  evaluations: Mapping[str, Mapping[int, Sequence[Evaluation]]]  # By arm and seed: base first.
  outcomes: Mapping[str, Mapping[int, Outcome]]  # By arm and seed, of the arms that have ended.


class Part(NamedTuple):
  """A difference of two models, and what it must exceed."""

  name: str
  estimate: bootstrap.Estimate
  least: float | None = None  # None: shown, and no part of the claim.

  @property
  def holds(self) -> bool:
    """Whether the whole interval is above."""
    return self.least is None or (
        self.estimate.low is not None and self.estimate.low > self.least)


class Claim(NamedTuple):
  """All parts, over all seeds that have ended, however they did."""

  seeds: tuple[int, ...]
  problems: int  # Held-out ones at the hard depths.
  objects: int  # What these are about: behaviours, stems.
  parts: tuple[Part, ...]
  beside: tuple[Part, ...]  # golden against the other arms.
  ended: tuple[str, ...]  # What ended before the last round, in words.

  @property
  def holds(self) -> bool:
    """All parts of it, over seeds."""
    return len(self.seeds) > 1 and all(part.holds for part in self.parts)


Value = Callable[[Evaluation, str], Sequence[float]]  # Of each problem of a depth.


def _greedy(evaluation: Evaluation, depth: str) -> Sequence[float]:
  return [float(right) for right in evaluation.greedy[depth]]


def _pass(evaluation: Evaluation, depth: str) -> Sequence[float]:
  return [frontier.pass_at(K, evaluation.attempts, right) for right in evaluation.sampled[depth]]


def test(found: Found) -> Claim | None:
  """Over the seeds whose golden and unfiltered have ended; None when there is none."""
  golden = found.evaluations.get(GOLDEN, {})
  seeds = _ended(found, UNFILTERED)
  if not seeds:
    return None
  base, last = ([golden[seed][place] for seed in seeds] for place in (0, -1))
  easy, hard = base[0].easy, base[0].hard
  pairs = list(zip(last, _matching(found, UNFILTERED, seeds), strict=True))
  table, since_base = _table(pairs, hard, _greedy), list(zip(last, base, strict=True))
  where = f'depth {_span(hard)}'
  parts = (
      Part(f'golden - unfiltered, pass@1 at {where}', _estimate(table), 0.0),
      Part(f'golden - base, pass@{K} at {where}',
           _estimate(_table(since_base, hard, _pass)), -LOST_PASS),
      Part(f'golden - base, pass@1 at depth {_span(easy)}',
           _estimate(_table(since_base, easy, _greedy)), -LOST_EASY))
  return Claim(seeds, sum(len(base[0].greedy[depth]) for depth in hard), table.shape[1], parts,
               _beside(found, hard, where), _early(found))


def _ended(found: Found, arm: str) -> tuple[int, ...]:
  """The seeds whose golden has ended, and whose `arm` has: early, or after as many rounds."""
  golden, other = (found.outcomes.get(name, {}) for name in (GOLDEN, arm))
  return tuple(seed for seed in sorted(golden.keys() & other.keys())
               if other[seed].kind != COMPLETED or other[seed].rounds >= golden[seed].rounds)


def _matching(found: Found, arm: str, seeds: Sequence[int]) -> list[Evaluation]:
  """Of an arm, the models after as many rounds as golden has."""
  rounds, other = found.evaluations[GOLDEN], found.evaluations[arm]
  return [other[seed][:len(rounds[seed])][-1] for seed in seeds]


def _beside(found: Found, hard: Sequence[str], where: str) -> tuple[Part, ...]:
  """golden minus each other arm, and minus the base model."""
  golden = found.evaluations[GOLDEN]
  others = {'base': [(golden[seed][-1], golden[seed][0]) for seed in _ended(found, GOLDEN)]}
  for arm in found.outcomes:
    if arm not in (GOLDEN, UNFILTERED):
      seeds = _ended(found, arm)
      others[arm] = list(zip([golden[seed][-1] for seed in seeds],
                             _matching(found, arm, seeds), strict=True))
  return tuple(Part(f'golden - {arm}, pass@1 at {where}', _estimate(_table(pairs, hard, _greedy)))
               for arm, pairs in others.items() if pairs)


def _early(found: Found) -> tuple[str, ...]:
  return tuple(
      f'seed {seed}, {arm} ended after {outcome.rounds} round{"s" * (outcome.rounds != 1)} '
      f'({outcome.kind.replace("_", " ")})'
      for arm, by_seed in found.outcomes.items() for seed, outcome in sorted(by_seed.items())
      if outcome.kind != COMPLETED)


def _table(
    pairs: Sequence[tuple[Evaluation, Evaluation]], depths: Sequence[str], value: Value
) -> np.ndarray:  # [seeds, objects, 2]
  """Sum and count of the differences at each object's problems."""
  rows = []
  first = pairs[0][0]
  objects = np.concatenate(
      [first.objects[depth][:len(value(first, depth))] for depth in depths])
  _, places = np.unique(objects, return_inverse=True)
  for left, right in pairs:
    differences = np.concatenate(
        [np.subtract(value(left, depth), value(right, depth)) for depth in depths])
    rows.append(np.stack([np.bincount(places, differences), np.bincount(places)], axis=1))
  return np.stack(rows)


def _estimate(table: np.ndarray) -> bootstrap.Estimate:
  """Over seeds and objects; of one seed over its objects alone."""
  def share(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]

  if len(table) > 1:
    return bootstrap.of_runs(table, share)
  return bootstrap.estimate(table[0], share)


def _span(depths: Sequence[str]) -> str:
  return depths[0] if len(depths) == 1 else f'{depths[0]} to {depths[-1]}'


def headline(claim: Claim | None) -> str:
  """One line: what holds and what does not, in the same place whatever it is."""
  if claim is None:
    return ('NOT TESTED: "the loop improves the model" needs the arms golden and unfiltered, to '
            'their ends.')
  gain = claim.parts[0].estimate
  if len(claim.seeds) == 1:
    return (f'NOT CLAIMED: one seed ({claim.seeds[0]}) supports no claim over seeds. '
            f'golden - unfiltered: {_interval(gain)} over its problems.')
  seeds = f'{len(claim.seeds)} seeds'
  if len(claim.seeds) < SEEDS:
    seeds += f' ({SEEDS} are wanted)'
  return (f'{"HOLDS" if claim.holds else "FAILS"}: "the loop improves the model", over {seeds}. '
          f'golden - unfiltered: {_interval(gain)}.')


def text(claim: Claim | None) -> str:
  """The headline and all that it rests on."""
  if claim is None:
    return headline(claim)
  over = 'seeds and problems' if len(claim.seeds) > 1 else 'the problems of this seed'
  lines = [
      headline(claim), '',
      f'{claim.problems:,} held-out problems about {claim.objects:,} different objects; 95 % '
      f'intervals over {over}:']
  for number, part in enumerate(claim.parts, 1):
    lines.append(f'  {number}. {part.name}: {_interval(part.estimate)}, above {part.least:g} '
                 f'wanted: {"yes" if part.holds else "NO"}')
  lines += [f'  beside: {part.name}: {_interval(part.estimate)}' for part in claim.beside]
  lines += [f'  {line}' for line in claim.ended]
  return '\n'.join(lines)


def _interval(estimate: bootstrap.Estimate) -> str:
  value, low, high = estimate
  if low is None or high is None:
    return f'{value:+.3f} (no interval from one object)'
  return f'{value:+.3f} [{low:+.3f}, {high:+.3f}]'


def to_json(claim: Claim | None) -> dict[str, object] | None:
  """The same for programs."""
  if claim is None:
    return None
  return {**claim._asdict(), 'holds': claim.holds, 'headline': headline(claim),
          **{name: [{**part._asdict(), 'estimate': part.estimate._asdict(), 'holds': part.holds}
                    for part in parts]
             for name, parts in (('parts', claim.parts), ('beside', claim.beside))}}
