"""Building a dataset so that what lies in its place is always whole.

All is written into DATA_DIR/.building/NAME and renamed into place at the end. A build that was
killed leaves only that folder, which the next one removes, but for downloads and finished parts,
from which a builder that keeps such goes on. A lock, which the system takes from a process that
dies, keeps two processes from building the same dataset.
"""

import contextlib
import fcntl
import pathlib
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from datasets import packed_builder, registry


def prepare(
    name: str,
    make_builder: Callable[[str], Any],  # data_dir -> a packed or a streaming builder
    *,
    data_dir: str,
    overwrite: bool = False,
    progress: packed_builder.Progress | None = None,
) -> tuple[bool, dict[str, Any]]:
  """Builds `name`; returns (whether it was built now, its report).

  A dataset that is there is left alone, or with `overwrite` replaced when the new one is whole.
  Raises ValueError when what is there was built with other settings.
  """
  place = registry.folder(name, data_dir)
  staging = pathlib.Path(data_dir).expanduser() / '.building' / name
  with _lock(staging.with_name(staging.name + '.lock'), name):
    _clear(staging)
    builder = make_builder(str(staging))
    if registry.is_whole(place) and not overwrite:
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
      _clear(staging)
  return True, registry.report(name, data_dir)


def _clear(staging: pathlib.Path) -> None:
  """Removes all but finished parts and downloads."""
  for path in staging.glob('*'):
    if path.name not in (packed_builder.PARTS, 'downloads'):
      shutil.rmtree(path, ignore_errors=True)


def _check_settings(name: str, report: dict[str, Any], wanted: dict[str, Any]) -> None:
  for key, value in wanted.items():
    if report.get(key) != value:
      raise ValueError(
          f'{name!r} is already built with {key}={report.get(key)!r}, not {value!r}: give it '
          'another name, or --overwrite to replace it.')


def _replace(place: pathlib.Path, fresh: pathlib.Path, staging: pathlib.Path) -> None:
  place.parent.mkdir(parents=True, exist_ok=True)
  if place.exists():
    place.rename(staging / 'replaced')
  fresh.rename(place)


@contextlib.contextmanager
def _lock(path: pathlib.Path, name: str) -> Iterator[None]:
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
  except (FileExistsError, NotADirectoryError):
    raise NotADirectoryError(
        f'the folder {str(path.parent)!r} cannot be made: a file stands in its way.') from None
  with path.open('w') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      raise ValueError(
          f'another process is building {name!r}: wait for it or end it first.') from None
    yield
