"""How long a step takes at least: operations, memory and links, each at what vendors say of them.

Where all three go on at the same time, the longest decides; the sum is what it takes when nothing
overlaps. No step reaches either: docs/scale.md has measured shares of the former.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from haiku_spectral.config import Config, phases
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel.hardware import Device
from haiku_spectral.planning import memory

Axes = tuple[str, ...]


class Roofline(NamedTuple):
  """A step on one device of a mesh; seconds."""

  flops: float  # Of the model, without what is computed again.
  compute: float
  bytes: float  # Read from and written to the device's memory.
  memory: float
  traffic: Mapping[Axes, float]  # Bytes that a device sends along these axes,
  links: Mapping[Axes, float]  # and the seconds that takes.

  @property
  def overlapped(self) -> float:
    """The longest of the three."""
    return max(self.compute, self.memory, sum(self.links.values()))

  @property
  def sequential(self) -> float:
    """All of it, one after the other."""
    return self.compute + self.memory + sum(self.links.values())

  @property
  def flops_per_byte(self) -> float:
    """Operations of the model per byte of the device's memory."""
    return self.flops / self.bytes


def link_rate(device: Device, sizes: memory.Sizes, axes: Axes) -> float:
  """Bytes per second that a device sends along axes in rings.

  Devices are numbered with the last axis running fastest, and hosts have consecutive numbers. What
  leaves the host uses the network of all members of the group on the host.
  """
  shape = [sizes.get(name, 1) for name in meshes.AXES]
  count = min(device.devices_per_host, math.prod(shape))
  others = [np.unravel_index(np.arange(count), shape)[meshes.AXES.index(name)]
            for name in meshes.AXES if name not in axes]
  here = int(np.sum(np.all([place == 0 for place in others], axis=0))) if others else count
  if here == math.prod(sizes.get(name, 1) for name in axes):
    return device.link
  return min(device.link, device.network * here)


def step(
    config: Config, sizes: memory.Sizes, device: Device, traffic: Mapping[Axes, float]
) -> Roofline:
  """A step's times; `traffic` are the bytes that a device sends along each group of axes."""
  count = math.prod(sizes.values())
  bytes_of_text = config.data.batch_size * config.data.segment
  flops = bytes_of_text * spectral_gpt.training_flops_per_byte(
      config.model, config.data.segment) / count
  # The forward pass is a third of it.
  computed = flops * (2 + forward_passes(config)) / 3
  moved = _memory_bytes(config, sizes)
  return Roofline(
      flops, computed / device.rate(config.train.precision), moved,
      moved / device.memory_bandwidth, traffic,
      {axes: sent / link_rate(device, sizes, axes) for axes, sent in traffic.items()})


def forward_passes(config: Config) -> int:
  """How often a step computes the forward pass: chunks and blocks may be computed again."""
  return 1 + (phases.chunks_of(config) > 1) + config.model.remat


def _memory_bytes(config: Config, sizes: memory.Sizes) -> float:
  """Bytes that a step reads and writes at least.

  The update reads and writes parameters, moments and gradients once. Each pass over the layers
  (forward, again, and two products backward) reads whole parameters in the type of the layers. What
  the backward pass finds is written and read, twice where it is computed again.
  """
  held = memory.per_device(config, sizes)
  blocks = config.model.layers // len(config.model.pattern)
  passes = 2 + forward_passes(config)
  found = memory.activations(
      config.model, config.train.precision, *memory.local(config, sizes))
  each = 2 * found.kept + 4 * found.computed_again
  parts = config.train.accumulation * phases.chunks_of(config)
  return (2 * (held.parameters + held.optimizer) + 2 * held.parameters
          + parts * (passes * held.gathered * blocks + each * blocks + 2 * found.outside))
