"""The sizes of a memory's tables. They hold no parameters, so a trained model may have others."""

import dataclasses

from haiku_spectral.config.checks import validate_model
from haiku_spectral.config.schema import ModelConfig
from haiku_spectral.requirement import require


def with_slots(model: ModelConfig, times: int) -> ModelConfig:
  """The model with `times` as many slots in the tables of its n-gram, match and count memory.

  Raises ValueError for a number that is not allowed, and for a model that has no tables.
  """
  if times == 1:
    return model
  used = {'ngram': bool(model.ngram.orders), 'match': model.match.length > 0,
          'counts': bool(model.counts.orders)}
  require(any(used.values()), '--slots_times', times,
          '1 for a model that has no n-gram, match or count memory')
  require(times.bit_count() == 1, '--slots_times', times, 'a power of two')
  tables = {name: getattr(model, name) for name in used if used[name]}
  larger = dataclasses.replace(model, **{
      name: dataclasses.replace(table, slots=times * table.slots)
      for name, table in tables.items()})
  validate_model(larger)
  return larger
