"""Tests of how a training measures itself, and of its profile."""

import math
import pathlib
import tempfile
from unittest import mock

import jax
from absl import logging
from absl.testing import absltest

from haiku_spectral.parallel import hardware
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import loop, metrics, speed
from tests.training import stand_in


class SpeedTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.clock = self.enter_context(mock.patch.object(speed.time, 'perf_counter'))
    self.clock.return_value = 0.0

  def test_speed_is_that_of_the_steps_alone(self):
    measured = speed.Speed()
    self.assertTrue(math.isnan(measured.take().tokens_per_second))
    for now, pause in ((0, False), (2, False), (4, True), (100, False), (102, False)):
      self.clock.return_value = now
      measured.step_done(10)
      if pause:
        measured.pause()
    self.assertAlmostEqual(measured.take().tokens_per_second, 5.0)

  def test_the_parts_of_a_step_are_told_apart(self):
    measured = speed.Speed()

    def wait(reason, seconds):
      with measured.waits(reason):
        self.clock.return_value += seconds

    wait(speed.DATA, 50)  # Before the first step has ended nothing counts.
    measured.step_done(10)
    for _ in range(4):
      wait(speed.DATA, 1)
      self.clock.return_value += 3
      measured.step_done(10)
    measured.pause()
    wait(speed.CHECKPOINT, 8)
    self.assertEqual(measured.take(), speed.Speeds(
        tokens_per_second=2.5, step=4, data=1, compute=3, checkpoint=2))
    self.assertTrue(all(map(math.isnan, measured.take())))


class UtilisationTest(absltest.TestCase):

  def test_is_a_share_of_what_all_devices_could_do(self):
    device = mock.Mock(device_kind='NVIDIA H100 80GB HBM3')
    mesh = mock.Mock(size=4, devices=mock.Mock(flat=[device]))
    self.assertAlmostEqual(speed.utilisation(989e12, mesh, 'bfloat16'), 0.25)
    self.assertAlmostEqual(speed.utilisation(494e12, mesh, 'float32'), 0.25)
    own = meshes.data_mesh(jax.devices('cpu')[:1])
    self.assertTrue(math.isnan(speed.utilisation(1e9, own, 'float32')))

  def test_devices_are_known_by_what_jax_calls_them(self):
    for kind, name in (
        ('NVIDIA H100 80GB HBM3', 'h100'), ('NVIDIA H200', 'h200'), ('TPU v5 lite', 'v5e'),
        ('TPU v5', 'v5p'), ('NVIDIA A100-SXM4-80GB', 'a100'), ('TPU v6 lite', 'v6e'),
        ('TPU v5e', 'v5e'), ('TPU v5p', 'v5p'), ('TPU v6e', 'v6e')):
      self.assertEqual(hardware.of_kind(kind), hardware.DEVICES[name])
    self.assertIsNone(hardware.of_kind('cpu'))
    with self.assertRaisesRegex(ValueError, "--device_kind='h1' is not allowed: give one of a100"):
      hardware.named('h1')


class ProfileTest(absltest.TestCase):

  def test_a_training_writes_a_trace_of_a_few_steps_and_where_its_time_goes(self):
    logging.set_verbosity(logging.ERROR)
    folder = pathlib.Path(tempfile.mkdtemp(dir=self.create_tempdir().full_path))
    config = stand_in.make_config(steps=8, log_every=8)
    loop.train(config, stand_in.make_task(config), run_dir=folder / 'run',
               mesh=meshes.data_mesh(jax.devices()[:1]), report=lambda line: None,
               profile=folder / 'profile')
    trace, = (folder / 'profile').rglob('*.xplane.pb')
    names = [event.name for plane in jax.profiler.ProfileData.from_file(str(trace)).planes
             for line in plane.lines for event in line.events]
    self.assertEqual(names.count('train'), speed.PROFILED)
    row = next(row for row in metrics.read(folder / 'run') if row['kind'] == metrics.TRAIN)
    self.assertAlmostEqual(
        row['seconds/step'], row['seconds/data'] + row['seconds/compute'], places=6)
    self.assertGreater(row['seconds/checkpoint'], 0)
    self.assertIsNone(row['mfu'])  # Nobody says what a CPU could do.


if __name__ == '__main__':
  absltest.main()
