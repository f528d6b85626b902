"""A report that grows on disk row by row, within a given time."""

import pathlib
import time
from collections.abc import Callable
from typing import Any

from haiku_spectral.benchmarks import report

Tell = Callable[[str], None]


class Recorder:
  """Collects the rows of sections; after each, report.md and results.json hold all so far."""

  def __init__(self, folder: pathlib.Path, heading: str, machine: dict[str, Any], *,
               minutes: float, tell: Tell) -> None:
    self._folder, self._heading, self._machine, self._tell = folder, heading, machine, tell
    self._start = time.monotonic()
    self._seconds = 60 * minutes
    self._current = ''
    self.sections: dict[str, report.Section] = {}

  def begin(self, name: str, title: str, note: str) -> None:
    """What is added from now on belongs to this section."""
    self._current = name
    self.sections[name] = report.Section(title, note, [])

  def add(self, row: report.Row) -> None:
    """Appends a row and writes the report."""
    section = self.sections[self._current]
    self._keep(section._replace(rows=[*section.rows, row]))
    self.say(', '.join(f'{name} {report.cell(value)}' for name, value in row.items()))

  def note(self, text: str) -> None:
    """Appends a sentence to the section's note: what failed, or was left out."""
    section = self.sections[self._current]
    self._keep(section._replace(note=f'{section.note} {text}'))
    self.say(text)

  def say(self, text: str) -> None:
    """Tells the user, with the seconds since the start."""
    self._tell(f'[{time.monotonic() - self._start:4.0f} s] {self._current}: {text}')

  def has(self, seconds: float) -> bool:
    """Whether so many seconds are left."""
    return time.monotonic() - self._start + seconds < self._seconds

  def attempt(self, what: str, seconds: float, work: Callable[[], None]) -> bool:
    """Does `work` if there is time for it; notes what is left out or fails, and goes on."""
    if not self.has(seconds):
      if 'for want of time' not in self.sections[self._current].note:
        self.note(f'{what}, and what would have followed, was left out for want of time.')
      return False
    try:
      work()
    except (RuntimeError, ValueError, NotImplementedError) as error:  # XLA's are RuntimeErrors.
      self.note(f'{what} failed: {" ".join(str(error).split())[:200]}')
      return False
    return True

  def _keep(self, section: report.Section) -> None:
    self.sections[self._current] = section
    report.write(self._folder, self._heading, self._machine, self.sections)
