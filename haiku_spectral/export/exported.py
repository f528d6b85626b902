"""Exported models: weights as safetensors and all else as JSON, in a folder or in one file.

  model.safetensors   the parameters by their names, float32, bitwise those of the checkpoint
  config.json         the whole config, what identifies the model, and the version of the format
  numpy_loader.py     a program that computes the logits with NumPy alone
  README.md           the model card, if there is one

In the form of one file, the JSON stands in the metadata of the safetensors file.
"""

import dataclasses
import json
import pathlib
import secrets
import shutil
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import haiku as hk
import numpy as np
import safetensors
from safetensors import numpy as safetensors_numpy

from haiku_spectral import config as configs
from haiku_spectral.config import Config, ModelConfig
from haiku_spectral.decoding import session
from haiku_spectral.export import numpy_loader
from haiku_spectral.storage import atomic_file, strict_json
from haiku_spectral.training import leaves

FORMAT, VERSION = 'haiku_spectral', 1
WEIGHTS, CONFIG, LOADER, CARD = 'model.safetensors', 'config.json', 'numpy_loader.py', 'README.md'
FILE_SUFFIX = '.safetensors'
_METADATA = 'about'  # Its key in the metadata of a file.
# What numpy_loader.py knows, by the path below config.model: any value, or those of a set.
_LOADER_KNOWS: dict[str, frozenset[str | float] | None] = {
    'pattern': frozenset('HMA'), 'memory.rule': frozenset({'gated', 'delta'}),
    'hyena.filter.kind': frozenset({'network'}), 'online_head.rate': frozenset({0.0}),
    **dict.fromkeys((
        'layers', 'width', 'mlp_width', 'tied_head', 'remat', 'hyena.order', 'hyena.short_width',
        'hyena.filter.horizon', 'hyena.filter.sinusoids', 'hyena.filter.hidden',
        'hyena.filter.modes', 'hyena.filter.min_time_constant', 'hyena.filter.max_time_constant',
        'memory.heads', 'memory.block', 'memory.short_width', 'memory.min_time_constant',
        'memory.max_time_constant', 'attention.heads', 'attention.window', 'attention.block',
        'ngram.orders', 'ngram.words', 'ngram.followers', 'ngram.slots', 'ngram.width',
        'match.length', 'match.slots', 'match.ring', 'counts.orders', 'counts.followers',
        'counts.slots')),
}


class Exported(NamedTuple):
  """A model as it is exported."""

  config: Config
  params: hk.Params  # float32, on the host.
  step: int  # Of the training.


def is_exported(path: str | pathlib.Path) -> bool:
  """Whether a path is that of an exported model: a folder of one, or a file."""
  path = pathlib.Path(path)
  return path.is_file() or (path / WEIGHTS).is_file()


def write_folder(folder: pathlib.Path, model: Exported, *, card: str = '') -> None:
  """Writes a model into a new folder, complete or not at all.

  Raises ValueError when the folder is there and holds something.
  """
  check_new(folder)
  folder.parent.mkdir(parents=True, exist_ok=True)
  part = folder.with_name(f'{folder.name[:50]}.{secrets.token_hex(4)}{atomic_file.UNFINISHED}')
  part.mkdir()
  try:
    (part / WEIGHTS).write_bytes(_weights(model.params, {}))
    (part / CONFIG).write_text(_to_json(describe(model)) + '\n', encoding='utf-8')
    shutil.copyfile(numpy_loader.__file__, part / LOADER)
    if card:
      (part / CARD).write_text(card, encoding='utf-8')
    if folder.is_dir():
      folder.rmdir()
    atomic_file.publish(part, folder)
  finally:
    shutil.rmtree(part, ignore_errors=True)


def write_file(path: pathlib.Path, model: Exported) -> None:
  """Writes a model as one file; what was there before is replaced."""
  atomic_file.write(
      path, _weights(model.params, {_METADATA: _to_json(describe(model))}), mode=None)


def check_new(folder: pathlib.Path) -> None:
  """Raises ValueError when there is something at the path of a new folder."""
  if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
    raise ValueError(f'{folder} is there and not empty: give another --out, or remove it.')


def read(path: str | pathlib.Path) -> Exported:
  """Reads and verifies a model. Raises ValueError or FileNotFoundError, which say what to do."""
  path = pathlib.Path(path)
  weights = path / WEIGHTS if path.is_dir() else path
  try:
    with safetensors.safe_open(weights, framework='numpy') as file:
      flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
      inside = (file.metadata() or {}).get(_METADATA)
    text = (path / CONFIG).read_text(encoding='utf-8') if path.is_dir() else inside
    if text is None:
      raise ValueError('its metadata hold no config')
    about = strict_json.loads(text)
    _check_format(about)
    config = configs.from_json(json.dumps(about['config']))
    params = _nested(flat)
    if session.owner(config.model, params) != session.Owner(**about['identity']):
      raise ValueError('its config or weights are not what was exported')
    return Exported(config, params, int(about['step']))
  except (ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
    raise ValueError(
        f'{path} cannot be read as an exported model: {" ".join(str(error).split())}. Export it '
        'again with ./run //binaries:export --run_dir=...') from error


def describe(model: Exported) -> dict[str, Any]:
  """What config.json holds."""
  return {
      'format': FORMAT, 'version': VERSION, 'step': model.step,
      'parameters': sum(value.size for leaf in model.params.values() for value in leaf.values()),
      'identity': session.owner(model.config.model, model.params)._asdict(),
      'unknown_to_numpy_loader': unknown_to_numpy_loader(model.config.model),
      'config': dataclasses.asdict(model.config),
  }


def unknown_to_numpy_loader(model: ModelConfig) -> list[str]:
  """What of an architecture numpy_loader.py does not compute: it refuses a model with any of it."""
  unknown = []
  for name, value in _flat(dataclasses.asdict(model)):
    known = _LOADER_KNOWS.get(name, frozenset())
    if known is not None and not set(value if name == 'pattern' else [value]) <= known:
      unknown.append(f'config.model.{name}={value!r}')
  return unknown


def _flat(tree: Mapping[str, Any], path: str = '') -> Iterator[tuple[str, Any]]:
  for name, value in tree.items():
    if isinstance(value, dict):
      yield from _flat(value, f'{path}{name}.')
    else:
      yield path + name, value


def _weights(params: hk.Params, metadata: dict[str, str]) -> bytes:
  flat = leaves.to_leaves(params)
  other = sorted(name for name, value in flat.items() if value.dtype != np.float32)
  if other:
    raise ValueError(f'only float32 parameters can be exported, {other[0]!r} is not.')
  return safetensors_numpy.save(flat, metadata=metadata or None)


def _nested(flat: leaves.Leaves) -> hk.Params:
  params: dict[str, dict[str, Any]] = {}
  for name, value in flat.items():
    module, _, leaf = name.rpartition('/')
    params.setdefault(module, {})[leaf] = value
  return params


def _check_format(about: Any) -> None:
  if (about['format'], about['version']) != (FORMAT, VERSION):
    raise ValueError(
        f'it has the format {about["format"]!r}, version {about["version"]!r}, and this program '
        f'reads {FORMAT!r}, version {VERSION}')


def _to_json(about: dict[str, Any]) -> str:
  return json.dumps(about, indent=2, sort_keys=True)
