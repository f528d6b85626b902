"""The stages that the suite `data` measures: what each does, and its memory."""

import contextlib
import dataclasses
import io
import json
import subprocess
import sys
from unittest import mock

from absl.testing import absltest

from binaries import corpus_stage
from haiku_spectral import config
from haiku_spectral.configs import tiny
from tests.decoding import tiny_model


class StagesTest(absltest.TestCase):

  def test_peak_is_in_bytes_and_of_all_processes(self):
    peak = corpus_stage.peak_memory()
    held = b'x' * (peak + 10**7)
    self.assertBetween(corpus_stage.peak_memory(), len(held), 3 * len(held))
    size = corpus_stage.peak_memory() + 10**7
    subprocess.run([sys.executable, '-c', f'b"x" * {size}'], check=True)
    self.assertBetween(corpus_stage.peak_memory(), size, 2 * size)

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
      with mock.patch.multiple(corpus_stage, **flags), \
          contextlib.redirect_stdout(io.StringIO()) as out:
        corpus_stage.main([])
      found[stage] = json.loads(out.getvalue().splitlines()[-1])
    self.assertBetween(found['build']['bytes'], 400_000, 600_000)
    read = found['read']['bytes'] / (found['build']['bytes'] + found['build']['documents'])
    self.assertBetween(read, 0.9, 1.0)  # Some documents validate.
    self.assertEqual(found['read']['window_bytes'], 32_768)
    self.assertEqual(found['train']['steps'], 5)
    self.assertBetween(found['train']['waits'], 0, found['train']['seconds'])


if __name__ == '__main__':
  absltest.main()
