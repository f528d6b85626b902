"""Checkpoints of a run as they are read: verified, the newest or the best that is complete.

A checkpoint is a folder `checkpoints/STEP` of three items: `params`, `training` (the rest of the
train state) and `meta` (what the loop must know, and a digest of everything). Orbax writes it under
another name and renames it when it is complete. It does not notice flipped bytes; the digests do.
"""

import json
import math
import pathlib
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import haiku as hk
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from haiku_spectral.config import Config
from haiku_spectral.parallel import hosts
from haiku_spectral.training import leaves, orbax_errors, run_folder

VERSION = 3  # Of the names of the arrays and of what stands in `meta`.
_DIGESTS = {2: leaves.crc_digests, VERSION: leaves.digests}  # Of the versions that can be read.
ITEMS = ('params', 'training')
REPLACED = '.replaced'  # Behind the step of a checkpoint that is being saved anew.


class Checkpoint(NamedTuple):
  """What was saved at a step."""

  step: int
  params: leaves.Leaves
  training: leaves.Leaves
  host: dict[str, Any]  # JSON: what the loop keeps outside the train state.


class OtherVersion(ValueError):
  """A checkpoint that is not damaged but of another version of this program."""


def recover_replaced(run_dir: pathlib.Path) -> None:
  """Restores checkpoints whose successors of the same step were never finished."""
  for path in (run_dir / run_folder.CHECKPOINTS).glob(f'*{REPLACED}'):
    successor = path.with_name(path.name.removesuffix(REPLACED))
    if successor.exists():
      shutil.rmtree(path)
    else:
      path.rename(successor)


def restore_latest(
    run_dir: pathlib.Path, report: Callable[[str], None] = logging.warning
) -> Checkpoint | None:
  """The newest checkpoint that is complete, or None when the run has no checkpoint.

  Damaged newer ones are reported and moved to the folder `damaged`, or their steps could not be
  saved again. Raises ValueError when there are checkpoints but none is complete, or when they are
  of another version of this program.
  """
  damaged: list[int] = []

  def note(step: int, problem: str) -> None:
    report(problem)
    damaged.append(step)

  hosts.on_main(lambda: recover_replaced(run_dir))
  found = run_folder.steps(run_dir)
  checkpoint = _first_complete(run_dir, found, ITEMS, note) if found else None
  # Only now: as long as none is complete, all stay where somebody can mend them.
  hosts.on_main(lambda: _move_damaged(run_dir, damaged))
  return checkpoint


def _move_damaged(run_dir: pathlib.Path, damaged: Sequence[int]) -> None:
  folder = run_dir / run_folder.DAMAGED
  for step in damaged:
    folder.mkdir(exist_ok=True)
    name = f'{step}-{len(list(folder.iterdir()))}'
    (run_dir / run_folder.CHECKPOINTS / str(step)).rename(folder / name)


def load_params(
    run_dir: pathlib.Path | str, *, best: bool = False
) -> tuple[Config, hk.Params, int]:
  """Config, verified float32 parameters and step of a run's latest checkpoint, or of its best.

  A damaged checkpoint is reported and the next latest, or next best, is taken. Raises
  FileNotFoundError when there is no run or no checkpoint, ValueError when none is complete or it is
  of another version.
  """
  run_dir = pathlib.Path(run_dir)
  config = run_folder.read_config(run_dir)
  found = run_folder.steps(run_dir)
  if not found:
    raise FileNotFoundError(
        f'{run_dir} has no checkpoint yet: train it with python -m binaries.train '
        f'--run_dir={run_dir}, or give the --run_dir of another run.')
  if best:
    found.sort(key=lambda step: heldout_loss(run_dir, step))
  checkpoint = _first_complete(
      run_dir, found, ITEMS[:1], lambda step, problem: logging.warning('%s', problem))
  params: dict[str, dict[str, Any]] = {}
  for name, value in checkpoint.params.items():
    module, _, leaf = name.rpartition('/')
    params.setdefault(module, {})[leaf] = value
  return config, params, checkpoint.step


def heldout_loss(run_dir: pathlib.Path, step: int) -> float:
  """What was measured when a checkpoint was saved; infinite when nothing was or can be read."""
  try:
    loss = _read_meta(run_dir / run_folder.CHECKPOINTS / str(step))['host']['heldout_loss']
  except Exception:  # Whatever Orbax raises: damage is reported where the checkpoint is read.
    return math.inf
  return math.inf if loss is None else loss


def _first_complete(
    run_dir: pathlib.Path, order: Sequence[int], items: Sequence[str],
    damaged: Callable[[int, str], None],
) -> Checkpoint:
  """The first checkpoint that is what was saved. Raises ValueError when there is none."""
  for step in order:
    folder = run_dir / run_folder.CHECKPOINTS / str(step)
    problem, arrays, meta = '', {}, {}
    try:
      meta = _read_meta(folder)
      arrays = _read(folder, meta, items)
    except (MemoryError, PermissionError, OtherVersion):
      raise  # No damage: whoever mends the machine finds the checkpoint as it was.
    except Exception as error:  # Orbax has no common type for what damage makes it raise.
      problem = orbax_errors.reason(error)
    if hosts.any_of(bool(problem)):
      problem = problem or 'another process could not read it'
    else:
      problem = _difference(arrays, meta, items)
    if not problem:
      return Checkpoint(step, arrays['params'], arrays['training'], meta['host'])
    damaged(step, f'checkpoint {folder} is damaged and not used: {problem}')
  raise ValueError(
      f'none of the {len(order)} checkpoints of {run_dir} is complete: restore the folder from '
      'a copy or train again in another --run_dir.')


def _read(
    folder: pathlib.Path, meta: Mapping[str, Any], items: Sequence[str]
) -> dict[str, leaves.Leaves]:
  """The items as NumPy's arrays, wherever their shards lay; raises what Orbax raises."""
  arrays: dict[str, leaves.Leaves] = {item: {} for item in ITEMS}
  for item in items:
    whole = {name: ocp.RestoreArgs(restore_type=np.ndarray) for name in meta['digests'][item]}
    with ocp.Checkpointer(orbax_errors.array_handler()) as reader:
      arrays[item] = reader.restore(
          folder.absolute() / item, args=ocp.args.PyTreeRestore(restore_args=whole))
  return arrays


def _difference(
    arrays: Mapping[str, leaves.Leaves], meta: Mapping[str, Any], items: Sequence[str]) -> str:
  """In what the arrays differ from those that were saved; empty when in nothing."""
  digests = _DIGESTS[meta.get('version', 1)]
  for item in items:
    try:
      leaves.verify(digests(arrays[item]), meta['digests'][item])
    except ValueError as error:
      return str(error)
  return ''


def _read_meta(folder: pathlib.Path) -> dict[str, Any]:
  with ocp.Checkpointer(ocp.JsonCheckpointHandler()) as reader:
    meta = reader.restore(folder.absolute() / 'meta')
  if meta.pop('seal') != seal(meta):
    raise ValueError('its meta data are not what was saved')
  version = meta.get('version', 1)
  if version not in _DIGESTS:
    raise OtherVersion(
        f'checkpoint {folder} has version {version}, this program reads version {VERSION}: use '
        'the program that it was made with, or train again in another --run_dir.')
  return meta


def seal(meta: dict[str, Any]) -> int:
  """A digest of the digests and of everything beside them."""
  return zlib.crc32(json.dumps(meta, sort_keys=True).encode())
