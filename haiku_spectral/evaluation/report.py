"""What an evaluation of extrapolation found: types, JSON and a table for the terminal."""

import dataclasses
import json
import math
from collections.abc import Sequence

from haiku_spectral.evaluation.bootstrap import Estimate

# Bits per byte that the full context may lose and still count as no worse than the cut one: about
# 0.1 % of the loss, above the rounding of float32.
MARGIN = 0.002


@dataclasses.dataclass(frozen=True, kw_only=True)
class Factor:
  """The bytes at document positions [factor x T / 2, factor x T), with two contexts.

  `full`: the context is all of the document before. `cut`: it is the last 3/4 T to T bytes, from
  the initial state. Both are on the same bytes.
  """

  factor: int
  start: int  # First position scored.
  reach: int  # One past the last position scored in the longest document.
  documents: int
  bytes: int
  full: Estimate  # Bits per byte.
  cut: Estimate  # Bits per byte.
  gain: Estimate  # Bits per byte that the longer context saves: cut - full, paired.
  gain_over_runs: Estimate | None = None  # With the interval over runs where there are several.

  @property
  def success(self) -> bool | None:
    """The full context is not inferior: at worst it costs less than `MARGIN` more.

    At worst is the lower end of the 95 % interval of the gain, and where there are several runs
    that over runs as well. None: one document has no interval, so nothing can be claimed.
    """
    lows = [gain.low for gain in (self.gain, self.gain_over_runs) if gain is not None]
    known = [low for low in lows if low is not None]
    return all(low > -MARGIN for low in known) if len(known) == len(lows) else None

  @property
  def gain_percent(self) -> float:
    """The gain in percent of what the cut context costs."""
    return 100 * self.gain.value / self.cut.value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Octave:
  """The bytes at document positions [start, end), with the full context."""

  start: int
  end: int
  bytes: int
  bits_per_byte: float

  @property
  def nats_per_byte(self) -> float:
    """The negative log-likelihood."""
    return self.bits_per_byte * math.log(2)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Baselines:
  """What simple models pay for the same bytes. Bits per byte."""

  train_bytes: int  # What the counts were made of.
  unigram: float  # Frequencies of bytes in the training split.
  trigram: float  # Given the two bytes before, interpolated with shorter contexts.
  unigram_entropy: float  # Frequencies of the held-out bytes themselves: no unigram can do better.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
  """What an evaluation of extrapolation found on some documents."""

  train_length: int  # T, bytes.
  max_factor: int  # What was asked for; documents may not have reached it.
  documents: int
  skipped: int  # Documents that reach no factor: shorter than 3/4 of T.
  longest: int  # Bytes scored of the longest document, at most max_factor x T.
  bytes: int
  bits_per_byte: Estimate  # All positions, full context.
  factors: tuple[Factor, ...]
  octaves: tuple[Octave, ...]
  runs: int = 1  # Runs that differ in their seed; all numbers are means over them.
  trained_context: int = 0  # Bytes: the oldest state that training has shown; 0: not known.
  baselines: Baselines | None = None
  source: str = ''  # Which model on which text, for people.


def perplexity(bits_per_byte: float) -> float:
  """Per byte."""
  return 2.0**bits_per_byte


def plain(value: Estimate) -> dict[str, float | None]:
  """As JSON holds it."""
  return value._asdict()


def to_json(report: Report) -> str:
  """The report with what follows from it (perplexity, success, percent) written out."""
  document = dataclasses.asdict(report)
  document['margin'] = MARGIN
  document['bits_per_byte'] = plain(report.bits_per_byte)
  document['factors'] = [
      dataclasses.asdict(factor) | {
          'full': plain(factor.full), 'cut': plain(factor.cut), 'gain': plain(factor.gain),
          'gain_over_runs': factor.gain_over_runs and plain(factor.gain_over_runs),
          'perplexity_full': perplexity(factor.full.value),
          'perplexity_cut': perplexity(factor.cut.value),
          'gain_percent': factor.gain_percent, 'success': factor.success,
          'of_trained_context': _of_trained(report, factor),
      } for factor in report.factors
  ]
  document['octaves'] = [
      dataclasses.asdict(octave) | {'nats_per_byte': octave.nats_per_byte}
      for octave in report.octaves
  ]
  return json.dumps(document, indent=2)


def _of_trained(report: Report, factor: Factor) -> float | None:
  """The age of the state at the end of a factor over the oldest that training has shown."""
  return factor.reach / report.trained_context if report.trained_context else None


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, words: int = 0
) -> list[str]:
  """The lines of a table: columns under their names, right-aligned but for the first `words`."""
  widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
  return [
      '  '.join(cell.ljust(width) if column < words else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
      for row in [header, *rows]
  ]


def interval(estimate: Estimate | None) -> str:
  """The interval in brackets, with signs."""
  if estimate is None or estimate.low is None or estimate.high is None:
    return '(one document)'
  return f'[{estimate.low:+.4f}, {estimate.high:+.4f}]'


def _factor_lines(report: Report) -> list[str]:
  header = ['context', 'to byte', 'of trained', 'documents', 'bytes', 'full', 'cut', 'gain',
            '95 % interval', *(['over runs'] if report.runs > 1 else []), 'gain %', 'success']
  return aligned(header, [
      [
          f'{row.factor}x', f'{row.reach:,}', _times(_of_trained(report, row)), str(row.documents),
          f'{row.bytes:,}', f'{row.full.value:.4f}', f'{row.cut.value:.4f}',
          f'{row.gain.value:+.4f}', interval(row.gain),
          *([interval(row.gain_over_runs)] if report.runs > 1 else []),
          f'{row.gain_percent:+.2f}', {True: 'yes', False: 'NO', None: '?'}[row.success],
      ] for row in report.factors
  ])


def _times(ratio: float | None) -> str:
  return '?' if ratio is None else f'{ratio:.2g}x'


def _legend_lines(report: Report) -> list[str]:
  lines = [
      f'Success: the interval of the gain stays above {-MARGIN} bits per byte, so that the full '
      'context is not inferior.',
  ]
  if any(row.success is None for row in report.factors):
    lines.append('?: one document has no interval, so nothing is claimed.')
  if report.trained_context:
    lines.append(f'Of trained: training has shown states of up to {report.trained_context:,} bytes '
                 'of context.')
  return lines


def _octave_lines(report: Report) -> list[str]:
  header = ['from byte', 'to byte', 'bytes', 'bits/byte', 'nats/byte', 'ppl']
  return aligned(header, [
      [
          f'{row.start:,}', f'{row.end:,}', f'{row.bytes:,}', f'{row.bits_per_byte:.4f}',
          f'{row.nats_per_byte:.4f}', f'{perplexity(row.bits_per_byte):.3f}',
      ] for row in report.octaves
  ])


def _baseline_lines(report: Report) -> list[str]:
  if report.baselines is None:
    return []
  rows = [
      ['this model, full context', f'{report.bits_per_byte.value:.4f}'],
      ['byte trigram', f'{report.baselines.trigram:.4f}'],
      ['byte unigram', f'{report.baselines.unigram:.4f}'],
      ['entropy of the held-out bytes', f'{report.baselines.unigram_entropy:.4f}'],
  ]
  return [
      '', f'The same {report.bytes:,} bytes, bits per byte '
      f'(counts from {report.baselines.train_bytes:,} training bytes):',
      *(f'  {name:<30}  {value}' for name, value in rows),
  ]


def _heading_lines(report: Report) -> list[str]:
  lines = [
      f'Trained at {report.train_length:,} bytes. {report.documents} held-out documents, the '
      f'longest scored to byte {report.longest:,}.'
  ]
  if report.source:
    lines.insert(0, report.source)
  if report.runs > 1:
    lines.append(f'Means over {report.runs} runs.')
  if report.skipped:
    lines.append(
        f'Skipped: {report.skipped} shorter than 3/4 of the training length.')
  reached = report.factors[-1].factor
  if reached < report.max_factor:
    lines.append(f'No document reaches beyond {reached}x of the {report.max_factor}x asked for.')
  return lines


def to_text(report: Report) -> str:
  """The report as aligned tables of about 110 columns."""
  return '\n'.join([
      *_heading_lines(report),
      '',
      'Bits per byte with the full context, and cut to 3/4 to all of the training length:',
      *_factor_lines(report),
      *_legend_lines(report),
      '',
      'Full context, by position:',
      *_octave_lines(report),
      *_baseline_lines(report),
  ])
