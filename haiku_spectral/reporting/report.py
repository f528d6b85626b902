"""The report of a run: everything that was measured, and what was not."""

from collections.abc import Callable

from haiku_spectral.reporting import provenance, quality, training
from haiku_spectral.reporting.document import Document, Paragraph, Section
from haiku_spectral.reporting.results import DAMAGED, Results


def make(results: Results) -> Document:
  """All sections in the order in which people ask."""
  builders: list[tuple[str, Callable[[], Section]]] = [
      ('Summary', lambda: training.summary(results)),
      ('Training', lambda: training.curves(results)),
      ('Loss by position', lambda: quality.position(results)),
      ('Context length', lambda: quality.context(results)),
      ('Recall', lambda: quality.recall(results)),
      ('Baselines', lambda: quality.baselines(results)),
  ]
  if 'turkish' in results.found or any('tr' in source.languages for source in results.sources):
    builders.insert(5, ('Turkish', lambda: quality.turkish(results)))
  if 'compression' in results.found:
    builders.insert(4, ('Compression', lambda: quality.compression(results)))
  if 'length' in results.found:
    builders.insert(3, ('Other text', lambda: quality.position(results, 'length')))
  sections = [_section(*each) for each in builders]
  sections += quality.others(results)
  sections += [
      _section('Samples', lambda: quality.samples(results)),
      _section('Speed', lambda: training.speed(results)),
      _section('Data and licences', lambda: provenance.data(results)),
      _section('Config', lambda: provenance.config(results))]
  sections.append(provenance.omitted(results, sections))
  model = results.config.model
  return Document(
      f'Report on {results.folder}',
      f'A byte-level language model of {results.shape.parameters:,} parameters, {model.layers} '
      f'layers of the pattern `{model.pattern}`, at step {results.step:,}.', sections)


def _section(title: str, build: Callable[[], Section]) -> Section:
  """A section, or what is wrong with the files that it is made of."""
  try:
    return build()
  except DAMAGED as error:
    reason = f'{type(error).__name__}: {error}'
    return Section(title, [Paragraph(
        f'Cannot be shown, for a file of the run is not what it should be ({reason}). Measure it '
        'again.')])
