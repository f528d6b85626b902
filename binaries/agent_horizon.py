"""Measures how many sub-tasks in a row a model gets right, with and without its context.

  python -m binaries.agent_horizon --run_dir=runs/demo --families=turkish_suffixes --depth=1

Prints a table; writes horizon.json and horizon.png. Exit code 3: no sandbox.
"""

import functools
import pathlib
import tempfile
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types, model_flags, progress_bar, sandbox_flag
from haiku_spectral.agent import horizon, horizon_report
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import session
from haiku_spectral.sandbox import sandbox
from haiku_spectral.storage import atomic_file
from haiku_spectral.tasks import registry

flags.adopt_module_key_flags(model_flags)
FAMILIES = flags.DEFINE_list('families', ['turkish_suffixes'], 'Problem families, by commas.')
DEPTH = flag_types.define_integer('depth', 1, 'Depth of each sub-task.', lower=1)
GOALS = flag_types.define_integer('goals', 50, 'Number of goals.', lower=1)
LENGTHS = flag_types.define_integers(
    'lengths', [1, 2, 4, 8], 'Sub-tasks per goal; may be given several times.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Seed that draws the goals.')
SANDBOX = sandbox_flag.define('the answers')
PRECISION = model_flags.define_precision()
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')


def _load() -> horizon.LoadedModel:
  """The model, from the disk each time."""
  config, params, _ = model_flags.load()
  cast = model_flags.on_device(params, PRECISION.value)
  return horizon.LoadedModel(
      decoder_lib.Decoder(config.model, cast), session.owner(config.model, params))


def _measure(plan: horizon.Plan, box: sandbox.Sandbox) -> horizon_report.Report:
  right, objects, same = {}, {}, 0
  total = 4 * plan.goals * max(plan.lengths)
  with progress_bar.of_items('sub-tasks', total) as bar:
    for persistent in (True, False):
      answers = horizon.play(plan, _load, persistent=persistent, on_progress=bar.update)
      with tempfile.TemporaryDirectory() as folder:
        restarted = horizon.play(
            plan, _load, persistent=persistent, restart_in=folder, on_progress=bar.update)
      same += horizon.check_restart(answers, restarted)
      right[persistent] = horizon.verify(plan, answers, box)
      objects[persistent] = horizon.objects(plan, answers)
  return horizon_report.summarize(
      f'{model_flags.RUN_DIR.value} on {", ".join(FAMILIES.value)}, depth {plan.depth}',
      plan.lengths, right[True], right[False], same, objects=objects[True])


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes the report."""
  del argv
  model_flags.check()
  plan = horizon.Plan(
      families=tuple(registry.family(name) for name in FAMILIES.value), depth=DEPTH.value,
      goals=GOALS.value, lengths=tuple(LENGTHS.value), seed=SEED.value)
  folder = pathlib.Path(OUTPUT.value or model_flags.RUN_DIR.value)
  atomic_file.check_folder(folder, what='The report', flag='--output')
  with sandbox.Sandbox(SANDBOX.value, hash_seeds=(0,)) as box:
    found = _measure(plan, box)
  command_line.publish(
      folder, 'horizon', text=horizon_report.to_text(found),
      fields=horizon_report.to_json(found), draw=functools.partial(horizon_report.save, found))


if __name__ == '__main__':
  command_line.run(main)
