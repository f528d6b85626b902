"""The program: which sections it measures, what it leaves behind, what it says to mistakes."""

import contextlib
import io
import json
import pathlib
from unittest import mock

from absl.testing import absltest, flagsaver

from binaries import benchmark
from binaries.benchmarks import compression, decode, settings, subject
from binaries.benchmarks.report import Section
from tests.decoding import tiny_model

TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params())


class BenchmarkTest(absltest.TestCase):

  def _run(self, **flags):
    out = io.StringIO()
    seen = []

    def measure(chosen, wanted):
      seen.append((chosen, wanted))
      return Section(f'Section {len(seen)}', 'As it is.', [{'position': 64, 'ms a byte': 2.0}])

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
    for part in ('## Section 1', '## Section 2', '|       64 |      2.00 |'):
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


class CompressionTest(absltest.TestCase):

  def test_bits_per_byte_of_each_program(self):
    rows = compression.compare(TINY, settings.Settings(run_dir='runs/x', text_bytes=600)).rows
    self.assertEqual([row['text'] for row in rows], ['Turkish', 'English', 'code'])
    for row in rows:
      self.assertEqual(row['bytes'], 600)
      for program in ('gzip -9', 'xz -9', 'zstd -19'):
        self.assertBetween(row[program], 3, 8)  # Short English text is at about 5.
      self.assertGreater(row['ours'], 8)  # Random parameters know nothing.

  def test_skipped_without_a_trained_model(self):
    section = compression.compare(TINY, settings.Settings())
    self.assertEmpty(section.rows)
    self.assertIn('give --run_dir', section.note)


if __name__ == '__main__':
  absltest.main()
