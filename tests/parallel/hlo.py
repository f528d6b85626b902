"""The collectives of a compiled program, from its text."""

import math
import re
from typing import NamedTuple

import numpy as np

BYTES = {'pred': 1, 's8': 1, 'u8': 1, 'bf16': 2, 'f16': 2, 's32': 4, 'u32': 4, 'f32': 4, 'c64': 8}
_KINDS = 'all-gather|all-reduce|reduce-scatter|collective-permute|all-to-all'
_LINE = re.compile(
    rf'= (?P<type>\([^=]*?\)|\S+) (?P<kind>{_KINDS})(?:-start)?\((?P<operands>[^)]*)\)(?P<rest>.*)')
_SHAPE = re.compile(r'(\w+)\[([\d,]*)\]')
_COMPUTATION = re.compile(r'^(?:ENTRY )?%?([\w.-]+) (?:\(.*)?.*\{$')


class Collective(NamedTuple):
  """One, as often as a step executes it."""

  kind: str
  times: int
  bytes: int  # Of its result (of a reduce-scatter: of its operand).
  shape: str
  groups: list[list[int]]  # Devices; of a permute: pairs.


def _size(text):
  return sum(BYTES[kind] * math.prod(int(n) for n in dims.split(',') if n)
             for kind, dims in _SHAPE.findall(text) if kind in BYTES)


def _groups(rest):
  if found := re.search(r'source_target_pairs=\{(.*?)\}\}', rest):
    text = found[1] + '}'
  elif found := re.search(r'replica_groups=\{(\{.*?\})\}', rest):
    text = found[1]
  elif found := re.search(r'replica_groups=\[(\d+),(\d+)\]<=\[([\d,]+)\](?:T\(([\d,]+)\))?', rest):
    dims = [int(n) for n in found[3].split(',')]
    ids = np.arange(math.prod(dims)).reshape(dims)
    if found[4]:
      ids = ids.transpose([int(n) for n in found[4].split(',')])
    return ids.reshape(int(found[1]), int(found[2])).tolist()
  elif found := re.search(
      r'replica_groups=mesh\[([^\]]*)\](?:, device_ids=\((\S*)\))? \{([^}]*)\}', rest):
    sizes = {name: int(size) for name, size in re.findall(r"'(\w+)'=(\d+)", found[1])}
    chosen = re.findall(r"'(\w+)'", found[3])
    ids = np.arange(math.prod(sizes.values()))
    if order := re.fullmatch(r'\[([\d,]+)\]T\(([\d,]+)\)', found[2] or ''):
      dims, axes_of = ([int(n) for n in part.split(',')] for part in order.groups())
      ids = ids.reshape(dims).transpose(axes_of)
    elif found[2]:
      raise ValueError(rest)
    ids = ids.reshape(list(sizes.values()))
    last = [list(sizes).index(name) for name in chosen]
    ids = np.moveaxis(ids, last, range(ids.ndim - len(last), ids.ndim))
    return ids.reshape(-1, math.prod(sizes[name] for name in chosen)).tolist()
  else:
    raise ValueError(rest)
  return [[int(n) for n in group.split(',')] for group in re.findall(r'\{([\d,]+)\}', text)]


def computations(text):
  """The lines of each computation of a module."""
  found, name = {}, None
  text = re.sub(r'/\*.*?\*/', '', text)
  for line in text.splitlines():
    if line.endswith('{') and not line.startswith(' ') and (match := _COMPUTATION.match(line)):
      name = match[1]
      found[name] = []
    elif line.startswith('}'):
      name = None
    elif name:
      found[name].append(line)
  return found


def executions(text):
  """How often each computation is executed: bodies of loops by their known trip counts."""
  bodies = computations(text)
  entry, = re.findall(r'^ENTRY %?([\w.-]+)', text, re.MULTILINE)
  times = dict.fromkeys(bodies, 0)

  def visit(name, count):
    times[name] += count
    for line in bodies[name]:
      trips = 1
      if ' while(' in line:
        trips = int(re.search(r'known_trip_count":\{"n":"(\d+)"', line)[1])
      for called in re.findall(r'(?:body|to_apply|calls)=%?([\w.-]+)', line):
        visit(called, count * trips)
      for branches in re.findall(r'(?:called_computations|branch_computations)=\{([^}]*)\}', line):
        for called in re.findall(r'%?([\w.-]+)', branches):
          visit(called, count)

  visit(entry, 1)
  return bodies, times


def collectives(text):
  """All collectives of a compiled program."""
  bodies, times = executions(text)
  found = []
  for name, lines in bodies.items():
    for line in lines:
      if (match := _LINE.search(line)) and times[name]:
        result, kind = match['type'], match['kind']
        groups = _groups(match['rest'])
        size = _size(result)
        if kind == 'reduce-scatter':
          size *= len(groups[0])
        found.append(Collective(kind, times[name], size, result, groups))
  return found


def axes(collective, mesh):
  """The axes of a mesh along which a collective's devices differ."""
  places = {device.id: place for place, device in zip(
      [tuple(p) for p in np.ndindex(mesh.devices.shape)], mesh.devices.flat,
      strict=True)}
  order = [device.id for device in mesh.devices.flat]
  varying = set()
  for group in collective.groups:
    spots = [places[order[member]] for member in group]
    for axis, name in enumerate(mesh.axis_names):
      if len({spot[axis] for spot in spots}) > 1:
        varying.add(name)
  return tuple(name for name in mesh.axis_names if name in varying)


def sent(collective):
  """Bytes that a device sends for it, by the rules of `parallel/traffic`."""
  count = len(collective.groups[0])
  share = {'all-gather': (count - 1) / count, 'reduce-scatter': (count - 1) / count,
           'all-reduce': 2 * (count - 1) / count, 'collective-permute': 1.0,
           'all-to-all': (count - 1) / count}[collective.kind]
  return collective.times * collective.bytes * share
