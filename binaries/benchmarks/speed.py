"""How fast a model writes: by position, by horizon, by kind of filter, by way of writing."""

import dataclasses
import functools
from collections.abc import Mapping

import jax

from binaries.benchmarks import starter_text, timing
from binaries.benchmarks import subject as subject_lib
from binaries.benchmarks.report import Row, Section
from binaries.benchmarks.settings import Settings
from binaries.benchmarks.subject import Context, Subject, Write
from haiku_spectral import vocab
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import prefill


def _milliseconds(
    works: Mapping[str, tuple[Write, Context, int]], repeats: int
) -> dict[str, float]:
  """Median milliseconds a byte of writing so many bytes on a past, each in its turn."""
  found = timing.medians({
      name: functools.partial(write, past, count) for name, (write, past, count) in works.items()
  }, repeats)
  return {name: 1000 * found[name] / works[name][2] for name in works}


def at_positions(
    subject: Subject, settings: Settings, pasts: Mapping[int, Context]
) -> dict[int, float]:
  """Milliseconds a byte behind each past."""
  write = subject_lib.online(subject)
  found = _milliseconds(
      {str(position): (write, past, settings.round_bytes) for position, past in pasts.items()},
      settings.repeats)
  return {position: found[str(position)] for position in pasts}


def flat(subject: Subject, settings: Settings) -> Section:
  """Does a byte cost the same wherever it stands?"""
  pasts = subject_lib.pasts(subject, settings.positions)
  found = at_positions(subject, settings, pasts)
  first = found[min(found)]
  rows: list[Row] = [
      {'position': position, 'ms a byte': ms, 'bytes/s': 1000 / ms, 'ratio': ms / first,
       'state, bytes': sum(leaf.nbytes for leaf in jax.tree.leaves(pasts[position].state))}
      for position, ms in found.items()
  ]
  return Section(
      'Time a byte, by position',
      f'{subject.name}; greedy, {settings.round_bytes:,} bytes a round, the positions in turns, '
      f'median of {settings.repeats} rounds.', rows)


def horizons(subject: Subject, settings: Settings) -> Section:
  """What tiles save, the longer the filter the more."""
  rows: list[Row] = []
  for horizon in settings.horizons:
    reached = _with_filter(subject, kind='network', horizon=horizon)
    past = subject_lib.pasts(reached, (1,))[1]
    length = max(settings.round_bytes, horizon + decoder_lib.BLOCK)
    found = _milliseconds({
        'online': (subject_lib.online(reached), past, length),
        'direct': (subject_lib.direct(reached), past, settings.direct_bytes),
    }, settings.repeats)
    rows.append({
        'horizon': horizon, 'online, ms a byte': found['online'],
        'direct, ms a byte': found['direct'], 'ratio': found['direct'] / found['online']})
  return Section(
      'Writing by tiles against writing by the chunk call',
      f'{subject.name}, with filters of another horizon; a round is a horizon and a block, so '
      f'that every tile is paid for, and {settings.direct_bytes} bytes of the chunk call, which '
      f'has its taps ready; in turns, median of {settings.repeats} rounds.', rows)


def filter_kinds(subject: Subject, settings: Settings) -> Section:
  """The same model with taps and with modes."""
  works = {}
  for kind in ('network', 'modal'):
    made = _with_filter(subject, kind=kind)
    past = subject_lib.pasts(made, (1,))[1]
    works[kind] = subject_lib.online(made), past, settings.round_bytes
  found = _milliseconds(works, settings.repeats)
  rows: list[Row] = [
      {'filter': kind, 'ms a byte': ms, 'bytes/s': 1000 / ms,
       'state, bytes': sum(leaf.nbytes for leaf in jax.tree.leaves(works[kind][1].state))}
      for kind, ms in found.items()
  ]
  return Section(
      'Filters by a network and by modes',
      f'{subject.name}, and the other kind with random parameters; '
      f'{subject.config.hyena.filter.modes} modes; greedy, in turns, median of '
      f'{settings.repeats} rounds.', rows)


def speculation(subject: Subject, settings: Settings) -> Section:
  """Greedy writing with and without guesses, on text of each language of `starter`."""
  title = 'Greedy writing by guesses'
  if not settings.run_dir:
    return Section(title, 'Skipped: what an untrained model writes is no text; give --run_dir.', ())
  rows: list[Row] = []
  for language in starter_text.LANGUAGES:
    data = starter_text.held_out(language, settings.prompt_bytes)
    start = prefill.begin(subject.model, subject.params)
    past = prefill.read(subject.model, subject.params, start, vocab.encode(data)[None])
    guessing = subject_lib.Guessing(subject, data)
    found = _milliseconds({
        'plain': (subject_lib.online(subject), past, settings.round_bytes),
        'guessing': (guessing.write, past, settings.round_bytes)}, settings.repeats)
    rows.append({
        'text': language, 'plain, bytes/s': 1000 / found['plain'],
        'guessing, bytes/s': 1000 / found['guessing'],
        'ratio': found['plain'] / found['guessing'],
        'bytes a call': settings.round_bytes / guessing.calls})
  return Section(
      title,
      f'{subject.name}; {settings.round_bytes:,} bytes behind {settings.prompt_bytes:,} of '
      f'held-out text, in turns, median of {settings.repeats} rounds.', rows)


def _with_filter(subject: Subject, **fields: str | int) -> Subject:
  """The subject with other filters, whose parameters are random if they are of another kind."""
  hyena = subject.config.hyena
  kind = dataclasses.replace(hyena.filter, **fields)  # type: ignore[arg-type]
  config = dataclasses.replace(subject.config, hyena=dataclasses.replace(hyena, filter=kind))
  if kind.kind != hyena.filter.kind:
    return subject_lib.untrained(subject.name, config)
  return subject._replace(config=config)
