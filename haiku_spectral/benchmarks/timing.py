"""How speed is measured: interleaved rounds, and their medians."""

import statistics
import time
from collections.abc import Callable, Mapping


def seconds(work: Callable[[], object]) -> float:
  """The duration of `work`."""
  start = time.perf_counter()
  work()
  return time.perf_counter() - start


def medians(works: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
  """Median seconds of each, without the first round, which compiles.

  Every round runs all of them, so that a change of the machine's speed affects them alike.
  """
  rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(repeats + 1)]
  return {name: statistics.median(each[name] for each in rounds[1:]) for name in works}
