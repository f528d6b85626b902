"""Progress bars on standard error, of all programs alike."""

import sys
from typing import Any

import tqdm

_SECONDS = 0.2 if sys.stderr.isatty() else 15.0  # Between updates; a log needs few lines.


def of_items(what: str, total: int, **options: Any) -> tqdm.tqdm:
  """A bar named `what` that counts to `total`; `options` are those of tqdm. A context manager."""
  return tqdm.tqdm(desc=what, total=total, mininterval=_SECONDS, **options)


def of_bytes(what: str, total: int | None, **options: Any) -> tqdm.tqdm:
  """The same in bytes, with their rate; without a total (None) it has no end."""
  return tqdm.tqdm(
      desc=what, total=total, unit='B', unit_scale=True, mininterval=_SECONDS, **options)


def of_long_work(what: str, total: int, **options: Any) -> tqdm.tqdm:
  """A bar in bytes for what may be quick: shown after two seconds, and gone at the end."""
  return of_bytes(what, total, delay=2, leave=False, **options)
