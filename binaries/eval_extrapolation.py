"""Reads long held-out documents far beyond the training length and says whether it helps or harms.

  python -m binaries.eval_extrapolation --run_dir=runs/demo --max_factor=16

Prints tables; writes extrapolation.json and extrapolation.png.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import tqdm
from absl import flags

from binaries import command_line, extrapolation_report, flag_types
from haiku_spectral import config as config_lib
from haiku_spectral.evaluation import extrapolation, ngram, report
from haiku_spectral.evaluation import plan as plan_lib
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.training import checkpoint

RUN_DIR = flag_types.define_path('run_dir', None, 'Folder of the run that is evaluated.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
DATA_DIR = flag_types.define_path('data_dir', 'data', 'Folder of the built datasets.')
DATASET = flags.DEFINE_list('dataset', [], 'Names of datasets; empty: all of the run\'s mixture.')
SPLIT = flags.DEFINE_string('split', 'validation', 'Which documents: validation or test.')
MAX_FACTOR = flag_types.define_integer(
    'max_factor', 64, 'Greatest multiple of the training length, a power of two.', lower=1)
MAX_DOCUMENTS = flag_types.define_integer(
    'max_documents', 64, 'Number of documents, the longest ones.', lower=1)
BATCH_SIZE = flag_types.define_integer(
    'batch_size', 8, 'Documents or windows per device call.', lower=1)
CHUNK = flag_types.define_integer(
    'chunk', 0, 'Bytes per row and device call; 0: the training length.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', ['float32', 'bfloat16', 'float16'], 'What the layers compute in.')
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')


def _progress(what: str, total: int | None) -> tqdm.tqdm:
  return tqdm.tqdm(
      desc=what, total=total, unit='B', unit_scale=True, mininterval=command_line.BAR_SECONDS)


def _baselines(names: Sequence[str], held_out: list[bytes]) -> report.Baselines:
  with _progress('count', None) as bar:
    counts = ngram.count(
        (document.data for document in extrapolation_report.documents(
            names, data_dir=DATA_DIR.value, split='train', limit=ngram.MAX_BYTES)),
        on_progress=bar.update)
  return ngram.baselines(counts, held_out)


def main(argv: Sequence[str]) -> None:
  """Evaluates, compares with counting, prints and writes the report."""
  del argv
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  config, params, step = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  names = DATASET.value or list(config_lib.parse_mixture(config.data.mixture))
  plan = plan_lib.Plan(config.data.segment, MAX_FACTOR.value)
  held_out = extrapolation_report.documents(
      names, data_dir=DATA_DIR.value, split=SPLIT.value, limit=plan.limit)
  documents = plan_lib.longest(held_out, count=MAX_DOCUMENTS.value, limit=plan.limit)
  dtype = jnp.dtype(PRECISION.value)
  params = jax.device_put(precision.cast_params(params, dtype))
  total = sum(plan.work(len(data)) for _, data in documents)
  with _progress('score', total) as bar:
    found = extrapolation.evaluate(
        spectral_gpt.make_model(config.model), params, documents,
        train_length=config.data.segment, max_factor=MAX_FACTOR.value,
        batch_size=BATCH_SIZE.value, chunk=CHUNK.value, dtype=dtype, on_progress=bar.update)
  read = [data for _, data in documents if plan.factors(len(data))]
  found = dataclasses.replace(
      found, baselines=_baselines(names, read),
      source=f'{RUN_DIR.value} at step {step:,} on {", ".join(names)} ({SPLIT.value})')
  paths = extrapolation_report.write(found, pathlib.Path(OUTPUT.value or RUN_DIR.value))
  print(report.to_text(found))
  print(f'\nWritten: {paths[0]}, {paths[1]}')


if __name__ == '__main__':
  command_line.run(main)
