"""The card of a model in the format of the hubs: YAML in front, then Markdown.

Every number comes from the run's files, beside the command that measured it; what was not measured
is said. The sentences themselves hold no numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from haiku_spectral.config import phases
from haiku_spectral.reporting import axis, citation, markdown, measurements, provenance, training
from haiku_spectral.reporting.document import (
  Block,
  Code,
  Command,
  Missing,
  Paragraph,
  Section,
  Table,
)
from haiku_spectral.reporting.results import Results, phase_statuses

UNKNOWN = 'unknown'  # The hubs' name of a licence that nobody has chosen.
_MIXERS = {
    'H': 'Hyena: gates and long convolutions, for the far past',
    'M': 'matrix memory, for associations',
    'A': 'attention to a window of the last bytes, for the near past',
}


def make(results: Results, *, name: str, licence: str) -> str:
  """The whole card."""
  measured = measurements.make(results)
  sections = [
      _details(results, name, licence), _architecture(results), _use(results),
      _data(results), _performance(results, measured), _limits(results, measured), _bias(results),
      _safety(), _citation(results)]
  return '\n\n'.join([
      f'---\n{_front_matter(results, name, licence, measured)}---', f'# {name}',
      *map(markdown.section, sections)]) + '\n'


def _front_matter(
    results: Results, name: str, licence: str, measured: Sequence[measurements.Measurement]
) -> str:
  languages = provenance.languages(results.sources)
  about: dict[str, Any] = {
      **({'language': languages} if languages else {}),
      'license': licence,
      'library_name': 'haiku_spectral',
      'pipeline_tag': 'text-generation',
      'tags': ['byte-level', 'haiku', 'jax', 'long-context'],
      'datasets': [source.name for source in results.sources],
  }
  if measured:
    about['model-index'] = [{'name': name, 'results': list(_index(measured))}]
  return yaml.safe_dump(about, sort_keys=False, allow_unicode=True)


def _index(measured: Sequence[measurements.Measurement]) -> Iterator[dict[str, Any]]:
  """The model's own numbers, together those on one text."""
  of_model = [each for each in measured if not each.baseline]
  for suite, on in dict.fromkeys((each.suite, each.on) for each in of_model):
    yield {
        'task': {'type': 'text-generation', 'name': 'Text generation'},
        'dataset': {'type': suite, 'name': on},
        'metrics': [{'type': each.kind, 'name': each.name, 'value': each.value}
                    for each in of_model if (each.suite, each.on) == (suite, on)]}


def _details(results: Results, name: str, licence: str) -> Section:
  trained = sum(results.bytes_trained().values())
  chosen = licence if licence != UNKNOWN else 'not chosen by whoever made this card'
  rows = [
      ['kind', 'causal language model over bytes, without a tokenizer'],
      ['parameters', f'{results.shape.parameters:,}'],
      ['state of a sequence', f'{results.shape.state_bytes:,} bytes, whatever its length'],
      ['training', f'{axis.count(results.step, "step")}, {trained:,} bytes'],
      ['precision of training', results.config.train.precision],
      ['licence of the weights', chosen],
      ['licence of the code', 'Apache licence (LICENSE of haiku_spectral)']]
  return Section('Model details', [
      Table(['', name], rows), Command(results.command('train'), 'Trained by')])


def _architecture(results: Results) -> Section:
  model = results.config.model
  parts = [[f'`{letter}`', _MIXERS.get(letter, 'a mixer of one\'s own'),
            str(model.pattern.count(letter) * model.layers // len(model.pattern))]
           for letter in dict.fromkeys(model.pattern)]
  blocks: list[Block] = [
      Paragraph(f'SpectralGPT: {model.layers} layers of width {model.width} in the pattern '
                f'`{model.pattern}`, each a mixer and a gated MLP of width {model.mlp_width}.'),
      Table(['letter', 'mixer', 'layers'], parts)]
  if model.ngram.orders:
    blocks.append(Paragraph(
        'An exact memory stands before the first layer and at the logits: hashed tables of what '
        f'followed the last {model.ngram.orders} bytes, {model.ngram.slots:,} slots each.'))
  if model.counts.orders:
    blocks.append(Paragraph(
        f'A count memory keeps the last {model.counts.followers} followers of each context of '
        f'{model.counts.orders} bytes, {model.counts.slots:,} slots each.'))
  blocks.append(Paragraph('However a text is cut into pieces, the outputs are the same: the state '
                          'of a conversation is saved, and gone on with later.'))
  return Section('Architecture', blocks)


def _use(results: Results) -> Section:
  languages = provenance.languages(results.sources)
  text = f'text in the languages of its data ({", ".join(languages)})' if languages else (
      'text of the kind of its data')
  return Section('Intended use', [
      Paragraph(f'Research on language models, continuation of {text}, compression, and as a base '
                'to train further. It is a base model: it continues text and follows no '
                'instructions.'),
      Paragraph('Not intended: facts that somebody relies on, advice, decisions about people, or '
                'code that is run without a sandbox.')])


def _data(results: Results) -> Section:
  rows = [[phase.name, status, phase.data.mixture, f'{phase.steps:,}']
          for phase, status in phase_statuses(results)]
  found = provenance.data(results)
  return Section('Training data and curriculum', [
      Table(['phase', 'status', 'mixture (shares of bytes)', 'steps'], rows), *found.blocks])


def _performance(results: Results, measured: Sequence[measurements.Measurement]) -> Section:
  blocks: list[Block] = []
  for suite in measurements.SUITES:
    rows = [[each.name, f'{each.value:.4f}', each.interval, each.on]
            for each in measured if each.suite == suite]
    if rows:
      verb = 'Measured by' if results.typed(suite) else 'To measure it again:'
      blocks += [Table(['measure', 'value', 'interval', 'on'], rows),
                 Command(results.command(suite), verb)]
    else:
      blocks.append(Missing(measurements.WHAT[suite], results.command(suite)))
  if heldout := results.heldout:
    blocks.append(Paragraph(
        f'During training, windows of a segment from the held-out split: '
        f'{heldout[-1]["bits_per_byte"]:.4f} bits per byte at step {heldout[-1]["step"]:,} '
        '(`metrics.jsonl`).'))
  if speed := results.median('tokens_per_second'):
    blocks.append(Paragraph(f'Training took {speed:,.0f} bytes per second, by the median.'))
  return Section('Performance', [*blocks, *(
      block for block in training.speed(results).blocks if isinstance(block, Missing))])


def _limits(results: Results, measured: Sequence[measurements.Measurement]) -> Section:
  """What follows from the numbers above."""
  trained = sum(results.bytes_trained().values())
  blocks: list[Block] = [Paragraph(
      f'What it knows of the world is what {results.shape.parameters:,} parameters keep of '
      f'{trained:,} bytes: what it states as a fact may be invented. Training has shown it states '
      f'of up to {phases.trained_context(results.config):,} bytes of context; beyond, it '
      'extrapolates.')]
  weak = [each for each in measured
          if each.suite == 'recall' and not each.baseline and each.value < 1 / 2]
  if weak:
    names = ', '.join(each.name.rpartition(', ')[2] for each in weak)
    blocks.append(Paragraph(f'In {weak[0].on} it gives less than half of the answers exactly in '
                            f'these tasks of recall: {names}.'))
  whole = [each for each in measured if each.suite == 'context' and not each.baseline][-1:]
  better = [each.name.partition(',')[0] for each in measured
            if whole and each.suite == 'context' and each.baseline and each.value < whole[0].value]
  if better:
    blocks.append(Paragraph(f'With the whole context ({whole[0].on}) these compressors, which were '
                            f'not trained, do better: {", ".join(better)}.'))
  if skipped := provenance.skipped_steps(results):
    blocks.append(Paragraph(f'{axis.count(skipped, "step")} of the training not applied by the '
                            'guards.'))
  return Section('Limits', blocks)


def _bias(results: Results) -> Section:
  trained = results.bytes_trained()
  total = sum(trained.values())
  rows = [[source.name, ', '.join(source.languages) or 'not known',
           f'{100 * trained.get(source.name, 0) / total:.1f} %' if total else '']
          for source in results.sources]
  return Section('Bias', [
      Paragraph('The model repeats what its data say, with the views of their authors and times. '
                'What it was trained on:'),
      Table(['dataset', 'languages', 'share of the bytes trained on'], rows),
      Paragraph('**Not measured:** bias. There is no suite for it in this library.')])


def _safety() -> Section:
  return Section('Safety', [
      Paragraph('The model was not trained to refuse anything, and its output was not filtered. It '
                'may repeat pieces of its data, and of the text that it is given, word for word: '
                'sessions hold what was said in them.'),
      Paragraph('Code that it writes is untrusted: run it in the sandbox of the library alone.'),
      Paragraph('**Not measured:** harmful output. There is no suite for it in this library.')])


def _citation(results: Results) -> Section:
  entries = [citation.bibtex(), *(each.citation for each in results.sources if each.citation)]
  return Section('Citation', [Code('bibtex', '\n\n'.join(entries))])
