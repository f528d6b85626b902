"""Replaces the filter networks of a trained run with sums of exponentials; reports the loss.

  python -m binaries.distill --run_dir=runs/x --out=runs/x-modal --modes=32 --tolerance=0.02

Prints a table of errors, and the state size and bits per byte of both models; writes a run folder
that every other program accepts, with distillation.json in it.
"""

import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np
from absl import flags

from binaries import command_line, flag_types, model_flags, progress_bar, text_sources
from haiku_spectral import config as config_lib
from haiku_spectral.distillation import comparison, distill
from haiku_spectral.requirement import require
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
OUT = flag_types.define_path(
    'out', '', 'Folder of the new run; it must be empty or not exist.')
MODES = flag_types.define_integer('modes', 32, 'Exponentials per channel.', lower=1)
TOLERANCE = flag_types.define_float(
    'tolerance', 0.02, 'Maximum relative l2 error of the taps of a channel.')
FORCE = flags.DEFINE_bool('force', False, 'Writes the run even if errors are above --tolerance.')
DATA_DIR = flag_types.define_data_dir()
EVAL_BYTES = flag_types.define_integer(
    'eval_bytes', 65_536, 'Held-out bytes on which both models are compared; 0: no comparison.')
SPEED_BYTES = flag_types.define_integer(
    'speed_bytes', 256, 'Bytes that both models generate to measure their speed; 0: not measured.')
REPORT = 'distillation.json'


def _check_flags() -> pathlib.Path:
  """The folder to write."""
  model_flags.check()
  out = pathlib.Path(flag_types.given(OUT, 'the folder of the new run (runs/NAME-modal)'))
  require(TOLERANCE.value > 0, '--tolerance', TOLERANCE.value, 'more than 0')
  if out.exists() and (not out.is_dir() or any(out.iterdir())):
    raise ValueError(f'--out={out} is there and not empty: give another folder, or remove it.')
  atomic_file.check_folder(out.parent, what='The folder of the new run,', flag='--out')
  return out


def _held_out(config: config_lib.Config) -> list[bytes]:
  """The beginnings of held-out documents of the run's data, --eval_bytes in all."""
  if not EVAL_BYTES.value:
    return []
  return list(text_sources.first_bytes(
      list(config_lib.parse_mixture(config.data.mixture)), data_dir=DATA_DIR.value,
      split='validation', limit=EVAL_BYTES.value,
      longest=-(-EVAL_BYTES.value // comparison.BATCH_SIZE)))


def _measure(
    name: str, config: config_lib.ModelConfig, params: object, texts: Sequence[bytes]
) -> comparison.Measured:
  with progress_bar.of_bytes('score', sum(map(len, texts)), disable=not texts) as bar:
    measured = comparison.measure(
        config, params, texts, speed_bytes=SPEED_BYTES.value, on_progress=bar.update)
  print(measured.to_text(name))
  return measured


def _check_errors(found: distill.Distilled) -> None:
  """Refuses a distillation in which a channel is further from its taps than is tolerated."""
  errors = np.concatenate([errors.l2 for errors in found.errors.values()])
  far = int(np.sum(~(errors <= TOLERANCE.value)))
  if far and not FORCE.value:
    raise ValueError(
        f'{far} of {errors.size} channels have a relative l2 error above '
        f'--tolerance={TOLERANCE.value}, the worst {errors.max():.3g}, and nothing is written: '
        f'give more than --modes={MODES.value}, a greater --tolerance, or --force.')


def main(argv: Sequence[str]) -> None:
  """Fits, measures, and writes the new run if it is close enough."""
  del argv
  out = _check_flags()
  config, params, step = model_flags.load_trained()
  texts = _held_out(config)
  with progress_bar.of_items('fit', distill.num_channels(params), unit=' channels') as bar:
    found = distill.distill(config.model, params, modes=MODES.value, on_progress=bar.update)
  print(comparison.table(found.errors))
  models = {'network': _measure('network', config.model, params, texts),
            'modal': _measure('modal', found.config, found.params, texts)}
  _check_errors(found)
  distill.write_run(out, dataclasses.replace(config, model=found.config), found.params, step)
  atomic_file.write_text(out / REPORT, comparison.to_json(found, models, {
      'run': model_flags.RUN_DIR.value, 'step': step, 'slots_times': model_flags.SLOTS_TIMES.value,
      'modes': MODES.value,
      'tolerance': TOLERANCE.value, 'bytes_scored': sum(map(len, texts))}) + '\n')
  print(f'Written: {out}, its errors: {out / REPORT}')


if __name__ == '__main__':
  command_line.run(main)
