"""Where everything of a run of self-improvement lies.

  RUN/verdicts.jsonl                 what executing completions showed, for all
  RUN/seed_0/labelled/               the labelled problems, as verified samples
  RUN/seed_0/base/                   the base model: a training run
  RUN/seed_0/ARM/records/            verified samples, a file for each round
  RUN/seed_0/ARM/round_1/            the model after the round: a training run
  RUN/seed_0/ARM/outcome.json        how the arm has ended
  .../evaluation.json                of each of the models; it finishes the round
"""

import pathlib
import re
from typing import NamedTuple

VERDICTS = 'verdicts.jsonl'
EVALUATION = 'evaluation.json'
OUTCOME = 'outcome.json'


class SeedPaths(NamedTuple):
  """The files of one seed."""

  root: pathlib.Path  # RUN/seed_0.

  @property
  def labelled(self) -> pathlib.Path:
    """The file of the labelled problems."""
    return self.root / 'labelled' / 'labelled.jsonl'

  @property
  def data(self) -> pathlib.Path:
    """The folder of the built datasets."""
    return self.root / 'data'

  @property
  def base(self) -> pathlib.Path:
    """The run folder of the base model."""
    return self.root / 'base'

  def model(self, arm: str, number: int) -> pathlib.Path:
    """The run folder of the model after a round; after round 0 it is the base model's."""
    return self.root / arm / f'round_{number}' if number else self.base

  def samples(self, arm: str, number: int) -> pathlib.Path:
    """The file of a round's samples. Its folder has those of the arm alone."""
    return self.root / arm / 'records' / f'round_{number}.jsonl'

  def outcome(self, arm: str) -> pathlib.Path:
    """The note of how an arm has ended."""
    return self.root / arm / OUTCOME

  def rounds(self, arm: str) -> list[pathlib.Path]:
    """The evaluations of an arm that there are, in the order of their rounds."""
    return sorted(self.root.glob(f'{arm}/round_*/{EVALUATION}'),
                  key=lambda path: int(re.sub(r'\D', '', path.parent.name)))


def of_seed(root: pathlib.Path, seed: int) -> SeedPaths:
  """The files of one seed of a run."""
  return SeedPaths(root / f'seed_{seed}')


def of_seeds(root: pathlib.Path) -> dict[int, SeedPaths]:
  """The seeds of a run whose base model is measured."""
  folders = sorted(path.parents[1] for path in root.glob(f'seed_*/base/{EVALUATION}'))
  return {int(folder.name.removeprefix('seed_')): SeedPaths(folder) for folder in folders}
