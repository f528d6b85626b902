"""What programs that have read nothing before make of the same bytes."""

import gzip
import lzma

import pyarrow


def sizes(data: bytes) -> dict[str, int]:
  """Bytes of `data` as each of them writes it, at its best."""
  return {
      'gzip -9': len(gzip.compress(data, 9)),
      'xz -9': len(lzma.compress(data, preset=9)),
      'zstd -19': len(pyarrow.Codec('zstd', compression_level=19).compress(data, asbytes=True)),
  }
