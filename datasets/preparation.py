"""Building a dataset so that what lies in its place is always complete.

All is written into DATA_DIR/.building/NAME and renamed into place at the end. A build that was
killed leaves only that folder, which the next one removes, but for downloads and work units, with
which a builder that keeps them is resumed, and for a dataset that was about to be replaced, which
is put back. A lock keeps two processes from building the same dataset.
"""

import contextlib
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from datasets import packed_builder, registry
from haiku_spectral.storage import atomic_file, file_lock

# Below the staging folder: the new dataset when all of it is written, and what it replaces.
_COMPLETE, _REPLACED = 'complete', 'replaced'


def prepare(
    name: str,
    make_builder: Callable[[str], Any],  # data_dir -> a packed or a streaming builder
    *,
    data_dir: str,
    overwrite: bool = False,
    progress: packed_builder.Progress | None = None,
) -> tuple[bool, dict[str, Any]]:
  """Builds `name`; returns (whether it was built now, its report).

  A dataset that is there is left alone, or with `overwrite` replaced when the new one is complete.
  Raises ValueError when what is there was built with other settings.
  """
  place = registry.folder(name, data_dir)
  # Flat: that of `golden` must not contain that of `golden/NAME`.
  staging = pathlib.Path(data_dir).expanduser() / '.building' / name.replace('/', '.')
  with file_lock.exclusive(
      _lock_file(staging), busy=f'another process is building {name!r}',
      advice='wait for it or end it first.'):
    _clear(staging, place)
    builder = make_builder(str(staging))
    if registry.is_complete(place) and not overwrite:
      report = registry.report(name, data_dir)
      _check_settings(name, report, builder.settings())
      return False, report
    builder.progress = progress or builder.progress
    try:
      with contextlib.redirect_stdout(None):  # TFDS prints sizes that it does not know.
        builder.download_and_prepare(file_format='array_record')
      _replace(place, pathlib.Path(builder.data_dir), staging)
      shutil.rmtree(staging)
    except (RuntimeError, OSError) as error:
      if isinstance(error, OSError) and error.errno is None:
        raise  # Ours: it says already what is wrong.
      raise ValueError(f'{name!r} was not built: {error}.') from error  # A full disk, for example.
    finally:
      _clear(staging, place)
  return True, registry.report(name, data_dir)


def _clear(staging: pathlib.Path, place: pathlib.Path) -> None:
  """Removes all but work units and downloads; puts back what was not replaced after all."""
  if not place.exists() and (staging / _REPLACED).exists():
    (staging / _REPLACED).rename(place)
  for path in staging.glob('*'):
    if path.name not in (packed_builder.WORK_UNITS, 'downloads'):
      shutil.rmtree(path, ignore_errors=True)


def _check_settings(name: str, report: dict[str, Any], wanted: dict[str, Any]) -> None:
  for key, value in wanted.items():
    if report.get(key) != value:
      raise ValueError(
          f'{name!r} is already built with {key}={report.get(key)!r}, not {value!r}: give it '
          'another name, or --overwrite to replace it.')


def _replace(place: pathlib.Path, new: pathlib.Path, staging: pathlib.Path) -> None:
  atomic_file.publish(new, staging / _COMPLETE)  # Waits for the disk while the old one is there.
  place.parent.mkdir(parents=True, exist_ok=True)
  if place.exists():
    place.rename(staging / _REPLACED)
  atomic_file.publish(staging / _COMPLETE, place)


def _lock_file(staging: pathlib.Path) -> pathlib.Path:
  try:
    staging.parent.mkdir(parents=True, exist_ok=True)
  except (FileExistsError, NotADirectoryError):
    raise NotADirectoryError(
        f'the folder {str(staging.parent)!r} cannot be made: a file stands in its way.') from None
  return staging.with_name(staging.name + '.lock')
