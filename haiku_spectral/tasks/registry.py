"""All families of problems by name."""

from haiku_spectral.tasks.arithmetic import Arithmetic, ColumnAddition
from haiku_spectral.tasks.functions import Functions
from haiku_spectral.tasks.problem import Family
from haiku_spectral.tasks.turkish_suffixes import TurkishSteps, TurkishSuffixes, TurkishSynthesis

FAMILIES: dict[str, Family] = {
  each.name: each for each in (TurkishSuffixes(), TurkishSteps(), TurkishSynthesis(),
                               ColumnAddition(), Arithmetic(), Functions())
}


def family(name: str) -> Family:
  """Returns a family, or raises ValueError with the names of all."""
  if name not in FAMILIES:
    raise ValueError(f'family={name!r} does not exist: choose one of {", ".join(FAMILIES)}.')
  return FAMILIES[name]
