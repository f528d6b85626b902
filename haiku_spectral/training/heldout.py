"""The held-out loss: windows that the model never learns from, each read from a cold start."""

from collections.abc import Callable, Iterable

import haiku as hk
import numpy as np
from jax.sharding import Mesh

from haiku_spectral import vocab
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, step


def evaluate(
    loss_of: step.LossFunction,
    params: hk.Params,
    batches: Iterable[gradients.Rows],
    mesh: Mesh,
    stop: Callable[[], bool],
) -> float | None:
  """Mean loss in nats per byte over all targets of the batches; nan when they have none.

  Asks `stop` between batches and returns None, having measured nothing, when it says so.
  """
  nats, count = 0.0, 0
  running = None
  for batch in batches:
    if stop():
      return None
    inputs, targets = meshes.place_rows(mesh, _whole_shares(batch, mesh.size))
    # The next batch is prepared while this one runs.
    running, done = loss_of(params, inputs, targets), running
    if done is not None:
      nats, count = nats + float(done.nats), count + int(done.targets)
  if running is not None:
    nats, count = nats + float(running.nats), count + int(running.targets)
  return nats / count if count else float('nan')


def _whole_shares(batch: gradients.Rows, devices: int) -> tuple[np.ndarray, np.ndarray]:
  """Inputs and targets with rows that count for nothing added, so that all devices get as many."""
  missing = ((0, -len(batch.inputs) % devices), (0, 0))
  return (np.pad(batch.inputs, missing, constant_values=vocab.BOUNDARY),
          np.pad(batch.targets, missing, constant_values=vocab.PAD))
