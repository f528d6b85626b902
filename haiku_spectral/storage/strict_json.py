"""JSON from files that anyone may have edited: a value, or a ValueError and nothing else."""

import json
from typing import Any


def loads(text: str | bytes) -> Any:
  """Parses a document. Raises ValueError for what is not JSON, NaN and infinities included."""
  try:
    return json.loads(text, parse_constant=_refuse)
  except RecursionError as error:
    raise ValueError('it is nested too deeply') from error


def _refuse(constant: str) -> None:
  raise ValueError(f'{constant} is not a JSON number')
