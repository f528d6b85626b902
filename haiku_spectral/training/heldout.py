"""The held-out loss, on windows that the model is never trained on, each from the initial state.

Shapes: B rows of the batch, T time (bytes), S sources.
"""

from collections.abc import Callable, Iterable
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from haiku_spectral import vocab
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, loss, step


def evaluate(
    loss_of: step.LossFunction,
    params: hk.Params,
    batches: Iterable[gradients.Rows],
    sources: int,
    mesh: Mesh,
    stop: Callable[[], bool],
) -> loss.LossSum | None:  # [S]
  """The sums of the batches' targets by source, in NumPy's float64 and int64.

  Returns None when `stop`, which is asked between batches, says so.
  """
  own = meshes.row_shares(mesh) // meshes.row_share(mesh)[1]  # Devices of this process's rows.
  done = [loss.LossSum(jnp.zeros(sources), jnp.zeros(sources, jnp.int32))]
  for batch in batches:
    if stop():
      return None
    rows = meshes.place_rows(mesh, _equal_shares(batch, own))
    done.append(loss_of(params, *rows))
    jax.block_until_ready(done[-2:-1])  # The next batch is prepared while this one runs.
  nats: Any = np.sum([np.asarray(sums.nats, np.float64) for sums in done], axis=0)
  targets: Any = np.sum([np.asarray(sums.targets, np.int64) for sums in done], axis=0)
  return loss.LossSum(nats, targets)


def _equal_shares(batch: gradients.Rows, devices: int) -> tuple[np.ndarray, ...]:
  """Inputs, targets, sources and stream starts, with unscored rows so that all shares are equal."""
  missing = -len(batch.inputs) % devices
  return (np.pad(batch.inputs, ((0, missing), (0, 0)), constant_values=vocab.BOUNDARY),
          np.pad(batch.targets, ((0, missing), (0, 0)), constant_values=vocab.PAD),
          np.pad(batch.sources, (0, missing)),
          np.pad(batch.stream_start, ((0, missing), (0, 0))))
