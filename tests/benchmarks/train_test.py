"""The suite `train`: medians of alternating rounds, what could not be measured, the exponent."""

import contextlib
import pathlib
import sys

from absl.testing import absltest
from matplotlib import image

from haiku_spectral import config
from haiku_spectral.benchmarks import step_worker, subject, train
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.modules import spectral_gpt
from haiku_spectral.training import run_folder
from tests.decoding import tiny_model

TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), {})
SETTINGS = Settings(lengths=(64, 256), step_bytes=128, repeats=3)


class Fake(contextlib.AbstractContextManager):
  """A worker whose seconds per byte are known; fails where it is told to."""

  order: list[str]

  def __init__(self, command, *, order, fails=()):
    self.kind = 'gpt2' if 'gpt2' in command else 'mamba' if 'mamba' in command else 'ours'
    place = 3 if self.kind != 'ours' else 4  # RUN_DIR, ROWS, LENGTH, or KIND, ROWS, LENGTH.
    self.rows, self.length = int(command[place]), int(command[place + 1])
    if (self.kind, self.length) in fails:
      raise step_worker.WorkerError('exit code 1: out of memory')
    self._order, self._rounds = order, 0
    self.about = {'parameters': 1000, **({'flops': 2e9} if self.kind == 'ours' else {})}

  def __exit__(self, *error):
    pass

  def step(self):
    self._order.append(self.kind)
    self._rounds += 1
    power = {'ours': 1, 'gpt2': 2, 'mamba': 1.5}[self.kind]
    seconds = 1e-3 * self.rows * self.length**power * (9 if self._rounds == 2 else 1)
    return {'seconds': seconds, 'peak': 2**20 * self._rounds,
            **({'rate': 1e11} if self.kind == 'ours' else {})}


class TrainTest(absltest.TestCase):

  def _steps(self, **arguments):
    self.order = []
    return train.steps(
        TINY, SETTINGS, start=lambda command: Fake(command, order=self.order, **arguments))

  def test_medians_of_alternating_rounds(self):
    section = self._steps()
    self.assertEqual(self.order, ['ours', 'gpt2', 'mamba'] * 6)
    rows = {(row['model'], row['length']): row for row in section.rows}
    self.assertLen(rows, 6)
    ours = rows[train.OURS, 64]
    self.assertEqual((ours['rows'], rows[train.OURS, 256]['rows']), (2, 1))
    self.assertAlmostEqual(ours['bytes/s'], 1000)  # The slow round is no median.
    self.assertAlmostEqual(ours['over GPT-2'], 64)
    self.assertAlmostEqual(ours['GFLOP/s'], 2 / 0.128)
    self.assertAlmostEqual(ours['of products, %'], 100 * 2e9 / 0.128 / 1e11)
    self.assertEqual(ours['peak, MiB'], 3)
    for model, slope in ((train.OURS, 1), (train.GPT2, 2), (train.MAMBA, 1.5)):
      self.assertAlmostEqual(rows[model, 256]['exponent'], slope)

  def test_what_cannot_be_measured_is_told(self):
    section = self._steps(fails=[('mamba', 256), ('gpt2', 256)])
    self.assertIn('Mamba from 256 on: exit code 1: out of memory.', section.note)
    rows = {(row['model'], row['length']): row for row in section.rows}
    self.assertNotIn((train.MAMBA, 256), rows)
    self.assertEqual(rows[train.OURS, 256]['over GPT-2'], train.MISSING)
    self.assertEqual(rows[train.MAMBA, 64]['exponent'], train.MISSING)

  def test_what_cannot_be_measured_is_not_tried_with_longer_rows(self):
    section = self._steps(fails=[('mamba', 64)])
    self.assertEqual(self.order, ['ours', 'gpt2'] * 6)
    self.assertIn('Mamba from 64 on', section.note)

  def test_drawn_from_what_was_measured(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    path, = train.draw({'steps': self._steps()}, folder)
    self.assertEqual(image.imread(path).shape, (800, 1440, 4))
    self.assertEmpty(train.draw({}, folder))

  def test_a_step_of_a_run(self):
    model = config.ModelConfig(
        pattern='M', layers=1, width=16, mlp_width=16, ngram=config.NgramConfig(orders=''))
    run_dir = self.create_tempdir()
    run_dir.create_file(run_folder.CONFIG, config.to_json(config.Config(model=model)))
    command = train.commands(TINY, Settings(run_dir=run_dir.full_path), 2, 32)[train.OURS]
    self.assertEqual(command[0], sys.executable)
    with step_worker.Worker(command, limit=300.0) as worker:
      found = worker.step()
    self.assertEqual(
        worker.about['flops'], 2 * 32 * spectral_gpt.training_flops_per_byte(model, 32))
    self.assertGreater(worker.about['parameters'], 260 * 16)
    self.assertGreater(found['rate'], 1e6)
    self.assertGreater(found['seconds'], 0)


if __name__ == '__main__':
  absltest.main()
