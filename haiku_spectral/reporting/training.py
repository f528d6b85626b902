"""The sections of a report on training: summary, curves, speed."""

from collections.abc import Callable, Sequence
from typing import Any

from haiku_spectral.reporting import axis
from haiku_spectral.reporting.document import (
  Block,
  Chart,
  Command,
  Fact,
  Facts,
  Line,
  Missing,
  Paragraph,
  Section,
  Table,
)
from haiku_spectral.reporting.results import BENCHMARK, Results, phase_statuses
from haiku_spectral.training import loss, metrics

POINTS = 300  # Of a curve: of a longer run each is a mean over several rows.


def summary(results: Results) -> Section:
  """The numbers that are asked for first."""
  return Section('Summary', [Facts(_facts(results))])


def _facts(results: Results) -> list[Fact]:
  found = results.found.get('extrapolation')
  facts = []
  if found is not None:
    value = found['bits_per_byte']
    unit = f'bits per byte {axis.interval(value, 3)}'.rstrip()
    facts.append(Fact('Held-out documents', f'{value["value"]:.3f}',
                      f'{unit}, each read from its start'))
    last = found['factors'][-1]
    if last['factor'] > 1:
      facts.append(Fact('A longer context saves', f'{last["gain"]["value"]:.3f}',
                        f'bits per byte at {axis.size(last["reach"])}, beside about '
                        f'{axis.size(found["train_length"])}'))
  elif heldout := results.heldout:
    facts.append(Fact('Held-out windows', f'{heldout[-1]["bits_per_byte"]:.3f}', 'bits per byte'))
  trained, corpus = sum(results.bytes_trained().values()), sum(
      source.train_bytes for source in results.sources)
  facts += [
      Fact('Parameters', f'{results.shape.parameters:,}',
           f'{results.config.train.precision}, {results.config.model.layers} layers of width '
           f'{results.config.model.width}'),
      Fact('State of a sequence', axis.size(results.shape.state_bytes),
           'fixed, whatever the length of the text'),
      Fact('Trained on', axis.size(trained),
           axis.count(results.step, 'step')
           + (f', {trained / corpus:.1f} times the data' if corpus else ''))
  ]
  if speed := results.median('tokens_per_second'):
    facts.append(Fact('Training speed', f'{axis.short(speed)} B/s', 'median over the run'))
  return facts


def curves(results: Results) -> Section:
  """Loss, its parts, and what drives the optimiser, over the steps."""
  rows, heldout = results.of_kind(metrics.TRAIN), results.heldout
  if not rows:
    return Section('Training', [Missing('training', results.command('train'))])
  blocks: list[Block] = [
      _phases(results),
      Chart('Loss', 'step', 'bits per byte', [
          _curve('training', rows, 'bits_per_byte'),
          *([_curve('held out, windows of a segment', heldout, 'bits_per_byte')] if heldout else [])
      ], log_y=True)]
  sources = sorted({key for row in rows for key in row if key.startswith('loss/')})
  if len(sources) > 1:
    blocks.append(Chart('Held-out loss by source' if heldout else 'Loss by source', 'step',
                        'bits per byte', [
                            _curve(name.removeprefix('loss/'), heldout or rows, name,
                                   loss.bits_per_byte) for name in sources], log_y=True))
  blocks += [
      Chart('Norm of the gradient', 'step', 'norm', [_curve('norm', rows, 'gradient_norm')],
            log_y=True),
      Chart('Learning rate', 'step', 'learning rate', [_curve('rate', rows, 'learning_rate')])]
  return Section('Training', blocks)


def _phases(results: Results) -> Table:
  rows = []
  for phase, status in phase_statuses(results):
    segments = ', '.join(f'{stage.segment:,}' for stage in phase.stages)
    size = phase.data.batch_size * sum(stage.steps * stage.segment for stage in phase.stages)
    rows.append([phase.name, status, f'{phase.steps:,}', axis.size(size), phase.data.mixture,
                 segments, f'{phase.rate.learning_rate:g}'])
  return Table(['phase', 'status', 'steps', 'planned', 'mixture (shares of bytes)',
                'segment, bytes', 'peak rate'], rows)


def _curve(name: str, rows: Sequence[metrics.Row], key: str,
           convert: Callable[[float], float] = lambda value: value) -> Line:
  """A scalar over the steps, thinned out by means."""
  known = [(row['step'], convert(row[key])) for row in rows if row.get(key) is not None]
  size = max(1, -(-len(known) // POINTS))
  groups = [known[start:start + size] for start in range(0, len(known), size)]
  return Line(name, [group[-1][0] for group in groups],
              [sum(value for _, value in group) / len(group) for group in groups])


def speed(results: Results) -> Section:
  """Bytes per second in training and when decoding."""
  blocks: list[Block] = []
  rows = results.of_kind(metrics.TRAIN)
  if results.median('tokens_per_second'):
    blocks.append(Chart('Training', 'step', 'bytes per second',
                        [_curve('speed', rows, 'tokens_per_second')]))
    flops = results.median('flops_per_second')
    if flops:
      blocks.append(Paragraph(f'The median is {flops / 1e9:,.3g} GFLOP/s, counted by formula, '
                              'without element-wise work.'))
  blocks += _time(results)
  sampled = [[(sample['prompt'].strip() or '(none)').splitlines()[0], f'{sample["bytes"]:,}',
              f'{sample["bytes_per_second"]:,.0f}', sample.get('device', '')]
             for sample in results.samples if sample.get('bytes_per_second')]
  if sampled:
    blocks += [Paragraph('Generation, a text at a time, without the call that compiles:'),
               Table(['prompt', 'bytes', 'bytes per second', 'device'], sampled)]
  found = results.found.get(BENCHMARK)
  if found is None:
    blocks.append(Missing('time and memory per byte by the length of the context',
                          results.command('benchmark')))
    return Section('Speed', blocks)
  machine = ', '.join(f'{name} {value}' for name, value in found['machine'].items())
  for section in found['sections'].values():
    blocks.append(Paragraph(f'**{section["title"]}.** {section["note"]}'))
    if section['rows']:
      header = list(section['rows'][0])
      blocks.append(Table(header, [[_cell(row[name]) for name in header]
                                   for row in section['rows']]))
  return Section('Speed', [*blocks, Paragraph(f'Measured on: {machine}.'),
                           Command(results.command('benchmark'), 'To measure it again:')])


def _time(results: Results) -> list[Block]:
  """What a step's time goes to, by the medians; nothing where it was not measured."""
  step = results.median('seconds/step')
  if not step:
    return []
  parts = {'waiting for data': 'data', 'computing': 'compute', 'saving, beside the steps':
           'checkpoint'}
  seconds = {name: results.median(f'seconds/{key}') for name, key in parts.items()}
  rows = [['a step', axis.short(1000 * step), '']]
  rows += [[name, axis.short(1000 * value), f'{100 * value / step:.1f} %']
           for name, value in seconds.items() if value is not None]
  blocks: list[Block] = [Table(['per step', 'ms, by the median', 'of a step'], rows)]
  if mfu := results.median('mfu'):
    blocks.append(Paragraph(f'{100 * mfu:.1f} % of the peak of the device (MFU).'))
  return blocks


def _cell(value: Any) -> str:
  return value if isinstance(value, str) else axis.short(value)
