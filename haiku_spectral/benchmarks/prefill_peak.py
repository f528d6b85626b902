"""Prefill of random bytes: its time, and the peak memory of the process.

  python -m haiku_spectral.benchmarks.prefill_peak RUN_DIR NUM_BYTES

Prints one line of JSON. An empty RUN_DIR stands for the preset tiny with random parameters.
"""

import json
import sys

import jax

from haiku_spectral import backend
from haiku_spectral.benchmarks import step_worker, timing
from haiku_spectral.benchmarks import subject as subject_lib
from haiku_spectral.decoding import prefill


def measure(run_dir: str, num_bytes: int) -> dict[str, float]:
  """Seconds of a prefill of so many bytes, and the peak of the process in bytes."""
  subject = subject_lib.load(run_dir, {})
  start = prefill.begin(subject.model, subject.params)
  ids = subject_lib.random_bytes(num_bytes)

  def read(count: int) -> None:
    jax.block_until_ready(prefill.extend(subject.model, subject.params, start, ids[:, :count]))

  read(prefill.CHUNK)  # Compiles.
  seconds = timing.seconds(lambda: read(num_bytes))
  return {'bytes': num_bytes, 'seconds': seconds, 'peak': step_worker.peak()}


if __name__ == '__main__':
  backend.tune_malloc()  # As every program does.
  print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
