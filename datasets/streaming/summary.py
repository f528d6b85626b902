"""The files beside the records of a built corpus: report.json and documents.jsonl."""

import collections
import io
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from datasets.streaming import assignment, collect, reason_counts, table


def report(collected: Sequence[dict[str, Any]], assigned: dict[str, Any]) -> dict[str, Any]:
  """What went in, what was filtered and why, what came out."""
  totals: collections.Counter[str] = collections.Counter()
  changed: collections.Counter[str] = collections.Counter()
  for result in collected:
    totals.update({name: result[name] for name in ('documents_in', 'bytes_in')})
    changed.update(result['changed'])
  filtered = _merged([*collected, assigned], 'filtered')
  tolerated = _merged(collected, 'tolerated')
  return {
      'source_files': len(collected), **totals, 'changed': dict(sorted(changed.items())),
      'splits': assigned['splits'], 'licences': assigned['licences'], 'copies': assigned['copies'],
      'copies_across_splits': assigned['copies_across_splits'],
      'filtered': dict(sorted(filtered.counts.items())), 'first_filtered': filtered.lines(),
      'tolerated': dict(sorted(tolerated.counts.items())), 'first_tolerated': tolerated.lines(),
  }


def _merged(results: Sequence[dict[str, Any]], name: str) -> reason_counts.ReasonCounts:
  counts = reason_counts.ReasonCounts()
  for result in results:
    counts.merge(result[name])
  return counts


def require_text(collected: Sequence[dict[str, Any]]) -> None:
  """Raises ValueError, which says what was wrong, unless there are two documents."""
  kept = sum(result['documents'] for result in collected)
  if kept < 2:
    filtered = str(_merged(collected, 'filtered')) or 'nothing'
    raise ValueError(
        f'found {kept} document in {len(collected)} files (filtered: {filtered}): training needs '
        'at least 2, one of them held out.')


def write_documents(path: pathlib.Path, task: assignment.Task) -> None:
  """One line for each document in the order of the streams: id, split, bytes, name, licence."""
  with path.open('w', encoding='utf-8') as file:
    for code, split in enumerate(task.splits):
      for number, source in enumerate(task.files):
        codes = np.load(io.BytesIO(assignment.codes_path(task.folder, number).read_bytes()))
        rows = table.rows(collect.table_path(source.folder), ('id', 'size', 'name', 'licence'))
        for row_code, (identity, size, name, licence) in zip(codes.tolist(), rows, strict=True):
          if row_code == code:
            line = {'id': identity, 'split': split, 'bytes': size, 'name': name, 'licence': licence}
            file.write(json.dumps(line, ensure_ascii=False) + '\n')
