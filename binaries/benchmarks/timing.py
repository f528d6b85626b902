"""How speed is measured: what is compared takes turns, and medians count."""

import statistics
import time
from collections.abc import Callable, Mapping


def seconds(work: Callable[[], object]) -> float:
  """How long `work` takes."""
  start = time.perf_counter()
  work()
  return time.perf_counter() - start


def medians(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
  """Median seconds of each, after a first round that counts for nothing: it compiles.

  All take their turn in every round, so that a change of the machine's pace meets all of them.
  """
  rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(repeats + 1)]
  return {name: statistics.median(each[name] for each in rounds[1:]) for name in works}
