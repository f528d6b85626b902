"""Works towards a goal: writes turns, runs their code in the sandbox, remembers; goes on tomorrow.

  python -m binaries.agent --run_dir=runs/nano --session=sessions/first --goal='List ten primes.'
  python -m binaries.agent --run_dir=runs/nano --session=sessions/first

Exit code 0: the model said that the goal is reached; 1: a mistake; 2: a limit ended it; 3: there is
no sandbox; 130, 143: interrupted by Ctrl-C, SIGTERM. In all cases the same command goes on.
"""

import os
import sys
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from absl import flags

from binaries import command_line
from haiku_spectral import shutdown
from haiku_spectral.agent import folder, loop, sampler, transcript
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import display, sampling, session
from haiku_spectral.modules import precision
from haiku_spectral.sandbox import result, sandbox
from haiku_spectral.training import checkpoint

RUN_DIR = flags.DEFINE_string('run_dir', '', 'Folder of the run whose model writes.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
SESSION = flags.DEFINE_string('session', '', 'Folder of the session: a new one, or one to go on.')
GOAL = flags.DEFINE_string('goal', '', 'What to do; not needed to go on.')
TURN_BYTES = flags.DEFINE_integer('turn_bytes', 512, 'Bytes of a turn, at most.', lower_bound=1)
TEMPERATURE = flags.DEFINE_float('temperature', 0.0, '0: always the most probable byte.')
SEED = flags.DEFINE_integer(
    'seed', 0, 'The same seed writes the same bytes.', lower_bound=0, upper_bound=2**31 - 1)
TURNS = flags.DEFINE_integer('turns', 32, 'Turns for a goal, at most.')
MINUTES = flags.DEFINE_float('minutes', 10.0, 'Minutes of writing and running code, at most.')
EXECUTIONS = flags.DEFINE_integer('executions', 16, 'Blocks of code that run, at most.')
REPEATS = flags.DEFINE_integer('repeats', 3, 'Turns in a row that ask for the same, at most.')
SANDBOX = flags.DEFINE_enum('sandbox', 'bwrap', ['bwrap', 'landlock'], 'What holds the code.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', ['float32', 'bfloat16', 'float16'], 'What the layers compute in.')
ENDED_BY_LIMIT = 2  # Exit code.


def _tell(line: str) -> None:
  print(line, file=sys.stderr)


def _work(box: sandbox.Sandbox, limits: loop.Limits, stop: shutdown.Interruption) -> str:
  """Goes on with the session; returns why it ended."""
  config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  owner = session.owner(config.model, params)
  params = jax.device_put(precision.cast_params(params, jnp.dtype(PRECISION.value)))
  writer = sampler.ModelSampler(
      decoder_lib.Decoder(config.model, params),
      sampling.SamplingConfig(temperature=TEMPERATURE.value, end_of_document=True),
      jax.random.key(SEED.value), TURN_BYTES.value)
  screen = display.Display(sys.stdout)

  def show(event: transcript.Event) -> None:
    screen.show(b'--- %s ---\n%s\n' % (event.kind.encode(), event.text.rstrip(b'\n')))

  place = folder.Folder(SESSION.value, writer, owner, _tell)
  try:
    place.set_goal(os.fsencode(GOAL.value))
    return loop.run(place, writer, box, limits, should_stop=stop, on_event=show)
  finally:
    place.close()


def main(argv: Sequence[str]) -> int:
  """Works until the goal is reached, a limit, or a signal."""
  del argv
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  if not SESSION.value:
    raise ValueError('--session is missing: give a folder for what happens.')
  limits = loop.Limits(
      turns=TURNS.value, minutes=MINUTES.value, executions=EXECUTIONS.value,
      repeats=REPEATS.value)
  try:
    with (
        shutdown.caught('the session is kept') as stop,
        sandbox.Sandbox(SANDBOX.value, workers=1, hash_seeds=(0,)) as box,
    ):
      reason = _work(box, limits, stop)
  except result.Unavailable as error:
    _tell(f'error: {error}')
    return error.EXIT_CODE
  if not reason:
    _tell(f'stopped by {stop.reason}; the same command goes on')
    return 128 + (stop.received or 0)
  if reason != loop.DONE:
    _tell(f'ended by --{reason}={getattr(limits, reason)}; a greater one goes on')
    return ENDED_BY_LIMIT
  _tell('done')
  return 0


if __name__ == '__main__':
  command_line.run(main)
