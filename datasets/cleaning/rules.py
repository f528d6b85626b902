"""Which steps a corpus is cleaned by, and the cleaning of one document.

Steps that look at one document come first, in the order of `Rules`; duplicates are found among the
documents that these keep (datasets/streaming/assignment.py).
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

from datasets.cleaning import contamination, language, normalise
from haiku_spectral.requirement import require

TOO_SHORT = 'too short'
OTHER_LANGUAGE = 'other language'
CONTAMINATED = 'in an evaluation set'
EXACT_DUPLICATE = 'duplicate'
NEAR_DUPLICATE = 'near duplicate'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
  """Every step can be switched off. The defaults are those of clean text in any language."""

  nfc: bool = True  # Unicode normal form C.
  control: bool = True  # Plain line ends, no control characters but tabs.
  minimal_bytes: int = 1
  language: str = ''  # 'tr': only Turkish. '': any.
  exact_duplicates: bool = True
  near_duplicates: bool = False

  def __post_init__(self) -> None:
    """Raises ValueError for a value that is not allowed."""
    require(self.minimal_bytes >= 1, 'minimal_bytes', self.minimal_bytes, '1 or more')

  def check_language(self) -> None:
    """Raises ValueError for a language that cannot be identified; loads the model."""
    if self.language:
      known = sorted(language.languages())
      require(self.language in known, 'language', self.language, f'one of {", ".join(known)}')


NONE = Rules(nfc=False, control=False, exact_duplicates=False)  # For benchmarks: as published.


class Cleaned(NamedTuple):
  """A document after the steps that look at it alone."""

  text: bytes
  changed: tuple[str, ...]  # The steps that changed it.
  reason: str = ''  # Why it is filtered; '': it is kept.
  detail: str = ''


class Cleaner:
  """The steps that look at one document."""

  def __init__(self, rules: Rules, evaluation: contamination.EvaluationText | None = None) -> None:
    self._rules = rules
    self._evaluation = evaluation
    self._changes: list[tuple[str, Callable[[bytes], bytes]]] = []
    if rules.control:
      self._changes.append(('control', normalise.without_control))
    if rules.nfc:
      self._changes.append(('nfc', normalise.nfc))

  def __call__(self, text: bytes) -> Cleaned:
    """Cleans a text, or says why it is filtered."""
    changed = []
    for name, change in self._changes:
      before, text = text, change(text)
      if text != before:
        changed.append(name)
    return Cleaned(text, tuple(changed), *self._judge(text))

  def _judge(self, text: bytes) -> tuple[str, str]:
    rules = self._rules
    if len(text) < rules.minimal_bytes:
      return TOO_SHORT, f'{len(text)} bytes'
    if rules.language and (found := language.of(text)) != rules.language:
      return OTHER_LANGUAGE, found
    if self._evaluation and (byte := self._evaluation.find(contamination.normal(text))) >= 0:
      return CONTAMINATED, f'at byte {byte}'
    return '', ''
