"""The size of compressed held-out text, with a model and with programs that know none."""

import functools

from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Subject
from haiku_spectral.compression import codec, predictor
from haiku_spectral.decoding import session
from haiku_spectral.evaluation import compressors


def compare(subject: Subject, settings: Settings) -> Section:
  """Bits per byte of each held-out text of the subject."""
  title = 'Compression'
  if not settings.run_dir:
    return Section(title, 'Skipped: only a trained model compresses; give --run_dir.', ())
  make = functools.partial(predictor.ModelPredictor, subject.config, subject.params)
  owner = session.owner(subject.config, subject.params)
  rows: list[Row] = []
  for language, text in subject.texts.items():
    data = text[:settings.text_bytes]
    sizes = compressors.sizes(data) | {'ours': len(codec.compress(make, owner, data))}
    rows.append({'text': language, 'bytes': len(data),
                 **{name: 8 * size / len(data) for name, size in sizes.items()}})
  return Section(title, f'Bits per byte, headers included; {subject.name}.', rows)
