"""The suite `data`: that its corpora hold what they should, and what is made of its numbers."""

import contextlib
import dataclasses
import io
import json
import pathlib
import subprocess
import sys
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import benchmark
from binaries.benchmarks import corpus, corpus_stages, data, processes
from binaries.benchmarks.settings import Settings
from datasets.readers import reader
from haiku_spectral import config
from haiku_spectral.configs import tiny
from tests.decoding import tiny_model

NO_SUBJECT = mock.Mock()


class CorpusTest(parameterized.TestCase):

  def test_as_much_text_as_asked_for_no_two_files_alike(self):
    texts = [list(corpus.documents(50_000, seed)) for seed in (0, 0, 1)]
    self.assertEqual(texts[0], texts[1])
    self.assertEmpty(set(texts[0]) & set(texts[2]))
    size = sum(len(text.encode()) for text in texts[0])
    self.assertBetween(size, 50_000, 50_000 + len(texts[0][-1].encode()))

  @parameterized.parameters(*corpus.FORMATS)
  def test_the_same_documents_in_every_format(self, kind):
    folder = pathlib.Path(self.create_tempdir().full_path)
    corpus.write(folder, kind, 100_000)
    paths = sorted(folder.iterdir())
    self.assertLen(paths, corpus.SHARDS)
    for seed, path in enumerate(paths):
      found = [item.text.decode() for item in reader.read(path, corpus.RandomWords.SPEC)]
      self.assertEqual(found, list(corpus.documents(100_000 // corpus.SHARDS, seed)))


class StagesTest(absltest.TestCase):

  def test_peak_is_in_bytes_and_of_all_processes(self):
    peak = corpus_stages.peak_memory()
    held = b'x' * (peak + 10**7)
    self.assertBetween(corpus_stages.peak_memory(), len(held), 3 * len(held))
    size = corpus_stages.peak_memory() + 10**7
    subprocess.run([sys.executable, '-c', f'b"x" * {size}'], check=True)
    self.assertBetween(corpus_stages.peak_memory(), size, 2 * size)

  def test_a_built_corpus_is_trained_on_by_the_loop_itself(self):
    preset = config.to_config_dict(config.Config(
        model=dataclasses.replace(tiny_model.CONFIG, pattern='A', layers=1),
        data=config.DataConfig(segment=64, batch_size=4, stateful_rows=2)))
    self.enterContext(mock.patch.object(tiny, 'get_config', return_value=preset))
    given = {'FORMAT': 'jsonl.gz', 'FOLDER': self.create_tempdir().full_path,
             'NUM_BYTES': 400_000, 'WINDOW_BYTES': 32_768, 'STEPS': 5}
    found = {}
    for stage in ('write', 'build', 'read', 'train'):
      flags = {name: mock.Mock(value=value) for name, value in {**given, 'STAGE': stage}.items()}
      with mock.patch.multiple(corpus_stages, **flags), \
          contextlib.redirect_stdout(io.StringIO()) as out:
        corpus_stages.main([])
      found[stage] = json.loads(out.getvalue().splitlines()[-1])
    self.assertBetween(found['build']['bytes'], 400_000, 600_000)
    read = found['read']['bytes'] / (found['build']['bytes'] + found['build']['documents'])
    self.assertBetween(read, 0.9, 1.0)  # Some documents validate.
    self.assertEqual(found['read']['window_bytes'], 32_768)
    self.assertEqual(found['train']['steps'], 5)
    self.assertBetween(found['train']['waits'], 0, found['train']['seconds'])


class SuiteTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.stages = []
    self.enterContext(mock.patch.object(processes, 'run_json', self.run_json))

  def run_json(self, command):
    flags = dict(argument[2:].split('=') for argument in command[3:])
    self.stages.append(flags)
    source = pathlib.Path(flags['folder'], 'source')
    if flags['stage'] == 'write':
      source.mkdir()
      (source / '0').write_bytes(bytes(int(flags['num_bytes']) // 4))
    return {
        'write': {}, 'build': {'bytes': 8_000_000, 'seconds': 2.0, 'peak': 90_000_000},
        'read': {'bytes': 8_000_000, 'seconds': 0.5, 'peak': 70_000_000,
                 'window_bytes': 1_000_000, 'window_seconds': 0.25},
        'train': {'steps': 20, 'step': 0.5, 'waits': 0.1, 'longest': 0.02, 'seconds': 10.0},
    }[flags['stage']]

  def test_rates_and_peaks_of_every_format(self):
    rows = data.formats(NO_SUBJECT, Settings(gigabytes=0.04, window_bytes=10**9)).rows
    self.assertEqual([row['format'] for row in rows], list(corpus.FORMATS))
    self.assertEqual(rows[0], {
        'format': 'parquet', 'source, MB': 2.0, 'text, MB': 8.0, 'build, MB/s': 4.0,
        'build peak, MB': 90.0, 'read, MB/s': 16.0, 'windows, MB/s': 4.0, 'read peak, MB': 70.0})
    self.assertLen({flags['folder'] for flags in self.stages}, len(corpus.FORMATS))
    for flags in self.stages:
      self.assertFalse(pathlib.Path(flags['folder']).exists())
    self.assertEqual(self.stages[2]['window_bytes'], '8000000')

  def test_share_of_the_time_that_is_waited(self):
    [row] = data.wait(NO_SUBJECT, Settings(steps=20)).rows
    self.assertEqual(row['waiting, % of the time'], 1.0)
    self.assertEqual((row['median step, ms'], row['longest wait, ms']), (500, 20))
    self.assertEqual([flags['stage'] for flags in self.stages], ['write', 'build', 'train'])

  def test_size_is_a_flag(self):
    with flagsaver.flagsaver(gigabytes=5.0):
      self.assertEqual(benchmark._settings().gigabytes, 5.0)
    self.assertIs(benchmark.SUITES['data'], data)


if __name__ == '__main__':
  absltest.main()
