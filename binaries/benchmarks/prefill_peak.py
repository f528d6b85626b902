"""Reads random bytes and says how fast, and how much memory this process had at most.

  python -m binaries.benchmarks.prefill_peak --num_bytes=65536

One line of JSON. A process of its own, because the peak never falls.
"""

import json
import resource
from collections.abc import Sequence

import jax
from absl import flags

from binaries import command_line
from binaries.benchmarks import subject as subject_lib
from binaries.benchmarks import timing
from haiku_spectral.decoding import prefill

RUN_DIR = flags.DEFINE_string('run_dir', '', 'Folder of a run; empty: tiny, not trained.')
NUM_BYTES = flags.DEFINE_integer('num_bytes', 65536, 'Bytes to read.', lower_bound=1)


def main(argv: Sequence[str]) -> None:
  """Reads and prints."""
  del argv
  subject = subject_lib.load(RUN_DIR.value)
  start = prefill.begin(subject.model, subject.params)
  ids = subject_lib.random_bytes(NUM_BYTES.value)

  def read(count: int) -> None:
    jax.block_until_ready(prefill.read(subject.model, subject.params, start, ids[:, :count]))

  read(prefill.CHUNK)  # Compiles.
  seconds = timing.seconds(lambda: read(NUM_BYTES.value))
  peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # Linux counts in KiB.
  print(json.dumps({'bytes': NUM_BYTES.value, 'seconds': seconds, 'peak': peak}))


if __name__ == '__main__':
  command_line.run(main)
