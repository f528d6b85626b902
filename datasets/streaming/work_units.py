"""Units of work that are complete or not there, also after a power cut.

A work unit is a folder. Its done.json holds its result, a key of all that went into it, and the
sizes of the other files. A unit with the same key is not made again.
"""

import dataclasses
import fcntl
import functools
import hashlib
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from haiku_spectral.storage import atomic_file

_DONE = 'done.json'
_FORMAT = 3  # Raise it when the contents of the folders change.


def key(*inputs: Any) -> str:
  """A name for all that goes into a unit: values, dataclasses and functions of modules."""
  text = repr((_FORMAT, *map(_stable, inputs)))
  return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _stable(value: Any) -> Any:
  """The same on every machine: functions by their names."""
  if dataclasses.is_dataclass(value) and not isinstance(value, type):
    fields = dataclasses.fields(value)
    return type(value).__name__, [(f.name, _stable(getattr(value, f.name))) for f in fields]
  if isinstance(value, functools.partial):
    return _stable(value.func), _stable(value.args), _stable(value.keywords)
  if isinstance(value, dict):
    return [(name, _stable(item)) for name, item in sorted(value.items())]
  if isinstance(value, list | tuple):
    return [_stable(item) for item in value]
  return f'{value.__module__}.{value.__qualname__}' if callable(value) else value


def result(folder: pathlib.Path, wanted: str) -> dict[str, Any] | None:
  """The result of a complete unit with this key; None when there is none."""
  try:
    done = json.loads((folder / _DONE).read_text(encoding='utf-8'))
  except (FileNotFoundError, json.JSONDecodeError):
    return None
  return done if done['key'] == wanted and done['files'] == _sizes(folder) else None


def _sizes(folder: pathlib.Path) -> dict[str, int]:
  """The bytes of all files of a unit but the one that says so."""
  return {path.name: path.stat().st_size for path in folder.iterdir() if path.name != _DONE}


def make(
    folder: pathlib.Path, wanted: str, work: Callable[[pathlib.Path], dict[str, Any]]
) -> dict[str, Any]:
  """The result of a unit, for which `work` fills an empty folder unless it is there already."""
  folder.parent.mkdir(parents=True, exist_ok=True)
  with folder.with_name(folder.name + '.lock').open('wb') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # Against a process whose parent was killed a moment ago.
    done = result(folder, wanted)
    if done is None:
      unfinished = folder.with_name(folder.name + atomic_file.UNFINISHED)
      for old in (folder, unfinished):
        shutil.rmtree(old, ignore_errors=True)
      unfinished.mkdir()
      done = {'key': wanted, **work(unfinished), 'files': _sizes(unfinished)}
      (unfinished / _DONE).write_text(
          json.dumps(done, indent=1, ensure_ascii=False), encoding='utf-8')
      atomic_file.publish(unfinished, folder)
  return done
