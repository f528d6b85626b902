"""Builds the documentation site: the pages of the repository and a reference of the modules.

  make docs

Neither building nor reading it fetches anything. A warning is an error. It runs in an environment
of its own (.venv-docs).
"""

import logging
import os
import pathlib
from collections.abc import Sequence

from binaries import command_line, flag_types, site_pages

ROOT = pathlib.Path(__file__).parents[1]
OUT = flag_types.define_path('out', '.build/site', 'Folder of the site, whose content is replaced.')
PAGES = flag_types.define_path(
    'pages', '.build/site_pages', 'Folder for the Markdown pages of the site.')


class _Warnings(logging.Handler):
  """Keeps what is wrong."""

  def __init__(self) -> None:
    super().__init__(logging.WARNING)
    self.found: list[str] = []

  def emit(self, record: logging.LogRecord) -> None:
    self.found.append(record.getMessage())


def main(argv: Sequence[str]) -> None:
  """Writes the pages and has MkDocs make a site of them."""
  del argv
  os.environ['NO_MKDOCS_2_WARNING'] = '1'  # About a successor, not about our pages.
  from mkdocs import config
  from mkdocs.commands import build

  site, pages = site_pages.make(ROOT), pathlib.Path(PAGES.value)
  site_pages.write(site, ROOT, pages)
  warnings = _Warnings()
  logging.getLogger('mkdocs').addHandler(warnings)
  out = pathlib.Path(OUT.value).absolute()
  build.build(config.load_config(
      str(ROOT / 'mkdocs.yml'), docs_dir=str(pages.absolute()), site_dir=str(out), nav=site.nav))
  if warnings.found:
    raise ValueError('\n  '.join([f'{len(warnings.found)} warnings:', *warnings.found]))
  print(f'{len(site.pages)} pages\nWritten: {out / "index.html"}')


if __name__ == '__main__':
  command_line.run(main)
