"""The program: which sections it measures, what it leaves behind, what it says to mistakes."""

import contextlib
import io
import json
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver

from binaries import benchmark
from datasets import synthetic
from haiku_spectral.benchmarks import decode, settings, subject
from haiku_spectral.benchmarks.report import Section
from tests.decoding import tiny_model

TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), {})


class BenchmarkTest(absltest.TestCase):

  def _run(self, **flags):
    out = io.StringIO()
    self.seen = seen = []

    def measure(chosen, wanted):
      seen.append((chosen, wanted))
      return Section(f'Section {len(seen)}', 'As it is.', [{'position': 64, 'ms per byte': 2.0}])

    self.folder = pathlib.Path(self.create_tempdir().full_path, 'out')
    with (
        flagsaver.flagsaver(**{'out': str(self.folder), **flags}),
        mock.patch.object(subject, 'load', return_value=TINY),
        mock.patch.dict(decode.SECTIONS, {'flat': measure, 'memory': measure}, clear=True),
        contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()),
    ):
      benchmark.main(['benchmark'])
    return out.getvalue(), seen

  def test_all_sections_are_printed_and_written(self):
    out, seen = self._run(quick=True, repeats=7)
    self.assertLen(seen, 2)
    self.assertEqual(seen[0][0], TINY)
    self.assertEqual((seen[0][1].repeats, seen[0][1].positions), (7, settings.QUICK.positions))
    written = (self.folder / 'report.md').read_text()
    for part in ('## Section 1', '## Section 2', '|       64 |        2.00 |'):
      self.assertIn(part, out)
      self.assertIn(part, written)
    self.assertEqual({path.name for path in self.folder.iterdir()},
                     {'report.md', 'results.json', 'decode.png'})
    results = json.loads((self.folder / 'results.json').read_text())
    self.assertEqual(list(results['sections']), ['flat', 'memory'])
    self.assertGreaterEqual(results['machine']['cores'], 1)

  def test_chosen_section_only(self):
    out, seen = self._run(sections=['memory'])
    self.assertLen(seen, 1)
    self.assertEqual(seen[0][1], settings.Settings())
    self.assertNotIn('Section 2', out)
    self.assertFalse((self.folder / 'decode.png').exists())

  def test_unknown_section(self):
    with self.assertRaisesRegex(
        ValueError, '--sections=speed is not allowed: give some of flat, memory'):
      self._run(sections=['flat', 'speed'])

  def test_an_output_that_cannot_be_is_refused_before_anything_is_measured(self):
    taken = self.create_tempfile('taken', 'mine').full_path
    for out in (taken, f'{taken}/below'):
      with self.assertRaisesRegex(ValueError, f'The report {out} .*--out'):
        self._run(out=out)
    self.assertEmpty(self.seen)

  def test_the_size_of_the_corpora_is_a_flag(self):
    with flagsaver.flagsaver(gigabytes=5.0):
      self.assertEqual(benchmark._settings().gigabytes, 5.0)
    self.assertEqual(list(benchmark.SUITES['data'].sections), ['formats', 'wait'])

  def test_the_stages_are_processes(self):
    with mock.patch.object(benchmark.processes, 'run_json', return_value={'peak': 1}) as ran:
      self.assertEqual(benchmark._run_stage('read', '/f', 'zip', window_bytes=7), {'peak': 1})
    self.assertEqual(ran.call_args.args[0][1:], [
        '-m', 'binaries.corpus_stage', '--stage=read', '--folder=/f', '--format=zip',
        '--window_bytes=7'])
    self.assertIn('zip', synthetic.FORMATS)

  def test_each_language_has_held_out_text(self):
    texts = benchmark._held_out_texts()
    for text in texts.values():
      self.assertGreaterEqual(len(text), 65536)
    self.assertIn('ı'.encode(), texts['Turkish'])
    self.assertIn(b' the ', texts['English'])
    self.assertIn(b'#include', texts['code'])


if __name__ == '__main__':
  absltest.main()
