"""Zip: each member is a text."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from datasets.readers import plain_text, raw


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads the members in the order of their names, each as a stream: nothing is unpacked."""
  try:
    archive = zipfile.ZipFile(file)
  except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
    yield raw.Problem(name, '', 'bad_zip', str(error))
    return
  with archive:
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
      if not member.is_dir():
        yield from _member(archive, member, name, spec)


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, spec: raw.Spec
) -> Iterator[raw.Item]:
  try:
    with archive.open(member) as stream:
      yield from plain_text.read(stream, f'{name}/{member.filename}', spec)
  except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError,
          ValueError) as error:
    # RuntimeError: it wants a password. OSError, ValueError: it begins outside of the file. The
    # directory is whole, so the next member can be read.
    yield raw.Problem(name, f'member {member.filename}', 'bad_zip', str(error))
