"""Real processes that train one model together over loopback."""

import contextlib
import multiprocessing
import os
import pathlib
import socket
import sys

import jax
from absl import logging

from haiku_spectral import shutdown
from haiku_spectral.parallel import hosts
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import loop
from tests.training import stand_in

LOST_AFTER = 20  # Seconds.
# Each imports everything itself: JAX's distributed runtime must come before its devices.
PROCESSES = multiprocessing.get_context('spawn')


def free_port():
  """A port that nobody listens to."""
  with socket.socket() as found:
    found.bind(('127.0.0.1', 0))
    return found.getsockname()[1]


def share(mesh, batch):
  """This process's rows of a batch."""
  number, count = meshes.row_share(mesh)
  size = len(batch.inputs) // count
  return type(batch)(*(None if x is None else x[number * size : (number + 1) * size]
                       for x in batch))


def work(run_dir, config, where, mesh_text, connection, task_of):
  """What a process does: trains, and reports each step as its batch is asked for."""
  logging.set_verbosity(logging.ERROR)
  jax.config.update('jax_num_cpu_devices', 1)
  hosts.join(where)
  mesh = meshes.make_mesh(meshes.parse(mesh_text))

  def report(step, batch):
    connection.send(step)
    return share(mesh, batch)

  task = task_of(config, report)
  task = task._replace(heldout=[share(mesh, batch) for batch in task.heldout])
  try:
    with shutdown.caught() as stop:
      outcome = loop.train(config, task, run_dir=pathlib.Path(run_dir), stop=stop, mesh=mesh)
  except hosts.LostProcess as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(1)
  connection.send(outcome)


def stand_in_task(config, report):
  """The stand-in, whose batches are reported."""
  return stand_in.make_task(config, change=report)


class Process:
  """One of them, with the last thing it reported and its errors in a file."""

  def __init__(self, errors, *args):
    self.errors = pathlib.Path(errors)
    self._here, there = PROCESSES.Pipe(duplex=False)
    run_dir, config, where, mesh, task_of = args
    self.process = PROCESSES.Process(
        target=_with_errors, args=(str(errors), run_dir, config, where, mesh, there, task_of))
    self.process.start()
    there.close()
    self.last = None

  def wait_for(self, step, seconds=300):
    """Until the batch of a step is asked for, or the end: what was reported last."""
    with contextlib.suppress(EOFError):
      while self._here.poll(seconds):
        self.last = self._here.recv()
        if not isinstance(self.last, int) or self.last >= step:
          break
    return self.last


def _with_errors(errors, *args):
  os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
  work(*args)


def start(folder, config, count, mesh, task_of=stand_in_task):
  """All processes of a run in `folder`."""
  address = f'127.0.0.1:{free_port()}'
  return [
      Process(folder / f'errors_{number}', str(folder / 'run'), config,
              hosts.Join(address, count, number, LOST_AFTER), mesh, task_of)
      for number in range(count)]
