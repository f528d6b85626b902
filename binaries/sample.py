"""Writes on from a prompt, streaming to the terminal; a session goes on where it ended.

  python -m binaries.sample --run_dir=runs/nano --prompt='Shall I compare thee' --temperature=0.7
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from absl import flags

from binaries import command_line
from haiku_spectral import interruption, vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import (
    display,
    generate,
    prefill,
    prompt,
    sampling,
    session,
)
from haiku_spectral.modules import precision, spectral_gpt
from haiku_spectral.training import checkpoint

RUN_DIR = flags.DEFINE_string('run_dir', None, 'Folder of the run whose model writes.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
PROMPT = flags.DEFINE_string('prompt', None, 'What to write on from; empty: a new document.')
PROMPT_FILE = flags.DEFINE_string('prompt_file', None, "The same from a file; '-': standard input.")
ECHO = flags.DEFINE_bool('echo', False, 'Show the prompt before what is written.')
NUM_BYTES = flags.DEFINE_integer('num_bytes', 512, 'Bytes to write, at most.')
NUM_SAMPLES = flags.DEFINE_integer('num_samples', 1, 'Texts to write from the same prompt.')
TEMPERATURE = flags.DEFINE_float('temperature', 1.0, '0: always the most probable byte.')
TOP_K = flags.DEFINE_integer(
    'top_k', 0, 'Only the k most probable bytes; 0: all.', upper_bound=2**31 - 1)
TOP_P = flags.DEFINE_float('top_p', 1.0, 'Only the most probable bytes of this total probability.')
MIN_P = flags.DEFINE_float('min_p', 0.0, "At least this share of the best byte's probability.")
REPETITION_PENALTY = flags.DEFINE_float(
    'repetition_penalty', 1.0, 'Above 1: bytes written lately are less probable.')
END = flags.DEFINE_bool('end_of_document', True, 'Stop where the model ends the document.')
SEED = flags.DEFINE_integer(
    'seed', 0, 'The same seed writes the same bytes.', lower_bound=0, upper_bound=2**31 - 1)
STOP = flags.DEFINE_multi_string('stop', [], 'Stop before this text. May be given several times.')
SESSION = flags.DEFINE_string('session', None, 'File in which the conversation is kept.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', ['float32', 'bfloat16', 'float16'], 'What the layers compute in.')


def _past(
    model: spectral_gpt.Model, params: Any, owner: session.Owner | None
) -> context_lib.Context:
  """Where writing starts: the session, or the start of a document."""
  dtype, path = jnp.dtype(PRECISION.value), SESSION.value
  if not path or not owner or not os.path.exists(path):
    return prefill.begin(model, params, dtype=dtype)
  context = session.load(path, context_lib.empty(model, 1, dtype), owner)
  print(f'session {path}: {int(context.position):,} bytes so far', file=sys.stderr)
  return context


def main(argv: Sequence[str]) -> None:
  """Reads the prompt, writes, and keeps the session."""
  del argv
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  if NUM_SAMPLES.value < 1:
    raise ValueError(f'--num_samples={NUM_SAMPLES.value} is not allowed: give 1 or more.')
  if NUM_SAMPLES.value > 1 and SESSION.value:
    raise ValueError('--session keeps one conversation: give --num_samples=1 with it.')
  rules = sampling.SamplingConfig(
      temperature=TEMPERATURE.value, top_k=TOP_K.value, top_p=TOP_P.value, min_p=MIN_P.value,
      repetition_penalty=REPETITION_PENALTY.value, end_of_document=END.value)
  if SESSION.value:
    session.check_place(SESSION.value)
  data = prompt.read_prompt(PROMPT.value, PROMPT_FILE.value, sys.stdin.buffer)
  config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  owner = session.owner(config.model, params) if SESSION.value else None
  model = spectral_gpt.make_model(config.model)
  params = jax.device_put(precision.cast_params(params, jnp.dtype(PRECISION.value)))
  context = _past(model, params, owner)
  # A bar for prompts that take long to read, gone when they are read.
  with tqdm.tqdm(desc='read', total=len(data), unit='B', unit_scale=True, delay=2, leave=False,
                 file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
    context = prefill.read(
        model, params, context, vocab.encode(data)[np.newaxis], on_progress=bar.update)
  screen = display.Display(sys.stdout)
  if ECHO.value:
    screen.show(data)
  with interruption.caught() as interrupted:
    written = generate.generate(
        model, params, context_lib.repeat(context, NUM_SAMPLES.value),
        num_bytes=NUM_BYTES.value, config=rules, key=jax.random.key(SEED.value),
        stops=[os.fsencode(stop) for stop in STOP.value], on_bytes=screen.feed,
        should_stop=lambda: interrupted() or screen.closed)
    if SESSION.value and owner:
      session.save(SESSION.value, written.context, owner)
    screen.close(written.texts)
  print(screen.speed(), file=sys.stderr)


if __name__ == '__main__':
  command_line.run(main)
