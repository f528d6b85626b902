"""The table of mixers: the only place that knows which there are."""

from haiku_spectral.config import ModelConfig, schema
from haiku_spectral.modules import (
  attention,
  count_memory,
  hyena,
  match_memory,
  memory,
  ngram_memory,
  online_head,
)
from haiku_spectral.modules.mixer import Mixer

_BY_LETTER: dict[str, Mixer] = {}


def register(mixer: Mixer) -> None:
  """Adds a mixer, whose letter may then stand in a pattern.

  Raises ValueError when another mixer has the letter.
  """
  if _BY_LETTER.setdefault(mixer.letter, mixer) is not mixer:
    raise ValueError(
        f'mixer letter {mixer.letter!r} is that of {_BY_LETTER[mixer.letter].name}: give another.')
  schema.MIXERS[mixer.letter] = mixer.name  # For the checks of configs.


for _mixer in (hyena.MIXER, memory.MIXER, attention.MIXER):
  register(_mixer)


def readers(config: ModelConfig) -> tuple[Mixer, ...]:
  """What reads ids: the memories in the place of activations, then the online head beside them."""
  chosen = ((ngram_memory.MIXER, config.ngram.orders), (match_memory.MIXER, config.match.length),
            (count_memory.MIXER, config.counts.orders),
            (online_head.MIXER, config.online_head.rate))
  return tuple(mixer for mixer, is_on in chosen if is_on)


def of(config: ModelConfig) -> tuple[Mixer, ...]:
  """The mixers of a model's pattern, in order."""
  return tuple(_BY_LETTER[letter] for letter in config.pattern)
