"""How long a chain of sub-tasks a model gets right, with and without a context that goes on.

  python -m binaries.agent_horizon --run_dir=runs/nano --families=turkish_suffixes --depth=1

Prints a table; writes horizon.json and horizon.png. Exit code 3: there is no sandbox.
"""

import pathlib
import sys
import tempfile
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import tqdm
from absl import flags

from binaries import command_line, flag_types
from haiku_spectral.agent import horizon, horizon_report
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import session
from haiku_spectral.modules import precision
from haiku_spectral.sandbox import result, sandbox
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks import registry
from haiku_spectral.training import checkpoint

RUN_DIR = flag_types.define_path('run_dir', '', 'Folder of the run that is measured.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
FAMILIES = flags.DEFINE_list('families', ['turkish_suffixes'], 'Of what the sub-tasks are drawn.')
DEPTH = flag_types.define_integer('depth', 1, 'Depth of each sub-task.', lower=1)
GOALS = flag_types.define_integer('goals', 50, 'Number of goals.', lower=1)
LENGTHS = flag_types.define_integers(
    'lengths', [1, 2, 4, 8], 'Sub-tasks per goal; may be given several times.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Seed that draws the goals.')
SANDBOX = flags.DEFINE_enum('sandbox', 'bwrap', ['bwrap', 'landlock'], 'What holds the answers.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', ['float32', 'bfloat16', 'float16'], 'What the layers compute in.')
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')


def _load() -> horizon.Writer:
  """The model, from the disk each time."""
  config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  cast = jax.device_put(precision.cast_params(params, jnp.dtype(PRECISION.value)))
  return horizon.Writer(
      decoder_lib.Decoder(config.model, cast), session.owner(config.model, params))


def _measure(plan: horizon.Plan, box: sandbox.Sandbox) -> horizon_report.Report:
  right, same = {}, 0
  total = 4 * plan.goals * max(plan.lengths)
  with tqdm.tqdm(desc='sub-tasks', total=total, mininterval=command_line.BAR_SECONDS) as bar:
    for persistent in (True, False):
      answers = horizon.play(plan, _load, persistent=persistent, on_progress=bar.update)
      with tempfile.TemporaryDirectory() as folder:
        restarted = horizon.play(
            plan, _load, persistent=persistent, restart_in=folder, on_progress=bar.update)
      same += horizon.check_restart(answers, restarted)
      right[persistent] = horizon.judge(plan, answers, box)
  return horizon_report.summarize(
      f'{RUN_DIR.value} on {", ".join(FAMILIES.value)}, depth {plan.depth}', plan.lengths,
      right[True], right[False], same)


def main(argv: Sequence[str]) -> int:
  """Measures, prints and writes the report."""
  del argv
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  plan = horizon.Plan(
      families=tuple(registry.family(name) for name in FAMILIES.value), depth=DEPTH.value,
      goals=GOALS.value, lengths=tuple(LENGTHS.value), seed=SEED.value)
  folder = pathlib.Path(OUTPUT.value or RUN_DIR.value)
  atomic_file.check_folder(folder, what='The report', flag='--output')
  try:
    with sandbox.Sandbox(SANDBOX.value, hash_seeds=(0,)) as box:
      found = _measure(plan, box)
  except result.Unavailable as error:
    print(f'error: {error}', file=sys.stderr)
    return error.EXIT_CODE
  print(horizon_report.to_text(found), flush=True)  # First, should writing fail.
  paths = folder / 'horizon.json', folder / 'horizon.png'
  atomic_file.write_text(paths[0], horizon_report.to_json(found) + '\n')
  horizon_report.save(found, paths[1])
  print(f'\nWritten: {paths[0]}, {paths[1]}')
  return 0


if __name__ == '__main__':
  command_line.run(main)
