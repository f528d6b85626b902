"""Reading ahead while the model computes."""

from typing import Any

import grain

from datasets import pipeline


def iterate(
    batches: pipeline.RandomAccess, start_step: int = 0, *, buffer: int = 4, threads: int = 1
) -> grain.DatasetIterator:
  """Batches start_step, start_step + 1, ... in order, of which threads read `buffer` ahead.

  An error of a thread is raised where its batch is asked for. `close` ends the threads.
  """
  source: Any = batches
  options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=buffer)
  iterator = iter(grain.MapDataset.source(source).to_iter_dataset(options))
  iterator.set_state({'next_index': start_step})
  iterator.start_prefetch()
  return iterator
