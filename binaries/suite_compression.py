"""The suite `compression`: the code length of whole files, beside compressors."""

import functools
import os

from absl import flags

from binaries import flag_types, progress_bar, suites
from haiku_spectral.evaluation import code_length

flags.adopt_module_key_flags(suites)
LARGEST = 1 << 30  # Bytes of a file; more are not read.


def _prepare() -> suites.Measure:
  flag_types.given(suites.TEXT, 'files or folders to score')
  texts = [(name, data) for name, data in suites.documents(LARGEST) if data]
  if not texts:
    raise ValueError(f'--text={",".join(suites.TEXT.value)} has no text: give files that do.')
  folder = os.path.commonpath([os.path.dirname(name) for name, _ in texts])
  return functools.partial(
      _measure, [(os.path.relpath(name, folder), data) for name, data in texts])


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
