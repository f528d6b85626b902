"""Scores the same bytes of long documents with the context cut to 1 KiB, 4 KiB, ..., and whole.

  python -m binaries.eval_context --run_dir=runs/demo --dataset=starter --split=test
  python -m binaries.eval_context --run_dir=runs/demo --text=book.txt

Baselines: PPMd, xz, zstd, bzip2 and gzip, and zpaq if it is installed, each with the same
context. Several runs of one config with different seeds (--run_dir=A,B,C) give means, and intervals
over them. Prints a table; writes context.json and context.png.
"""

import dataclasses
import functools
import pathlib
from collections.abc import Sequence

import jax.numpy as jnp
from absl import flags

from binaries import command_line, flag_types, model_flags, progress_bar, text_sources
from haiku_spectral import config as config_lib
from haiku_spectral.config import phases
from haiku_spectral.evaluation import context_length, context_plot, context_report
from haiku_spectral.evaluation import plan as plan_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
DATA_DIR = flag_types.define_data_dir()
DATASET = flags.DEFINE_list(
    'dataset', [], 'Names of datasets, separated by commas (default: the mixture of the run).')
SPLIT = flags.DEFINE_string('split', 'test', 'Split of the documents: validation or test.')
TEXT = flag_types.define_paths(
    'text', 'Files of text, or folders of such files, separated by commas, instead of datasets.')
CONTEXTS = flag_types.define_integer_list(
    'contexts', list(context_length.LENGTHS),
    'Context lengths in bytes, separated by commas; the whole context is always measured too.',
    lower=1)
LAST_PART = flag_types.define_float(
    'last_part', 0.25, 'Fraction of each document, at its end, that is scored; up to 0.5.',
    upper=0.5)
MIN_BYTES = flag_types.define_integer(
    'min_bytes', 1 << 16, 'Minimum size of a document in bytes; smaller ones are not used.',
    lower=2)
MAX_BYTES = flag_types.define_integer(
    'max_bytes', 1 << 20, 'Maximum number of bytes that are used of a document, from its start.',
    lower=2)
MAX_DOCUMENTS = flag_types.define_integer(
    'max_documents', 16, 'Maximum number of documents; the longest are taken.', lower=1)
BATCH_SIZE = flag_types.define_integer(
    'batch_size', 8, 'Maximum number of documents or windows per device call.', lower=1)
CHUNK = flag_types.define_integer('chunk', 1024, 'Bytes per row and device call.', lower=1)
PRECISION = model_flags.define_precision()
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder, or the first of several).')


def _documents(config: config_lib.Config) -> tuple[list[bytes], str]:
  """The longest documents, and where they are from. Raises ValueError when none is long enough."""
  names = DATASET.value or list(config_lib.parse_mixture(config.data.mixture))
  if TEXT.value and DATASET.value:
    raise ValueError('--text and --dataset exclude each other: give one of them.')
  source = ', '.join(TEXT.value) or f'{", ".join(names)} ({SPLIT.value})'
  found = (
      text_sources.of_files(TEXT.value, MAX_BYTES.value) if TEXT.value
      else text_sources.of_datasets(
          names, data_dir=DATA_DIR.value, split=SPLIT.value, limit=MAX_BYTES.value))
  longest = plan_lib.longest(found, count=MAX_DOCUMENTS.value, limit=MAX_BYTES.value)
  documents = [data for _, data in longest if len(data) >= MIN_BYTES.value]
  if not documents:
    most = max((len(data) for _, data in longest), default=0)
    raise ValueError(f'No document of {source} has --min_bytes={MIN_BYTES.value} bytes: the '
                     f'longest has {most}. Give longer documents, or a smaller value.')
  return documents, source


def main(argv: Sequence[str]) -> None:
  """Measures the model and the compressors, prints and writes the report."""
  del argv
  context_length.check(lengths=CONTEXTS.value, last_part=LAST_PART.value, prefix='--')
  runs = model_flags.load_runs()
  config = runs[0].config
  output = pathlib.Path(OUTPUT.value or runs[0].folder)
  atomic_file.check_folder(output, what='The report', flag='--output')
  documents, source = _documents(config)
  plan = context_length.make_plan(documents, lengths=CONTEXTS.value, last_part=LAST_PART.value)
  with progress_bar.of_bytes('compress', plan.work()) as bar:
    costs = context_length.compressor_bytes(plan, on_progress=bar.update)
  model = spectral_gpt.make_model(config.model)
  with progress_bar.of_bytes('score', len(runs) * plan.work()) as bar:
    measured = [
        context_length.measure(
            model, model_flags.on_device(run.params, PRECISION.value), plan,
            batch_size=BATCH_SIZE.value, chunk=CHUNK.value, dtype=jnp.dtype(PRECISION.value),
            on_progress=bar.update)
        for run in runs]
  found = context_length.summarize(
      plan, measured, costs, train_length=config.data.segment,
      trained_context=phases.trained_context(config))
  found = dataclasses.replace(found, source=f'{model_flags.describe(runs)} on {source}')
  command_line.publish(
      output, 'context', text=context_report.to_text(found), fields=context_report.to_json(found),
      draw=functools.partial(context_plot.save, found))


if __name__ == '__main__':
  command_line.run(main)
