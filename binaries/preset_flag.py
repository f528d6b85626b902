"""`--config`: the preset that a program works by, each field of which is a flag."""

import pathlib
import runpy
from typing import Any

from absl import flags
from ml_collections import config_dict, config_flags

from binaries import flag_types

flags.disclaim_key_flags()  # What is defined here belongs to the program that asks for it.


class _PresetParser(flags.ArgumentParser):
  """A Python file with a function `get_config`; a mistake in it is reported in one line."""

  def parse(self, argument: Any) -> config_dict.ConfigDict:
    """The preset in a file. Raises ValueError for what is none."""
    file = pathlib.Path(flag_types.expand(argument))
    if file.suffix != '.py' or not file.is_file():
      kind = 'is not a preset' if file.exists() else 'does not exist'
      raise ValueError(
          f'it {kind}: give a preset, haiku_spectral/configs/NAME.py, or --run_dir alone to go on '
          'with a run.')
    try:
      config = runpy.run_path(str(file), run_name='preset')['get_config']()
    except Exception as error:  # It is a program: anything may come.
      reason = ' '.join(str(error).split())
      raise ValueError(f'the preset ends with {type(error).__name__}: {reason}') from error
    if not isinstance(config, config_dict.ConfigDict):
      raise ValueError(f'its get_config() gives {type(config).__name__}, not a ConfigDict.')
    return config.lock()


def define(default: str | None, description: str) -> flags.FlagHolder[Any]:
  """`--config`, the path of a preset, and a flag `--config.FIELD` for each field that is given."""
  holder = config_flags.DEFINE_config_file('config', default, description)
  flags.FLAGS['config'].parser = _PresetParser()
  return holder


def path() -> pathlib.Path:
  """Where the preset of `define` lies."""
  return pathlib.Path(flag_types.expand(config_flags.get_config_filename(flags.FLAGS['config'])))
