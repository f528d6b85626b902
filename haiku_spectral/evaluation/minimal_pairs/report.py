"""What minimal pairs showed, as a table for the terminal and as JSON."""

import json
from collections.abc import Sequence

from haiku_spectral.evaluation import report
from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.evaluation.minimal_pairs.scoring import AVERAGE, SHORTER, Row

_COLUMNS = ('sum', 'per byte', 'equal length')


def to_json(rows: Sequence[Row], *, source: str) -> str:
  """Every share with its interval."""
  return json.dumps({'source': source, 'phenomena': [
      {'phenomenon': row.phenomenon, 'pairs': row.pairs, 'identical': row.identical,
       'equal_length': row.equal_length,
       'shares': {scorer: {way: each and report.plain(each) for way, each in ways.items()}
                  for scorer, ways in row.shares.items()}} for row in rows]}, indent=2)


def to_text(rows: Sequence[Row], *, source: str) -> str:
  """A line per phenomenon, and what length does to the average."""
  scorers = [name for name in rows[0].shares if name != SHORTER]
  header = ['phenomenon', 'pairs', 'same', 'equal']
  header += [f'{name}: {way}' for name in scorers for way in _COLUMNS]
  header += [SHORTER]
  return '\n'.join([
      source, '',
      'Share of the pairs whose right sentence is the likelier one: by the sum over its bytes, per',
      'byte, and by either on pairs of equal length (their number: equal), with 95 % intervals.',
      f'{SHORTER}: the shorter sentence is taken for the right one. A tie counts half. Pairs of',
      'the same sentence twice (same) are not counted.', '',
      *report.aligned(header, [_cells(row, scorers) for row in rows]), '',
      *(_by_length(rows[-1], name) for name in scorers)])


def _cells(row: Row, scorers: Sequence[str]) -> list[str]:
  shares = [row.shares[name][way] for name in scorers for way in _COLUMNS]
  return [row.phenomenon, f'{row.pairs:,}', str(row.identical), f'{row.equal_length:,}',
          *map(_share, shares), _value(row.shares[SHORTER]['sum'])]


def _by_length(average: Row, name: str) -> str:
  ways = average.shares[name]
  return (f'{name}, {AVERAGE}: {_value(ways["right is shorter"])} where the right sentence is '
          f'shorter, {_value(ways["equal length"])} where both are equally long, '
          f'{_value(ways["right is longer"])} where it is longer.')


def _value(estimate: Estimate | None) -> str:
  return '-' if estimate is None else f'{estimate.value:.3f}'


def _share(estimate: Estimate | None) -> str:
  """0.615 ± 0.030: half the interval, which is hardly askew."""
  if estimate is None or estimate.low is None or estimate.high is None:
    return _value(estimate)
  return f'{estimate.value:.3f} ± {(estimate.high - estimate.low) / 2:.3f}'
