"""A session as a document: what happened, as a conversation with marks.

A goal is preceded by all that is remembered; an answer to it begins behind vocab.TURN. What came of
a turn stands between vocab.RESULT and vocab.TURN. The context of the agent's model is this document
so far, and what it is trained on are such documents.
"""

from collections.abc import Iterable

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.agent import actions
from haiku_spectral.agent.transcript import Event


def ids(event: Event, last: int) -> np.ndarray:  # [T] int32
  """An event as the context has it; `last` is the last id of the context."""
  if event.kind == 'end':
    return np.zeros(0, np.int32)
  if event.kind == 'turn':
    return vocab.encode(event.text)
  if event.kind == 'observation':
    return np.array([vocab.RESULT, *event.text, vocab.TURN], np.int32)
  return vocab.turn_ids(actions.assignments(event.memory) + event.text, last)


def of(events: Iterable[Event]) -> np.ndarray:  # [T] int32
  """The document of some events, without the boundary at its start."""
  parts, last = [np.zeros(0, np.int32)], vocab.BOUNDARY
  for event in events:
    parts.append(ids(event, last))
    last = int(parts[-1][-1]) if parts[-1].size else last
  return np.concatenate(parts)
