"""Writes on from a prompt, streaming to the terminal; a session goes on where it ended.

  python -m binaries.sample --run_dir=runs/nano --prompt='Shall I compare thee' --temperature=0.7
  python -m binaries.sample --run_dir=runs/nano --session=talk --chat
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import jax
import jax.numpy as jnp
import numpy as np
import tqdm
from absl import flags

from binaries import command_line
from haiku_spectral import shutdown, vocab
from haiku_spectral.decoding import (
  candidates,
  chat,
  constraint,
  display,
  generate,
  prefill,
  prompt,
  sampling,
  session,
  speculation,
)
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import (
  decoder as decoder_lib,
)
from haiku_spectral.modules import precision
from haiku_spectral.training import checkpoint

RUN_DIR = flags.DEFINE_string('run_dir', '', 'Folder of the run whose model writes.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
PROMPT = flags.DEFINE_string('prompt', None, 'What to write on from; empty: a new document.')
PROMPT_FILE = flags.DEFINE_string('prompt_file', None, "The same from a file; '-': standard input.")
ECHO = flags.DEFINE_bool('echo', False, 'Show the prompt before what is written.')
NUM_BYTES = flags.DEFINE_integer('num_bytes', 512, 'Bytes to write, at most.')
NUM_SAMPLES = flags.DEFINE_integer('num_samples', 1, 'Texts to write from the same prompt.')
BEST_OF = flags.DEFINE_integer(
    'best_of', 1, 'Write so many texts and show the one most probable by byte.')
CANDIDATES = flags.DEFINE_integer(
    'candidates', 0, 'Show so many of the most probable first bytes before writing.')
TEMPERATURE = flags.DEFINE_float('temperature', 1.0, '0: always the most probable byte.')
TOP_K = flags.DEFINE_integer(
    'top_k', 0, 'Only the k most probable bytes; 0: all.', upper_bound=2**31 - 1)
TOP_P = flags.DEFINE_float('top_p', 1.0, 'Only the most probable bytes of this total probability.')
MIN_P = flags.DEFINE_float('min_p', 0.0, "At least this share of the best byte's probability.")
REPETITION_PENALTY = flags.DEFINE_float(
    'repetition_penalty', 1.0, 'Above 1: bytes written lately are less probable.')
REGEX = flags.DEFINE_string('regex', None, 'Write only a text that matches this as a whole.')
UTF8 = flags.DEFINE_bool('utf8', False, 'Write only well-formed UTF-8.')
SPECULATE = flags.DEFINE_bool(
    'speculate', False, 'With --temperature=0: the same bytes in fewer calls, by guessing.')
END = flags.DEFINE_bool('end_of_document', True, 'Stop where the model ends the document.')
SEED = flags.DEFINE_integer(
    'seed', 0, 'The same seed writes the same bytes.', lower_bound=0, upper_bound=2**31 - 1)
STOP = flags.DEFINE_multi_string('stop', [], 'Stop before this text. May be given several times.')
SESSION = flags.DEFINE_string('session', None, 'File in which the conversation is kept.')
FORK = flags.DEFINE_string(
    'fork', None, 'Go on from --session in this new file; --session stays as it is.')
SESSION_INFO = flags.DEFINE_string('session_info', None, 'Say what a session holds, and end.')
CHAT = flags.DEFINE_bool('chat', False, 'Take turns: a line of yours, an answer of the model.')
PRECISION = flags.DEFINE_enum(
    'precision', 'float32', ['float32', 'bfloat16', 'float16'], 'What the layers compute in.')
_HISTORY = '~/.haiku_spectral_history'  # Lines typed in chats.


def _check_flags() -> None:
  """Raises ValueError for flags that are missing or do not go together."""
  if not RUN_DIR.value:
    raise ValueError('--run_dir is missing: give the folder of a training run (runs/NAME).')
  for flag in (NUM_SAMPLES, BEST_OF):
    if flag.value < 1:
      raise ValueError(f'--{flag.name}={flag.value} is not allowed: give 1 or more.')
  if NUM_SAMPLES.value > 1 and (SESSION.value or CHAT.value or BEST_OF.value > 1):
    raise ValueError(
        '--session keeps one conversation, --chat and --best_of show one text: give '
        '--num_samples=1 with them.')
  if CHAT.value and (BEST_OF.value > 1 or PROMPT.value or PROMPT_FILE.value):
    raise ValueError('--chat asks for what you say: leave --prompt, --prompt_file, --best_of out.')
  if REGEX.value is not None and UTF8.value:
    raise ValueError('--regex writes UTF-8 anyway: leave --utf8 out.')
  if FORK.value and not SESSION.value:
    raise ValueError('--fork copies a session: give it as --session.')
  several = NUM_SAMPLES.value > 1 or BEST_OF.value > 1 or CHAT.value
  ruled = REGEX.value is not None or UTF8.value or STOP.value or REPETITION_PENALTY.value != 1
  if SPECULATE.value and (TEMPERATURE.value or several or ruled):
    raise ValueError(
        '--speculate writes one text greedily: give --temperature=0, and none of --num_samples, '
        '--best_of, --chat, --regex, --utf8, --stop and --repetition_penalty.')


def _past(
    decoder: decoder_lib.Decoder, path: str | None, owner: session.Owner | None
) -> context_lib.Context:
  """Where writing starts: the session, or the start of a document."""
  if not path or not owner or not os.path.exists(path):
    return prefill.begin(decoder.model, decoder.params, dtype=decoder.dtype)
  like = context_lib.empty(decoder.model, 1, decoder.dtype)
  context = session.load(path, like, owner)
  print(f'session {path}: {int(context.position[0]):,} bytes so far', file=sys.stderr)
  return context


def _writer(decoder: decoder_lib.Decoder, rules: sampling.SamplingConfig) -> chat.Write:
  """`generate` with what the flags say."""
  automaton = None
  if REGEX.value is not None:
    automaton = constraint.regex(REGEX.value)
  elif UTF8.value:
    automaton = constraint.utf8()
  if automaton:
    constraint.check_room(automaton, NUM_BYTES.value)

  def write(
      context: context_lib.Context, *, on_bytes: Callable[[int, bytes], None],
      should_stop: Callable[[], bool],
  ) -> generate.Generation:
    place = 0
    if automaton and UTF8.value:
      place = constraint.utf8_state(automaton, vocab.decode(np.asarray(context.recent[0, -3:])))
    return generate.generate(
        decoder, context, num_bytes=NUM_BYTES.value, config=rules, key=jax.random.key(SEED.value),
        stops=[os.fsencode(stop) for stop in STOP.value], constraint=automaton, place=place,
        on_bytes=on_bytes, should_stop=should_stop)

  return write


def _read(
    decoder: decoder_lib.Decoder, context: context_lib.Context, ids: np.ndarray  # [1, T]
) -> context_lib.Context:
  """Reads with a bar, for prompts that take long, gone when they are read."""
  with tqdm.tqdm(desc='read', total=ids.shape[1], unit='B', unit_scale=True, delay=2, leave=False,
                 file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
    return prefill.read(decoder.model, decoder.params, context, ids, on_progress=bar.update)


def _show_candidates(context: context_lib.Context, out: TextIO) -> None:
  """A line for each of the most probable bytes."""
  for shown, log_prob in candidates.top_candidates(context.logits[0], CANDIDATES.value):
    print(f'{np.exp(log_prob):7.2%}  {shown}', file=out)


def _write_best(
    decoder: decoder_lib.Decoder, write: chat.Write, context: context_lib.Context,
    should_stop: Callable[[], bool]
) -> generate.Generation:
  """The most probable of several texts, and the context that has read it alone."""
  written = write(
      context_lib.repeat(context, BEST_OF.value), on_bytes=lambda row, data: None,
      should_stop=should_stop)
  best = candidates.best_of(written.texts, [scores.sum() for scores in written.log_probs])
  text = written.texts[best]
  after = prefill.read(decoder.model, decoder.params, context, vocab.encode(text)[np.newaxis])
  return generate.Generation([text], after, [written.log_probs[best]])


def _write_once(
    decoder: decoder_lib.Decoder, write: chat.Write, context: context_lib.Context, data: bytes,
    path: str | None, owner: session.Owner | None
) -> None:
  """Reads the prompt, writes, and keeps the session."""
  context = _read(decoder, context, vocab.encode(data)[np.newaxis])
  if CANDIDATES.value:
    _show_candidates(context, sys.stderr)
  screen = display.Display(sys.stdout)
  if ECHO.value:
    screen.show(data)
  with shutdown.caught() as interrupted:
    def should_stop() -> bool:
      return interrupted() or screen.closed

    if SPECULATE.value:
      guessed = speculation.generate_greedily(
          decoder, context, num_bytes=NUM_BYTES.value, past=data, end_of_document=END.value,
          on_bytes=lambda new: screen.feed(0, new), should_stop=should_stop)
      texts, context = [guessed.text], guessed.context
    elif BEST_OF.value > 1:
      texts, context, _ = _write_best(decoder, write, context, should_stop)
      screen.feed(0, texts[0])
    else:
      texts, context, _ = write(
          context_lib.repeat(context, NUM_SAMPLES.value), on_bytes=screen.feed,
          should_stop=should_stop)
    if path and owner:
      session.save(path, context, owner)
    screen.close(texts)
  print(screen.speed(), file=sys.stderr)


def _chat(
    decoder: decoder_lib.Decoder, write: chat.Write, context: context_lib.Context, path: str | None,
    owner: session.Owner | None
) -> None:
  """Takes turns until there are no more lines."""
  conversation = chat.Conversation(
      context, lambda context, ids: _read(decoder, context, ids), write, path, owner)
  with chat.asking(os.path.expanduser(_HISTORY)) as ask:
    chat.run(conversation, ask, sys.stdout, sys.stderr)


def main(argv: Sequence[str]) -> None:
  """Writes, chats, or says what a session holds."""
  del argv
  if SESSION_INFO.value:
    print(session.describe(SESSION_INFO.value))
    return
  _check_flags()
  rules = sampling.SamplingConfig(
      temperature=TEMPERATURE.value, top_k=TOP_K.value, top_p=TOP_P.value, min_p=MIN_P.value,
      repetition_penalty=REPETITION_PENALTY.value, end_of_document=END.value)
  path = SESSION.value
  if path and FORK.value:
    session.fork(path, FORK.value)
    path = FORK.value
  if path:
    session.check_place(path)
  data = b'' if CHAT.value else prompt.read_prompt(
      PROMPT.value, PROMPT_FILE.value, sys.stdin.buffer)
  config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  owner = session.owner(config.model, params) if path else None
  params = jax.device_put(precision.cast_params(params, jnp.dtype(PRECISION.value)))
  decoder = decoder_lib.Decoder(config.model, params)
  write, context = _writer(decoder, rules), _past(decoder, path, owner)
  if CHAT.value:
    _chat(decoder, write, context, path, owner)
  else:
    _write_once(decoder, write, context, data, path, owner)


if __name__ == '__main__':
  command_line.run(main)
