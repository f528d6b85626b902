"""Makes one page of everything measured for a run: self-contained report.html, and report.md.

  python -m binaries.report --run_dir=runs/demo

It also says what was not measured, with the command that measures it.
"""

import pathlib
from collections.abc import Sequence

from binaries import command_line, data_sources, flag_types
from haiku_spectral.reporting import html, markdown, report, results
from haiku_spectral.reporting.document import Missing
from haiku_spectral.storage import atomic_file
from haiku_spectral.training import run_folder

RUN_DIR = flag_types.define_path('run_dir', '', 'Folder of the training run.')
DATA_DIR = flag_types.define_data_dir()
OUTPUT = flag_types.define_path('output', None, 'Folder of the report (default: the run folder).')


def main(argv: Sequence[str]) -> None:
  """Reads the run folder and writes both forms of the report."""
  del argv
  config = run_folder.read_config(pathlib.Path(flag_types.given(RUN_DIR, flag_types.A_RUN)))
  output = pathlib.Path(OUTPUT.value or RUN_DIR.value)
  atomic_file.check_folder(output, what='The report', flag='--output')
  found = results.read(RUN_DIR.value, data_sources.of_run(config, DATA_DIR.value))
  document = report.make(found)
  forms = {'html': html.render(document), 'md': markdown.render(document)}
  paths = [output / f'{run_folder.REPORT}.{suffix}' for suffix in forms]
  for path, text in zip(paths, forms.values(), strict=True):
    atomic_file.write_text(path, text)
  for section in document.sections:
    for block in section.blocks:
      if isinstance(block, Missing):
        print(f'not measured: {block.what}\n  {block.command}')
  print(f'Written: {", ".join(map(str, paths))}')


if __name__ == '__main__':
  command_line.run(main)
