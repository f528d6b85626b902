"""The public duel: trains on Tiny Shakespeare for minutes, and compares the loss with nanoGPT's.

  make duel
  make duel ARGS='--minutes=3 --source=input.txt'

Finished runs are measured again, not trained again; a stopped run is resumed.
"""

import pathlib
from collections.abc import Sequence

import jax

from binaries import command_line, flag_types, progress_bar
from datasets import pipeline
from haiku_spectral.evaluation import duel
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import checkpoint, metrics

RUN_DIR = flag_types.define_path('run_dir', 'runs/duel', 'Folder of the runs and of the report.')
DATA_DIR = flag_types.define_path('data_dir', 'data', 'Folder in which the dataset is built.')
SOURCE = flag_types.define_path(
    'source', None, 'File input.txt with the text (default: it is downloaded).')
MINUTES = flag_types.define_float_list(
    'minutes', [3.0, 15.0], 'Minutes of training steps, one run each, separated by commas.',
    lower=0.001)
PRESET = flag_types.define_path('preset', 'haiku_spectral/configs/duel.py', 'Preset of the runs.')
SEED = flag_types.define_integer('seed', 0, 'Seed of the runs.')


def _folder(minutes: float) -> pathlib.Path:
  return pathlib.Path(RUN_DIR.value, f'{minutes:g}_minutes_seed_{SEED.value}')


def _commands() -> list[list[str]]:
  """What runs before anything is measured: module name and flags."""
  data = f'--data_dir={DATA_DIR.value}'
  source = [f'--source={SOURCE.value}'] if SOURCE.value else []
  return [
      ['binaries.prepare_data', '--dataset=tiny_shakespeare', data, *source],
      *(['binaries.train', f'--config={PRESET.value}', f'--run_dir={_folder(minutes)}', data,
         f'--minutes={minutes:g}', f'--config.train.seed={SEED.value}']
        for minutes in MINUTES.value)]


def _measure(minutes: float, text: bytes) -> duel.Result:
  config, params, _ = checkpoint.load_params(str(_folder(minutes)))
  params = jax.device_put(params)
  with progress_bar.of_bytes('score', 2 * len(text)) as bar:
    losses = duel.measure(spectral_gpt.make_model(config.model), params, text,
                          length=config.data.segment, on_progress=bar.update)
  rows = [row for row in metrics.read(_folder(minutes)) if row['kind'] == metrics.TRAIN]
  return duel.Result(
      'ours', metrics.seconds(rows, config.data.batch_size) / 60,
      jax.devices()[0].device_kind, sum(leaf.size for leaf in jax.tree.leaves(params)),
      config.data.segment, *losses)


def main(argv: Sequence[str]) -> int:
  """Stops at the first command that fails, with its exit code."""
  del argv
  folder = pathlib.Path(RUN_DIR.value)
  atomic_file.check_folder(folder, what='The report', flag='--run_dir')
  if status := command_line.run_in_order(_commands()):
    return status
  documents = pipeline.documents('tiny_shakespeare', data_dir=DATA_DIR.value, split='validation')
  text = b''.join(document.data for document in documents)
  results = [_measure(minutes, text) for minutes in MINUTES.value]
  print('\n' + duel.to_text(results), flush=True)
  path = folder / 'duel.json'
  atomic_file.write_text(path, command_line.with_command(duel.to_json(results)))
  print(f'\nWritten: {path}')
  return 0


if __name__ == '__main__':
  command_line.run(main)
