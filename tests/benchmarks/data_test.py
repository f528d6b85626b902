"""The suite `data`: what is made of the numbers of its stages."""

import pathlib
from unittest import mock

from absl.testing import absltest

from haiku_spectral.benchmarks import data
from haiku_spectral.benchmarks.settings import Settings

NO_SUBJECT = mock.Mock()
KINDS = 'parquet', 'jsonl.zst', 'jsonl.gz', 'txt.gz', 'zip'


class SuiteTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.stages = []

  def run_stage(self, stage, folder, kind, **sizes):
    self.stages.append((stage, folder, kind, sizes))
    source = pathlib.Path(folder, 'source')
    if stage == 'write':
      source.mkdir()
      (source / '0').write_bytes(bytes(sizes['num_bytes'] // 4))
    return {
        'write': {}, 'build': {'bytes': 8_000_000, 'seconds': 2.0, 'peak': 90_000_000},
        'read': {'bytes': 8_000_000, 'seconds': 0.5, 'peak': 70_000_000,
                 'window_bytes': 1_000_000, 'window_seconds': 0.25},
        'train': {'steps': 20, 'step': 0.5, 'waits': 0.1, 'longest': 0.02, 'seconds': 10.0},
    }[stage]

  def test_rates_and_peaks_of_every_format(self):
    rows = data.formats(
        KINDS, self.run_stage, NO_SUBJECT, Settings(gigabytes=0.04, window_bytes=10**9)).rows
    self.assertEqual([row['format'] for row in rows], list(KINDS))
    self.assertEqual(rows[0], {
        'format': 'parquet', 'files': 1, 'source, MB': 2.0, 'text, MB': 8.0, 'build, MB/s': 4.0,
        'build peak, MB': 90.0, 'read, MB/s': 16.0, 'windows, MB/s': 4.0, 'read peak, MB': 70.0})
    folders = {folder for _, folder, _, _ in self.stages}
    self.assertLen(folders, len(KINDS))
    for folder in folders:
      self.assertFalse(pathlib.Path(folder).exists())
    self.assertEqual(self.stages[2][3], {'window_bytes': 8_000_000})

  def test_share_of_the_time_that_is_waited(self):
    [row] = data.wait(self.run_stage, NO_SUBJECT, Settings(steps=20)).rows
    self.assertEqual(row['waiting, % of the time'], 1.0)
    self.assertEqual((row['median step, ms'], row['longest wait, ms']), (500, 20))
    self.assertEqual([stage for stage, *_ in self.stages], ['write', 'build', 'train'])


if __name__ == '__main__':
  absltest.main()
