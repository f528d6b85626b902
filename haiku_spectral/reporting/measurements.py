"""The numbers that a model is judged by, out of the reports of its run."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from haiku_spectral.reporting import axis
from haiku_spectral.reporting.results import DAMAGED, Results


class Measurement(NamedTuple):
  """One number of a model."""

  name: str
  kind: str  # For programs: 'bits_per_byte'.
  value: float
  interval: str
  on: str  # Which text.
  suite: str = ''  # NAME of NAME.json.
  baseline: bool = False  # Of something else, for comparison.


def make(results: Results) -> list[Measurement]:
  """All that has a number; files that are not what they should be give none."""
  found: list[Measurement] = []
  for suite, measure in SUITES.items():
    if suite in results.found:
      try:
        found += [each._replace(suite=suite) for each in measure(results.found[suite])]
      except DAMAGED:
        continue
  return found


def _text(found: Mapping[str, Any]) -> str:
  """What was scored, of 'MODEL on TEXT'."""
  return str(found['source']).rpartition(' on ')[2]


def _of_extrapolation(found: Mapping[str, Any]) -> Iterator[Measurement]:
  on = _text(found)
  value = found['bits_per_byte']
  yield Measurement('bits per byte, documents from their start', 'bits_per_byte', value['value'],
                    axis.interval(value, 4), on)
  last = found['factors'][-1]
  yield Measurement(
      f'bits per byte that the context beyond {axis.size(found["train_length"])} saves at '
      f'{axis.size(last["reach"])}', 'bits_per_byte_gain', last['gain']['value'],
      axis.interval(last['gain'], 4), on)


def _of_context(found: Mapping[str, Any]) -> Iterator[Measurement]:
  on = _text(found)
  for row in (found['rows'][0], found['rows'][-1]):
    length = 'the whole context' if row['whole'] else f'a context of {axis.size(row["context"])}'
    value = row['bits_per_byte']
    yield Measurement(f'bits per byte with {length}', 'bits_per_byte', value['value'],
                      axis.interval(value, 4), on)
  for name, value in found['rows'][-1]['compressors'].items():
    if value is not None:
      yield Measurement(
          f'{name}, with the whole context', 'bits_per_byte', value, '', on, baseline=True)


def _of_recall(found: Mapping[str, Any]) -> Iterator[Measurement]:
  longest = max(cell['length'] for cell in found['cells'])
  for task in dict.fromkeys(cell['task'] for cell in found['cells']):
    cells = [cell for cell in found['cells'] if (cell['task'], cell['length']) == (task, longest)]
    mean = sum(cell['exact'] for cell in cells) / len(cells)
    yield Measurement(f'share of exact answers, {task}', 'exact_match', mean, '',
                      f'texts of {axis.size(longest)}', baseline=not cells[0]['recallable'])


def _of_turkish(found: Mapping[str, Any]) -> Iterator[Measurement]:
  average = found['phenomena'][-1]
  for scorer, ways in average['shares'].items():
    for way, value in ways.items():
      if value is not None:
        yield Measurement(f'{scorer}, {way}', 'accuracy', value['value'], axis.interval(value, 4),
                          f'{average["pairs"]:,} minimal pairs', baseline=scorer != 'model')


def _of_compression(found: Mapping[str, Any]) -> Iterator[Measurement]:
  for number, (coder, value) in enumerate(found['together']['bits_per_byte'].items()):
    yield Measurement(f'code length of whole documents, {coder}', 'bits_per_byte', value, '',
                      _text(found), baseline=number > 0)


SUITES: dict[str, Callable[[Mapping[str, Any]], Iterator[Measurement]]] = {
    'extrapolation': _of_extrapolation, 'context': _of_context, 'recall': _of_recall,
    'compression': _of_compression, 'turkish': _of_turkish,
}


# What is missing where a suite has no report.
WHAT = {
    'extrapolation': 'the loss on held-out documents, and what their far context saves',
    'context': 'the loss by the length of the context, beside compressors',
    'recall': 'recall of facts that the text has stated',
    'compression': 'the code length of whole documents, beside compressors',
    'turkish': 'the grammar of Turkish, by minimal pairs',
}
