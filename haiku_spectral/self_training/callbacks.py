"""What a program lends to the rounds: building datasets, training, showing progress."""

import pathlib
from collections.abc import Callable
from typing import NamedTuple

from haiku_spectral.config import Config

Progress = Callable[[str, int], Callable[[int], object]]  # Stage and size -> what advances it.


class Callbacks(NamedTuple):
  """Called by the stages of a round. Any of them may raise outcomes.Stopped."""

  build: Callable[[str, pathlib.Path], None]  # Name and folder of samples -> a built dataset.
  # Run folder, config, last step -> trains up to there; False when it was stopped by a signal.
  train: Callable[[pathlib.Path, Config, int], bool]
  report: Callable[[str], None]
  progress: Progress
