"""The coordinate check: how much a few training steps change the activations, by layer and width.

Where rates follow the width as they should, the change is the same for every width; where they do
not, it grows or fades (Yang et al. 2022, "Tensor Programs V", appendix D).
"""

import functools
import math
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import haiku as hk
import jax
import jax.numpy as jnp
import matplotlib
import matplotlib.figure
import matplotlib.ticker
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.benchmarks import device_step
from haiku_spectral.benchmarks.report import Row, Section
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.benchmarks.subject import Subject
from haiku_spectral.config import (
  AttentionConfig,
  Config,
  DataConfig,
  FilterConfig,
  HyenaConfig,
  MemoryConfig,
  ModelConfig,
  NgramConfig,
  OptimizerConfig,
  TrainConfig,
)
from haiku_spectral.evaluation import plot as plots
from haiku_spectral.modules import block, spectral_gpt
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import gradients, state, step

ROWS, LENGTH, HEAD = 4, 128, 32  # Of a batch; and the width of a head, which stays.
PATTERN, ORDERS = 'HHMHHA', '2,3'  # Of the mixers, and of the exact memory.
RATES = {'adamw': 1e-3, 'muon': 1e-3}  # There is no warm-up: below what whole trainings want.
Changes = dict[str, float]  # By the name of a layer.


def config_of(
    width: int, kind: str, *, base_width: int, pattern: str = PATTERN, orders: str = ORDERS
) -> Config:
  """A small model of a width, and an optimiser whose rates follow it from `base_width` on."""
  heads = max(width // HEAD, 1)
  return Config(
      model=ModelConfig(
          pattern=pattern, layers=len(pattern), width=width, mlp_width=2 * width,
          hyena=HyenaConfig(filter=FilterConfig(horizon=64, max_time_constant=16.0)),
          memory=MemoryConfig(heads=heads),
          attention=AttentionConfig(heads=heads, window=64, block=64),
          ngram=NgramConfig(orders=orders, slots=256)),
      data=DataConfig(batch_size=ROWS, segment=LENGTH, stateful_rows=0),
      train=TrainConfig(optimizer=OptimizerConfig(
          kind=kind, learning_rate=RATES[kind], warmup_steps=0, weight_decay=0.0,
          base_width=base_width)))


def rows_of(text: bytes) -> gradients.Rows:
  """A batch of text."""
  return device_step.rows_of(
      np.resize(vocab.encode(text[:ROWS * (LENGTH + 1)]), (ROWS, LENGTH + 1)))


def _activations(config: Config) -> Callable[[Any, np.ndarray], dict[str, np.ndarray]]:
  """A function (params, ids) -> what comes out of each block, and the logits."""
  model = spectral_gpt.make_model(config.model)
  found: list[jax.Array] = []

  def record(call: Callable, args: Any, kwargs: Any, called: hk.MethodContext) -> Any:
    out = call(*args, **kwargs)
    if isinstance(called.module, block.Block) and called.method_name == '__call__':
      # The blocks run in a scan, out of which nothing else leads. What comes is kept as it is:
      # making it a NumPy array here waits for a thread that may be this one.
      jax.debug.callback(found.append, out[0], ordered=True)
    return out

  @jax.jit
  def forward(params: Any, ids: jax.Array) -> jax.Array:
    with hk.intercept_methods(record):
      return model.apply(params, ids, model.initial_state(ids.shape[0]))[0]

  def run(params: Any, ids: np.ndarray) -> dict[str, np.ndarray]:
    found.clear()
    logits = np.asarray(forward(params, jnp.asarray(ids)))
    jax.effects_barrier()
    layers = {f'{number} {letter}': np.asarray(found[number])
              for number, letter in enumerate(config.model.pattern)}
    return {**layers, 'logits': logits}

  return run


def changes(config: Config, rows: gradients.Rows, steps: int) -> Changes:
  """The root mean square by which `steps` steps on a batch change each layer's output."""
  mesh, model = meshes.data_mesh(jax.devices()[:1]), spectral_gpt.make_model(config.model)
  read, train_step = _activations(config), step.make_train_step(model, config, mesh)
  position = state.start(model, config, mesh)
  before = read(position.params, np.asarray(rows.inputs))
  placed = meshes.place_rows(mesh, rows)
  for _ in range(steps):
    position, _ = train_step(position, placed)
  after = read(position.params, np.asarray(rows.inputs))
  return {name: float(np.sqrt(np.mean((after[name] - before[name]) ** 2))) for name in before}


def spread(by_width: Mapping[int, Changes]) -> float:
  """The greatest ratio, over the layers, of the changes at any two widths."""
  return max(max(found) / min(found) for found in (
      [each[name] for each in by_width.values()] for name in next(iter(by_width.values()))))


def check(
    kind: str, subject: Subject, settings: Settings, *, pattern: str = PATTERN,
    orders: str = ORDERS,
) -> Section:
  """The changes by width, with rates that follow it and, beside, with the same rate for all."""
  rows = rows_of(next(iter(subject.texts.values())))
  base, table, notes = settings.widths[0], [], []
  for label, base_width in (('scaled', base), ('one rate', 0)):
    found = {width: changes(
        config_of(width, kind, base_width=base_width, pattern=pattern, orders=orders), rows,
        settings.check_steps) for width in settings.widths}
    notes.append(f'{label}: within {spread(found):.2f}x')
    table += [_row(label, width, layers) for width, layers in found.items()]
  return Section(
      f'Coordinate check, {kind}',
      f'Root mean square of the change of each layer\'s output after {settings.check_steps} steps, '
      f'rates of width {base}; the greatest ratio between widths, over layers: '
      f'{", ".join(notes)}.', table)


def _row(label: str, width: int, layers: Changes) -> Row:
  return {'rates': label, 'width': width, **layers}


SECTIONS: dict[str, Callable[[Subject, Settings], Section]] = {
    kind: functools.partial(check, kind) for kind in RATES}


def draw(sections: Mapping[str, Section], folder: pathlib.Path) -> list[pathlib.Path]:
  """Writes width.png: a panel per optimiser and kind of rates; returns what was written."""
  panels = [(name, label, [row for row in section.rows if row['rates'] == label])
            for name, section in sections.items() for label in ('scaled', 'one rate')]
  if not panels:
    return []
  plots.save_figure(_figure(panels), folder / 'width.png')
  return [folder / 'width.png']


def _figure(panels: Sequence[tuple[str, str, list[Row]]]) -> matplotlib.figure.Figure:
  with matplotlib.rc_context(plots.STYLE):
    lines = math.ceil(len(panels) / 2)
    drawing = matplotlib.figure.Figure(figsize=(8.4, 3.1 * lines + 0.5), layout='constrained')
    every = drawing.subplots(lines, 2, sharey=True, squeeze=False)
    for axes, (name, label, rows) in zip(every.flat, panels, strict=False):
      widths = [int(row['width']) for row in rows]
      layers = [key for key in rows[0] if key not in ('rates', 'width')]
      for number, layer in enumerate(layers):
        colour = plots.CUT_COLOUR if layer == 'logits' else matplotlib.colormaps['Blues'](
            0.35 + 0.6 * number / len(layers))
        axes.plot(widths, [float(row[layer]) for row in rows], color=colour, marker='o',
                  markersize=4, linewidth=1.5, label=layer)
      axes.set_xscale('log', base=2)
      axes.set_yscale('log')
      axes.set_xticks(widths, [str(width) for width in widths])
      axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
      axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter('%g'))
      axes.yaxis.set_minor_formatter(matplotlib.ticker.FormatStrFormatter('%g'))
      axes.tick_params(axis='y', which='minor', labelsize=8)
      axes.set_title(f'{name}, {label}', fontsize=10)
    for axes in every[:, 0]:
      axes.set_ylabel('change of the output, rms')
    for axes in every[-1]:
      axes.set_xlabel('width')
    handles, labels = every[0, 0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc='outside right center', fontsize=8.5, title='layer')
  return drawing
