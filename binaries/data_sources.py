"""What is known of the datasets of a run, for its report and its model card."""

import json
import pathlib
import re

from datasets import registry
from haiku_spectral import config as configs
from haiku_spectral.config import Config, phases
from haiku_spectral.reporting.results import Source

_LANGUAGE = re.compile(r'^content\.language\.([a-z]{2})\b', re.MULTILINE)


def of_run(config: Config, data_dir: str) -> list[Source]:
  """Every dataset of the run's phases, in the order in which they come up."""
  names = [name for phase in phases.plan(config)
           for name in configs.parse_mixture(phase.data.mixture)]
  return [_source(name, data_dir) for name in dict.fromkeys(names)]


def _source(name: str, data_dir: str) -> Source:
  build = registry.build_command(name, data_dir)
  try:
    folder = registry.folder(name, data_dir)
    report = registry.report(name, data_dir)
  except (OSError, ValueError) as error:
    problem = f'{name} is not built in {data_dir}' if isinstance(error, OSError) else str(error)
    return Source(name, None, build=build, problem=problem, languages=_languages(name))
  info = json.loads((folder / 'dataset_info.json').read_text(encoding='utf-8'))
  return Source(name, report, info.get('description', '').strip(), _languages(name),
                info.get('citation', '').strip(), build)


def _languages(name: str) -> tuple[str, ...]:
  """Those of the builder's tags."""
  tags = pathlib.Path(registry.__file__).parent / name.partition('/')[0] / 'TAGS.txt'
  return tuple(_LANGUAGE.findall(tags.read_text(encoding='utf-8'))) if tags.is_file() else ()
