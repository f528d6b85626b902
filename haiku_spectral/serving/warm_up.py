"""Compiles what a server needs before somebody waits for it."""

import jax

from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import scheduler
from haiku_spectral.decoding.generation import Request
from haiku_spectral.serving import job

# One prompt for each size of a chunk; as many bytes as it takes for all tiles of the caches.
_PROMPT = b'\n' * (512 + 64 + 8 + 1)


def run(decoder: decoder_lib.Decoder, rows: int) -> None:
  """Generates a text of the length after which nothing new is compiled."""
  batch = scheduler.Scheduler(decoder, job.CONFIG, rows=rows)
  horizon = decoder.config.hyena.filter.horizon
  batch.submit(Request(1, jax.random.key(0)), _PROMPT, logits=True)
  batch.submit(Request(2 * max(horizon, decoder_lib.BLOCK), jax.random.key(0)))
  batch.run()
