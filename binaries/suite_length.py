"""The suite `length`: the loss on any text by the length of its context."""

import dataclasses

from absl import flags

from binaries import flag_types, progress_bar, suites
from haiku_spectral.config import phases
from haiku_spectral.evaluation import extrapolation, plot, report
from haiku_spectral.evaluation import plan as plan_lib

flags.adopt_module_key_flags(suites)
MAX_FACTOR = flag_types.define_integer(
    'max_factor', 64, 'Length: maximum multiple of the training length, a power of two.', lower=1)
MAX_DOCUMENTS = flag_types.define_integer(
    'max_documents', 64, 'Length: maximum number of documents; the longest are taken.', lower=1)


def _prepare() -> suites.Measure:
  flag_types.given(suites.TEXT, 'files or folders to score')
  return _measure


def _measure(subject: suites.Subject) -> suites.Found:
  segment, size, chunk = subject.config.data.segment, suites.BATCH_SIZE.value, suites.CHUNK.value
  extrapolation.check(
      train_length=segment, max_factor=MAX_FACTOR.value, batch_size=size, chunk=chunk, prefix='--')
  plan = plan_lib.Plan(segment, MAX_FACTOR.value)
  documents = plan_lib.longest(
      suites.documents(plan.limit), count=MAX_DOCUMENTS.value, limit=plan.limit)
  total = sum(plan.work(len(data)) for _, data in documents)
  with progress_bar.of_bytes('score', total) as bar:
    found = extrapolation.evaluate(
        subject.model, subject.params, documents, train_length=segment,
        max_factor=MAX_FACTOR.value, batch_size=size, chunk=chunk, dtype=subject.dtype,
        on_progress=bar.update)
  found = dataclasses.replace(
      found, source=f'{subject.source} on {", ".join(suites.TEXT.value)}',
      trained_context=phases.trained_context(subject.config))
  return suites.Found(report.to_text(found), report.to_json(found), plot.figure(found))


SUITE = suites.Suite('the loss on any text, by the length of its context', _prepare)
