"""What an evaluation of context length found: types, JSON and a table for the terminal."""

import dataclasses
import json

from haiku_spectral.evaluation import report
from haiku_spectral.evaluation.bootstrap import Estimate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
  """The scored bytes with one length of context. Numbers without a word are bits per byte."""

  context: int  # Bytes before a scored byte, at least; of a shorter document, what it has.
  whole: bool  # All that is before; `context` is that of the longest document.
  bits_per_byte: Estimate  # Over documents.
  gain: Estimate  # What it saves beside the shortest context, paired.
  over_runs: Estimate | None  # The same two over runs, where there are several.
  gain_over_runs: Estimate | None
  remembrance: Estimate  # EffRem: 0 where more context changes nothing, 1 at most.
  compressors: dict[str, float | None]  # None: not measured with this context.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
  """What an evaluation of context length found on some documents."""

  train_length: int  # Bytes of a segment.
  trained_context: int  # Bytes: the oldest state that training has shown.
  documents: int
  bytes: int  # Scored with each context.
  longest: int  # Bytes of the longest document.
  runs: int
  rows: tuple[Row, ...]  # By context; the whole one is the last.
  missing: tuple[str, ...]  # Compressors that are not installed.
  source: str = ''  # Which model on which text, for people.


def to_json(found: Report) -> str:
  """The report as JSON."""
  document = dataclasses.asdict(found)
  for row, plain in zip(found.rows, document['rows'], strict=True):
    for name in ('bits_per_byte', 'gain', 'over_runs', 'gain_over_runs', 'remembrance'):
      value = getattr(row, name)
      plain[name] = value and report.plain(value)
  return json.dumps(document, indent=2)


def to_text(found: Report) -> str:
  """The report as one table with a line per context."""
  names = list(found.rows[0].compressors)
  several = found.runs > 1
  shortest = found.rows[0].context
  header = ['context', 'this model', 'gain', '95 % interval',
            *(['over runs'] if several else []), 'EffRem', *names]
  rows = [[
      'whole' if row.whole else f'{row.context:,}', f'{row.bits_per_byte.value:.4f}',
      f'{row.gain.value:+.4f}', report.interval(row.gain),
      *([report.interval(row.gain_over_runs)] if several else []),
      f'{row.remembrance.value:.3f}',
      *(_number(row.compressors[name]) for name in names),
  ] for row in found.rows]
  lines = [found.source] if found.source else []
  lines += [
      f'The last {found.bytes:,} bytes of {found.documents} '
      f'document{"s" * (found.documents > 1)} of up to {found.longest:,} bytes, in bits per byte.',
      'Context: bytes before a scored byte, at least, and below twice as many.',
      f'Gain: beside the same model with its context cut to {shortest:,} bytes.',
      'EffRem: total variation distance to the predictions with the whole context.',
      f'Training has shown segments of {found.train_length:,} bytes, and states of up to '
      f'{found.trained_context:,} bytes of context.']
  if several:
    lines.append(f'Means over {found.runs} runs.')
  lines += ['', *report.aligned(header, rows)]
  if found.missing:
    lines += ['', f'Not installed: {", ".join(found.missing)}.']
  return '\n'.join(lines)


def _number(value: float | None) -> str:
  return '-' if value is None else f'{value:.4f}'
