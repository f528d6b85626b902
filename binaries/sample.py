"""Continues a prompt, streaming to the terminal; a session goes on where it ended.

  python -m binaries.sample --run_dir=runs/nano --prompt='Shall I compare thee' --temperature=0.7
  python -m binaries.sample --run_dir=runs/nano --session=talk --chat
"""

import contextlib
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
  automaton,
  candidates,
  chat,
  constraint,
  display,
  loop,
  prefill,
  prompt,
  sampling,
  session,
  speculation,
)
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.modules import precision
from haiku_spectral.training import checkpoint

RUN_DIR = flags.DEFINE_string('run_dir', '', 'Folder of the training run whose model is used.')
BEST = flags.DEFINE_bool('best', False, 'The best checkpoint on held-out text, not the latest.')
PROMPT = flags.DEFINE_string('prompt', None, 'The text to continue; empty: a new document.')
PROMPT_FILE = flags.DEFINE_string('prompt_file', None, "The same from a file; '-': standard input.")
ECHO = flags.DEFINE_bool('echo', False, 'Show the prompt before the generated text.')
NUM_BYTES = flags.DEFINE_integer('num_bytes', 512, 'Bytes to generate, at most.')
NUM_SAMPLES = flags.DEFINE_integer('num_samples', 1, 'Texts to generate from the same prompt.')
BEST_OF = flags.DEFINE_integer(
    'best_of', 1, 'Generate so many texts; show that of the best log-probability per byte.')
CANDIDATES = flags.DEFINE_integer(
    'candidates', 0, f'First show the most probable next bytes: how many; 0 to '
    f'{candidates.MAX_CANDIDATES}.')
TEMPERATURE = flags.DEFINE_float('temperature', 1.0, '0: always the most probable byte (greedy).')
TOP_K = flags.DEFINE_integer(
    'top_k', 0, 'Only the k most probable bytes; 0: all.', upper_bound=2**31 - 1)
TOP_P = flags.DEFINE_float('top_p', 1.0, 'Only the most probable bytes of this total probability.')
MIN_P = flags.DEFINE_float('min_p', 0.0, "At least this share of the best byte's probability.")
REPETITION_PENALTY = flags.DEFINE_float(
    'repetition_penalty', 1.0, 'Above 1: recent bytes are less probable; 1: off.')
REGEX = flags.DEFINE_string('regex', None, 'Generate only a text that matches this as a whole.')
UTF8 = flags.DEFINE_bool('utf8', False, 'Generate only well-formed UTF-8.')
SPECULATE = flags.DEFINE_bool(
    'speculate', False, 'Prompt-lookup speculative decoding: the same text in fewer calls of the '
    'model; in float32, apart from near-ties between two bytes.')
END = flags.DEFINE_bool('end_of_document', True, 'Stop where the model ends the document.')
SEED = flags.DEFINE_integer(
    'seed', 0, 'The same seed gives the same text.', lower_bound=0, upper_bound=2**31 - 1)
STOP = flags.DEFINE_multi_string('stop', [], 'Stop before this text. May be given several times.')
SESSION = flags.DEFINE_string(
    'session', None, 'File that keeps the conversation; one program at a time goes on with it.')
FORK = flags.DEFINE_string(
    'fork', None, 'Go on from --session in this new file; --session stays as it is.')
SESSION_INFO = flags.DEFINE_string('session_info', None, 'Print what a session holds, and end.')
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
  if not 0 <= CANDIDATES.value <= candidates.MAX_CANDIDATES:
    raise ValueError(f'--candidates={CANDIDATES.value} is not allowed: give 0 (none) to '
                     f'{candidates.MAX_CANDIDATES}.')
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
  print(f'session {path}: {int(context.position[0]):,} bytes so far', file=sys.stderr)
  return context


Generate = Callable[[context_lib.Context, loop.Decode], Generation]


def _generate(decoder: decoder_lib.Decoder, config: sampling.SamplingConfig) -> Generate:
  """What the flags say, for a context."""
  allowed = None
  if REGEX.value is not None:
    allowed = automaton.regex(REGEX.value)
  elif UTF8.value:
    allowed = automaton.utf8()
  if allowed:
    constraint.check_num_bytes(allowed, NUM_BYTES.value)
  request = Request(
      NUM_BYTES.value, jax.random.key(SEED.value), [os.fsencode(stop) for stop in STOP.value])
  return lambda context, decode: Generation(
      decoder, context, request, config, constraint=allowed, decode=decode)


def _prefill(
    decoder: decoder_lib.Decoder, context: context_lib.Context, ids: np.ndarray  # [1, T]
) -> context_lib.Context:
  """Prefill with a bar, for prompts that take long, gone at the end."""
  with tqdm.tqdm(desc='prefill', total=ids.shape[1], unit='B', unit_scale=True, delay=2,
                 leave=False, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
    return prefill.extend(decoder.model, decoder.params, context, ids, on_progress=bar.update)


def _show_candidates(context: context_lib.Context, out: TextIO) -> None:
  """A line for each of the most probable bytes."""
  for shown, log_prob in candidates.top_candidates(context.logits[0], CANDIDATES.value):
    print(f'{np.exp(log_prob):7.2%}  {shown}', file=out)


def _sample(
    decoder: decoder_lib.Decoder, generate: Generate, context: context_lib.Context, data: bytes,
    path: str | None, owner: session.Owner | None
) -> None:
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
      speculation.Speculation(data) if SPECULATE.value else loop.ONE_BY_ONE)
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
  print(screen.speed(), file=sys.stderr)


def _chat(
    decoder: decoder_lib.Decoder, generate: Generate, context: context_lib.Context,
    path: str | None, owner: session.Owner | None
) -> None:
  """Takes turns until there are no more lines."""
  conversation = chat.Conversation(
      context, lambda context, ids: _prefill(decoder, context, ids),
      lambda context: generate(context, loop.ONE_BY_ONE), path, owner)
  with chat.asking(os.path.expanduser(_HISTORY)) as ask:
    chat.run(conversation, ask, sys.stdout, sys.stderr)


def main(argv: Sequence[str]) -> None:
  """Samples, chats, or prints what a session holds."""
  del argv
  if SESSION_INFO.value:
    print(session.describe(SESSION_INFO.value))
    return
  _check_flags()
  config = sampling.SamplingConfig(
      temperature=TEMPERATURE.value, top_k=TOP_K.value, top_p=TOP_P.value, min_p=MIN_P.value,
      repetition_penalty=REPETITION_PENALTY.value, end_of_document=END.value)
  path = SESSION.value
  if path and FORK.value:
    session.fork(path, FORK.value)
    path = FORK.value
  if path:
    session.check_place(path)
  with session.locked(path) if path else contextlib.nullcontext():
    _run(path, config)


def _run(path: str | None, config: sampling.SamplingConfig) -> None:
  """Loads the model and does what the flags say. `path` is that of the session."""
  stdin = sys.stdin.buffer if sys.stdin else None
  data = b'' if CHAT.value else prompt.read_prompt(PROMPT.value, PROMPT_FILE.value, stdin)
  run_config, params, _ = checkpoint.load_params(RUN_DIR.value, best=BEST.value)
  owner = session.owner(run_config.model, params) if path else None
  params = jax.device_put(precision.cast_params(params, jnp.dtype(PRECISION.value)))
  decoder = decoder_lib.Decoder(run_config.model, params)
  generate, context = _generate(decoder, config), _begin(decoder, path, owner)
  if CHAT.value:
    _chat(decoder, generate, context, path, owner)
  else:
    _sample(decoder, generate, context, data, path, owner)


if __name__ == '__main__':
  command_line.run(main)
