"""Works towards a goal: generates turns, runs their code in a sandbox, remembers values, resumes.

  python -m binaries.agent --run_dir=runs/demo --session=sessions/first --goal='List ten primes.'
  python -m binaries.agent --run_dir=runs/demo --session=sessions/first

Exit code 0: the model said that the goal is reached; 1: a mistake in the flags; 2: a limit was
reached; 3: no sandbox; 130, 143: interrupted by Ctrl-C, SIGTERM. After 2 (with a higher limit), 130
and 143 the same command resumes.
"""

import os
import sys
from collections.abc import Sequence

from absl import flags

from binaries import agent_model, command_line, flag_types, model_flags, sandbox_flag
from haiku_spectral import shutdown
from haiku_spectral.agent import folder, loop, transcript
from haiku_spectral.decoding import display
from haiku_spectral.sandbox import sandbox
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
SESSION = flag_types.define_path(
    'session', '', 'Folder of the session: a new one, or one to resume.')
GOAL = flags.DEFINE_string('goal', '', 'Goal of a new session; not needed to resume one.')
TURN_BYTES = flag_types.define_integer(
    'turn_bytes', 512, 'Maximum number of bytes per turn.', lower=1)
TEMPERATURE = flag_types.define_float(
    'temperature', 0.0, 'Temperature of sampling; 0: always the most likely byte.')
SEED = flag_types.define_integer('seed', 0, 'Seed of sampling: the same seed gives the same bytes.')
TURNS = flag_types.define_integer(
    'turns', 32, 'Maximum number of turns for a goal.', lower=1)
MINUTES = flag_types.define_float(
    'minutes', 10.0, 'Maximum time of generation and execution, in minutes.')
EXECUTIONS = flag_types.define_integer(
    'executions', 16, 'Maximum number of code blocks that are executed.')
REPEATS = flag_types.define_integer(
    'repeats', 3, 'Maximum number of identical turns in a row.', lower=1)
SANDBOX = sandbox_flag.define("the model's code")
PRECISION = model_flags.define_precision()
ENDED_BY_LIMIT = 2  # Exit code.


def _work(box: sandbox.Sandbox, limits: loop.Limits, stop: shutdown.Interruption) -> str:
  """Goes on with the session; returns why it ended."""
  atomic_file.check_folder(SESSION.value, what='The session', flag='--session')
  writer, owner = agent_model.load(
      precision=PRECISION.value, temperature=TEMPERATURE.value, seed=SEED.value,
      turn_bytes=TURN_BYTES.value)
  screen = display.Display(sys.stdout)

  def show(event: transcript.Event) -> None:
    screen.show(b'--- %s ---\n%s\n' % (event.kind.encode(), event.text.rstrip(b'\n')))

  place = folder.Folder(SESSION.value, writer, owner, command_line.tell)
  try:
    place.set_goal(os.fsencode(GOAL.value))
    return loop.run(
        place, writer, box, limits, should_stop=lambda: stop() or screen.closed, on_event=show)
  finally:
    place.close()


def main(argv: Sequence[str]) -> int:
  """Works until the goal is reached, a limit, or a signal."""
  del argv
  model_flags.check()
  flag_types.given(SESSION, 'a folder for what happens')
  limits = loop.Limits(
      turns=TURNS.value, minutes=MINUTES.value, executions=EXECUTIONS.value,
      repeats=REPEATS.value)
  with (
      shutdown.caught('the session is kept') as stop,
      sandbox.Sandbox(SANDBOX.value, workers=1, hash_seeds=(0,)) as box,
  ):
    reason = _work(box, limits, stop)
  if not reason and not stop():
    return command_line.BROKEN_PIPE
  if not reason:
    command_line.tell(f'stopped by {stop.reason}; the same command goes on')
    return 128 + (stop.received or 0)
  if reason != loop.DONE:
    command_line.tell(f'ended by --{reason}={getattr(limits, reason)}; a greater one goes on')
    return ENDED_BY_LIMIT
  command_line.tell('done')
  return 0


if __name__ == '__main__':
  command_line.run(main)
