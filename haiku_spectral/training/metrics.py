"""What a run writes down: one JSON object per line, and the same for TensorBoard.

A row is {"step": n, "kind": "train" | "heldout" | a hook's name, ...scalars}. Loss is in nats per
byte, perplexity is per byte, a token is a byte. What is not finite is null. 'loss/NAME' is the loss
on a dataset, null when none of it was scored; 'bytes/NAME' is what was scored since step 0.
"""

import json
import math
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from tensorboardX import event_file_writer, summary
from tensorboardX.proto import event_pb2

from haiku_spectral.storage import append_log, atomic_file
from haiku_spectral.training import loss, run_folder

TRAIN, HELDOUT = 'train', 'heldout'
BOARD_SECONDS = 30.0  # TensorBoard's file is at most so much behind.

Row = dict[str, Any]


def loss_scalars(nats_per_byte: float) -> dict[str, float]:
  """A mean loss in the three units that people ask for."""
  return {
      'loss': nats_per_byte,
      'bits_per_byte': loss.bits_per_byte(nats_per_byte),
      'perplexity': math.exp(min(nats_per_byte, 700.0)),
  }


def mean(nats: float, targets: int) -> float:
  """Nats per byte; nan when nothing was scored."""
  return nats / targets if targets else math.nan


def read(run_dir: pathlib.Path) -> list[Row]:
  """The rows of a run; lines that are damaged or that a kill cut short are skipped."""
  lines, _ = append_log.read(run_dir / run_folder.METRICS)
  return [row for row in map(_decode, lines) if row]


def seconds(rows: list[Row], batch_size: int) -> float:
  """What the training steps took, without compilation and measurements: of rows of training.

  Where a process began with a row, its first step was not timed and counts as fast as the others.
  """
  total, before = 0.0, 0
  for row in rows:
    if row['tokens_per_second']:
      total += (row['step'] - before) * batch_size * row['segment'] / row['tokens_per_second']
    before = row['step']
  return total


def _decode(line: bytes) -> Row | None:
  try:
    row = json.loads(line)
  except ValueError:
    return None
  return row if isinstance(row, dict) and {'step', 'kind'} <= row.keys() else None


class NoWriter:
  """In the place of a Writer, of all processes but the one that writes."""

  def write(self, step: int, kind: str, scalars: Mapping[str, Any]) -> None:
    """Writes nothing."""

  def close(self) -> None:
    """Nothing is open."""


class Writer:
  """Appends rows. To begin at a step, it first removes the rows of steps that were lost."""

  def __init__(self, run_dir: pathlib.Path, *, step: int, work_done: bool):
    """`work_done`: the evaluation and the hooks of `step` itself had been done at the save."""
    kept = [
        row for row in read(run_dir)
        if row['step'] < step or (row['step'] == step and (row['kind'] == TRAIN or work_done))
    ]
    path = run_dir / run_folder.METRICS
    atomic_file.write_text(path, ''.join(json.dumps(row) + '\n' for row in kept))
    self._log = append_log.Log(path)
    # Not its SummaryWriter: that one writes in a thread which an error ends unseen, and then waits
    # for it without end.
    self._board = event_file_writer.EventsWriter(str(run_dir / 'events'))
    self._flushed = time.monotonic()
    # Has TensorBoard forget what earlier processes wrote from here on.
    self._add(step + 1, session_log=event_pb2.SessionLog(status=event_pb2.SessionLog.START))

  def write(self, step: int, kind: str, scalars: Mapping[str, Any]) -> None:
    """Appends a row; it is with the operating system when this returns."""
    values = {k: np.asarray(v).item() if math.isfinite(v) else None for k, v in scalars.items()}
    self._log.append(json.dumps({'step': step, 'kind': kind, **values}).encode() + b'\n')
    for name, value in values.items():
      if value is not None:
        self._add(step, summary=summary.scalar(f'{kind}/{name}', value))
    if time.monotonic() - self._flushed > BOARD_SECONDS:
      self._board.flush()
      self._flushed = time.monotonic()

  def _add(self, step: int, **fields: Any) -> None:
    self._board.write_event(event_pb2.Event(wall_time=time.time(), step=step, **fields))

  def close(self) -> None:
    """Writes out what TensorBoard's file still lacks."""
    self._log.close()
    self._board.close()
