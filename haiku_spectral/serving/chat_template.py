r"""Messages as plain text, for a base model, which knows no roles: 'User: ...\nAssistant: '.

A session holds what was said before, so a request that names one sends only the new messages.
"""

from collections.abc import Sequence
from typing import NamedTuple

NAMES = {'user': 'User', 'assistant': 'Assistant'}
STOP = b'\nUser:'  # An answer ends before the other one speaks.


class Message(NamedTuple):
  """What one has said."""

  role: str  # 'system', 'user' or 'assistant'.
  content: str


def render(messages: Sequence[Message], *, first: bool) -> bytes:
  """The text that the answer continues. `first`: nothing was said before."""
  parts = [] if first else ['\n']
  for message in messages:
    name = NAMES.get(message.role)
    parts.append(f'{name}: {message.content}\n' if name else f'{message.content}\n\n')
  return ''.join([*parts, f'{NAMES["assistant"]}: ']).encode()
