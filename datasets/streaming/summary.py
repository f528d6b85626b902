"""What stands beside the records of a built corpus: report.json and documents.jsonl."""

import collections
import io
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from datasets.streaming import collect, decide, parts, table


def report(collected: Sequence[dict[str, Any]], decision: dict[str, Any]) -> dict[str, Any]:
  """What went in, what was left out and why, what came out."""
  totals: collections.Counter[str] = collections.Counter()
  changed: collections.Counter[str] = collections.Counter()
  tally = parts.Tally()
  for result in collected:
    totals.update({name: result[name] for name in ('documents_in', 'bytes_in')})
    changed.update(result['changed'])
    tally.merge(result['left_out'])
  tally.merge(decision['left_out'])
  first = [
      {'file': line['file'] + (f': {line["position"]}' if line['position'] else ''),
       'reason': reason + (f' ({line["detail"]})' if line['detail'] else '')}
      for reason, lines in sorted(tally.first.items()) for line in lines]
  return {
      'source_files': len(collected), **totals, 'changed': dict(sorted(changed.items())),
      'splits': decision['splits'], 'licences': decision['licences'],
      'rejected': dict(sorted(tally.counts.items())), 'first_rejected': first,
  }


def require_text(collected: Sequence[dict[str, Any]]) -> None:
  """Raises ValueError, which says what was wrong, unless there are two documents."""
  left = sum(result['documents'] for result in collected)
  if left < 2:
    tally = parts.Tally()
    for result in collected:
      tally.merge(result['left_out'])
    reasons = ', '.join(f'{count} x {reason}' for reason, count in tally.counts.most_common())
    raise ValueError(
        f'found {left} document in {len(collected)} files (left out: {reasons or "nothing"}): '
        'training needs at least 2, one of them held out.')


def write_documents(path: pathlib.Path, decided: decide.Task) -> None:
  """One line for each document in the order of the streams: id, split, bytes, name, licence."""
  with path.open('w', encoding='utf-8') as file:
    for fate, split in enumerate(decided.splits):
      for number, source in enumerate(decided.files):
        fates = np.load(io.BytesIO(decide.fates_path(decided.folder, number).read_bytes()))
        rows = table.rows(collect.table_path(source.folder), ('id', 'size', 'name', 'licence'))
        for row_fate, (identity, size, name, licence) in zip(fates.tolist(), rows, strict=True):
          if row_fate == fate:
            line = {'id': identity, 'split': split, 'bytes': size, 'name': name, 'licence': licence}
            file.write(json.dumps(line, ensure_ascii=False) + '\n')
