"""Everything that varies, as frozen dataclasses, and the parsers of its strings.

Import these names from `haiku_spectral.config`.
"""

import dataclasses

from haiku_spectral.config.fields import field
from haiku_spectral.requirement import require

MIXERS = {'H': 'Hyena', 'M': 'ResidualMemory', 'A': 'WindowAttention'}
# Of a packed record. Segments, and chunks of segments, divide it or are multiples of it.
MAX_SLOTS = 1 << 24  # Of a table.
RECORD_BYTES = 65_536


@dataclasses.dataclass(frozen=True, kw_only=True)
class FilterConfig:
  """The long filters of a Hyena operator. Lags and time constants are in bytes."""

  # 'network': implicit taps up to the horizon; 'modal': exponentials.
  kind: str = field('network', choices=('network', 'modal'))
  horizon: int = field(1024, at_least=2)  # Taps S; the filter fades to zero there ('network').
  sinusoids: int = field(16, at_least=1)  # Log-spaced periods among a lag's features ('network').
  hidden: int = field(32, at_least=1)  # Width of the sine network ('network').
  modes: int = field(16, at_least=1)  # Exponentials per channel ('modal').
  min_time_constant: float = field(2.0, above=0)
  max_time_constant: float = 256.0  # Beyond a quarter of the training length curves rise past it.


@dataclasses.dataclass(frozen=True, kw_only=True)
class HyenaConfig:
  """The Hyena operator."""

  order: int = field(2, at_least=2)  # Number of gated products; order - 1 long convolutions.
  short_width: int = field(3, at_least=1)  # Taps of the short convolution on every projection.
  filter: FilterConfig = FilterConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryConfig:
  """The gated associative memory."""

  heads: int = field(4, at_least=1)
  # 'gated': S = a S + k v^T; 'delta': S = a (I - b k k^T) S + c k v^T.
  rule: str = field('delta', choices=('gated', 'delta'))
  short_width: int = field(4, at_least=1)  # Taps of the convolution on queries, keys and values.
  # Bytes per matrix product of the chunkwise form.
  block: int = field(64, at_least=1, speed_only=True)
  min_time_constant: float = field(64.0, above=0)
  max_time_constant: float = 10_000.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AttentionConfig:
  """Sliding-window attention."""

  heads: int = field(4, at_least=1)
  window: int = field(512, at_least=1)  # Bytes that a query sees, itself included.
  block: int = field(128, at_least=1, speed_only=True)  # Queries per band.


@dataclasses.dataclass(frozen=True, kw_only=True)
class NgramConfig:
  """The exact memory: which bytes followed the last bytes before."""

  # Numbers of bytes that are looked up, 'n,n,n'; '': no exact memory.
  orders: str = '2,3,4,5,6,8,11,16,24'
  # Numbers of words before the current one that are looked up with its beginning, 'n,n'; '': none.
  words: str = ''
  followers: int = field(3, at_least=1, at_most=3)  # The latest ones, per context.
  # Contexts that each order can hold, a power of two; each takes 4 bytes of state.
  slots: int = field(4096, at_least=2, at_most=MAX_SLOTS)
  width: int = field(24, at_least=1)  # Of the vector per order that the first layer reads.


@dataclasses.dataclass(frozen=True, kw_only=True)
class MatchConfig:
  """The match memory: the text itself, and where its contexts ended."""

  length: int = field(0, at_least=0, at_most=64)  # Bytes of a context; 0: no match memory.
  # Places that its table can hold, a power of two; each takes 4 bytes of state.
  slots: int = field(1 << 19, at_least=2, at_most=MAX_SLOTS)
  # Bytes of text that are kept, a power of two; three quarters of them can be recalled.
  ring: int = field(1 << 21, at_least=1 << 9, at_most=1 << 21)


@dataclasses.dataclass(frozen=True, kw_only=True)
class CountsConfig:
  """The count memory: how often each byte followed the last few bytes."""

  orders: str = ''  # Numbers of bytes that are looked up, 'n,n,n'; '': no count memory.
  followers: int = field(28, at_least=1, at_most=64)  # The latest ones, per context.
  # Contexts that each order can hold, a power of two; each takes followers + 4 bytes of state.
  slots: int = field(1 << 14, at_least=2, at_most=MAX_SLOTS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnlineHeadConfig:
  """The online head: a correction of the logits that is learnt while text is read."""

  rate: float = field(0.0, at_least=0, at_most=1)  # Of its gradient descent; 0: no online head.


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
  """SpectralGPT. `layers` is a multiple of the pattern's length."""

  pattern: str = 'HHMHHA'
  layers: int = field(6, at_least=1)
  width: int = field(256, at_least=1)
  mlp_width: int = field(512, at_least=1)
  tied_head: bool = False  # The head is the embedding's table.
  remat: bool = field(False, speed_only=True)  # Compute activations again in the backward pass.
  hyena: HyenaConfig = HyenaConfig()
  memory: MemoryConfig = MemoryConfig()
  attention: AttentionConfig = AttentionConfig()
  ngram: NgramConfig = NgramConfig()
  match: MatchConfig = MatchConfig()
  counts: CountsConfig = CountsConfig()
  online_head: OnlineHeadConfig = OnlineHeadConfig()  # Of trained models alone.


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
  """What the model is trained on. Lengths are in bytes.

  With a curriculum each phase has a mixture and a segment of its own; these two are then what the
  run is measured by.
  """

  mixture: str = 'starter:1'  # 'name:weight,name:weight'; weights are shares of the bytes.
  batch_size: int = field(8, at_least=1)  # Rows of the global batch.
  segment: int = field(1024, at_least=1)  # Bytes per row and step: the training length T.
  # Segments of a chunk, which a stateful row gets in sequence before it goes to another place.
  chunk_segments: int = field(16, at_least=1)
  # Stateful rows of the batch (their state is carried over); the others are stateless.
  stateful_rows: int = field(4, at_least=0)
  # Bytes before a chunk that the exact memory of a stateful row holds already when it begins.
  history: int = field(0, at_least=0, at_most=1 << 20, unit='bytes')


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateConfig:
  """A learning rate over the steps of a run, or of one phase of it."""

  learning_rate: float = field(2e-3, above=0)
  schedule: str = field('cosine', choices=('cosine', 'wsd'))  # 'wsd': warm-up, stable, decay.
  warmup_steps: int = field(50, at_least=0)
  # The last part of the steps in which 'wsd' decays.
  decay_fraction: float = field(0.2, above=0, at_most=1)
  # The learning rate at the end, over its peak; 1: it stays.
  final_fraction: float = field(0.1, at_least=0, at_most=1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhaseConfig:
  """One phase of a curriculum."""

  name: str
  bytes: int  # Trained on in it, to the nearest step.
  mixture: str
  segment: int = field(1024, at_least=1)
  # 'length:share,length:share': begins with shorter segments, for these shares of its bytes.
  warmup_lengths: str = ''
  rate: RateConfig = RateConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig(RateConfig):
  """AdamW, or Muon for matrices, with clipping and a schedule."""

  kind: str = field('adamw', choices=('adamw', 'muon'))  # 'muon': for matrices, else Adam.
  b1: float = field(0.9, at_least=0, below=1)
  b2: float = field(0.95, at_least=0, below=1)
  weight_decay: float = field(0.1, at_least=0)
  clip_norm: float = field(1.0, above=0)
  # Filter parameters learn slower and do not decay.
  filter_learning_rate_scale: float = field(0.3, at_least=0)
  matrix_learning_rate_scale: float = field(6.7, above=0)  # Of matrices, with 'muon'.
  # The width at which the rates were tuned: from there they follow that of the model, see
  # training/width_scaling.py. 0: they are as given.
  base_width: int = field(0, at_least=0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GuardConfig:
  """When a step is not applied."""

  # Gradient norm over its running average that counts as a spike.
  spike_factor: float = field(10.0, above=1, monitoring=True)
  # Of the running average; nothing counts as a spike before so many steps.
  average_steps: int = field(50, at_least=1, monitoring=True)
  # More in a row stop the training.
  max_consecutive_skips: int = field(20, at_least=1, monitoring=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
  """One training run. Intervals (`_every`) are in steps; 0: only at the end of each phase."""

  # 0: as many as the curriculum takes. When a run is prolonged, the rest of the learning rate's
  # schedule is that of the new number.
  steps: int = field(1000, at_least=0, monitoring=True)
  seed: int = field(0, at_least=0, at_most=2**31 - 1)
  # What the layers compute in.
  precision: str = field('float32', choices=('float32', 'bfloat16', 'float16'))
  # Every so many-th segment of a row is trained without the n-gram memory's long contexts, so that
  # the match memory is trusted where these have forgotten; 0: none.
  hide_contexts: int = field(0, at_least=0)
  # The last share of the steps, in which the count memory takes part: before, the layers learn as
  # if it were not there. A small share keeps short contexts good, a large one serves long texts.
  counts_share: float = field(0.2, above=0, at_most=1)
  accumulation: int = field(1, at_least=1, speed_only=True)  # Micro-batches per step.
  # Bytes of a segment that a step reads at a time, with the gradient through the state between: the
  # memory that a step needs is that of so many; 0: all of them.
  chunk: int = field(0, at_least=0, speed_only=True, unit='bytes')
  log_every: int = field(10, at_least=0, monitoring=True)
  eval_every: int = field(250, at_least=0, monitoring=True)
  # Of the held-out split; 0: all of it.
  eval_batches: int = field(8, at_least=0, monitoring=True)
  extrapolation_every: int = field(0, at_least=0, monitoring=True)  # 0: never.
  checkpoint_every: int = field(250, at_least=0, monitoring=True)
  keep_latest: int = field(2, at_least=1, monitoring=True)
  optimizer: OptimizerConfig = OptimizerConfig()
  guard: GuardConfig = GuardConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
  """A model, its data and its training."""

  model: ModelConfig = ModelConfig()
  data: DataConfig = DataConfig()
  train: TrainConfig = TrainConfig()
  curriculum: tuple[PhaseConfig, ...] = ()  # One after the other; () is a single phase.


def parse_mixture(mixture: str, name: str = 'config.data.mixture') -> dict[str, float]:
  """Parses 'name:weight,name:weight'. Names may hold a config ('text_folder/books'). Weights > 0.

  Raises a ValueError that calls the mixture by `name`.
  """
  sources: dict[str, float] = {}
  for part in mixture.split(','):
    source, colon, weight = part.strip().rpartition(':')
    try:
      share = float(weight)
    except ValueError:
      share = 0.0
    require(
        bool(source and colon and 0 < share < float('inf') and source not in sources),
        name, mixture, "'name:weight,name:weight', distinct names, weights above 0")
    sources[source] = share
  return sources


def parse_orders(orders: str, name: str = 'config.model.ngram.orders') -> tuple[int, ...]:
  """Reads 'n,n,n', numbers of bytes that grow, or nothing; a message calls them by `name`."""
  return _parse_numbers(name, orders, range(1, 65), 'bytes')


def parse_words(words: str) -> tuple[int, ...]:
  """Reads 'n,n', numbers of words that grow, or nothing."""
  return _parse_numbers('config.model.ngram.words', words, range(4), 'words')


def _parse_numbers(name: str, given: str, allowed: range, unit: str) -> tuple[int, ...]:
  found = given.split(',') if given else []
  numbers = [int(each) for each in found if each.isdecimal()]
  require(
      len(numbers) == len(found) and numbers == sorted(set(numbers))
      and not set(numbers) - set(allowed),
      name, given, f"'n,n', growing numbers of {unit} from {allowed[0]} to {allowed[-1]}, or ''")
  return tuple(numbers)


def parse_lengths(lengths: str, name: str) -> dict[int, float]:
  """Parses 'length:share,length:share', or nothing. Lengths grow; shares have a sum below 1.

  Raises a ValueError that calls the lengths by `name`.
  """
  found: dict[int, float] = {}
  for length, share in (parse_mixture(lengths, name) if lengths else {}).items():
    require(length.isdecimal() and int(length) > max(found, default=0), name, lengths,
            "'length:share,length:share', lengths (bytes) that grow")
    found[int(length)] = share
  require(sum(found.values()) < 1, name, lengths,
          'shares of the bytes of the phase that leave some for its own segment')
  return found
