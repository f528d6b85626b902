"""Measures how many held-out goals the agent reaches with its own turns, by turns and by distance.

  python -m binaries.agent_goals --run_dir=runs/agent

A goal needs values that code computed many turns and kilobytes earlier (docs/agent.md). Prints a
table; writes goals.json and goals.png. Exit code 3: no sandbox.
"""

import functools
import pathlib
import tempfile
from collections.abc import Callable, Sequence

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
from haiku_spectral.agent import goals, goals_report, play, teacher
from haiku_spectral.agent.goals_report import DISTANCE, NEXT_DAY, TURNS
from haiku_spectral.agent.sampler import ModelSampler
from haiku_spectral.decoding import context as contexts
from haiku_spectral.decoding import session
from haiku_spectral.decoding.context import Context
from haiku_spectral.sandbox import sandbox
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
COUNT = flag_types.define_integer('goals', 48, 'Goals of each kind.', lower=1)
TURNS_FLAG = flag_types.define_integer_list(
    'turns', [6, 8, 12, 16, 24], 'Turns per goal of --depth, separated by commas.', lower=3,
    upper=goals.MOST_TURNS)
DEPTH = flag_types.define_integer(
    'depth', 3, 'Length of the chain of values that are computed from one another.', lower=1)
DISTANCES = flag_types.define_integer_list(
    'distances', [64, 256, 1024, 4096, 16384],
    'Approximate bytes between a value and its use, separated by commas; goals have as few turns '
    'as that takes.', lower=1, upper=150_000)
NEXT_DAY_FLAG = flag_types.define_integer(
    'next_day', 3, 'Turns of a second goal on the next day, which needs values of the first one; '
    '0: no such goals.')
CUT = flag_types.define_integer(
    'cut', 1024, 'Bytes that the cut context keeps besides the goal.', lower=1)
ROWS = flag_types.define_integer('rows', 16, 'Sessions that are played at the same time.', lower=1)
SEED = flag_types.define_integer('seed', 0, 'Seed that draws the goals.')
SANDBOX = sandbox_flag.define("the model's code")
PRECISION = model_flags.define_precision()
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder).')


def specs() -> list[tuple[str, goals.Spec]]:
  """The kinds of goals. Raises ValueError for what there is not."""
  found = [(TURNS, goals.Spec(turns, DEPTH.value)) for turns in TURNS_FLAG.value]
  found += [(DISTANCE, goals.of_distance(distance)) for distance in DISTANCES.value]
  if NEXT_DAY_FLAG.value:
    found.append((NEXT_DAY, goals.Spec(DEPTH.value + 2, DEPTH.value,
                                       next_day=NEXT_DAY_FLAG.value)))
  for _, spec in found:
    goals.check(spec)
  return found


def _agent() -> agent_model.Agent:
  return agent_model.load(
      precision=PRECISION.value, temperature=0.0, seed=0, turn_bytes=agent_model.TURN_BYTES)


def _rest(rows: Sequence[Context]) -> tuple[ModelSampler, list[Context]]:
  """Saves each context, loads the model from the disk, and each context for it."""
  agent = _agent()
  like = contexts.empty(agent.sampler.decoder.model, 1, agent.sampler.decoder.dtype)
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'state')
    loaded = []
    for row in rows:
      session.save(path, row, agent.owner)
      loaded.append(session.load(path, like, agent.owner))
  return agent.sampler, loaded


def _measure(
    by: str, spec: goals.Spec, agent: agent_model.Agent, box: sandbox.Sandbox,
    advance: Callable[[int], object],
) -> goals_report.Cell:
  """One kind of goals, with both contexts."""
  rng = np.random.default_rng([SEED.value, *spec])
  drawn = [goals.draw(rng, spec, 'heldout') for _ in range(COUNT.value)]
  found: dict[bool, list[tuple[bool, float]]] = {True: [], False: []}
  for kept, results in found.items():
    for start in range(0, len(drawn), ROWS.value):
      some = drawn[start:start + ROWS.value]
      played = play.play(
          some, agent.sampler, box, cut=None if kept else CUT.value, rest=_rest if kept else None,
          on_turn=advance)
      results += [teacher.result(goal, session.events)
                  for goal, session in zip(some, played, strict=True)]
  distances = [teacher.distance(teacher.play(goal).events) for goal in drawn]
  return goals_report.cell(by, spec, distances=distances, kept=found[True], cut=found[False])


def _report(box: sandbox.Sandbox) -> goals_report.Report:
  kinds, agent, cells = specs(), _agent(), []
  total = 2 * COUNT.value * sum(spec.turns + spec.next_day for _, spec in kinds)
  with progress_bar.of_items('turns', total) as bar:
    for by, spec in kinds:
      cells.append(_measure(by, spec, agent, box, bar.update))
  return goals_report.Report(str(model_flags.RUN_DIR.value), CUT.value, tuple(cells))


def main(argv: Sequence[str]) -> None:
  """Measures, prints and writes the report."""
  del argv
  model_flags.check()
  specs()
  folder = pathlib.Path(OUTPUT.value or model_flags.RUN_DIR.value)
  atomic_file.check_folder(folder, what='The report', flag='--output')
  with sandbox.Sandbox(SANDBOX.value, workers=1, hash_seeds=(0,)) as box:
    found = _report(box)
  command_line.publish(
      folder, 'goals', text=goals_report.to_text(found), fields=goals_report.to_json(found),
      draw=functools.partial(goals_report.save, found))


if __name__ == '__main__':
  command_line.run(main)
