"""How often something happened, by reason, and where first."""

import collections
import dataclasses
from typing import Any, ClassVar

from haiku_spectral.storage import file_name


@dataclasses.dataclass
class ReasonCounts:
  """Counts by reason, and the first places of each."""

  LISTED: ClassVar[int] = 5  # For each reason.

  counts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
  first: dict[str, list[dict[str, str]]] = dataclasses.field(default_factory=dict)

  def add(self, reason: str, file: str, position: str = '', detail: str = '') -> None:
    """Counts one."""
    self.counts[reason] += 1
    listed = self.first.setdefault(reason, [])
    if len(listed) < self.LISTED:
      listed.append({'file': file, 'position': position, 'detail': file_name.printable(detail)})

  def merge(self, other: dict[str, Any]) -> None:
    """Adds what `as_json` gave."""
    self.counts.update(other['counts'])
    for reason, places in other['first'].items():
      listed = self.first.setdefault(reason, [])
      listed += places[:self.LISTED - len(listed)]

  def as_json(self) -> dict[str, Any]:
    return {'counts': dict(sorted(self.counts.items())), 'first': dict(sorted(self.first.items()))}

  def lines(self) -> list[dict[str, str]]:
    """The first of each reason for people: FILE: POSITION, and reason (detail)."""
    return [
        {'file': place['file'] + (f': {place["position"]}' if place['position'] else ''),
         'reason': reason + (f' ({place["detail"]})' if place['detail'] else '')}
        for reason, places in sorted(self.first.items()) for place in places]

  def __str__(self) -> str:
    """In one line, the most frequent first."""
    return ', '.join(f'{count} x {reason}' for reason, count in self.counts.most_common())
