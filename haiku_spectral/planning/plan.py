"""A plan for a training: a mesh that can hold it, and what each device then does in a step."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jax

from haiku_spectral.config import Config
from haiku_spectral.configs import presets
from haiku_spectral.configs import sizes as sizes_lib
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import sharding, traffic
from haiku_spectral.parallel.hardware import Device
from haiku_spectral.planning import aot, memory, roofline
from haiku_spectral.training import state

USABLE = 0.9  # Of a device's memory; the rest is for the runtime, kernels and fragments.
SECONDS_PER_DAY = 86_400


class Plan(NamedTuple):
  """One training on one mesh."""

  config: Config
  device: Device
  sizes: dict[str, int]  # Of the mesh's axes.
  parameters: int
  memory: memory.Memory  # By formula.
  roofline: roofline.Roofline
  measured: int | None = None  # Bytes by the compiler (`aot`), where it was asked.
  factor: float = 1.0  # What the compiler has found over the formula, on a mesh like this.

  @property
  def devices(self) -> int:
    """How many there are."""
    return math.prod(self.sizes.values())

  @property
  def needed(self) -> int:
    """Bytes on each device."""
    return round(self.factor * self.memory.total) if self.measured is None else self.measured

  @property
  def fits(self) -> bool:
    """Whether a device has so much memory."""
    return self.needed <= USABLE * self.device.memory

  @property
  def text(self) -> float:
    """Bytes to be read, by the rule of `configs/sizes`."""
    return sizes_lib.BYTES_PER_PARAMETER * self.parameters

  @property
  def steps(self) -> float:
    """Of the training."""
    return self.text / (self.config.data.batch_size * self.config.data.segment)

  @property
  def mfu(self) -> float:
    """Model operations over those of the devices, if all overlaps."""
    rate = self.device.rate(self.config.train.precision)
    return self.roofline.flops / (self.roofline.overlapped * rate)


def parameter_count(config: Config) -> int:
  """Of the model, exactly."""
  like = state.abstract_state(spectral_gpt.make_model(config.model), config)
  return sum(leaf.size for leaf in jax.tree.leaves(like.params))


def preset(name: str, rows: int | None, accumulation: int | None) -> Config:
  """A preset, with other numbers of rows and micro-batches. Raises ValueError for no name of one.
  """
  config = presets.load(name)
  rows = rows or config.data.batch_size
  data = dataclasses.replace(
      config.data, batch_size=rows, stateful_rows=min(config.data.stateful_rows, rows))
  train = dataclasses.replace(
      config.train, accumulation=accumulation or config.train.accumulation)
  return dataclasses.replace(config, data=data, train=train)


def make(config: Config, device: Device, sizes: Mapping[str, int]) -> Plan:
  """The plan of one mesh. Raises ValueError when it cannot share the work evenly."""
  check(config, sizes)
  sent = {axes: float(count) for axes, count in traffic.per_step(config, dict(sizes)).items()}
  return Plan(
      config, device, dict(sizes), parameter_count(config), memory.per_device(config, sizes),
      roofline.step(config, sizes, device, sent))


def compiled(plan: Plan) -> Plan:
  """The plan with the memory of its step as compiled for as many devices of this process."""
  return plan._replace(measured=aot.compile_step(plan.config, plan.sizes).total)


def check(config: Config, sizes: Mapping[str, int]) -> None:
  """Raises a ValueError unless rows, lengths and parameters can be shared by the mesh."""
  mesh: Any = memory.abstract_mesh(sizes)
  meshes.check(mesh, config)
  sharding.check(mesh, state.abstract_state(
      spectral_gpt.make_model(config.model), config).params)


def candidates(config: Config, devices: int) -> Iterator[tuple[Config, dict[str, int]]]:
  """The meshes of so many devices that can share the work, the least sequence axis first.

  Each comes with the config's micro-batches and with ever more and smaller ones.
  """
  divisors = [count for count in range(1, devices + 1) if devices % count == 0]
  for sequence in divisors:
    for fsdp in divisors:
      if devices % (sequence * fsdp):
        continue
      sizes = {meshes.DATA_AXIS: devices // (sequence * fsdp), meshes.FSDP_AXIS: fsdp,
               meshes.SEQUENCE_AXIS: sequence}
      accumulation = config.train.accumulation
      while accumulation <= config.data.batch_size:
        cut = dataclasses.replace(
            config, train=dataclasses.replace(config.train, accumulation=accumulation))
        accumulation *= 2
        try:
          check(cut, sizes)
        except ValueError:
          break
        yield cut, sizes


def suggest(
    config: Config, device: Device, devices: int, *, factor: float = 1.0,
    tell: Callable[[str], None] = lambda line: None,
) -> Plan:
  """The quickest plan that fits; where none does, the one that needs the least memory.

  Time is cut among devices, and rows into micro-batches, only as far as they must be. `factor` is
  what the compiler has found over the formula. Raises ValueError when no mesh of so many devices
  can share the work.
  """
  found: list[Plan] = []
  for _, group in itertools.groupby(
      candidates(config, devices), key=lambda each: each[1][meshes.SEQUENCE_AXIS]):
    least = min((plan.needed for plan in found), default=math.inf)
    for cut, sizes in group:
      if any(plan.fits and plan.sizes == sizes for plan in found):
        continue
      found.append(make(cut, device, sizes)._replace(factor=factor))
      tell(f'{meshes.describe(sizes)}, {cut.train.accumulation} micro-batches: '
           f'{found[-1].needed / 1e9:.1f} GB, {found[-1].roofline.overlapped:.3g} s')
    # Beyond some number of slices, more rows with their states weigh more than what is saved.
    if any(plan.fits for plan in found) or min(plan.needed for plan in found) >= least:
      break
  if not found:
    raise ValueError(
        f'--devices={devices} is not allowed: give a number that can share '
        f'{config.data.batch_size} rows of {config.data.segment} bytes and the widths '
        f'{config.model.width} and {config.model.mlp_width} evenly, or other --rows.')
  return min(found, key=lambda plan: (
      not plan.fits, plan.roofline.overlapped if plan.fits else plan.needed, plan.needed))
