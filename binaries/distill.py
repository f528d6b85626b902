"""Turns a trained run's filter networks into sums of exponentials, and says what that costs.

  python -m binaries.distill --run_dir=runs/x --out=runs/x-modal --modes=32 --tolerance=0.02

Prints a table of errors, the sizes of the state and both models' bits per byte; writes a run folder
that every other program takes, with distillation.json in it.
"""

import dataclasses
import json
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import tqdm
from absl import flags

from binaries import command_line, extrapolation_report, flag_types
from haiku_spectral import config as config_lib
from haiku_spectral import vocab
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill, sampling
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.distillation import distill
from haiku_spectral.evaluation import streaming
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import checkpoint, loss

RUN_DIR = flag_types.define_path('run_dir', None, 'Folder of the run whose filters are distilled.')
OUT = flag_types.define_path(
    'out', None, 'Folder of the new run: one that is empty or does not exist.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
MODES = flag_types.define_integer('modes', 32, 'Exponentials per channel.', lower=1)
TOLERANCE = flag_types.define_float(
    'tolerance', 0.02, 'Greatest relative l2 error that the taps of a channel may have.')
FORCE = flags.DEFINE_bool('force', False, 'Writes the run whatever its errors are.')
DATA_DIR = flag_types.define_path('data_dir', 'data', 'Folder of the built datasets.')
EVAL_BYTES = flag_types.define_integer(
    'eval_bytes', 65_536, 'Held-out bytes on which both models are compared; 0: none.')
SPEED_BYTES = flag_types.define_integer(
    'speed_bytes', 256, 'Bytes that both models generate to be timed; 0: none.')
REPORT = 'distillation.json'
LANES = 8  # Documents read side by side,
CHUNK = 256  # and bytes of each in a device call: modes take N numbers a byte while they read.


def _check_flags() -> tuple[str, pathlib.Path]:
  """The folder of the run and the one to write."""
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  if not OUT.value:
    raise ValueError('--out is missing: give the folder of the new run (runs/NAME-modal).')
  if MODES.value < 1:
    raise ValueError(f'--modes={MODES.value} is not allowed: give 1 or more.')
  if not TOLERANCE.value > 0:
    raise ValueError(f'--tolerance={TOLERANCE.value} is not allowed: give more than 0.')
  for flag in (EVAL_BYTES, SPEED_BYTES):
    if flag.value < 0:
      raise ValueError(f'--{flag.name}={flag.value} is not allowed: give 0 or more.')
  out = pathlib.Path(OUT.value)
  if out.exists() and (not out.is_dir() or any(out.iterdir())):
    raise ValueError(f'--out={out} is there and not empty: give another folder, or remove it.')
  return RUN_DIR.value, out


def _held_out(config: config_lib.Config) -> list[bytes]:
  """The beginnings of held-out documents of the run's data, --eval_bytes in all."""
  texts: list[bytes] = []
  left = EVAL_BYTES.value
  if not left:
    return texts
  for document in extrapolation_report.documents(
      list(config_lib.parse_mixture(config.data.mixture)), data_dir=DATA_DIR.value,
      split='validation', limit=-(-left // LANES)):
    texts.append(document.data[:left])
    left -= len(texts[-1])
    if not left:
      break
  return texts


def _bits_per_byte(model: spectral_gpt.Model, params: Any, texts: Sequence[bytes]) -> float:
  """The mean over all bytes of the texts, each read from its start."""
  sequences = (streaming.Sequence(i, vocab.BOUNDARY, text) for i, text in enumerate(texts))
  with tqdm.tqdm(desc='score', total=sum(map(len, texts)), unit='B', unit_scale=True,
                 mininterval=command_line.BAR_SECONDS) as bar:
    nats = 0.0
    for scores in streaming.score(model, params, sequences, batch_size=LANES, chunk=CHUNK):
      nats += float(np.sum(scores.nll, dtype=np.float64))
      bar.update(scores.nll.size)
  return loss.bits_per_byte(nats / sum(map(len, texts)))


def _bytes_per_second(config: config_lib.ModelConfig, params: Any) -> float:
  """Of writing one text, compilation apart."""
  decoder = decoder_lib.Decoder(config, params)
  context = prefill.begin(decoder.model, params)
  for _ in range(2):  # The first time it is compiled.
    start = time.perf_counter()
    request = Request(SPEED_BYTES.value, jax.random.key(0))
    Generation(decoder, context, request, sampling.SamplingConfig()).run()
  return SPEED_BYTES.value / (time.perf_counter() - start)


def _table(found: distill.Distilled) -> str:
  """Worst and median errors of every long filter, and the channel of the worst l2 error."""
  rows = [f'{"filter":<24}{"l2 worst":>10}{"channel":>9}{"median":>10}{"l1 worst":>10}'
          f'{"median":>10}{"bound":>10}']
  for name, errors in found.errors.items():
    rows.append(
        f'{name:<24}{errors.l2.max():>10.4g}{errors.l2.argmax():>9}{np.median(errors.l2):>10.4g}'
        f'{errors.l1.max():>10.4g}{np.median(errors.l1):>10.4g}{errors.bound.max():>10.4g}')
  return '\n'.join(rows)


def _compare(
    models: dict[str, config_lib.ModelConfig], params: dict[str, Any], texts: Sequence[bytes]
) -> dict[str, dict[str, float]]:
  """What each model's state takes, how well it predicts, and how fast it writes."""
  found: dict[str, dict[str, float]] = {}
  for name, model_config in models.items():
    model, own = spectral_gpt.make_model(model_config), jax.device_put(params[name])
    filter_bytes, state_bytes = distill.state_bytes(model_config)
    found[name] = {'filter_state_bytes': filter_bytes, 'state_bytes': state_bytes}
    line = f'{name:<8} state {state_bytes:,} bytes, {filter_bytes:,} of them for long filters'
    if texts:
      found[name]['bits_per_byte'] = _bits_per_byte(model, own, texts)
      line += f'; {found[name]["bits_per_byte"]:.4f} bits per byte'
    if SPEED_BYTES.value:
      found[name]['bytes_per_second'] = _bytes_per_second(model_config, own)
      line += f'; writes {found[name]["bytes_per_second"]:,.0f} bytes/s'
    print(line)
  return found


def _check_errors(found: distill.Distilled) -> None:
  """Refuses a distillation in which a channel is further from its taps than is tolerated."""
  errors = np.concatenate([errors.l2 for errors in found.errors.values()])
  far = int(np.sum(~(errors <= TOLERANCE.value)))
  if far and not FORCE.value:
    raise ValueError(
        f'{far} of {errors.size} channels have a relative l2 error above '
        f'--tolerance={TOLERANCE.value}, the worst {errors.max():.3g}, and nothing is written: '
        f'give more than --modes={MODES.value}, a greater --tolerance, or --force.')


def _to_json(
    found: distill.Distilled, step: int, compared: dict[str, dict[str, float]], scored: int
) -> str:
  """All that was measured, every channel's errors included."""
  filters = found.config.hyena.filter
  return json.dumps({
      'run': RUN_DIR.value, 'step': step, 'modes': MODES.value, 'tolerance': TOLERANCE.value,
      'min_time_constant': filters.min_time_constant,
      'max_time_constant': filters.max_time_constant,
      'bytes_scored': scored, 'models': compared,
      'filters': [
          {'name': name, 'worst_channel': int(errors.l2.argmax()),
           **{key: [float(f'{value:.4g}') for value in values]
              for key, values in errors._asdict().items()}}
          for name, errors in found.errors.items()],
  }, indent=1)


def main(argv: Sequence[str]) -> None:
  """Fits, measures, and writes what is close enough."""
  del argv
  run_dir, out = _check_flags()
  config, params, step = checkpoint.load_params(run_dir, best=BEST.value)
  texts = _held_out(config)
  with tqdm.tqdm(desc='fit', total=distill.num_channels(params), unit=' channels',
                 mininterval=command_line.BAR_SECONDS) as bar:
    found = distill.distill(config.model, params, modes=MODES.value, on_progress=bar.update)
  print(_table(found))
  compared = _compare({'network': config.model, 'modal': found.config},
                      {'network': params, 'modal': found.params}, texts)
  _check_errors(found)
  distill.write_run(
      out, dataclasses.replace(config, model=found.config), found.params, step)
  atomic_file.write_text(
      out / REPORT, _to_json(found, step, compared, sum(map(len, texts))) + '\n')
  print(f'Written: {out}, its errors: {out / REPORT}')


if __name__ == '__main__':
  command_line.run(main)
