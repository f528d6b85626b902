"""Everything that varies, as frozen dataclasses, and how its strings are read.

Import these names from `haiku_spectral.config`.
"""

import dataclasses
from typing import Any

MIXERS = {'H': 'Hyena', 'M': 'ResidualMemory', 'A': 'WindowAttention'}
RECORD_BYTES = 65_536  # what one pack record holds; segments and spans divide it.
# The mark of fields that change speed and memory, and what is computed by rounding alone. They may
# change between runs, and are no part of what identifies a model.
SPEED_ONLY = {'speed_only': True}


def _speed_only(default: Any) -> Any:
  return dataclasses.field(default=default, metadata=SPEED_ONLY)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterConfig:
  """The long filters of a Hyena operator. Lags and time constants are in bytes."""

  kind: str = 'network'  # 'network': implicit taps up to the horizon; 'modal': exponentials.
  horizon: int = 1024  # Taps S; the filter has faded smoothly to zero there ('network').
  sinusoids: int = 16  # Log-spaced periods among the features of a lag ('network').
  hidden: int = 32  # Width of the sine network ('network').
  modes: int = 16  # Exponentials per channel ('modal').
  min_time_constant: float = 2.0
  max_time_constant: float = 256.0  # Beyond a quarter of the training length curves rise past it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class HyenaConfig:
  """The Hyena operator."""

  order: int = 2  # Number of gated products; order - 1 long convolutions.
  short_width: int = 3  # Taps of the short convolution on every projection.
  filter: FilterConfig = FilterConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryConfig:
  """The gated associative memory."""

  heads: int = 4
  rule: str = 'gated'  # 'gated': S = a S + k v^T; 'delta': S = a (I - b k k^T) S + b k v^T.
  short_width: int = 4  # Taps of the short convolution on queries, keys and values.
  block: int = _speed_only(64)  # Bytes per matrix product of the chunkwise form.
  min_time_constant: float = 64.0
  max_time_constant: float = 10_000.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttentionConfig:
  """Sliding-window attention."""

  heads: int = 4
  window: int = 512  # Bytes that a query sees, itself included.
  block: int = _speed_only(128)  # Queries per band.


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
  """SpectralGPT. `layers` is a multiple of the pattern's length."""

  pattern: str = 'HHMHHA'
  layers: int = 6
  width: int = 256
  mlp_width: int = 512
  tied_head: bool = False  # The head is the embedding's table.
  remat: bool = _speed_only(False)  # Compute activations again in the backward pass.
  hyena: HyenaConfig = HyenaConfig()
  memory: MemoryConfig = MemoryConfig()
  attention: AttentionConfig = AttentionConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
  """What the model reads. Lengths are in bytes.

  With a curriculum each phase has a mixture and a segment of its own; these two are then what the
  run is measured by.
  """

  mixture: str = 'starter:1'  # 'name:weight,name:weight'; weights are shares of the bytes.
  batch_size: int = 8  # Rows of the global batch.
  segment: int = 1024  # Bytes per row and step: the training length T.
  span: int = 16  # Segments that a stateful row reads in sequence, and then goes to another place.
  carried_rows: int = 4  # Stateful rows of the batch (state carried over); others are stateless.
  history: int = 0  # Bytes of context before the window that a stateless row is given; 0: none.


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateConfig:
  """A learning rate over the steps of a run, or of one phase of it."""

  learning_rate: float = 2e-3
  schedule: str = 'cosine'  # 'cosine' | 'wsd' (warm-up, stable, decay).
  warmup_steps: int = 50
  decay_fraction: float = 0.2  # The last part of the steps in which 'wsd' decays.
  final_fraction: float = 0.1  # The learning rate at the end, over its peak; 1: it stays.


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhaseConfig:
  """One phase of a curriculum."""

  name: str
  bytes: int  # What is read in it, to the nearest step.
  mixture: str
  segment: int = 1024
  # 'length:share,length:share': begins with shorter segments, for these shares of its bytes.
  warmup_lengths: str = ''
  rate: RateConfig = RateConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig(RateConfig):
  """AdamW with clipping and a schedule."""

  b1: float = 0.9
  b2: float = 0.95
  weight_decay: float = 0.1
  clip_norm: float = 1.0
  filter_learning_rate_scale: float = 0.3  # Filter parameters learn slower and do not decay.


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuardConfig:
  """When a step is not applied."""

  spike_factor: float = 10.0  # Gradient norm over its running average that counts as a spike.
  average_steps: int = 50  # Of the running average; nothing counts as a spike before so many steps.
  max_consecutive_skips: int = 20  # More in a row stop the training.


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
  """One training run. Intervals (`_every`) are in steps; 0: only at the end."""

  steps: int = 1000  # 0: as many as the curriculum takes.
  seed: int = 0
  precision: str = 'float32'  # 'float32' | 'bfloat16' | 'float16': what the layers compute in.
  accumulation: int = _speed_only(1)  # Micro-batches per step.
  log_every: int = 10
  eval_every: int = 250
  eval_batches: int = 8  # Of the held-out split; 0: all of it.
  extrapolation_every: int = 0  # 0: never.
  checkpoint_every: int = 250
  keep_latest: int = 2
  optimizer: OptimizerConfig = OptimizerConfig()
  guard: GuardConfig = GuardConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
  """A model, its data and its training."""

  model: ModelConfig = ModelConfig()
  data: DataConfig = DataConfig()
  train: TrainConfig = TrainConfig()
  curriculum: tuple[PhaseConfig, ...] = ()  # One after the other; () is a single phase.


def require(condition: bool, field: str, value: Any, allowed: str) -> None:
  """Raises a ValueError that names the field, its value and what is allowed."""
  if not condition:
    raise ValueError(f'config.{field}={value!r} is not allowed: give {allowed}.')


def parse_mixture(mixture: str, field: str = 'data.mixture') -> dict[str, float]:
  """Reads 'name:weight,name:weight'. Names may hold a config ('text_folder/books'). Weights > 0."""
  sources: dict[str, float] = {}
  for part in mixture.split(','):
    name, colon, weight = part.strip().rpartition(':')
    try:
      share = float(weight)
    except ValueError:
      share = 0.0
    require(
        bool(name and colon and 0 < share < float('inf') and name not in sources),
        field, mixture, "'name:weight,name:weight', distinct names, weights above 0",
    )
    sources[name] = share
  return sources


def parse_lengths(lengths: str, field: str) -> dict[int, float]:
  """Reads 'length:share,length:share', or nothing. Lengths grow; shares have a sum below 1."""
  found: dict[int, float] = {}
  for name, share in (parse_mixture(lengths, field) if lengths else {}).items():
    require(name.isdigit() and int(name) > max(found, default=0), field, lengths,
            "'length:share,length:share', lengths (bytes) that grow")
    found[int(name)] = share
  require(sum(found.values()) < 1, field, lengths,
          'shares of the bytes of the phase that leave some for its own segment')
  return found
