"""Orbax with errors for users: a failure is one error, in one line.

Left alone, a disk that is full while a checkpoint is saved brings a traceback for each array.
"""

import logging as std_logging
import re
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp

# What a user can do something about, as the operating system says it.
_KNOWN = re.compile(
    'No space left on device|Disk quota exceeded|File too large|Read-only file system|'
    'Permission denied|Input/output error')


class _Arrays(ocp.type_handlers.NumpyHandler):
  """Has a failure be one error.

  When one of several reads or writes fails, Orbax leaves the others alone, and the threads that
  then find nobody waiting for them print a traceback each.
  """

  async def deserialize(self, infos: Any, args: Any = None) -> list[np.ndarray]:
    """Reads one array after the other."""
    args = args or [ocp.RestoreArgs() for _ in infos]
    read = super().deserialize
    return [(await read([info], [arg]))[0] for info, arg in zip(infos, args, strict=True)]

  async def _background_serialize(self, *args: Any, **kwargs: Any) -> None:
    """Writes all arrays, and raises the first error when every write has ended."""
    self._errors: list[Exception] = []
    await super()._background_serialize(*args, **kwargs)
    if self._errors:
      raise self._errors[0]

  async def _open_and_write(self, *args: Any, **kwargs: Any) -> None:
    try:
      await super()._open_and_write(*args, **kwargs)
    except Exception as error:
      self._errors.append(error)


def array_handler() -> ocp.PyTreeCheckpointHandler:
  """Saves and restores one item; an own one for each, as they are written at the same time."""
  return ocp.PyTreeCheckpointHandler(type_handler_registry=(
      ocp.type_handlers.create_type_handler_registry(
          (np.ndarray, _Arrays()), (jax.Array, ocp.type_handlers.ArrayHandler()))))


def is_not_from_orbax(record: std_logging.LogRecord) -> bool:
  """What Orbax logs is for its developers: whoever saves learns of errors by their being raised."""
  return '/orbax/' not in record.pathname


def reason(error: Exception) -> str:
  """What was wrong, in a line: Orbax raises errors of many types and lines."""
  lines = (line for line in str(error).splitlines() if line.strip())
  line = next(lines, type(error).__name__)
  known = _KNOWN.search(line)
  return known[0] if known else line[:300]
