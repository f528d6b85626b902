"""The suite `compression`: the code length of whole files, beside compressors."""

import functools
import os

from absl import flags

from binaries import command_line, flag_types, progress_bar, suites
from haiku_spectral.evaluation import code_length
from haiku_spectral.requirement import require
from haiku_spectral.storage import file_name

flags.adopt_module_key_flags(suites)
LARGEST = 1 << 30  # Bytes of a file.


def _prepare() -> suites.Measure:
  flag_types.given(suites.TEXT, 'files or folders to score')
  texts = list(suites.documents(LARGEST + 1))
  for name, data in texts:
    require(len(data) <= LARGEST, '--text', file_name.printable(name),
            f'files of at most {LARGEST:,} bytes, for each is scored whole')
  if empty := sum(not data for _, data in texts):
    command_line.tell(f'not scored: {empty} x empty')
  texts = [(file_name.printable(name), data) for name, data in texts if data]
  if not texts:
    raise ValueError(f'--text={",".join(suites.TEXT.value)} has no text: give files that do.')
  if all(os.path.isabs(name) for name, _ in texts):
    folder = os.path.commonpath([os.path.dirname(name) for name, _ in texts])
    texts = [(os.path.relpath(name, folder), data) for name, data in texts]
  return functools.partial(_measure, texts)


def _measure(texts: list[tuple[str, bytes]], subject: suites.Subject) -> suites.Found:
  data = [each for _, each in texts]
  total = sum(map(len, data))
  with progress_bar.of_bytes('score', total) as bar:
    nats = code_length.nats(
        subject.model, subject.params, data, batch_size=suites.BATCH_SIZE.value,
        chunk=suites.CHUNK.value or subject.config.data.segment, dtype=subject.dtype,
        on_progress=bar.update)
  with progress_bar.of_bytes('compress', total) as bar:
    found = code_length.documents(texts, nats, on_progress=bar.update)
  source = f'{subject.source} on {", ".join(suites.TEXT.value)}'
  return suites.Found(
      code_length.to_text(found, source), code_length.to_json(found, source),
      code_length.figure(found))


SUITE = suites.Suite('the code length of files, beside compressors', _prepare)
