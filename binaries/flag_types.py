"""The types of flags: each refuses what is not allowed while the command line is parsed."""

import os
import sys
from collections.abc import Callable
from typing import Any

from absl import flags

flags.disclaim_key_flags()  # What is defined here belongs to the program that asks for it.

A_RUN = 'the folder of a training run (runs/NAME)'  # What `given` asks for.
MAX_INTEGER = 2**31 - 1  # What a count on the device can hold.
_LARGEST = sys.float_info.max


def expand(path: str) -> str:
  """A path with the home folder in the place of a leading `~`.

  Raises ValueError for the home folder of nobody: no program may make a folder called '~'.
  """
  expanded = os.path.expanduser(path)
  if expanded.startswith('~'):
    raise ValueError(f'there is no such home folder; ./{path} is a name that begins with ~.')
  return expanded


class _PathParser(flags.ArgumentParser):
  """A path as the shell would have expanded it in front of a command."""

  syntactic_help = 'a path; ~ is your home folder'

  def parse(self, argument: Any) -> Any:
    return expand(argument)


class _PathsParser(flags.ListParser):
  """The same for a list."""

  def parse(self, argument: Any) -> Any:
    return [expand(path) for path in super().parse(argument)]


class _NumberParser(flags.ArgumentParser):
  """Numbers between two bounds, which are allowed themselves."""

  def __init__(self, convert: Callable[[str], Any], kind: str, lower: Any, upper: Any) -> None:
    self._convert, self._lower, self._upper = convert, lower, upper
    bound = f'from {lower:,} to {upper:,}' if upper < _LARGEST else f'of {lower:,} or more'
    self.syntactic_help = f'{kind} {bound}'

  def parse(self, argument: Any) -> Any:
    try:
      value = self._convert(argument)
    except ValueError:
      value = None
    if value is None or not self._lower <= value <= self._upper:  # Nor is NaN.
      raise ValueError(f'give {self.syntactic_help}.')
    return value


class _NumbersParser(flags.ListParser):
  """A list of such numbers."""

  def __init__(self, one: _NumberParser) -> None:
    super().__init__()
    self._one = one
    self.syntactic_help = f'a list, each {one.syntactic_help}'

  def parse(self, argument: Any) -> Any:
    return [self._one.parse(part) for part in super().parse(argument)]


def given(flag: flags.FlagHolder[Any], wanted: str) -> Any:
  """The value of a flag that a program needs. Raises ValueError, asking for `wanted`, without."""
  if flag.value in (None, '', []):
    raise ValueError(f'--{flag.name} is missing: give {wanted}.')
  return flag.value


def define_path(name: str, default: str | None, description: str) -> flags.FlagHolder[Any]:
  """A file or folder. Every flag that names one is defined here."""
  return flags.DEFINE(
      _PathParser(), name, default, description, serializer=flags.ArgumentSerializer())


def define_data_dir() -> flags.FlagHolder[Any]:
  """`--data_dir`, of programs that read datasets."""
  return define_path('data_dir', 'data', 'Folder of the built datasets.')


def define_paths(name: str, description: str) -> flags.FlagHolder[Any]:
  """Files or folders, separated by commas; none by default."""
  return flags.DEFINE(
      _PathsParser(), name, [], description, serializer=flags.CsvListSerializer(','))


def define_integer(
    name: str, default: int | None, description: str, *, lower: int = 0, upper: int = MAX_INTEGER
) -> flags.FlagHolder[Any]:
  """A whole number from `lower` to `upper`."""
  return flags.DEFINE(
      _NumberParser(int, 'a whole number', lower, upper), name, default, description,
      serializer=flags.ArgumentSerializer())


def define_integers(
    name: str, default: list[int], description: str, *, lower: int = 0, upper: int = MAX_INTEGER
) -> flags.FlagHolder[Any]:
  """Whole numbers: the flag may be given several times."""
  return flags.DEFINE_multi(
      _NumberParser(int, 'a whole number', lower, upper), flags.ArgumentSerializer(), name, default,
      description)


def define_float(
    name: str, default: float | None, description: str, *, lower: float = 0.0,
    upper: float = _LARGEST,
) -> flags.FlagHolder[Any]:
  """A finite number from `lower` to `upper`."""
  return flags.DEFINE(
      _NumberParser(float, 'a number', lower, upper), name, default, description,
      serializer=flags.ArgumentSerializer())


def define_integer_list(
    name: str, default: list[int], description: str, *, lower: int = 0, upper: int = MAX_INTEGER
) -> flags.FlagHolder[Any]:
  """Whole numbers from `lower` to `upper`, separated by commas."""
  parser = _NumbersParser(_NumberParser(int, 'a whole number', lower, upper))
  return flags.DEFINE(parser, name, default, description, serializer=flags.CsvListSerializer(','))


def define_float_list(
    name: str, default: list[float], description: str, *, lower: float = 0.0,
    upper: float = _LARGEST,
) -> flags.FlagHolder[Any]:
  """Finite numbers from `lower` to `upper`, separated by commas."""
  parser = _NumbersParser(_NumberParser(float, 'a number', lower, upper))
  return flags.DEFINE(parser, name, default, description, serializer=flags.CsvListSerializer(','))
