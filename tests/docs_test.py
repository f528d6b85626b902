"""The commands of README.md and docs, run as they are typed there.

They run in a copy of the repository, page by page, README.md first, in bash with `set -e`. The
copy's presets are made small and train for a few steps; nothing else differs from what a reader
has. Blocks that are marked `<!-- not run: REASON -->` are counted and printed with their reasons.
"""

import os
import pathlib
import shutil
import subprocess
import sys

from absl.testing import absltest, parameterized

from tests import docs_pages

COPIED = ('README.md', 'BUILD.md', 'CHANGELOG.md', 'CITATION.cff', 'CONTRIBUTING.md', 'LICENSE',
          'Makefile', 'imports.mk', 'mkdocs.yml', 'pyproject.toml', 'run',
          'binaries', 'datasets', 'docs', 'haiku_spectral', 'tests')
SMALL = """

_full_size = get_config


def get_config():
  preset = _full_size()
  preset.model.width, preset.model.mlp_width, preset.model.layers = 32, 48, 6
  preset.model.attention.heads, preset.model.attention.window = 2, 128
  preset.model.hyena.filter.horizon, preset.model.hyena.filter.max_time_constant = 128, 32.0
  preset.model.ngram.slots = 1024
  preset.data.segment, preset.data.batch_size, preset.data.stateful_rows = 128, 2, 1
  if not preset.curriculum:
    preset.train.steps, preset.train.optimizer.warmup_steps = 8, 0
  for phase in preset.curriculum:
    phase.update(segment=128, bytes=2048, warmup_lengths='')
    phase['rate']['warmup_steps'] = 0
  return preset
"""
PRESETS = ('nano', 'tiny', 'curriculum_small', 'agent')
# XLA's optimisations take longer than they save, but for a page that trains for minutes.
OPTIMISED = ('docs/self_training.md',)
SECONDS = 1500  # For one block.


def copy_repository(folder: pathlib.Path) -> None:
  """What a reader has, with small presets."""
  for name in (*COPIED, *(path.name for path in docs_pages.ROOT.glob('requirements*.txt'))):
    source = docs_pages.ROOT / name
    if source.is_dir():
      shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns('__pycache__'))
    else:
      shutil.copy2(source, folder / name)
  for name in PRESETS:
    with (folder / f'haiku_spectral/configs/{name}.py').open('a', encoding='utf-8') as file:
      file.write(SMALL)


class DocsTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.place = pathlib.Path(absltest.get_default_test_tmpdir()) / 'docs_test'
    shutil.rmtree(cls.place, ignore_errors=True)
    cls.root, home = cls.place / 'repository', cls.place / 'home'
    cls.root.mkdir(parents=True)
    copy_repository(cls.root)
    books = home / 'books'  # The text that a reader has.
    shutil.copytree(docs_pages.ROOT / 'datasets/starter/text/english', books)
    unset = ('MAKE', 'MAKELEVEL', 'PYTHONPATH', 'TEST_TMPDIR')
    cls.environment = {
        **{name: value for name, value in os.environ.items() if name not in unset},
        'HOME': str(home), 'PY': sys.executable, 'MAKEFLAGS': f'PY={sys.executable}'}
    cls.failures = {'README.md': cls.run_page('README.md')}

  @classmethod
  def tearDownClass(cls):
    shutil.rmtree(cls.place, ignore_errors=True)
    super().tearDownClass()

  @classmethod
  def run_page(cls, page: str) -> list[str]:
    """Runs all blocks of a page; returns what failed."""
    failures = []
    for block in docs_pages.blocks(docs_pages.read(page)):
      command = {docs_pages.COMMANDS: ['bash', '-euo', 'pipefail', '-c', block.text],
                 'python': [sys.executable, '-c', block.text]}.get(block.language)
      if command is None:
        continue
      place = f'{page}:{block.line}'
      if block.reason:
        print(f'NOT RUN {place}: {block.reason}', flush=True)
        continue
      environment = {**cls.environment, **({'XLA_FLAGS': ''} if page in OPTIMISED else {})}
      done = subprocess.run(
          command, cwd=cls.root, env=environment, text=True, encoding='utf-8', check=False,
          timeout=SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
          stderr=subprocess.STDOUT)
      print(f'RAN {place}: exit code {done.returncode}', flush=True)
      if done.returncode:
        failures.append(f'{place}: exit code {done.returncode} of\n{block.text}\n'
                        + done.stdout[-4000:])
        print(failures[-1], flush=True)
    return failures

  def test_readme(self):
    self.assertEmpty(self.failures['README.md'], '\n'.join(self.failures['README.md']))

  @parameterized.parameters(*(page for page in docs_pages.PAGES if page != 'README.md'))
  def test_page(self, page: str):
    failures = self.run_page(page)
    self.assertEmpty(failures, '\n'.join(failures))


class CountTest(absltest.TestCase):

  def test_most_blocks_are_run(self):
    blocks = [block for page in docs_pages.PAGES
              for block in docs_pages.blocks(docs_pages.read(page))
              if block.language == docs_pages.COMMANDS]
    left = [block for block in blocks if block.reason]
    print(f'{len(blocks)} blocks of commands, {len(left)} of them not run')
    self.assertLess(len(left), len(blocks) / 2)


if __name__ == '__main__':
  absltest.main()
