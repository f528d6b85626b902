"""The program that makes the report: its files, what it prints, and whoever made a mistake."""

import contextlib
import io

from absl.testing import absltest, flagsaver

from binaries import data_sources, report
from haiku_spectral import config
from tests.datasets import corpora
from tests.reporting import measured_run


def run(**flags):
  out = io.StringIO()
  with flagsaver.flagsaver(**flags), contextlib.redirect_stdout(out):
    report.main(['report'])
  return out.getvalue()


class ReportTest(absltest.TestCase):

  def test_both_forms_lie_in_the_run_folder(self):
    folder = measured_run.write(self.create_tempdir().full_path)
    out = run(run_dir=str(folder), data_dir=str(folder / 'none'))
    for name, start in (('report.html', '<!DOCTYPE html>'), ('report.md', '# Report on ')):
      self.assertStartsWith((folder / name).read_text(encoding='utf-8'), start)
      self.assertIn(name, out)
    self.assertIn('not measured: time and memory per byte', out)
    self.assertIn('./run //binaries:benchmark', out)

  def test_mistakes(self):
    for flags, error, message in (
        ({'run_dir': ''}, ValueError, '--run_dir is missing'),
        ({'run_dir': '/none'}, FileNotFoundError, 'is not the folder of a run'),
        ({'run_dir': str(measured_run.write_empty(self.create_tempdir().full_path)),
          'output': __file__}, ValueError, 'give the path of a folder as --output')):
      with self.subTest(message), self.assertRaisesRegex(error, message):
        run(**flags)


class DataSourcesTest(absltest.TestCase):

  def test_what_was_built_and_what_was_not(self):
    root = corpora.temporary_folder(type(self))
    source = corpora.write(root / 'source', {
        f'{i}.txt': corpora.letters(i, 2000) for i in range(8)})
    corpora.build('books', source, str(root / 'data'))
    whole = config.Config(data=config.DataConfig(
        mixture='text_folder/books:1,turkish_web/hplt:1,nothing:1'))
    books, web, nothing = data_sources.of_run(whole, str(root / 'data'))
    self.assertBetween(books.train_bytes, 1, 16_000)
    self.assertIn('--dataset=text_folder --source=DIR --name=books', books.build)
    self.assertEqual((web.report, web.languages), (None, ('tr',)))
    self.assertIn('is not built in', web.problem)
    self.assertIn("no dataset 'nothing'", nothing.problem)

  def test_sources_of_all_phases_once(self):
    phase = config.PhaseConfig(name='a', bytes=10**6, mixture='golden:1,starter:1')
    whole = config.Config(
        curriculum=(phase, config.PhaseConfig(name='b', bytes=10**6, mixture='starter:1')),
        train=config.TrainConfig(steps=0))
    found = data_sources.of_run(whole, self.create_tempdir().full_path)
    self.assertEqual([source.name for source in found], ['golden', 'starter'])
    self.assertEqual(found[1].languages, ('tr', 'en'))


if __name__ == '__main__':
  absltest.main()
