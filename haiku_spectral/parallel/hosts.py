"""Several processes that train one model: how they find each other, agree, and notice a loss.

All take the same steps: where one decides something that another cannot see, a signal that came or
a file that is damaged, they agree on it here. One process is its own majority.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import multihost_utils

CLUSTER = 'cluster'  # In the place of an address: as JAX detects it (SLURM, Open MPI, GKE, TPU).

# What the transports of collectives say when a process at the other end is gone.
_LOST = re.compile(
    r'Gloo .* failed|NCCL|Connection (reset|closed|refused)|Socket closed|UNAVAILABLE|'
    r'DEADLINE_EXCEEDED|coordination service|heartbeat|Broken pipe|barrier', re.IGNORECASE)


class Join(NamedTuple):
  """Where the processes of a run meet."""

  coordinator: str  # 'HOST:PORT' of process 0, or CLUSTER.
  processes: int | None = None
  process: int | None = None
  timeout: int = 100  # Seconds after which a process that is silent counts as lost.


class LostProcess(OSError):
  """Another process of the run is gone, or cannot be reached."""


def join(where: Join) -> None:
  """Waits for all processes of a run. To be called before anything asks for a device.

  Raises ValueError when the numbers do not fit together, or no cluster is detected.
  """
  given = (where.processes, where.process)
  if where.coordinator == CLUSTER:
    if given != (None, None):
      raise ValueError(
          f'--coordinator={CLUSTER} finds out --processes and --process by itself: leave them out.')
  elif None in given:
    raise ValueError(
        f'--coordinator={where.coordinator} needs --processes and --process as well: how many '
        f'there are, and which one this is. Or give --coordinator={CLUSTER}.')
  elif not 0 <= where.process < where.processes:  # type: ignore[operator]
    raise ValueError(
        f'--process={where.process} is none of the {where.processes} processes: give 0 to '
        f'{where.processes - 1}.')  # type: ignore[operator]
  # JAX's own notice of SIGTERM would take the place of ours (`shutdown`, `StopVote`).
  jax.config.update('jax_enable_preemption_service', False)
  address = None if where.coordinator == CLUSTER else where.coordinator
  try:
    jax.distributed.initialize(
        address, where.processes, where.process, initialization_timeout=3 * where.timeout,
        heartbeat_timeout_seconds=where.timeout, shutdown_timeout_seconds=where.timeout,
        cluster_detection_method=None if address is None else 'deactivate')
  except (ValueError, RuntimeError) as error:
    raise ValueError(
        f'the processes of --coordinator={where.coordinator} did not come together '
        f'({str(error).splitlines()[0]}): start all of them, with the same address of process 0.'
    ) from error


def are_several() -> bool:
  """Whether the run has more than one process."""
  return jax.process_count() > 1


def is_main() -> bool:
  """Whether this process is the one that reports and writes what is written once."""
  return jax.process_index() == 0


def on_main(action: Callable[[], Any]) -> None:
  """Has one process do something; the others wait until it is done."""
  if is_main():
    action()
  wait()


def wait() -> None:
  """Until all processes are here."""
  if are_several():
    multihost_utils.sync_global_devices('hosts')


def total(values: Sequence[int] | np.ndarray) -> np.ndarray:  # int64
  """Integers below 2^32, summed over the processes, which give as many each."""
  halves = np.array([divmod(int(value), 1 << 16) for value in values], np.int64).reshape(-1, 2)
  if are_several():  # In two parts: arrays on devices have 32 bits.
    halves = multihost_utils.process_allgather(halves.astype(np.int32)).astype(np.int64).sum(axis=0)
  return halves[:, 0] * (1 << 16) + halves[:, 1]


def any_of(flag: bool) -> bool:
  """Whether it is true of any process."""
  return bool(total([flag])[0])


class StopVote:
  """Whether any process was told to stop: the same answer for all, at the same call.

  The votes of a call are counted on the devices, behind the step that runs there, and are the
  answer to the next call, so that nobody waits for them. One process has its answer at once.
  """

  def __init__(self, stop: Callable[[], bool]) -> None:
    self.own = stop  # Of this process alone.
    self._pending: jax.Array | None = None
    self._mesh = jax.sharding.Mesh(np.array(jax.devices()), ('device',))
    self._count = jax.jit(
        jnp.sum, out_shardings=jax.sharding.NamedSharding(self._mesh, jax.sharding.PartitionSpec()))

  def __call__(self) -> bool:
    """Whether to stop as soon as the state can be saved."""
    if not are_several():
      return self.own()
    sharding = jax.sharding.NamedSharding(self._mesh, jax.sharding.PartitionSpec('device'))
    votes = np.full(jax.local_device_count(), self.own(), np.int32)
    before, self._pending = self._pending, self._count(
        jax.make_array_from_process_local_data(sharding, votes))
    return before is not None and int(before) > 0


@contextmanager
def noticing_losses(last: Callable[[], str]) -> Iterator[None]:
  """Turns what collectives raise when a process is gone into LostProcess, in one line.

  `last` says from where the run goes on.
  """
  try:
    yield
  except Exception as error:
    if not are_several() or isinstance(error, LostProcess) or not _LOST.search(str(error)):
      raise
    reason = str(error).splitlines()[0][:160]
    raise LostProcess(
        f'another process of the run is gone or cannot be reached ({reason}). Start all processes '
        f'again, in any number. {last()}') from error
