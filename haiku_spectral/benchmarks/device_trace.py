"""Where a training step spends its time, from a profile of the device."""

import collections
import pathlib
import re
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax

from haiku_spectral.benchmarks import device_step

_NAMED = re.compile(r'^\s*(?:ROOT )?%?([\w.-]+) = .*?op_name="([^"]+)"', re.MULTILINE)
# Operations that hold others, whose time is theirs.
_HOLDERS = ('while', 'call', 'conditional', 'end: ', 'async')
PARTS = (  # A part of the model, and what of a path in the program names it; the first one counts.
    ('long convolutions', r'hyena\w*/filter|hyena\w*/jit\(fft|hyena\w*/fft'),
    ('short convolutions', r'/short'),
    ('projections of mixers', r'(hyena|memory|attention)\w*/(in|out|gate|strength)/'),
    ('matrix memory', r'/memory'),
    ('window attention', r'/attention'),
    ('Hyena, element by element', r'/hyena'),
    ('gated MLP', r'/mlp'),
    ('norms', r'/norm'),
    ('exact memory', r'(ngram|count)_(memory|logits)|_recall|ngram_input'),
    ('head', r'btd,vd->btv'),
    ('embedding', r'embedding|gather'),
)


class Cost(NamedTuple):
  """The time of one operation of a program, over all its calls."""

  name: str
  part: str
  seconds: float
  calls: int


def part_of(path: str) -> str:
  """The part of the model that a path in the program names, and 'backward' where it is that."""
  for part, pattern in PARTS:
    if re.search(pattern, path):
      return part + (', backward' if 'transpose(' in path else '')
  return 'spectral_gpt, elsewhere' if 'spectral_gpt' in path else 'optimiser and the rest'


def op_names(text: str) -> dict[str, str]:
  """The path in the program of each operation of a compiled program's text."""
  return dict(_NAMED.findall(text))


def trace(ready: device_step.Ready, steps: int, folder: pathlib.Path | None = None) -> list[Cost]:
  """The costs of `steps` steps, the greatest first. A folder keeps the profile itself."""
  paths = op_names(ready.compiled.as_text())
  with tempfile.TemporaryDirectory() as temporary:
    place = folder or pathlib.Path(temporary)
    with jax.profiler.trace(str(place)):
      device_step.run(ready, steps)
    file = max(place.rglob('*.xplane.pb'), key=lambda path: path.stat().st_mtime)
    return _costs(_events(jax.profiler.ProfileData.from_file(str(file))), paths)


def _events(profile: Any) -> Iterable[tuple[str, float]]:
  """(operation, seconds) of each call on a device; of the host where the device is the host."""
  planes = list(profile.planes)
  devices = [plane for plane in planes if plane.name.startswith('/device:')]
  for plane in devices or [plane for plane in planes if plane.name == '/host:CPU']:
    for line in plane.lines:
      if devices and not line.name.startswith('Stream'):
        continue  # Summaries of the same.
      for event in line.events:
        stats = dict(event.stats)
        if devices or 'hlo_op' in stats:
          yield str(stats.get('hlo_op', event.name)), event.duration_ns / 1e9


def _costs(events: Iterable[tuple[str, float]], paths: Mapping[str, str]) -> list[Cost]:
  seconds: collections.Counter[str] = collections.Counter()
  calls: collections.Counter[str] = collections.Counter()
  for name, duration in events:
    if not name.startswith(_HOLDERS):
      seconds[name] += duration  # type: ignore[assignment]
      calls[name] += 1
  return [Cost(name, part_of(paths.get(name, '')), total, calls[name])
          for name, total in seconds.most_common()]


def by_part(costs: Iterable[Cost]) -> list[tuple[str, float]]:
  """Seconds of each part of the model, the greatest first."""
  parts: collections.Counter[str] = collections.Counter()
  for cost in costs:
    parts[cost.part] += cost.seconds  # type: ignore[assignment]
  return parts.most_common()  # type: ignore[return-value]
