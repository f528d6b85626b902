"""Baselines: compressors that were not trained."""

import gzip
import lzma

import pyarrow


def sizes(data: bytes) -> dict[str, int]:
  """Bytes that `data` takes compressed by each, at its best level."""
  return {
      'gzip -9': len(gzip.compress(data, 9)),
      'xz -9': len(lzma.compress(data, preset=9)),
      'zstd -19': len(pyarrow.Codec('zstd', compression_level=19).compress(data, asbytes=True)),
  }
