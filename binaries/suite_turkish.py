"""The suite `turkish`: the grammar of Turkish by minimal pairs, of TurBLiMP or made by rule."""

import functools
from collections.abc import Iterator

from absl import flags

from binaries import flag_types, suites
from datasets import pipeline
from haiku_spectral.config import Config, parse_mixture
from haiku_spectral.evaluation import long_ngram, short_texts
from haiku_spectral.evaluation.minimal_pairs import plot, report, scoring, turblimp
from haiku_spectral.evaluation.minimal_pairs.pair import Pair
from haiku_spectral.tasks import turkish_pairs

flags.adopt_module_key_flags(suites)
SOURCE = flag_types.define_path(
    'source', None, 'Turkish: TurBLiMP, a CSV file or a folder of them (default: pairs made by '
    'rule).')
PAIRS = flag_types.define_integer(
    'pairs', 1000, 'Turkish: pairs made by rule, per phenomenon.', lower=1, upper=2000)
PAIRS_SEED = flag_types.define_integer(
    'pairs_seed', 0, 'Turkish: other seeds make other pairs by rule.')
DATA_DIR = flag_types.define_path(
    'data_dir', 'data', 'Turkish: folder of the built datasets, whose training text is counted for '
    'the n-grams unless there is --text.')


def _prepare() -> suites.Measure:
  pairs = (turblimp.read(SOURCE.value) if SOURCE.value
           else turkish_pairs.make(PAIRS.value, PAIRS_SEED.value))
  return functools.partial(_measure, pairs)


def _measure(pairs: list[Pair], subject: suites.Subject) -> suites.Found:
  texts = {text for pair in pairs for text in (pair.good, pair.bad)}
  tables = long_ngram.count(_counted(subject.config))
  with suites.progress('score', sum(map(len, texts))) as bar:
    nats = short_texts.nats(
        subject.model, subject.params, texts, dtype=subject.dtype, on_progress=bar.update)
  rows = scoring.evaluate(pairs, {
      'model': nats, f'{len(tables)}-gram': long_ngram.nats(tables, texts)})
  source = f'{subject.source} on {SOURCE.value or "pairs made by rule"}'
  return suites.Found(
      report.to_text(rows, source=source), report.to_json(rows, source=source), plot.figure(rows))


def _counted(config: Config) -> Iterator[bytes]:
  """What the n-grams know: the texts of --text, or what the run was trained on.

  Of each dataset the same number of bytes at most.
  """
  if suites.TEXT.value:
    yield from (data for _, data in suites.documents(long_ngram.MAX_BYTES))
    return
  names = list(parse_mixture(config.data.mixture))
  for name in names:
    left = -(-long_ngram.MAX_BYTES // len(names))
    for document in pipeline.documents(name, data_dir=DATA_DIR.value, split='train', limit=left):
      yield document.data[:left]
      left -= len(document.data)
      if left <= 0:
        break


SUITE = suites.Suite('the grammar of Turkish, by minimal pairs', _prepare)
