"""What the suites of `evaluate` share: their record, their flags, the model that is measured."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import matplotlib.figure
from absl import flags

from binaries import command_line, flag_types, model_flags, text_sources
from haiku_spectral.config import Config
from haiku_spectral.evaluation import plot
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.storage import atomic_file

flags.adopt_module_key_flags(model_flags)
TEXT = flag_types.define_paths(
    'text', 'Files or folders of text, separated by commas: the text that is scored (length, '
    'compression), that surrounds the facts (recall; default: the text of starter), or that is '
    'counted for the n-grams (turkish; default: the training text of the run).')
OUTPUT = flag_types.define_path(
    'output', None, 'Folder of the report (default: the run folder, or that of the model\'s file).')
BATCH_SIZE = flag_types.define_integer(
    'batch_size', 8, 'Texts or windows per device call.', lower=1)
CHUNK = flag_types.define_integer(
    'chunk', 0, 'Bytes per row and device call; 0: the training length.')
PRECISION = model_flags.define_precision()


class Subject(NamedTuple):
  """The model that is measured: of a run or exported."""

  config: Config
  model: spectral_gpt.Model
  params: Any  # On the device, in `dtype`.
  dtype: Any
  source: str  # What people call it.


class Found(NamedTuple):
  """What a suite measured."""

  text: str  # Tables for the terminal.
  json: str  # An object.
  figure: matplotlib.figure.Figure | None = None


Measure = Callable[[Subject], Found]


class Suite(NamedTuple):
  """One way to measure a model. To add one: a module like `suite_length`, and a line in the table.

  Its report is NAME.json and NAME.png.
  """

  about: str  # A few words.
  # Checks the flags and reads what is measured on, before the model is loaded. None: what was asked
  # for needs no model, and is done. Raises ValueError or FileNotFoundError, in one line.
  prepare: Callable[[], Measure | None]


def documents(limit: int) -> Iterator[tuple[str, bytes]]:
  """The texts of --text, of each at most `limit` bytes; tells what was not read."""
  return text_sources.of_files(TEXT.value, limit)


def output_folder() -> pathlib.Path:
  """The folder of the report, made if it is not there. Raises ValueError where none can be."""
  model = pathlib.Path(model_flags.RUN_DIR.value)
  output = pathlib.Path(OUTPUT.value or (model.parent if model.is_file() else model))
  atomic_file.check_folder(output, what='The report', flag='--output')
  return output


def load() -> Subject:
  """The model that the flags name."""
  config, params, step = model_flags.load()
  return Subject(
      config, spectral_gpt.make_model(config.model),
      model_flags.on_device(params, PRECISION.value), jnp.dtype(PRECISION.value),
      model_flags.name(model_flags.RUN_DIR.value, step))


def write(found: Found, folder: pathlib.Path, name: str) -> list[pathlib.Path]:
  """Writes NAME.json, with the command that made it, and NAME.png; returns their paths."""
  paths = [folder / f'{name}.json']
  atomic_file.write_text(paths[0], command_line.with_command(found.json))
  if found.figure is not None:
    paths.append(folder / f'{name}.png')
    plot.save_figure(found.figure, paths[1])
  return paths
