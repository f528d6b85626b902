"""The report of a built dataset, report.json, as text for people."""

import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

from haiku_spectral.storage import file_name


def to_text(name: str, report: Mapping[str, Any], place: pathlib.Path) -> str:
  """Where the dataset lies, and the sizes of all that was read, kept, changed and filtered."""
  return '\n'.join(map(file_name.printable, [
      f'{name}: {place}', *_sizes(report), *_copies(report), *_cleaning(report)]))


def _sizes(report: Mapping[str, Any]) -> Iterator[str]:
  if 'source_files' in report:
    yield (f'  read       {report["documents_in"]:>9,} documents {report["bytes_in"]:>15,} bytes '
           f'{report["source_files"]:>9,} files')
  for split, numbers in report['splits'].items():
    yield (f'  {split:<11}{numbers["documents"]:>9,} documents {numbers["bytes"]:>15,} bytes '
           f'{numbers["records"]:>9,} records')
  for licence, numbers in report.get('licences', {}).items():
    yield (f'  {numbers["documents"]:>20,} documents {numbers["bytes"]:>15,} bytes '
           f'{licence or "of unknown licence"}')


def _copies(report: Mapping[str, Any]) -> Iterator[str]:
  across = report.get('copies_across_splits', 0)
  for count, which in ((report['copies'] - across, 'the same'), (across, 'another')):
    if count:
      yield f'  copies: {count:,} x the text of another document of {which} split'


def _cleaning(report: Mapping[str, Any]) -> Iterator[str]:
  for step, count in report.get('changed', {}).items():
    yield f'  changed: {count:,} x {step}'
  for kind in ('filtered', 'tolerated'):
    for reason, count in report.get(kind, {}).items():
      yield f'  {kind}: {count:,} x {reason}'
    listed = report.get(f'first_{kind}', [])
    yield from (f'    {line["file"]}: {line["reason"]}' for line in listed)
    if sum(report.get(kind, {}).values()) > len(listed):
      yield '    ...'
