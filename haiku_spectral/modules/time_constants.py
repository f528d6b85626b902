"""How time constants are spread: log-uniformly, so that each scale of the text has its share."""

import math

import numpy as np


def log_uniform(low: float, high: float, count: int) -> np.ndarray:  # [count]
  """`count` values from `low` to `high` with equal ratios."""
  return np.geomspace(low, high, count) if count > 1 else np.array([math.sqrt(low * high)])
