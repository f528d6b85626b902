"""Baselines: compressors that were not trained."""

import bz2
import gzip
import lzma
import pathlib
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from typing import NamedTuple

import pyarrow
import pyppmd

_LZMA_PRESET = 9 | lzma.PRESET_EXTREME
_MIN_DICTIONARY, _MAX_DICTIONARY = 1 << 12, 1 << 26  # Bytes: xz allows no less, -9 takes no more.
_PPMD_MEMORY = 1 << 26  # Bytes; what is not used is not touched.


class Compressor(NamedTuple):
  """A program or library at its best level."""

  name: str
  size: Callable[[bytes], int]  # Bytes of the compressed data, headers included.
  # Another program, which takes seconds per call: too slow for many short contexts.
  program: str = ''

  @property
  def available(self) -> bool:
    """Whether it can be run here."""
    return not self.program or shutil.which(self.program) is not None


def _xz(data: bytes) -> int:
  # A dictionary larger than the data changes no byte of the result but takes 40 ms to set up.
  dictionary = min(max(len(data), _MIN_DICTIONARY), _MAX_DICTIONARY)
  chain = [{'id': lzma.FILTER_LZMA2, 'preset': _LZMA_PRESET, 'dict_size': dictionary}]
  return len(lzma.compress(data, filters=chain))


def _zpaq(data: bytes) -> int:
  with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, 'data').write_bytes(data)
    done = subprocess.run(
        ['zpaq', 'add', 'archive.zpaq', 'data', '-method', '5', '-threads', '1'], cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, encoding='utf-8',
        errors='replace', check=False)
    if done.returncode:
      raise ValueError(f'zpaq ended with exit code {done.returncode}: {done.stderr.strip()[-200:]}')
    return pathlib.Path(folder, 'archive.zpaq').stat().st_size


COMPRESSORS = (
    Compressor('gzip -9', lambda data: len(gzip.compress(data, 9))),
    Compressor('bzip2 -9', lambda data: len(bz2.compress(data, 9))),
    Compressor('xz -9e', _xz),
    Compressor('zstd -19', lambda data: len(
        pyarrow.Codec('zstd', compression_level=19).compress(data, asbytes=True))),
    # Variant H, as in 7-Zip.
    Compressor('PPMd order 6', lambda data: len(
        pyppmd.compress(data, max_order=6, mem_size=_PPMD_MEMORY, variant='H'))),
    Compressor('zpaq -m5', _zpaq, program='zpaq'),
)


def available() -> list[Compressor]:
  """Those that can be run here."""
  return [compressor for compressor in COMPRESSORS if compressor.available]


def missing() -> list[str]:
  """The names of the others."""
  return [compressor.name for compressor in COMPRESSORS if not compressor.available]


def sizes(data: bytes) -> dict[str, int]:
  """Bytes that `data` takes compressed by each that can be run here."""
  return {compressor.name: compressor.size(data) for compressor in available()}


def cost(compressor: Compressor, context: bytes, data: bytes) -> int:
  """Bytes that `data` adds to its compressed context: what it costs given the context."""
  return compressor.size(context + data) - compressor.size(context)
