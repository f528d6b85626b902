"""Files as the sources publish them, small: the same documents in every format."""

import gzip
import io
import json
import pathlib
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet as pq


def json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
  """Rows as JSON lines."""
  return b''.join(json.dumps(row, ensure_ascii=False).encode() + b'\n' for row in rows)


def zstd(data: bytes) -> bytes:
  """One zstd frame."""
  return pa.compress(data, codec='zstd', asbytes=True)


def gzipped(data: bytes) -> bytes:
  """One gzip member, the same bytes each time."""
  return gzip.compress(data, mtime=0)


def parquet(
    rows: Sequence[Mapping[str, Any]], *, schema: Mapping[str, Any] | None = None, **options: Any
) -> bytes:
  """Rows as a parquet file; without a schema their types are those of their values."""
  sink = io.BytesIO()
  table = pa.Table.from_pylist(list(rows), pa.schema(schema) if schema else None)
  pq.write_table(table, sink, **options)
  return sink.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
  """Members as a zip file."""
  sink = io.BytesIO()
  with zipfile.ZipFile(sink, 'w', zipfile.ZIP_DEFLATED) as archive:
    for name, data in members.items():
      archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # Dated 1980.
  return sink.getvalue()


def write(folder: pathlib.Path, name: str, data: bytes) -> pathlib.Path:
  """Writes a file; returns its path."""
  path = folder / name
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_bytes(data)
  return path
