"""Trains a model, or resumes a run that was stopped.

  python -m binaries.train --config=haiku_spectral/configs/nano.py
  python -m binaries.train --config=haiku_spectral/configs/nano.py --config.train.steps=2000
  python -m binaries.train --config=haiku_spectral/configs/nano.py --minutes=3
  python -m binaries.train --run_dir=runs/nano

Any field of the config is a flag. Ctrl-C or SIGTERM saves; the same command resumes from there.
"""

import contextlib
import dataclasses
import os
import pathlib
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import flags, logging

from binaries import command_line, flag_types, preset_flag
from haiku_spectral import config as configs
from haiku_spectral import shutdown
from haiku_spectral.config import phases
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import run_folder

CONFIG = preset_flag.define(
    None, 'Preset, haiku_spectral/configs/NAME.py; not needed to resume a run.')
RUN_DIR = flag_types.define_path(
    'run_dir', None, 'Folder of the run, created if it does not exist (default: runs/NAME).')
PROFILE = flag_types.define_path(
    'profile', None, 'Folder for a trace of a few steps, to be read with TensorBoard or Perfetto.')
DATA_DIR = flag_types.define_data_dir()
MINUTES = flag_types.define_float(
    'minutes', None, 'Sets config.train.steps to what takes this many minutes on this machine: the '
    'time per step is measured before a run begins. Compilation, evaluation and checkpoints are '
    'not counted (default: the steps of the preset).', lower=0.001)
MESH = flags.DEFINE_string(
    'mesh', None, 'Devices along each axis, as in data:2,fsdp:2,sequence:2: rows are sharded over '
    'data and fsdp, parameters over fsdp, time over sequence (default: all devices on data).')
COORDINATOR = flags.DEFINE_string(
    'coordinator', None, "HOST:PORT of process 0, the same for all processes of a run, or "
    "'cluster' to take it from SLURM, Open MPI or GKE (default: one process).")
PROCESSES = flag_types.define_integer(
    'processes', None, 'Number of processes of the run, with --coordinator.', lower=1)
PROCESS = flag_types.define_integer(
    'process', None, 'Index of this process, from 0, with --coordinator.')
LOST_AFTER = flag_types.define_integer(
    'lost_after', 100, 'Seconds without a heartbeat after which a process counts as lost and the '
    'others exit.', lower=1)


def _config_and_folder() -> tuple[configs.Config, pathlib.Path]:
  """What the flags ask for."""
  if flags.FLAGS['config'].present:
    run_dir = pathlib.Path(RUN_DIR.value or f'runs/{preset_flag.path().stem}')
    return configs.from_config_dict(CONFIG.value), run_dir
  if not RUN_DIR.value:
    raise ValueError(
        '--config is missing: give a preset, --config=haiku_spectral/configs/nano.py, or the '
        '--run_dir of a run to go on with.')
  return run_folder.read_config(pathlib.Path(RUN_DIR.value)), pathlib.Path(RUN_DIR.value)


def main(argv: Sequence[str]) -> int:
  """Trains until the end, or until a signal comes."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What Orbax logs is for its developers.
  with shutdown.caught('finishing what runs, then saving.') as stop:
    config, run_dir = _config_and_folder()
    with _joined():
      return _train(config, run_dir, stop)


def timed(
    config: configs.Config, run_dir: pathlib.Path, stop: Callable[[], bool], mesh: Any = None
) -> configs.Config:
  """The config with the steps that take `--minutes`; those of the run, if it has begun."""
  from binaries import training_task
  from haiku_spectral.training import time_budget

  if config.curriculum:
    raise ValueError('--minutes is not for runs with a curriculum, whose steps follow from its '
                     'bytes: leave it out.')
  if 'config.train.steps' in flags.FLAGS and flags.FLAGS['config.train.steps'].present:
    raise ValueError('--minutes and --config.train.steps both say how long to train: give one.')
  if run_folder.has_checkpoint(run_dir):
    steps = run_folder.read_config(run_dir).train.steps
  else:
    task = training_task.make(config, data_dir=DATA_DIR.value, run_dir=run_dir)
    steps = time_budget.steps_in(60 * MINUTES.value, config, task, mesh=mesh, stop=stop)
  return configs.validate(
      dataclasses.replace(config, train=dataclasses.replace(config.train, steps=steps)))


def _silent(*lines: object, flush: bool = False) -> None:
  """One process reports for all."""


def _describe(phase: phases.Phase) -> str:
  """What a phase trains on."""
  from datasets import registry
  names = configs.parse_mixture(phase.data.mixture)
  complete = [name for name in names if not phase.first_step
              or registry.is_complete(registry.folder(name, DATA_DIR.value))]
  reports = [registry.report(name, DATA_DIR.value) for name in complete]
  corpus = sum(report['splits']['train']['bytes'] for report in reports)
  rows, lengths = phase.data.batch_size, ', '.join(f'{s.segment:,}' for s in phase.stages)
  size = rows * sum(stage.steps * stage.segment for stage in phase.stages)
  return (f'data: {phase.data.mixture} in {DATA_DIR.value}, {corpus:,} bytes to train on\n'
          f'plan: {phase.steps:,} steps of {rows} x {lengths} bytes, '
          f'{size / max(corpus, 1):.1f} times the data')


@contextlib.contextmanager
def _joined() -> Iterator[None]:
  """Among the processes of the run, if there are several, for the `with` block."""
  if not COORDINATOR.value:
    if PROCESSES.value is not None or PROCESS.value is not None:
      raise ValueError('--processes and --process are for runs with a --coordinator: give it, too.')
    yield
    return
  from haiku_spectral.parallel import hosts
  hosts.join(hosts.Join(COORDINATOR.value, PROCESSES.value, PROCESS.value, LOST_AFTER.value))
  try:
    yield
  except command_line.USER_ERRORS as error:
    # At once: JAX would wait for the others at the end, and they may be gone.
    command_line.tell(f'error: {error}')
    sys.stdout.flush()
    os._exit(command_line.MISTAKE)


def _train(config: configs.Config, run_dir: pathlib.Path, stop: shutdown.Interruption) -> int:
  # Here, so that a signal is caught while this is imported, and wrong flags are reported at once.

  from binaries import training_task
  from haiku_spectral.parallel import hosts
  from haiku_spectral.parallel import mesh as meshes
  from haiku_spectral.training import loop

  if MINUTES.value is not None and hosts.are_several():
    raise ValueError('--minutes is for one process, as each measures other times: give '
                     '--config.train.steps.')
  report = print if hosts.is_main() else _silent
  mesh = meshes.make_mesh(meshes.parse(MESH.value) if MESH.value else None)
  if not stop():
    atomic_file.check_folder(run_dir, what='The run', flag='--run_dir')
  if not stop() and MINUTES.value is not None:
    config = timed(config, run_dir, stop, mesh)
  if stop() and not hosts.are_several():
    print('stopped before the training began')
    return 0
  task = training_task.make(
      config, data_dir=DATA_DIR.value, run_dir=run_dir, share=meshes.row_share(mesh))
  report(_beginning(config, task.model, mesh), flush=True)
  outcome = loop.train(config, task, run_dir=run_dir, stop=stop, mesh=mesh,
                       profile=pathlib.Path(PROFILE.value) if PROFILE.value else None)
  report(_end(outcome, run_dir, stop.reason or 'a signal to another process'))
  return 0


def _beginning(config: configs.Config, model: Any, mesh: Any) -> str:
  """What is trained, where and on what, and which datasets of later phases are missing."""
  import jax

  from datasets import curriculum
  from haiku_spectral.parallel import mesh as meshes

  shapes = jax.eval_shape(model.init, jax.random.key(0))
  missing = curriculum.Batches(config, data_dir=DATA_DIR.value).missing()
  return '\n'.join([
      f'model: {sum(x.size for x in jax.tree.leaves(shapes)):,} parameters, '
      f'{config.train.precision}',
      f'devices: {mesh.size} x {jax.local_devices()[0].device_kind} '
      f'({meshes.describe(mesh.shape)})',
      *map(_describe, phases.plan(config)),
      *(f'not built yet: {name}, which the phase {phase!r} trains on'
        for name, phase in missing.items())])


def _end(outcome: Any, run_dir: pathlib.Path, reason: str) -> str:
  """How far it came, and why no further: `reason` is that of a stop."""
  end = 'finished' if outcome.finished else f'stopped by {reason}; the same command goes on'
  if not outcome.step:
    end = f'stopped by {reason} before the first step; nothing was saved'
  return (f'step {outcome.step:,}: {end}\n'
          f'config, checkpoints, metrics.jsonl and TensorBoard files lie in {run_dir}')


if __name__ == '__main__':
  command_line.run(main)
