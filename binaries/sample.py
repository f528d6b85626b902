"""Continues a prompt, streaming to the terminal; a session resumes where it ended.

  python -m binaries.sample --run_dir=runs/demo --prompt='Shall I compare thee' --temperature=0.7
  python -m binaries.sample --run_dir=runs/demo --session=talk --chat
"""

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import jax
import numpy as np
from absl import flags

from binaries import command_line, flag_types, model_flags, progress_bar
from haiku_spectral import shutdown, vocab
from haiku_spectral.decoding import (
  automaton,
  candidates,
  chat,
  constraint,
  display,
  one_by_one,
  prefill,
  prompt,
  sampling,
  session,
  speculation,
  typed_lines,
)
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.decoding.row import Row
from haiku_spectral.storage import append_log, atomic_file

flags.adopt_module_key_flags(model_flags)
PROMPT = flags.DEFINE_string('prompt', None, 'Text to continue; empty: begins a new document.')
PROMPT_FILE = flag_types.define_path(
    'prompt_file', None, "File with the text to continue; '-' is standard input.")
ECHO = flags.DEFINE_bool('echo', False, 'Shows the prompt before the generated text.')
NUM_BYTES = flag_types.define_integer(
    'num_bytes', 512, 'Maximum number of bytes to generate.')
NUM_SAMPLES = flag_types.define_integer(
    'num_samples', 1, 'Texts to generate from the same prompt.', lower=1)
BEST_OF = flag_types.define_integer(
    'best_of', 1, 'Texts to generate; only the one with the highest log-probability per byte is '
    'shown.', lower=1)
CANDIDATES = flag_types.define_integer(
    'candidates', 0, 'Number of most likely next bytes to show first.',
    upper=candidates.MAX_CANDIDATES)
TEMPERATURE = flag_types.define_float(
    'temperature', 1.0, 'Temperature of sampling; 0: always the most likely byte (greedy).')
TOP_K = flag_types.define_integer(
    'top_k', 0, 'Samples only from this many of the most likely bytes; 0: from all.')
TOP_P = flag_types.define_float(
    'top_p', 1.0, 'Samples only from the most likely bytes with this total probability, above 0.',
    upper=1.0)
MIN_P = flag_types.define_float(
    'min_p', 0.0, 'Samples only from bytes with at least this fraction of the highest probability.',
    upper=1.0)
REPETITION_PENALTY = flag_types.define_float(
    'repetition_penalty', 1.0, 'Above 1 makes recent bytes less likely; 1: off.', lower=1.0)
REGEX = flags.DEFINE_string(
    'regex', None, 'Generates a text that matches this regular expression as a whole.')
UTF8 = flags.DEFINE_bool('utf8', False, 'Generates only well-formed UTF-8.')
SPECULATE = flags.DEFINE_bool(
    'speculate', False, 'Prompt-lookup speculative decoding: the same text in fewer calls of the '
    'model (in float32, except for near-ties between two bytes).')
END = flags.DEFINE_bool('end_of_document', True, 'Stops where the model ends the document.')
SEED = flag_types.define_integer('seed', 0, 'Seed of sampling: the same seed gives the same text.')
STOP = flags.DEFINE_multi_string(
    'stop', [], 'Stops before this text; may be given several times.')
SESSION = flag_types.define_path(
    'session', None, 'File that saves the conversation; only one program at a time may use it.')
FORK = flag_types.define_path(
    'fork', None, 'New file in which to continue from --session, which is not changed.')
SESSION_INFO = flag_types.define_path(
    'session_info', None, 'Session to describe, without generating anything.')
CHAT = flags.DEFINE_bool('chat', False, 'Takes turns: your line, then an answer of the model.')
PRECISION = model_flags.define_precision()
RECORD = flag_types.define_path(
    'record', None, 'File to append a line of JSON to, with the prompt, the texts and the speed.')
_HISTORY = '~/.haiku_spectral_history'  # Lines typed in chats.


def _check_flags() -> None:
  """Raises ValueError for flags that are missing or do not go together."""
  model_flags.check()
  if NUM_SAMPLES.value > 1 and (SESSION.value or CHAT.value or BEST_OF.value > 1):
    raise ValueError(
        '--session keeps one conversation, --chat and --best_of show one text: give '
        '--num_samples=1 with them.')
  if CHAT.value and (BEST_OF.value > 1 or PROMPT.value or PROMPT_FILE.value):
    raise ValueError('--chat asks for what you say: leave --prompt, --prompt_file, --best_of out.')
  if REGEX.value is not None and UTF8.value:
    raise ValueError('--regex generates UTF-8 anyway: leave --utf8 out.')
  if RECORD.value:
    if CHAT.value:
      raise ValueError('--record is of generated texts: leave --chat out.')
    atomic_file.check_place(RECORD.value, what='The record', flag='--record')
  if FORK.value and not SESSION.value:
    raise ValueError('--fork copies a session: give it as --session.')
  if SPECULATE.value and (NUM_SAMPLES.value > 1 or BEST_OF.value > 1 or CHAT.value):
    raise ValueError(
        '--speculate is for one text: leave --num_samples, --best_of and --chat out.')


def _begin(
    decoder: decoder_lib.Decoder, path: str | None, owner: session.Owner | None
) -> context_lib.Context:
  """The context of the session, or that of a new document."""
  if not path or not owner or not os.path.exists(path):
    return prefill.begin(decoder.model, decoder.params, dtype=decoder.dtype)
  like = context_lib.empty(decoder.model, 1, decoder.dtype)
  context = session.load(path, like, owner)
  command_line.tell(f'session {path}: {int(context.position[0]):,} bytes so far')
  return context


Generate = Callable[..., Generation]  # (context, decode=) -> Generation


def _generate() -> Generate:
  """What the flags ask for, but for the decoder. Raises ValueError for what is not allowed."""
  config = sampling.SamplingConfig(
      temperature=TEMPERATURE.value, top_k=TOP_K.value, top_p=TOP_P.value, min_p=MIN_P.value,
      repetition_penalty=REPETITION_PENALTY.value, end_of_document=END.value)
  allowed = None
  if REGEX.value is not None:
    allowed = automaton.regex(REGEX.value)
  elif UTF8.value:
    allowed = automaton.utf8()
  if allowed:
    constraint.check_num_bytes(allowed, NUM_BYTES.value)
  stops = [os.fsencode(stop) for stop in STOP.value]
  Row(NUM_BYTES.value, stops)  # Refuses what it will refuse when the model is loaded.
  request = Request(NUM_BYTES.value, jax.random.key(SEED.value), stops)
  return functools.partial(Generation, request=request, config=config, constraint=allowed)


def _prefill(
    decoder: decoder_lib.Decoder, context: context_lib.Context, ids: np.ndarray  # [1, T]
) -> context_lib.Context:
  """Prefill with a bar, for prompts that take long, gone at the end."""
  with progress_bar.of_long_work(
      'prefill', ids.shape[1], disable=not sys.stderr.isatty()) as bar:
    return prefill.extend(decoder.model, decoder.params, context, ids, on_progress=bar.update)


def _show_candidates(context: context_lib.Context, out: TextIO) -> None:
  """A line for each of the most probable bytes."""
  for shown, log_prob in candidates.top_candidates(context.logits[0], CANDIDATES.value):
    print(f'{np.exp(log_prob):7.2%}  {shown}', file=out)


def _record(step: int, data: bytes, texts: Sequence[bytes], rate: float | None) -> None:
  """Appends what was generated to the file of --record, for the report of the run."""
  line = {
      'command': command_line.typed(), 'step': step, 'prompt': data.decode(errors='replace'),
      'texts': [text.decode(errors='replace') for text in texts], 'bytes': sum(map(len, texts)),
      'bytes_per_second': rate, 'device': jax.devices()[0].device_kind}
  with append_log.Log(RECORD.value) as log:
    log.append(json.dumps(line).encode() + b'\n')


def _sample(
    decoder: decoder_lib.Decoder, generate: Generate, context: context_lib.Context, data: bytes,
    path: str | None, owner: session.Owner | None, step: int
) -> int:
  """Continues the prompt, and keeps the session."""
  context = _prefill(decoder, context, vocab.encode(data)[np.newaxis])
  if CANDIDATES.value:
    _show_candidates(context, sys.stderr)
  screen = display.Display(sys.stdout)
  if ECHO.value:
    screen.show(data)
  count = max(NUM_SAMPLES.value, BEST_OF.value)
  generation = generate(
      context_lib.repeat(context, count),
      decode=speculation.Speculation(data) if SPECULATE.value else one_by_one.ONE_BY_ONE)
  with shutdown.caught() as interrupted:
    show = screen.feed if BEST_OF.value == 1 else lambda row, data: None
    generation.run(show, lambda: interrupted() or screen.closed)
    texts, best = generation.texts, 0
    if BEST_OF.value > 1:
      best = candidates.best_of(texts, [scores.sum() for scores in generation.log_probs])
      texts = [texts[best]]
      screen.feed(0, texts[0])
    if path and owner:
      session.save(path, generation.context(best), owner)
    screen.close(texts)
    if RECORD.value:
      _record(step, data, texts, screen.rate())
  command_line.tell(screen.speed())
  return command_line.BROKEN_PIPE if screen.closed else 0


def _chat(
    decoder: decoder_lib.Decoder, generate: Generate, context: context_lib.Context,
    path: str | None, owner: session.Owner | None
) -> int:
  """Takes turns until there are no more lines."""
  conversation = chat.Conversation(
      context, lambda context, ids: _prefill(decoder, context, ids),
      generate, path, owner)
  with typed_lines.asking(os.path.expanduser(_HISTORY)) as ask:
    chat.run(conversation, ask, sys.stdout, sys.stderr)
  return 0


def main(argv: Sequence[str]) -> int:
  """Samples, chats, or prints what a session holds."""
  del argv
  if SESSION_INFO.value:
    print(session.describe(SESSION_INFO.value))
    return 0
  _check_flags()
  generate, path = _generate(), SESSION.value
  if path and FORK.value:
    session.fork(path, FORK.value)
    path = FORK.value
  if path:
    session.check_place(path)
  data = b'' if CHAT.value else prompt.read_prompt(
      PROMPT.value, PROMPT_FILE.value, sys.stdin.buffer)
  with session.locked(path) if path else contextlib.nullcontext():
    return _run(generate, data, path)


def _run(generate: Generate, data: bytes, path: str | None) -> int:
  """Loads the model and continues the prompt or the chat. `path` is that of the session."""
  config, params, step = model_flags.load()
  owner = session.owner(config.model, params) if path else None
  decoder = decoder_lib.Decoder(config.model, model_flags.on_device(params, PRECISION.value))
  context, generate = _begin(decoder, path, owner), functools.partial(generate, decoder)
  if CHAT.value:
    return _chat(decoder, generate, context, path, owner)
  return _sample(decoder, generate, context, data, path, owner, step)


if __name__ == '__main__':
  command_line.run(main)
