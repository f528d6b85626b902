"""Zip: each member is a text."""

import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from datasets.readers import plain_text, raw
from haiku_spectral.storage import file_name


def read(file: Any, name: str, spec: raw.Spec) -> Iterator[raw.Item]:
  """Reads the members in the order of their names, each as a stream: nothing is unpacked."""
  try:
    archive = zipfile.ZipFile(file)
  except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
    yield raw.Problem(name, '', 'bad_zip', str(error))
    return
  with archive:
    for member in sorted(archive.infolist(), key=lambda member: member.filename):
      if raw.is_hidden(member.filename):
        yield raw.Problem(name, _position(member), 'hidden', wrong=False)
      elif not member.is_dir():
        yield from _member(archive, member, name, spec)


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, spec: raw.Spec
) -> Iterator[raw.Item]:
  try:
    with archive.open(member) as stream:
      yield from plain_text.read(
          stream, f'{name}/{file_name.printable(member.filename)}', spec)
  except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError,
          ValueError) as error:
    # RuntimeError: it wants a password. OSError, ValueError: it begins outside of the file. The
    # directory is complete, so the next member can be read.
    yield raw.Problem(name, _position(member), 'bad_zip', str(error))


def _position(member: zipfile.ZipInfo) -> str:
  return f'member {file_name.printable(member.filename)}'
