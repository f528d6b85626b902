"""Writes a trained model as files for other programs, or turns such files back into a run.

  python -m binaries.export --run_dir=runs/demo --out=exports/demo
  python -m binaries.export --run_dir=runs/demo --out=demo.safetensors --form=file
  python -m binaries.export --run_dir=exports/demo --out=runs/again --form=run

Programs accept an exported model instead of a run, as --run_dir.
"""

import pathlib
from collections.abc import Sequence

from absl import flags

from binaries import command_line, flag_types, model_flags
from haiku_spectral.distillation import distill
from haiku_spectral.export import exported
from haiku_spectral.requirement import require
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import run_folder

flags.adopt_module_key_flags(model_flags)
OUT = flag_types.define_path('out', None, 'New folder, or with --form=file the file to write.')
FORM = flags.DEFINE_enum(
    'form', 'directory', ['directory', 'file', 'run'],
    'directory: safetensors, JSON and a loader in NumPy; file: one safetensors file; run: the '
    'folder of a run, to train further.')


def _check_flags() -> pathlib.Path:
  """Where to write. Raises ValueError for flags that are missing or a place that cannot be used."""
  model_flags.check()
  out = pathlib.Path(flag_types.given(OUT, 'the path of a new folder, or of a file'))
  if FORM.value == 'file':
    require(out.suffix == exported.FILE_SUFFIX, '--out', OUT.value,
            f'a name that ends with {exported.FILE_SUFFIX}')
    atomic_file.check_place(out, what='The file', flag='--out')
  else:
    exported.check_new(out)
    atomic_file.check_folder(out.parent, what='The folder', flag='--out')
  return out


def _card() -> str:
  """The model card of the run; empty where there is none."""
  folder = pathlib.Path(model_flags.RUN_DIR.value)
  for name in (run_folder.CARD, exported.CARD):
    if (folder / name).is_file():
      return (folder / name).read_text(encoding='utf-8')
  return ''


def main(argv: Sequence[str]) -> None:
  """Exports, and says what the files hold."""
  del argv
  out = _check_flags()
  model = exported.Exported(*model_flags.load_trained())
  about = exported.describe(model)
  if FORM.value == 'run':
    distill.write_run(out, model.config, model.params, model.step)
  elif FORM.value == 'file':
    exported.write_file(out, model)
  else:
    exported.write_folder(out, model, card=_card())
  print(f'{about["parameters"]:,} parameters of step {model.step:,} in float32\n'
        f'identity: {", ".join(f"{name} {value}" for name, value in about["identity"].items())}')
  if FORM.value == 'directory':
    if about['unknown_to_numpy_loader']:
      print(f'{exported.LOADER} refuses this model, for it does not know '
            f'{", ".join(about["unknown_to_numpy_loader"])}')
    if not _card():
      print('no model card: make one with ./run //binaries:model_card '
            f'--run_dir={model_flags.RUN_DIR.value}')
  print(f'Written: {out}')


if __name__ == '__main__':
  command_line.run(main)
