"""File names as text that can be shown: a name is input, and may hold anything but NUL and '/'."""

import contextlib
import os


def printable(name: str | os.PathLike[str]) -> str:
  r"""A name on one line, with an escape for each byte or character that would not show as itself.

  Escaped are bytes that are not UTF-8 (`\xff`), control characters, among them those that begin an
  escape sequence of a terminal (`\x1b`), and characters without a shape (`\u202e`). All else is as
  it was, whatever the locale.
  """
  text = os.fspath(name)
  with contextlib.suppress(UnicodeEncodeError):  # Half a surrogate pair: escaped below.
    text = text.encode('utf-8', 'surrogateescape').decode('utf-8', 'backslashreplace')
  return ''.join(letter if letter.isprintable() else letter.encode('unicode_escape').decode()
                 for letter in text)
