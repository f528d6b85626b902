"""Scores held-out documents far beyond the training length: does a longer context help?

  python -m binaries.eval_extrapolation --run_dir=runs/demo --max_factor=16

Several runs of one config with different seeds (--run_dir=A,B,C) give means, and intervals over
them. Prints tables; writes extrapolation.json and extrapolation.png.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import jax.numpy as jnp
from absl import flags

from binaries import (
  command_line,
  extrapolation_report,
  flag_types,
  model_flags,
  progress_bar,
  text_sources,
)
from haiku_spectral import config as config_lib
from haiku_spectral.config import phases
from haiku_spectral.evaluation import extrapolation, ngram, report
from haiku_spectral.evaluation import plan as plan_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
DATA_DIR = flag_types.define_data_dir()
DATASET = flags.DEFINE_list(
    'dataset', [], 'Names of datasets, separated by commas (default: the mixture of the run).')
SPLIT = flags.DEFINE_string('split', 'validation', 'Split of the documents: validation or test.')
MAX_FACTOR = flag_types.define_integer(
    'max_factor', 64, 'Maximum multiple of the training length, a power of two.', lower=1)
MAX_DOCUMENTS = flag_types.define_integer(
    'max_documents', 64, 'Maximum number of documents; the longest are taken.', lower=1)
BATCH_SIZE = flag_types.define_integer(
    'batch_size', 8, 'Documents or windows per device call.', lower=1)
CHUNK = flag_types.define_integer(
    'chunk', 0, 'Bytes per row and device call; 0: the training length.')
PRECISION = model_flags.define_precision()
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')


def _baselines(names: Sequence[str], held_out: list[bytes]) -> report.Baselines:
  with progress_bar.of_bytes('count', None) as bar:
    counts = ngram.count(
        text_sources.first_bytes(
            names, data_dir=DATA_DIR.value, split='train', limit=ngram.MAX_BYTES),
        on_progress=bar.update)
  return ngram.baselines(counts, held_out)


def main(argv: Sequence[str]) -> None:
  """Evaluates, compares with counting, prints and writes the report."""
  del argv
  runs = model_flags.load_runs()
  config = runs[0].config
  extrapolation.check(
      train_length=config.data.segment, max_factor=MAX_FACTOR.value, batch_size=BATCH_SIZE.value,
      chunk=CHUNK.value, prefix='--')
  output = pathlib.Path(OUTPUT.value or runs[0].folder)
  atomic_file.check_folder(output, what='The report', flag='--output')
  names = DATASET.value or list(config_lib.parse_mixture(config.data.mixture))
  plan = plan_lib.Plan(config.data.segment, MAX_FACTOR.value)
  held_out = text_sources.of_datasets(
      names, data_dir=DATA_DIR.value, split=SPLIT.value, limit=plan.limit)
  documents = plan_lib.longest(held_out, count=MAX_DOCUMENTS.value, limit=plan.limit)
  total = len(runs) * sum(plan.work(len(data)) for _, data in documents)
  model = spectral_gpt.make_model(config.model)
  with progress_bar.of_bytes('score', total) as bar:
    found = extrapolation.summarize([
        extrapolation.measure(
            model, model_flags.on_device(run.params, PRECISION.value), documents,
            train_length=config.data.segment, max_factor=MAX_FACTOR.value,
            batch_size=BATCH_SIZE.value, chunk=CHUNK.value, dtype=jnp.dtype(PRECISION.value),
            on_progress=bar.update)
        for run in runs])
  scored = [data for _, data in documents if plan.factors(len(data))]
  found = dataclasses.replace(
      found, baselines=_baselines(names, scored), trained_context=phases.trained_context(config),
      source=f'{model_flags.describe(runs)} on {", ".join(names)} ({SPLIT.value})')
  print(report.to_text(found), flush=True)  # First: whatever becomes of the files, it is there.
  paths = extrapolation_report.write(found, output)
  print(f'\nWritten: {paths[0]}, {paths[1]}')


if __name__ == '__main__':
  command_line.run(main)
