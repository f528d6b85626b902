"""Self-training: a model generates answers, and those that a verifier finds right train it.

  python -m binaries.self_improve --run_dir=runs/self_improve
  python -m binaries.self_improve --run_dir=runs/self_improve --arm=golden,oracle,agreement --seed=0
  python -m binaries.self_improve --run_dir=runs/self_improve --report

Whatever stops it, the same command resumes. Exit codes: 0 all rounds are done, or every depth is
mastered before the last one (a line says so); 1 a mistake in the flags; 3 the sandbox is missing or
fails its self-test; 4 no signal at the frontier; 5 a round has made the model worse. After 4 and 5
the other arms and seeds still run: how a seed ended is part of the claim.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags, logging

from binaries import command_line, flag_types, preset_flag, progress_bar, sandbox_flag
from haiku_spectral import config as configs
from haiku_spectral import shutdown
from haiku_spectral.sandbox import sandbox
from haiku_spectral.self_training import outcomes, paths
from haiku_spectral.self_training import settings as settings_lib

CONFIG = preset_flag.define(
    'haiku_spectral/configs/self_improve.py',
    'Preset with two phases: the training of the base model, and that of each round.')
RUN_DIR = flag_types.define_path(
    'run_dir', 'runs/self_improve', 'Folder of all models, samples and reports.')
SEED = flags.DEFINE_list(
    'seed', ['0', '1', '2', '3', '4'],
    'Seeds, separated by commas: each is a separate experiment with its own base model.')
ARM = flags.DEFINE_list(
    'arm', ['golden', 'unfiltered', 'control'],
    f'What the rounds train on, separated by commas: {", ".join(settings_lib.ARMS)}. The other '
    'arms ask the problems that golden asked, so golden comes first.')
REPORT = flags.DEFINE_bool('report', False, 'Reports on the results so far and runs nothing.')
SANDBOX = sandbox_flag.define('the programs')
_DEFINE: dict[Any, Callable[..., Any]] = {
    int: flag_types.define_integer, float: flag_types.define_float, str: flags.DEFINE_string}
for _field in dataclasses.fields(settings_lib.Settings):
  _DEFINE[_field.type](_field.name, _field.default, _field.metadata['help'])

NO_SIGNAL, WORSE = 4, 5  # Exit codes.


def _settings() -> settings_lib.Settings:
  given: dict[str, Any] = {field.name: flags.FLAGS[field.name].value
                           for field in dataclasses.fields(settings_lib.Settings)}
  return settings_lib.Settings(**given)


def _chosen(samples: int, root: pathlib.Path) -> tuple[list[int], list[str]]:
  """Seeds and arms. Raises ValueError for what is neither, or could not be run to its end."""
  for arm in ARM.value:
    if arm not in settings_lib.ARMS:
      raise ValueError(
          f'--arm={arm} is not allowed: give some of {", ".join(settings_lib.ARMS)}.')
  for number in SEED.value:
    if not number.isdecimal() or int(number) >= 2**31:
      raise ValueError(f'--seed={number} is not allowed: give whole numbers from 0, by commas.')
  if not ARM.value or not SEED.value:
    raise ValueError('--arm and --seed must not be empty.')
  seeds, arms = [int(seed) for seed in SEED.value], ARM.value
  if samples < 2 and 'agreement' in arms:
    raise ValueError('--samples=1 is not allowed with --arm=agreement: give 2 or more, for one '
                     'sample always agrees with itself.')
  if arms[0] != settings_lib.LEAD:
    for seed in seeds:
      outcomes.of_lead(
          paths.of_seed(root, seed).outcome(settings_lib.LEAD), seed=seed, arm=arms[0])
  return seeds, arms


def _bar(stage: str, total: int, *, stop: shutdown.Interruption) -> Callable[[int], object]:
  """Opens the progress bar of a stage, which goes when it is full; returns what advances it."""
  bar = progress_bar.of_items(stage, total, leave=False)

  def advance(count: int) -> None:
    bar.update(count)
    if bar.n >= total or stop():
      bar.close()
    if stop():
      raise outcomes.Stopped(stage)

  return advance


def _train(
    run_dir: pathlib.Path, config: configs.Config, until: int, *, data_dir: str,
    stop: shutdown.Interruption,
) -> bool:
  from binaries import training_task
  from haiku_spectral.training import loop
  task = training_task.make(config, data_dir=data_dir, run_dir=run_dir)
  return loop.train(config, task, run_dir=run_dir, stop=stop, until=until).finished


def _build(name: str, folder: pathlib.Path, *, data_dir: str) -> None:
  from datasets import preparation, registry, streaming_builder

  def make(place: str) -> Any:
    builder = registry.builder_class('golden')(data_dir=place, config=name.partition('/')[2])
    builder.options = streaming_builder.Options(folder=str(folder), on_error='refuse')
    return builder

  preparation.prepare(name, make, data_dir=data_dir)


def _build_starter(data_dir: str) -> None:
  """The real text that every model is also trained on and measured by."""
  from datasets import preparation, registry
  preparation.prepare(
      'starter', lambda place: registry.builder_class('starter')(data_dir=place),
      data_dir=data_dir)


def _callbacks(data_dir: str, stop: shutdown.Interruption) -> Any:
  from haiku_spectral.self_training import callbacks
  return callbacks.Callbacks(
      build=functools.partial(_build, data_dir=data_dir),
      train=functools.partial(_train, data_dir=data_dir, stop=stop),
      report=functools.partial(print, flush=True), progress=functools.partial(_bar, stop=stop))


def _improve(
    settings: settings_lib.Settings, config: configs.Config, root: pathlib.Path,
    executor: sandbox.Sandbox, stop: shutdown.Interruption,
) -> int:
  """All seeds and arms; the exit code of the one that ended worst."""
  from haiku_spectral.self_training import report, rounds, seed_run, verifier_cache
  from haiku_spectral.tasks import registry
  family, code = registry.family(settings.family), 0
  seeds, arms = _chosen(settings.samples, root)
  with verifier_cache.VerifierCache(root / paths.VERDICTS, family, executor) as verifier:
    for seed in seeds:
      places = paths.of_seed(root, seed)
      _build_starter(str(places.data))
      run = seed_run.start(
          config, settings, family, seed=seed, paths=places, verifier=verifier,
          callbacks=_callbacks(str(places.data), stop))
      try:
        rounds.run_base(run)
        for arm in arms:
          code = max(code, _run_arm(run, arm))
          print(report.write(root), flush=True)
      except outcomes.Stopped as stopped:
        print(f'{stopped}: stopped by {stop.reason}; the same command goes on')
        break
  return code


def _run_arm(run: Any, arm: str) -> int:
  """All rounds of an arm; the exit code."""
  from haiku_spectral.self_training import rounds
  try:
    rounds.run_arm(run, arm)
  except outcomes.Mastered as mastered:
    print(mastered, flush=True)
  except outcomes.Ended as error:  # Neither a success: others and other seeds go on.
    command_line.tell(f'error: {error}')
    return NO_SIGNAL if isinstance(error, outcomes.NoSignal) else WORSE
  return 0


def main(argv: Sequence[str]) -> int:
  """Runs the rounds and reports."""
  del argv
  logging.set_verbosity(logging.ERROR)  # What Orbax and TFDS log is for their developers.
  root = pathlib.Path(RUN_DIR.value)
  if REPORT.value:
    from haiku_spectral.self_training import report
    print(report.write(root), flush=True)
    return 0
  settings, config = _settings(), configs.from_config_dict(CONFIG.value)
  _chosen(settings.samples, root)
  start = time.monotonic()
  with (
      shutdown.caught('stopping where the same command can go on.') as stop,
      sandbox.Sandbox(SANDBOX.value) as executor,
  ):
    settings_lib.keep(settings, configs.to_json(config), root)
    code = _improve(settings, config, root, executor, stop)
  print(f'{(time.monotonic() - start) / 60:.1f} minutes; everything is in {root}')
  return code


if __name__ == '__main__':
  command_line.run(main)
