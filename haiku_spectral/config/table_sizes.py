"""The sizes of a memory's tables. They hold no parameters, so a trained model may have others."""

import dataclasses

from haiku_spectral.config.schema import MAX_SLOTS, ModelConfig
from haiku_spectral.requirement import require


def with_slots(model: ModelConfig, times: int) -> ModelConfig:
  """The model with `times` as many slots in the tables of its n-gram, match and count memory.

  The text that the match memory keeps stays as long as it is.
  Raises ValueError for a number that is not allowed, and for a model that has no tables.
  """
  if times == 1:
    return model
  used = {'ngram': bool(model.ngram.orders), 'match': model.match.length > 0,
          'counts': bool(model.counts.orders)}
  require(any(used.values()), '--slots_times', times,
          '1 for a model that has no n-gram, match or count memory')
  tables = {name: getattr(model, name) for name in used if used[name]}
  most = MAX_SLOTS // max(table.slots for table in tables.values())
  require(times.bit_count() == 1 and times <= most, '--slots_times', times,
          f'a power of two, at most {most} for this model')
  return dataclasses.replace(model, **{
      name: dataclasses.replace(table, slots=times * table.slots)
      for name, table in tables.items()})
