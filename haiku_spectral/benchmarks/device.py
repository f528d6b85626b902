"""What only the device at hand can tell: how fast presets train on it, and where the time goes."""

import dataclasses
import gc
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import jax

from haiku_spectral import backend
from haiku_spectral.benchmarks import (
  device_convolution,
  device_rates,
  device_step,
  device_trace,
)
from haiku_spectral.benchmarks.recorder import Recorder
from haiku_spectral.benchmarks.report import Row
from haiku_spectral.config import Config, CountsConfig, DataConfig, MatchConfig, NgramConfig
from haiku_spectral.configs import presets

NO_GRAPHS = {'xla_gpu_enable_command_buffer': ''}  # Kernels of a graph have no names in a profile.
MISSING = '-'  # Where there is nothing to compare with.


class Settings(NamedTuple):
  """The sizes of what is measured."""

  presets: tuple[str, ...]  # The first one is profiled and varied.
  precision: str
  quick: bool  # Toy sizes, to see that everything runs.
  trace_folder: pathlib.Path | None  # Keeps the profile.

  @property
  def product_size(self) -> int:
    """Side of the matrices by whose product the device is measured."""
    return 256 if self.quick else 8192

  @property
  def blocks(self) -> tuple[int, ...]:
    """Outputs of a Toeplitz product."""
    return (64,) if self.quick else (128, 64, 256, 512)


class Session:
  """Sections that build on each other: each writes its rows to the recorder."""

  def __init__(self, recorder: Recorder, settings: Settings) -> None:
    self._recorder, self._settings = recorder, settings
    self._rate = 0.0  # Measured, of the precision.

  def config(self, name: str) -> Config:
    """A preset in the precision that is measured."""
    config = presets.load(name, '--presets')
    train = dataclasses.replace(config.train, precision=self._settings.precision)
    data, model = config.data, config.model
    if self._settings.quick:
      data = DataConfig(batch_size=2, stateful_rows=1, segment=64)
      train = dataclasses.replace(train, accumulation=1)
      model = dataclasses.replace(
          model, pattern='HMA', layers=3, width=96, mlp_width=64,
          ngram=NgramConfig(orders='2,3', slots=64))
    return dataclasses.replace(config, data=data, train=train, model=model)

  def rates(self) -> None:
    """The ceilings: products and copies."""
    size = self._settings.product_size
    self._recorder.begin(
        'rates', 'What the device reaches',
        f'Products of two {size} x {size} matrices of random numbers, TFLOP/s, and a copy, GB/s '
        'read and written; medians of 3 rounds. float32 by default is TF32 on NVIDIA GPUs.')
    for name, dtype, precision in (
        ('bfloat16', 'bfloat16', 'default'), ('float32, default', 'float32', 'default'),
        ('float32, highest', 'float32', 'highest')):
      def one(name: str = name, dtype: str = dtype, precision: str = precision) -> None:
        rate = device_rates.product_rate(size, dtype, precision)
        if dtype == self._settings.precision and precision == 'default':
          self._rate = rate
        vendor = device_rates.vendor_rate(dtype) if precision == 'default' else None
        self._recorder.add({
            'of': name, 'measured': rate / 1e12, 'vendor': vendor / 1e12 if vendor else MISSING})

      self._recorder.attempt(name, 5, one)
    self._recorder.attempt('the copy', 5, lambda: self._recorder.add(
        {'of': 'copy', 'measured': device_rates.copy_rate(size**2) / 1e9, 'vendor': MISSING}))

  def steps(self) -> None:
    """Training steps of the presets."""
    self._recorder.begin(
        'steps', 'Training steps of the presets',
        f'Random bytes, {self._settings.precision}, one device. FLOP/s are those of the model '
        '(spectral_gpt.training_flops_per_byte), not of what is computed again; MFU over the '
        'measured rate of products, and over the vendor\'s. Memory is that of the program.')
    for name in self._settings.presets:
      self._step(name, self.config(name))

  def variants(self) -> None:
    """The first preset with one thing changed at a time."""
    name = self._settings.presets[0]
    config = self.config(name)
    self._recorder.begin(
        'variants', f'{name}, with one thing changed',
        'As the section above; each line is compiled anew.')
    plain = dataclasses.replace(config.model, remat=not config.model.remat)
    no_memory = dataclasses.replace(
        config.model, ngram=NgramConfig(orders='', words=''), match=MatchConfig(length=0),
        counts=CountsConfig(orders=''))
    cases: tuple[tuple[str, Config, dict[str, object]], ...] = (
        ('as it is', config, {}),
        ('Toeplitz convolutions', config, {
            'long_convolution': 'toeplitz', 'toeplitz_block': self._settings.blocks[0]}),
        ('gradients of products by JAX' if backend.prefers_explicit_gradient()
         else 'gradients of products by hand', config,
         {'prefers_explicit_gradient': not backend.prefers_explicit_gradient()}),
        ('scatters in any order', config, {'training_options': {}}),
        ('rows of tables added by scatters' if backend.adds_rows_by_products()
         else 'rows of tables added by products', config,
         {'adds_rows_by_products': not backend.adds_rows_by_products()}),
        ('without the exact memory', dataclasses.replace(config, model=no_memory), {}),
        ('without computing activations again' if config.model.remat
         else 'computing activations again', dataclasses.replace(config, model=plain), {}),
    )
    for label, changed, choices in cases:
      with backend.chosen(**choices):
        self._step(label, changed)

  def trace(self) -> None:
    """The costs of the first preset's step, by part of the model and by operation."""
    name = self._settings.presets[0]
    self._recorder.begin(
        'trace', f'Where the time of {name} goes',
        'A profile of 3 steps: seconds of the device, all streams together, and their share. Parts '
        'are told by the paths of the operations in the program; an operation that was fused of '
        'several counts as its last.')

    def work() -> None:
      options = NO_GRAPHS if jax.default_backend() == 'gpu' else None
      ready = device_step.run(device_step.prepare(self.config(name), options), 2)
      costs = device_trace.trace(ready, 3, self._settings.trace_folder)
      total = sum(cost.seconds for cost in costs)
      for part, seconds in device_trace.by_part(costs):
        self._recorder.add(
            {'what': part, 'kind': 'part', 'ms per step': 1000 * seconds / 3,
             '%': 100 * seconds / total})
      for cost in costs[:20]:
        self._recorder.add(
            {'what': f'{cost.name} ({cost.part}), {cost.calls // 3} calls', 'kind': 'operation',
             'ms per step': 1000 * cost.seconds / 3, '%': 100 * cost.seconds / total})

    self._recorder.attempt('the profile', 60, work)
    gc.collect()

  def convolutions(self) -> None:
    """FFT against products at the shapes of the presets."""
    self._recorder.begin(
        'convolutions', 'Long convolutions at the model\'s shapes',
        'Milliseconds of a convolution and of it with both derivatives; the error is the greatest '
        'of the outputs against float64, over their deviation.')
    for name in self._settings.presets[:2]:
      model, data = self.config(name).model, self.config(name).data
      rows = 2 if self._settings.quick else 64
      for dtype in dict.fromkeys((self._settings.precision, 'float32')):
        shape = device_convolution.Shape(
            rows, data.segment, model.width, model.hyena.filter.horizon, dtype)
        for method in device_convolution.methods(shape, self._settings.blocks, (16, 48)):
          def one(shape: device_convolution.Shape = shape,
                  method: device_convolution.Method = method) -> None:
            forward, both = device_convolution.seconds(method, shape)
            self._recorder.add({
                'shape': f'{shape.rows} x {shape.length} x {shape.channels}, {shape.horizon} taps',
                'type': shape.dtype, 'method': method.name, 'ms': 1000 * forward,
                'ms, with derivatives': 1000 * both,
                'error': device_convolution.error(method, shape)})

          self._recorder.attempt(f'{method.name} of {dtype}', 20, one)

  def _step(self, label: str, config: Config) -> None:
    vendor = device_rates.vendor_rate(self._settings.precision)

    def work() -> None:
      found = device_step.measure(config)
      row: Row = {
          'preset': label, 'parameters': found.parameters,
          'rows': config.data.batch_size, 'segment': config.data.segment,
          'micro-batches': found.config.train.accumulation, 'ms': 1000 * found.step_seconds,
          'tokens/s': found.tokens_per_second, 'TFLOP/s': found.flops_per_second / 1e12,
          'MFU, % of measured':
              100 * found.flops_per_second / self._rate if self._rate else MISSING,
          'MFU, % of vendor': 100 * found.flops_per_second / vendor if vendor else MISSING,
          'memory, GB': found.program_bytes / 1e9, 'compile, s': found.compile_seconds}
      self._recorder.add(row)

    self._recorder.attempt(label, 60, work)
    gc.collect()


SECTIONS: dict[str, Callable[[Session], None]] = {
    'rates': Session.rates, 'steps': Session.steps, 'trace': Session.trace,
    'convolutions': Session.convolutions, 'variants': Session.variants}
