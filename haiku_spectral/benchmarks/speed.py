"""The speed of generation: by position, by horizon, by kind of filter, by method."""

import dataclasses
import functools
from collections.abc import Mapping

import jax

from haiku_spectral import vocab
from haiku_spectral.benchmarks import subject as subject_lib
from haiku_spectral.benchmarks import timing
from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Context, Generate, Subject
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill


def _milliseconds(
    works: Mapping[str, tuple[Generate, Context, int]], repeats: int
) -> dict[str, float]:
  """Median milliseconds per byte of generating so many bytes behind a context, interleaved."""
  found = timing.medians(
      {name: functools.partial(generate, context, count)
       for name, (generate, context, count) in works.items()}, repeats)
  return {name: 1000 * found[name] / works[name][2] for name in works}


def at_positions(
    subject: Subject, settings: Settings, contexts: Mapping[int, Context]
) -> dict[int, float]:
  """Milliseconds per byte behind each context."""
  generate = subject_lib.online(subject)
  found = _milliseconds(
      {str(position): (generate, context, settings.round_bytes)
       for position, context in contexts.items()}, settings.repeats)
  return {position: found[str(position)] for position in contexts}


def flat(subject: Subject, settings: Settings) -> Section:
  """Is the time per byte the same at every position?"""
  contexts = subject_lib.contexts(subject, settings.positions)
  found = at_positions(subject, settings, contexts)
  first = found[min(found)]
  rows: list[Row] = [
      {'position': position, 'ms per byte': ms, 'bytes/s': 1000 / ms, 'ratio': ms / first,
       'state, bytes': sum(leaf.nbytes for leaf in jax.tree.leaves(contexts[position].state))}
      for position, ms in found.items()
  ]
  return Section(
      'Time per byte, by position',
      f'{subject.name}; greedy, {settings.round_bytes:,} bytes per round, interleaved, '
      f'median of {settings.repeats} rounds.', rows)


def horizons(subject: Subject, settings: Settings) -> Section:
  """The gain of tiles over the chunk call, by the horizon of the filter."""
  rows: list[Row] = []
  for horizon in settings.horizons:
    reached = _with_filter(subject, kind='network', horizon=horizon)
    context = subject_lib.contexts(reached, (1,))[1]
    length = max(settings.round_bytes, horizon + decoder_lib.BLOCK)
    found = _milliseconds({
        'online': (subject_lib.online(reached), context, length),
        'direct': (subject_lib.direct(reached), context, settings.direct_bytes),
    }, settings.repeats)
    rows.append({
        'horizon': horizon, 'online, ms per byte': found['online'],
        'direct, ms per byte': found['direct'], 'ratio': found['direct'] / found['online']})
  return Section(
      'Generation by tiles against generation by the chunk call',
      f'{subject.name}, with filters of another horizon; a round is a horizon and a block, so '
      f'that every tile is paid for, and {settings.direct_bytes} bytes of the chunk call, with '
      f'precomputed taps; interleaved, median of {settings.repeats} rounds.', rows)


def filter_kinds(subject: Subject, settings: Settings) -> Section:
  """The same model with taps and with modes."""
  works = {}
  for kind in ('network', 'modal'):
    made = _with_filter(subject, kind=kind)
    context = subject_lib.contexts(made, (1,))[1]
    works[kind] = subject_lib.online(made), context, settings.round_bytes
  found = _milliseconds(works, settings.repeats)
  rows: list[Row] = [
      {'filter': kind, 'ms per byte': ms, 'bytes/s': 1000 / ms,
       'state, bytes': sum(leaf.nbytes for leaf in jax.tree.leaves(works[kind][1].state))}
      for kind, ms in found.items()
  ]
  return Section(
      'Filters of a network and of modes',
      f'{subject.name}, and the other kind with random parameters; '
      f'{subject.config.hyena.filter.modes} modes; greedy, interleaved, median of '
      f'{settings.repeats} rounds.', rows)


def speculation(subject: Subject, settings: Settings) -> Section:
  """Greedy generation with and without prompt-lookup speculation, for each held-out text."""
  title = 'Greedy speculative decoding'
  if not settings.run_dir:
    return Section(title, 'Skipped: only a trained model generates text; give --run_dir.', ())
  rows: list[Row] = []
  for language, text in subject.texts.items():
    data = text[:settings.prompt_bytes]
    start = prefill.begin(subject.model, subject.params)
    context = prefill.extend(subject.model, subject.params, start, vocab.encode(data)[None])
    speculative = subject_lib.Speculative(subject, data)
    found = _milliseconds({
        'plain': (subject_lib.online(subject), context, settings.round_bytes),
        'speculative': (speculative.generate, context, settings.round_bytes)}, settings.repeats)
    rows.append({
        'text': language, 'plain, bytes/s': 1000 / found['plain'],
        'speculative, bytes/s': 1000 / found['speculative'],
        'ratio': found['plain'] / found['speculative'],
        'bytes per call': settings.round_bytes / speculative.calls})
  return Section(
      title,
      f'{subject.name}; {settings.round_bytes:,} bytes behind {settings.prompt_bytes:,} of '
      f'held-out text, interleaved, median of {settings.repeats} rounds.', rows)


def _with_filter(subject: Subject, **fields: str | int) -> Subject:
  """The subject with other filters; filters of another kind get random parameters."""
  hyena = subject.config.hyena
  kind = dataclasses.replace(hyena.filter, **fields)  # type: ignore[arg-type]
  config = dataclasses.replace(subject.config, hyena=dataclasses.replace(hyena, filter=kind))
  if kind.kind != hyena.filter.kind:
    return subject_lib.untrained(subject.name, config)
  return subject._replace(config=config)
