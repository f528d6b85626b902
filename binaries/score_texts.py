"""Scores and continues texts for another program: reads requests, writes answers, in JSON lines.

  python -m binaries.score_texts --run_dir=runs/demo

  {"score": [["context", "continuation"]]}          -> {"scores": [[log probability, greedy]]}
  {"generate": ["prompt"], "stops": ["\\n"], "num_bytes": 64, "temperature": 0, "seed": 0}
                                                    -> {"texts": ["generated"]}
  anything else                                     -> {"error": "what is wrong"}

The first line names the model. `evaluate_lm_eval` uses this program.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import jax
import jax.numpy as jnp
from absl import flags

from binaries import command_line, flag_types, model_flags
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import sampling, scheduler
from haiku_spectral.decoding.generation import Request
from haiku_spectral.evaluation import likelihood
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import strict_json

flags.adopt_module_key_flags(model_flags)
BATCH_SIZE = flag_types.define_integer('batch_size', 8, 'Texts per device call.', lower=1)
CHUNK = flag_types.define_integer('chunk', 256, 'Bytes per text and device call.', lower=1)
PRECISION = model_flags.define_precision()

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def _bytes(text: Any) -> bytes:
  if not isinstance(text, str):
    raise ValueError(f'{text!r} is no text')
  return text.encode('utf-8', 'surrogatepass')


def _answers() -> tuple[str, Answer]:
  """What the model is called, and the function that answers a request."""
  config, params, step = model_flags.load()
  model, dtype = spectral_gpt.make_model(config.model), jnp.dtype(PRECISION.value)
  on_device = model_flags.on_device(params, PRECISION.value)
  decoder = decoder_lib.Decoder(config.model, on_device)

  def score(request: dict[str, Any]) -> dict[str, Any]:
    pairs = [(_bytes(context), _bytes(continuation)) for context, continuation in request['score']]
    return {'scores': [list(each) for each in likelihood.score(
        model, on_device, pairs, batch_size=BATCH_SIZE.value, chunk=CHUNK.value, dtype=dtype)]}

  def generate(request: dict[str, Any]) -> dict[str, Any]:
    """The text behind the prompt of a request."""
    stops = [_bytes(stop) for stop in request.get('stops', []) if stop]
    # A model that ends the document has said all that it had to say.
    rules = sampling.SamplingConfig(
        temperature=float(request.get('temperature', 0)), end_of_document=True)
    key = jax.random.key(int(request.get('seed', 0)))
    batch = scheduler.Scheduler(decoder, rows=BATCH_SIZE.value, config=rules)
    tickets = [
        batch.submit(Request(int(request['num_bytes']), jax.random.fold_in(key, number), stops),
                     _bytes(prompt)) for number, prompt in enumerate(request['generate'])]
    texts = batch.run()
    return {'texts': [texts[ticket].decode('utf-8', 'replace') for ticket in tickets]}

  def answer(request: dict[str, Any]) -> dict[str, Any]:
    if 'score' in request:
      return score(request)
    if 'generate' in request:
      return generate(request)
    raise ValueError('a request has the field score or generate')

  return model_flags.name(model_flags.RUN_DIR.value, step), answer


def serve(requests: TextIO, out: TextIO, name: str, answer: Answer) -> None:
  """Answers line by line until there are no more."""
  print(json.dumps({'model': name}), file=out, flush=True)
  for line in requests:
    try:
      found = answer(strict_json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
      found = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(found), file=out, flush=True)


def main(argv: Sequence[str]) -> None:
  """Loads the model, then answers."""
  del argv
  model_flags.check()
  # What anything else prints is no answer: it goes to standard error.
  out = os.fdopen(os.dup(1), 'w', encoding='utf-8')
  os.dup2(2, 1)
  with out:
    serve(sys.stdin, out, *_answers())


if __name__ == '__main__':
  command_line.run(main)
