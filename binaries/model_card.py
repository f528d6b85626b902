"""Writes the model card of a run, in the format of model hubs: model_card.md in the run folder.

  python -m binaries.model_card --run_dir=runs/demo --license=cc-by-sa-4.0

Every number in it comes from the run folder; it says what was not measured. `export` puts the card
beside the weights.
"""

import pathlib
import re
from collections.abc import Sequence

from absl import flags

from binaries import command_line, data_sources, flag_types
from haiku_spectral.reporting import card, results
from haiku_spectral.requirement import require
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import run_folder

RUN_DIR = flag_types.define_path('run_dir', '', 'Folder of the training run.')
DATA_DIR = flag_types.define_data_dir()
OUTPUT = flag_types.define_path(
    'output', None, 'File of the card (default: model_card.md in the run folder).')
NAME = flags.DEFINE_string('name', None, 'Name of the model (default: the name of the run folder).')
LICENSE = flags.DEFINE_string(
    'license', card.UNKNOWN,
    'Licence of the weights, which you choose, by its name on model hubs: apache-2.0, '
    'cc-by-sa-4.0, other.')


def main(argv: Sequence[str]) -> None:
  """Reads the run folder and writes the card."""
  del argv
  folder = pathlib.Path(flag_types.given(RUN_DIR, flag_types.A_RUN))
  require(bool(re.fullmatch('[a-z0-9.-]+', LICENSE.value)), '--license', LICENSE.value,
          'a name of small letters, digits, dots and dashes')
  config = run_folder.read_config(folder)
  path = pathlib.Path(OUTPUT.value or folder / run_folder.CARD)
  atomic_file.check_place(path, what='The card', flag='--output')
  found = results.read(RUN_DIR.value, data_sources.of_run(config, DATA_DIR.value))
  name = NAME.value or folder.resolve().name
  atomic_file.write_text(path, card.make(found, name=name, licence=LICENSE.value))
  print(f'Written: {path}')


if __name__ == '__main__':
  command_line.run(main)
