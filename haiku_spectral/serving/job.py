"""What the engine is asked to generate, and whom it tells.

Shapes: N ids of a prompt.
"""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from haiku_spectral.decoding import sampling
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.generation import Request

CANCELLED, TIME, STOP, LENGTH = 'cancelled', 'time', 'stop', 'length'
CONFIG = sampling.SamplingConfig(end_of_document=True)
Top = list[tuple[int, float]]  # The most probable ids, and their log-probabilities.


class Piece(NamedTuple):
  """Some bytes of a text."""

  data: bytes
  log_probs: list[float]  # Nats, for each of them.
  tops: list[Top]  # The alternatives to each of them; empty when nobody has asked.


class End(NamedTuple):
  """How a text ended."""

  finish: str
  text: bytes
  document_ended: bool
  log_probs: list[float]
  ids: np.ndarray  # Those behind the prompt.
  seconds: float  # From the first device call to the last.


class Observer(Protocol):
  """Who gets the results of a job, in the engine's thread."""

  def prefilled(self, log_probs: np.ndarray) -> None:
    """Some of the prompt is in the context: the log-probabilities of its bytes, in nats."""

  def piece(self, choice: int, piece: Piece) -> None:
    """Bytes of a choice."""

  def ended(self, choice: int, end: End) -> None:
    """A choice is complete, or was cancelled; comes once for each."""

  def context(self, context: Context | None) -> None:
    """The context behind the text of a job that keeps it; None: nothing was generated."""

  def failed(self, error: Exception) -> None:
    """Nothing more will come."""


@dataclasses.dataclass(eq=False)
class Job:
  """A prompt, and one text or several behind it."""

  observer: Observer
  prompt: bytes
  request: Request
  config: sampling.SamplingConfig = CONFIG
  choices: int = 1
  top: int = 0  # Alternatives per byte.
  start: Context | None = None  # Of one row; None: a new document.
  pending: Sequence[np.ndarray] = ()  # Ids [N] that follow `start`, before the prompt.
  keep: bool = False  # The context behind the text is wanted; there is one choice.
  deadline: float = float('inf')  # By time.monotonic.
  tickets: set[int] = dataclasses.field(default_factory=set)
  left: int = 0  # Choices that have not ended.
  interrupted: str = ''  # Why it shall end.
