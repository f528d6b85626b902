"""The text that programs measure: documents of built datasets, and of files."""

from collections.abc import Iterator, Sequence

from binaries import command_line
from datasets import pipeline, text_files


def of_datasets(
    names: Sequence[str], *, data_dir: str, split: str, limit: int | None = None
) -> Iterator[pipeline.Document]:
  """The documents of several datasets; of each document at most `limit` bytes."""
  for name in names:
    yield from pipeline.documents(name, data_dir=data_dir, split=split, limit=limit)


def first_bytes(
    names: Sequence[str], *, data_dir: str, split: str, limit: int, longest: int | None = None
) -> Iterator[bytes]:
  """The first documents of several datasets: `limit` bytes in all, as many of each dataset.

  Of each document at most `longest` bytes.
  """
  for name in names:
    left = -(-limit // len(names))
    for document in pipeline.documents(
        name, data_dir=data_dir, split=split, limit=min(left, longest or left)):
      yield document.data[:left]
      left -= len(document.data)
      if left <= 0:
        break


def of_files(paths: Sequence[str], limit: int) -> Iterator[tuple[str, bytes]]:
  """Names and texts of files and of all in folders; of each at most `limit` bytes.

  Tells what was not read.
  """
  filtered = text_files.Filtered()
  yield from text_files.documents(paths, limit=limit, filtered=filtered)
  for reason, count in filtered.counts.most_common():
    command_line.tell(f'not read: {count} x {reason}')
