"""The suite `quality`: bits per byte of held-out documents, of runs and of baselines, in one table.

Runs that differ in their seed alone are one line. Every line has the same documents, each read from
its start. What reads the documents is handed in: this package does not know the datasets.
"""

import dataclasses
import functools
import math
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.benchmarks import quality_plot
from haiku_spectral.benchmarks.report import Cell, Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.config import Config
from haiku_spectral.evaluation import bootstrap, compressors, long_ngram, ngram, streaming
from haiku_spectral.evaluation.bootstrap import Estimate
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import checkpoint

MISSING = '-'
# (config, split, bytes in all) -> the first documents of the config's data.
Documents = Callable[[Config, str, int], Iterator[bytes]]


class Line(NamedTuple):
  """What one model or baseline pays for each document."""

  name: str
  bits: np.ndarray  # [S seeds, N documents] float64
  parameters: int = 0


def sections(documents: Documents) -> dict[str, Callable[[Any, Settings], Section]]:
  """The sections of the suite."""
  return {'held_out': functools.partial(held_out, documents)}


def held_out(documents: Documents, subject: None, settings: Settings) -> Section:
  """The table: runs, n-grams, compressors."""
  del subject
  groups = _groups(settings.run_dir)
  config = groups[0][0].config
  texts = [text for text in documents(config, 'validation', settings.quality_bytes) if text]
  if not texts:
    raise ValueError(f'{config.data.mixture} has no held-out text: build it with a validation '
                     'split.')
  training = list(documents(config, 'train', long_ngram.MAX_BYTES))
  lines = [_line(group, texts) for group in groups]
  lines += [*_ngrams(training, texts), *_compressors(texts)]
  rows = [_row(line, texts) for line in lines]
  context = b''.join(training)[:settings.context_bytes]
  rows += [_after(compressor, context, b''.join(texts)) for compressor in compressors.available()]
  size = sum(map(len, texts))
  return Section(
      'Bits per byte of held-out documents',
      f'{len(texts)} documents of {config.data.mixture}, {size:,} bytes, each read from its start. '
      'Intervals of 95 %: over documents (BCa bootstrap), and over runs with different seeds '
      f'(Student\'s t). N-grams are counted in {sum(map(len, training)):,} bytes of the training '
      'text. Compressors have seen nothing, or, as one archive, the first '
      f'{len(context):,} bytes of it.'
      + ''.join(f' Not installed: {name}.' for name in compressors.missing()), rows)


class _Run(NamedTuple):
  folder: str
  config: Config
  params: Any


def _groups(run_dir: str) -> list[list[_Run]]:
  """The runs by config, seeds apart. Raises ValueError where there are none, or other data."""
  folders = [folder for folder in run_dir.split(',') if folder]
  if not folders:
    raise ValueError('--run_dir is missing: give the folders of runs, separated by commas.')
  groups: dict[Config, list[_Run]] = {}
  for folder in folders:
    config, params, _ = checkpoint.load_params(str(pathlib.Path(folder).expanduser()))
    alike = dataclasses.replace(config, train=dataclasses.replace(config.train, seed=0))
    groups.setdefault(alike, []).append(_Run(folder, config, params))
  found = list(groups.values())
  for group in found[1:]:
    if group[0].config.data.mixture != found[0][0].config.data.mixture:
      raise ValueError(f'{found[0][0].folder} and {group[0].folder} have other data: give runs of '
                       'one mixture.')
  return found


def _line(group: Sequence[_Run], texts: Sequence[bytes]) -> Line:
  bits = np.stack([_bits(run, texts) for run in group])
  name = pathlib.PurePath(group[0].folder).name
  size = sum(leaf.size for leaf in jax.tree.leaves(group[0].params))
  return Line(name if len(group) == 1 else f'{name} and {len(group) - 1} more', bits, size)


def _bits(run: _Run, texts: Sequence[bytes]) -> np.ndarray:  # [N]
  nats = np.zeros(len(texts))
  sequences = [streaming.Sequence(i, vocab.BOUNDARY, text) for i, text in enumerate(texts)]
  for scores in streaming.score(
      spectral_gpt.make_model(run.config.model), jax.device_put(run.params), sequences,
      batch_size=min(8, len(texts)), chunk=run.config.data.segment, dtype=jnp.float32):
    nats[scores.key] += scores.nll.sum(dtype=np.float64)
  return nats / math.log(2)


def _ngrams(training: Sequence[bytes], texts: Sequence[bytes]) -> Iterator[Line]:
  tables, counts = long_ngram.count(training), ngram.fit(ngram.count(training))
  by_text = long_ngram.nats(tables, texts)
  costs = {f'{len(tables)}-grams of bytes': [by_text[text] for text in texts],
           '3-grams of bytes': [ngram.trigram_nats(counts, text) for text in texts],
           'frequencies of bytes': [ngram.unigram_nats(counts, text) for text in texts]}
  for name, nats in costs.items():
    yield Line(name, np.array([nats]) / math.log(2))


def _compressors(texts: Sequence[bytes]) -> Iterator[Line]:
  """Those that need no program of their own, on each document alone."""
  for compressor in compressors.available():
    if not compressor.program:
      yield Line(compressor.name, np.array([[8.0 * compressor.size(text) for text in texts]]))


def _after(compressor: compressors.Compressor, context: bytes, text: bytes) -> Row:
  """All documents behind the training text, as one archive: there are no parts to draw again."""
  bits = 8 * compressors.cost(compressor, context, text) / len(text)
  return _cells(f'{compressor.name}, behind the training text', 0, 0,
                Estimate(bits, None, None), None)


def _row(line: Line, texts: Sequence[bytes]) -> Row:
  sizes = np.array([len(text) for text in texts], np.float64)
  table = np.stack([line.bits.mean(axis=0), sizes], axis=1)
  over_documents = bootstrap.estimate(table, lambda sums: sums[..., 0] / sums[..., 1])
  seeds = line.bits.shape[0]
  over_runs = bootstrap.over_runs(line.bits.sum(axis=1) / sizes.sum()) if seeds > 1 else None
  return _cells(line.name, line.parameters, seeds if line.parameters else 0, over_documents,
                over_runs)


def _cells(
    name: str, parameters: int, runs: int, documents: Estimate, seeds: Estimate | None
) -> Row:
  def end(value: float | None) -> Cell:
    return MISSING if value is None else value

  return {
      'model': name, 'parameters': parameters or MISSING, 'runs': runs or MISSING,
      'bits per byte': documents.value, 'documents, low': end(documents.low),
      'documents, high': end(documents.high), 'seeds, low': end(seeds.low if seeds else None),
      'seeds, high': end(seeds.high if seeds else None)}


def draw(found: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes quality.png, a line per model; returns what was written."""
  if 'held_out' not in found:
    return []
  quality_plot.save(found['held_out'].rows, folder / 'quality.png')
  return [folder / 'quality.png']
