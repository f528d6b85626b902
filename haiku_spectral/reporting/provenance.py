"""The sections of a report on what a model is made of: data, licences, config, what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from haiku_spectral.reporting import axis
from haiku_spectral.reporting.document import (
  Block,
  Command,
  Missing,
  Paragraph,
  Quote,
  Section,
  Table,
)
from haiku_spectral.reporting.results import (
  Results,
  Source,
  changed_fields,
  measured_step,
)
from haiku_spectral.training import metrics


def data(results: Results) -> Section:
  """The datasets of the mixture: sizes, licences, what was filtered out."""
  blocks: list[Block] = []
  trained = results.bytes_trained()
  for source in results.sources:
    blocks.append(Paragraph(f'**{source.name}**, {trained.get(source.name, 0):,} bytes of which '
                            'were trained on (repetitions included).'))
    if source.report is None:
      blocks.append(Missing(f'sizes and licences ({source.problem})', source.build))
    else:
      blocks += [_splits(source.report), *_licences(source.report), *_filtered(source.report)]
    if source.description:
      blocks.append(Quote(_prose(source.description)))
    if source.build:
      blocks.append(Command(source.build, 'Built by'))
  return Section('Data and licences', blocks)


def _prose(text: str) -> str:
  """The paragraphs of a description, each on a line, without its tables and code."""
  paragraphs = [' '.join(part.split()) for part in text.split('\n\n')
                if not part.lstrip('\n').startswith(('|', '    '))]
  return '\n\n'.join(paragraphs)


def _splits(report: Mapping[str, Any]) -> Table:
  return Table(['split', 'documents', 'bytes', 'longest document'], [
      [name, f'{split["documents"]:,}', f'{split["bytes"]:,}', f'{split["longest_document"]:,}']
      for name, split in report['splits'].items()])


def _licences(report: Mapping[str, Any]) -> list[Block]:
  if not report.get('licences'):
    return []
  return [Table(['licence', 'documents', 'bytes'], [
      [name or 'not known', f'{numbers["documents"]:,}', f'{numbers["bytes"]:,}']
      for name, numbers in report['licences'].items()])]


def _filtered(report: Mapping[str, Any]) -> list[Block]:
  rows = [[reason, f'{count:,}'] for reason, count in report.get('filtered', {}).items()]
  return [Table(['filtered out', 'count'], rows)] if rows else []


def config(results: Results) -> Section:
  """What was chosen, and what was left at its default."""
  fields = changed_fields(results.config)
  changed = [[f'`{path}`', _shown(value), _shown(default)] for path, value, default in fields
             if value != default]
  every = [[f'`{path}`', _shown(value)] for path, value, _ in fields]
  return Section('Config', [
      Table(['field', 'value', 'default'], changed) if changed
      else Paragraph('Every field has its default.'),
      Table(['field', 'value'], every, folded=f'All {len(every)} fields')])


def _shown(value: Any) -> str:
  return "''" if value == '' else '' if value is None else str(value)


def omitted(results: Results, sections: list[Section]) -> Section:
  """What was skipped and why, in one place."""
  rows: list[list[str]] = []
  for section in sections:
    rows += [[section.title, f'not measured: {block.what}', f'`{block.command}`']
             for block in section.blocks if isinstance(block, Missing)]
  if skipped := skipped_steps(results):
    rows.append(['Training', f'{axis.count(skipped, "step")} not applied: the gradient was not '
                 'finite, or much larger than usual', ''])
  for name in ('extrapolation', 'length'):
    if count := results.found.get(name, {}).get('skipped'):
      rows.append(['Loss by position',
                   f'{axis.count(count, "document")} of less than three quarters of a segment', ''])
  for name, title in (('context', 'Context length'), ('compression', 'Compression')):
    rows += [[title, f'{missing} is not installed', '']
             for missing in results.found.get(name, {}).get('missing', ())]
  rows += [[source.name, f'{count:,} x {reason}', ''] for source in results.sources
           if source.report for reason, count in source.report.get('filtered', {}).items()]
  rows += [[name, f'cannot be read: {reason}', ''] for name, reason in results.unreadable.items()]
  for name, found in results.found.items():
    if (step := measured_step(found)) is not None and step != results.step:
      rows.append([name, f'was measured at step {step:,}; the run is at step {results.step:,}',
                   f'`{results.command(name)}`'])
  if not rows:
    return Section('Skipped and missing', [Paragraph('Nothing.')])
  return Section('Skipped and missing', [Table(['where', 'what and why', 'command'], rows)])


def skipped_steps(results: Results) -> int:
  """Steps that the guards did not apply."""
  rows = results.of_kind(metrics.TRAIN)
  return int(rows[-1].get('skipped_steps') or 0) if rows else 0


def languages(sources: Sequence[Source]) -> list[str]:
  """The languages of all sources, sorted."""
  return sorted({language for source in sources for language in source.languages})
