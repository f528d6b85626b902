"""Pieces of work that are whole or not there.

A part is a folder; the last file written into it, done.json, holds its result, a key of all that
went into it and the sizes of the other files, for a machine that loses its power may lose some of
what was written last. A part with the same key is not made again.
"""

import collections
import dataclasses
import fcntl
import functools
import hashlib
import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any, ClassVar

_DONE = 'done.json'
_FORMAT = 2  # Raise it when what stands in parts changes.


def key(*inputs: Any) -> str:
  """A name for all that goes into a part: values, dataclasses and functions of modules."""
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
  """What a finished part with this key has to say; None when there is none."""
  try:
    done = json.loads((folder / _DONE).read_text(encoding='utf-8'))
  except (FileNotFoundError, json.JSONDecodeError):
    return None
  return done if done['key'] == wanted and done['files'] == _sizes(folder) else None


def _sizes(folder: pathlib.Path) -> dict[str, int]:
  """The bytes of all files of a part but the one that says so."""
  return {path.name: path.stat().st_size for path in folder.iterdir() if path.name != _DONE}


def make(
    folder: pathlib.Path, wanted: str, work: Callable[[pathlib.Path], dict[str, Any]]
) -> dict[str, Any]:
  """The result of a part, for which `work` fills an empty folder unless it is there already."""
  folder.parent.mkdir(parents=True, exist_ok=True)
  with folder.with_name(folder.name + '.lock').open('w', encoding='utf-8') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # Against a process whose parent was killed a moment ago.
    done = result(folder, wanted)
    if done is None:
      shutil.rmtree(folder, ignore_errors=True)
      folder.mkdir()
      done = {'key': wanted, **work(folder), 'files': _sizes(folder)}
      unfinished = folder / 'unfinished.json'
      unfinished.write_text(json.dumps(done, indent=1, ensure_ascii=False), encoding='utf-8')
      unfinished.rename(folder / _DONE)
  return done


@dataclasses.dataclass
class Tally:
  """How many documents were left out for each reason, and the first of them."""

  LISTED: ClassVar[int] = 5  # For each reason.

  counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
  first: dict[str, list[dict[str, str]]] = dataclasses.field(default_factory=dict)

  def add(self, reason: str, file: str, position: str = '', detail: str = '') -> None:
    """Counts a document."""
    self.counts[reason] += 1
    listed = self.first.setdefault(reason, [])
    if len(listed) < self.LISTED:
      listed.append({'file': file, 'position': position, 'detail': detail})

  def merge(self, other: dict[str, Any]) -> None:
    """Adds what `as_json` gave."""
    self.counts.update(other['counts'])
    for reason, lines in other['first'].items():
      listed = self.first.setdefault(reason, [])
      listed += lines[:self.LISTED - len(listed)]

  def as_json(self) -> dict[str, Any]:
    return {'counts': dict(sorted(self.counts.items())), 'first': dict(sorted(self.first.items()))}
