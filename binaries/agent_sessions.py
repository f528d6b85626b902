"""Writes sessions to train the agent's model on: a teacher's, or its own that reached their goals.

  python -m binaries.agent_sessions --output=sessions/teacher --goals=4000
  python -m binaries.agent_sessions --output=sessions/own --goals=500 --run_dir=runs/agent

Each is a folder with a transcript.jsonl, for `prepare_data --dataset=agent_transcripts`. The code
of the model runs in a sandbox; a session is kept only if it computed and remembered every value.
Exit codes: 1 a mistake in the flags, 3 no sandbox, 4 no session of the model reached its goal.
"""

import dataclasses
import pathlib
import shutil
from collections.abc import Callable, Iterable, Sequence

import jax
import numpy as np
from absl import flags

from binaries import (
  agent_model,
  command_line,
  flag_types,
  model_flags,
  progress_bar,
  sandbox_flag,
)
from haiku_spectral.agent import folder, goals, play, teacher, transcript
from haiku_spectral.requirement import require
from haiku_spectral.sandbox import sandbox
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
OUTPUT = flag_types.define_path('output', None, 'New folder of the sessions.')
GOALS = flag_types.define_integer('goals', 4000, 'Number of goals to draw.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Seed that draws the goals and samples the turns.')
MOST_TURNS = flag_types.define_integer(
    'most_turns', 24, 'Maximum number of turns for the first day of a goal.', lower=6,
    upper=goals.MOST_TURNS)
MOST_SHOWN = flag_types.define_integer(
    'most_shown', 600, 'Maximum number of bytes that a `fill` step prints.',
    lower=goals.LEAST_SHOWN, upper=goals.MOST_SHOWN)
TEMPERATURE = flag_types.define_float(
    'temperature', 0.5, "Temperature of the model's turns; 0: always the most likely byte.")
ROWS = flag_types.define_integer(
    'rows', 16, 'Sessions that the model plays at the same time.', lower=1)
SANDBOX = sandbox_flag.define("the model's code")
PRECISION = model_flags.define_precision()
NOTHING = 4  # Exit code.
Sessions = Iterable[tuple[int, Sequence[transcript.Event]]]  # And the numbers of their goals.


def _draw() -> list[goals.Goal]:
  """Goals of the training side."""
  rng = np.random.default_rng(SEED.value)
  return [goals.draw_mixed(rng, 'train', most_turns=MOST_TURNS.value, most_shown=MOST_SHOWN.value)
          for _ in range(GOALS.value)]


def _write(sessions: Sessions) -> int:
  """Writes transcripts below the folder, which is there when all are; returns how many."""
  place = pathlib.Path(OUTPUT.value)
  partial = place.with_name(place.name + '.partial')
  shutil.rmtree(partial, ignore_errors=True)
  count = 0
  for number, events in sessions:
    path = partial / f'{number:05}' / folder.TRANSCRIPT
    path.parent.mkdir(parents=True)
    path.write_bytes(b''.join(map(transcript.encode, events)))
    count += 1
  if count:
    atomic_file.publish(partial, place)
  return count


def _taught(drawn: Sequence[goals.Goal], advance: Callable[[int], object]) -> Sessions:
  """The teacher's sessions, by the numbers of their goals."""
  for number, goal in enumerate(drawn):
    yield number, teacher.play(goal).events
    advance(1)


def _own(
    drawn: Sequence[goals.Goal], advance: Callable[[int], object], box: sandbox.Sandbox
) -> Sessions:
  """Those sessions of the model that reached their goals."""
  sampler = agent_model.load(
      precision=PRECISION.value, temperature=TEMPERATURE.value, seed=SEED.value,
      turn_bytes=agent_model.TURN_BYTES).sampler
  for start in range(0, len(drawn), ROWS.value):
    some = drawn[start:start + ROWS.value]
    # A key for each batch: the same one would make the same mistakes.
    keyed = dataclasses.replace(sampler, key=jax.random.fold_in(sampler.key, start))
    for number, (goal, played) in enumerate(
        zip(some, play.play(some, keyed, box), strict=True), start):
      if teacher.result(goal, played.events)[0]:
        yield number, played.events
    advance(len(some))


def _write_all() -> int:
  """Writes the sessions that the flags ask for; returns how many."""
  drawn = _draw()
  with progress_bar.of_items('sessions', len(drawn)) as bar:
    if not model_flags.RUN_DIR.value:
      return _write(_taught(drawn, bar.update))
    with sandbox.Sandbox(SANDBOX.value, workers=1, hash_seeds=(0,)) as box:
      return _write(_own(drawn, bar.update, box))


def main(argv: Sequence[str]) -> int:
  """Writes the sessions."""
  del argv
  place = pathlib.Path(flag_types.given(OUTPUT, 'a new folder'))
  require(not place.exists(), '--output', OUTPUT.value, 'a folder that is not there yet')
  atomic_file.check_folder(place.parent, what='The sessions', flag='--output')
  count = _write_all()
  print(f'{count:,} sessions of {GOALS.value:,} goals in {place}')
  if not count:
    command_line.tell('error: no session reached its goal, so there is nothing to learn from: '
                      'train longer, or draw easier goals with a smaller --most_turns.')
    return NOTHING
  return 0


if __name__ == '__main__':
  command_line.run(main)
