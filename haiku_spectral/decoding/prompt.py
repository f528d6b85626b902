"""Where a prompt comes from: a flag, a file or a pipe. It is bytes, text or not."""

import os
import pathlib
from typing import BinaryIO


def read_prompt(prompt: str | None, prompt_file: str | None, stdin: BinaryIO | None) -> bytes:
  """The prompt of the first source that is given, or nothing: the start of a document.

  `prompt_file` may be '-' for `stdin`, which is read too when it is piped and no flag is given.
  `stdin` is None where it is closed.
  Raises ValueError when both flags are given, OSError for a file that cannot be read.
  """
  if prompt is not None and prompt_file is not None:
    raise ValueError('--prompt and --prompt_file are both given: give one of them.')
  if prompt is not None:
    # What was no UTF-8 on the command line comes back as the bytes that were typed.
    return os.fsencode(prompt)
  if prompt_file is None:
    return stdin.read() if stdin and not stdin.isatty() else b''
  if prompt_file == '-':
    return stdin.read() if stdin else b''
  if not os.path.exists(prompt_file) or os.path.isdir(prompt_file):  # A pipe is as good as a file.
    raise FileNotFoundError(f'--prompt_file={prompt_file} is not a file: give an existing one.')
  return pathlib.Path(prompt_file).read_bytes()
