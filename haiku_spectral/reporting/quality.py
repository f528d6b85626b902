"""The sections of a report on what a model knows: by position, by context, recall, samples."""

from collections.abc import Mapping
from typing import Any

from haiku_spectral.reporting import axis
from haiku_spectral.reporting.document import (
  Block,
  Chart,
  Command,
  HeatMap,
  HeatMaps,
  Line,
  Missing,
  Paragraph,
  Picture,
  Sample,
  Section,
  Table,
)
from haiku_spectral.reporting.results import BENCHMARK, Results

# What has a section of its own.
SHOWN = ('extrapolation', 'length', 'context', 'recall', 'compression', 'turkish')
_COMPRESSORS = 5  # Lines beside the model's.
_DOCUMENTS = 20  # Rows of a table of documents.


def position(results: Results, name: str = 'extrapolation') -> Section:
  """The loss along documents, and what the far context saves."""
  title = {'extrapolation': 'Loss by position', 'length': 'Loss by position on other text'}[name]
  found = results.found.get(name)
  if found is None:
    what = {'extrapolation': 'the loss by position in held-out documents, far beyond the segments '
                             'of training',
            'length': 'the same on text of your own'}[name]
    return Section(title, [Missing(what, results.command(name))])
  factors = found['factors']
  reach = [row['reach'] for row in factors]
  blocks: list[Block] = [
      Paragraph(f'{_source(found)}Scored: {_on(found)}. Training had segments of '
                f'{found["train_length"]:,} bytes.'),
      Chart('By position in the document, with all that is before as context',
            'position, up to', 'bits per byte', [
                Line('this model', [row['end'] for row in found['octaves']],
                     [row['bits_per_byte'] for row in found['octaves']])],
            bytes_x=True, log_y=True),
      Chart('The same bytes with the full context and with a cut one', 'position, up to',
            'bits per byte', [
                _with_interval('full context', reach, [row['full'] for row in factors]),
                _with_interval('context cut to about a segment', reach,
                               [row['cut'] for row in factors])],
            bytes_x=True, picture=f'{name}.png' if name in results.pictures else ''),
      Table(['context', 'to byte', 'documents', 'full', 'cut', 'gain', '95 % interval',
             'not inferior'],
            [[f'{row["factor"]}x', f'{row["reach"]:,}', f'{row["documents"]:,}',
              f'{row["full"]["value"]:.4f}', f'{row["cut"]["value"]:.4f}',
              f'{row["gain"]["value"]:+.4f}', axis.interval(row['gain'], 4, signed=True),
              {True: 'yes', False: 'no', None: 'one document'}[row['success']]]
             for row in factors])]
  return Section(title, [*blocks, _command(results, name)])


def _command(results: Results, name: str) -> Command:
  return Command(results.command(name),
                 'Measured by' if results.typed(name) else 'To measure it again:')


def _source(found: Mapping[str, Any]) -> str:
  return f'{found["source"]}. ' if found.get('source') else ''


def _with_interval(name: str, x: list[float], values: list[Mapping[str, Any]]) -> Line:
  middle, low, high = ([value[key] for value in values] for key in ('value', 'low', 'high'))
  return Line(name, x, middle, low, high)


def context(results: Results) -> Section:
  """The loss on the same bytes by the length of the context, beside compressors."""
  found = results.found.get('context')
  if found is None:
    return Section('Context length', [Missing(
        'the loss on the same bytes with contexts of different lengths, beside compressors',
        results.command('context'))])
  rows, names = found['rows'], list(found['rows'][0]['compressors'])
  lengths = [row['context'] for row in rows]
  several = [name for name in names
             if len(axis.known([row['compressors'][name] for row in rows])) > 1]
  last = rows[-1]['compressors']
  best = sorted(several, key=lambda name: last[name] or 0)[:_COMPRESSORS]
  lines = [_with_interval('this model', lengths, [row['bits_per_byte'] for row in rows]),
           *(Line(name, lengths, [row['compressors'][name] for row in rows], dashed=True)
             for name in best)]
  table = Table(['', *('whole' if row['whole'] else axis.size(row['context']) for row in rows)], [
      ['this model', *(f'{row["bits_per_byte"]["value"]:.3f}' for row in rows)],
      *([name, *('' if (value := row['compressors'][name]) is None else f'{value:.3f}'
                 for row in rows)] for name in names)], marked=frozenset({0}))
  return Section('Context length', [
      Paragraph(f'{_source(found)}The last {_on(found)} of up to {found["longest"]:,} bytes, '
                'scored with the context cut to each length, in bits per byte.'),
      Chart('What a longer context is worth', 'context before a scored byte, at least',
            'bits per byte', lines, bytes_x=True,
            picture='context.png' if 'context' in results.pictures else ''),
      table, _command(results, 'context')])


def compression(results: Results) -> Section:
  """The code length of whole documents."""
  found = results.found['compression']
  longest = sorted(found['documents'], key=lambda row: -row['bytes'])[:_DOCUMENTS]
  rows = [*longest, found['together']]
  table = Table(
      ['document', 'bytes', *found['together']['bits_per_byte']],
      [[row['name'], f'{row["bytes"]:,}',
        *(f'{value:.3f}' for value in row['bits_per_byte'].values())] for row in rows],
      marked=frozenset({len(rows) - 1}))
  pictures = [Picture('compression.png', results.pictures['compression'], 'the same as bars')
              ] if 'compression' in results.pictures else []
  return Section('Compression', [
      Paragraph(f'{_source(found)}Code length of '
                f'{axis.count(len(found["documents"]), "whole document")}, each as one stream, in '
                f'bits per byte; the longest (up to {_DOCUMENTS}), and all together.'),
      table, *pictures, _command(results, 'compression')])


def baselines(results: Results) -> Section:
  """The model beside what is simple, on the same bytes."""
  rows: list[list[str]] = []
  marked: set[int] = set()
  found = results.found.get('extrapolation')
  if found is not None and found['baselines']:
    simple, on = found['baselines'], _on(found)
    marked.add(len(rows))
    rows += [['this model', f'{found["bits_per_byte"]["value"]:.3f}', on],
             ['trigrams of bytes, counted in the training text', f'{simple["trigram"]:.3f}', on],
             ['unigrams of bytes, counted in the training text', f'{simple["unigram"]:.3f}', on],
             ['entropy of the bytes scored', f'{simple["unigram_entropy"]:.3f}', on]]
  found = results.found.get('context')
  if found is not None:
    whole, on = found['rows'][-1], f'the last {_on(found)}'
    marked.add(len(rows))
    rows.append(['this model, whole context', f'{whole["bits_per_byte"]["value"]:.3f}', on])
    rows += [[f'{name}, whole context', f'{value:.3f}', on]
             for name, value in whole['compressors'].items() if value is not None]
  blocks: list[Block] = [Table(['', 'bits per byte', 'on'], rows, marked=frozenset(marked))
                         ] if rows else []
  blocks += [Missing(what, results.command(name)) for name, what in (
      ('extrapolation', 'n-grams on held-out text'), ('context', 'compressors'))
             if name not in results.found]
  return Section('Baselines', blocks)


def _on(found: Mapping[str, Any]) -> str:
  return f'{found["bytes"]:,} bytes of {axis.count(found["documents"], "document")}'


def recall(results: Results) -> Section:
  """Heat maps of what the model could say of what the text had said."""
  found = results.found.get('recall')
  if found is None:
    return Section('Recall', [Missing(
        'recall of facts, by the length of the text and their depth', results.command('recall'))])
  tasks: dict[str, list[Mapping[str, Any]]] = {}
  for cell in found['cells']:
    tasks.setdefault(cell['task'], []).append(cell)
  maps = [_heat_map(name, cells, found['tasks'].get(name, '')) for name, cells in tasks.items()]
  return Section('Recall', [
      Paragraph(f'{_source(found)}Answers of which every byte was the most likely one, in %, by '
                'the length of the text and the depth of the fact in it (0 is its beginning).'),
      HeatMaps(maps, picture='recall.png' if 'recall' in results.pictures else ''),
      _command(results, 'recall')])


def _heat_map(name: str, cells: list[Mapping[str, Any]], about: str) -> HeatMap:
  lengths = sorted({cell['length'] for cell in cells})
  depths = sorted({cell['depth'] for cell in cells})
  exact = {(cell['depth'], cell['length']): cell['exact'] for cell in cells}
  chance = f'chance {100 * cells[0]["chance_exact"]:.1f} %'
  note = f'{about}; {chance}' + ('' if cells[0]['recallable'] else ', which is right')
  return HeatMap(
      name, note, 'depth', [axis.size(length) for length in lengths],
      [f'{depth:g}' for depth in depths],
      [[exact.get((depth, length)) for length in lengths] for depth in depths])


def turkish(results: Results) -> Section:
  """Minimal pairs by phenomenon."""
  found = results.found.get('turkish')
  if found is None:
    return Section('Turkish', [Missing(
        'the grammar of Turkish, by minimal pairs', results.command('turkish'))])
  rows = found['phenomena']
  columns = [(scorer, way) for scorer, ways in rows[0]['shares'].items() for way in ways]
  table = Table(
      ['phenomenon', 'pairs', *(f'{scorer}: {way}' for scorer, way in columns)],
      [[row['phenomenon'], f'{row["pairs"]:,}',
        *(_share(row['shares'][scorer].get(way)) for scorer, way in columns)] for row in rows],
      marked=frozenset({len(rows) - 1}))
  return Section('Turkish', [
      Paragraph(f'{_source(found)}Share of the pairs of which the right sentence was the likelier '
                'one; a tie counts half.'),
      table, _command(results, 'turkish')])


def _share(value: Mapping[str, Any] | None) -> str:
  return '-' if value is None else f'{value["value"]:.3f}'


def samples(results: Results) -> Section:
  """Generated text."""
  if not results.samples:
    return Section('Samples', [Missing('generated text', results.command('samples'))])
  blocks: list[Block] = []
  for sample in results.samples:
    step = f'Step {sample["step"]:,}. ' if 'step' in sample else ''
    blocks += [Sample(str(sample['prompt']), str(text), f'{step}`{sample.get("command", "")}`')
               for text in sample['texts']]
  return Section('Samples', [Paragraph('As they came, none was chosen.'), *blocks])


def others(results: Results) -> list[Section]:
  """Measurements that have no section of their own: their numbers, and their picture."""
  sections = []
  for name, found in results.found.items():
    if name in (*SHOWN, BENCHMARK):
      continue
    rows = [[key.replace('_', ' '), _scalar(value)] for key, value in found.items()
            if isinstance(value, (str, int, float)) and key not in ('command', 'source')]
    blocks: list[Block] = [Paragraph(_source(found) + f'All of it is in `{name}.json`.')]
    if rows:
      blocks.append(Table(['', ''], rows))
    if name in results.pictures:
      blocks.append(Picture(f'{name}.png', results.pictures[name], name.replace('_', ' ')))
    sections.append(Section(
        name.replace('_', ' ').capitalize(), [*blocks, _command(results, name)]))
  return sections


def _scalar(value: str | int | float) -> str:
  return f'{value:,.4g}' if isinstance(value, float) else (
      f'{value:,}' if type(value) is int else str(value))
