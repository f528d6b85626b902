"""Reads TurBLiMP: minimal pairs of Turkish, a CSV file per phenomenon.

The columns are separated by semicolons; `good_sentence`, `bad_sentence` and `phenomenon` are read,
and `subtype` where there is one. Source: Başar et al., "TurBLiMP: A Turkish Benchmark of Linguistic
Minimal Pairs" (2025), https://github.com/ezgibasar/TurBLiMP, CC BY 4.0.
"""

import csv
import os
import pathlib
from collections.abc import Iterator

from haiku_spectral.evaluation.minimal_pairs.pair import Pair
from haiku_spectral.storage import file_name

COLUMNS = 'good_sentence', 'bad_sentence', 'phenomenon'


def read(path: str | os.PathLike[str]) -> list[Pair]:
  """The pairs of a file, or of all CSV files of a folder in the order of their names.

  Raises FileNotFoundError or ValueError with the file and line that cannot be used.
  """
  source = pathlib.Path(path)
  if not source.exists():
    raise FileNotFoundError(f'{source} does not exist: give a CSV file of pairs, or a folder.')
  files = sorted(source.glob('*.csv')) if source.is_dir() else [source]
  pairs = [pair for file in files for pair in _of_file(file)]
  if not pairs:
    raise ValueError(f'{file_name.printable(str(source))} holds no pairs: give a CSV file with '
                     f'the columns {"; ".join(COLUMNS)}, or a folder of such files.')
  return pairs


def _of_file(path: pathlib.Path) -> Iterator[Pair]:
  where = file_name.printable(str(path))
  with path.open(encoding='utf-8-sig', newline='') as file:
    rows = csv.DictReader(file, delimiter=';', strict=True)
    try:
      missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
      if missing:
        raise ValueError(f'{where} has no column {missing[0]!r}: give CSV with semicolons and the '
                         f'columns {"; ".join(COLUMNS)}.')
      for row in rows:
        given = [(row[column] or '').strip() for column in COLUMNS]
        if not all(given):
          raise ValueError(f'{where}, line {rows.line_num}: nothing in one of the columns '
                           f'{"; ".join(COLUMNS)}.')
        good, bad, phenomenon = given
        subtype = (row.get('subtype') or '').strip()
        yield Pair(f'{phenomenon}/{subtype}' if subtype else phenomenon, good.encode(),
                   bad.encode())
    except (csv.Error, UnicodeDecodeError) as error:
      raise ValueError(f'{where}, line {rows.line_num + 1}, is no CSV: {error}.') from error
