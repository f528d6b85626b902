"""Tests of what a run writes down and shows."""

import io
import json
import math
import pathlib
import struct
from unittest import mock

from absl.testing import absltest
from tensorboardX.proto import event_pb2

from haiku_spectral.training import metrics, progress, run_folder


class MetricsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.run_dir = pathlib.Path(self.create_tempdir().full_path)

  def write(self, *rows, step=0, work_done=True):
    writer = metrics.Writer(self.run_dir, step=step, work_done=work_done)
    for number, kind in rows:
      writer.write(number, kind, {'loss': float(number)})
    writer.close()

  def kept(self):
    return [(row['step'], row['kind']) for row in metrics.read(self.run_dir)]

  def test_rows_of_lost_steps_are_removed(self):
    rows = [(2, 'train'), (4, 'train'), (4, 'heldout'), (6, 'train')]
    self.write(*rows)
    self.write((6, 'train'), step=4)
    self.assertEqual(self.kept(), rows)
    self.write(step=4, work_done=False)  # The evaluation of step 4 will be made again.
    self.assertEqual(self.kept(), [(2, 'train'), (4, 'train')])
    self.write(step=0)
    self.assertEqual(self.kept(), [])

  def test_a_line_that_a_kill_cut_short_is_skipped(self):
    self.write((2, 'train'), (4, 'train'))
    path = self.run_dir / run_folder.METRICS
    path.write_text(path.read_text()[:-9])
    self.assertEqual(self.kept(), [(2, 'train')])
    self.write((4, 'train'), step=2)
    self.assertEqual(self.kept(), [(2, 'train'), (4, 'train')])

  def test_every_line_is_strict_json_and_there_when_write_returns(self):
    writer = metrics.Writer(self.run_dir, step=0, work_done=True)
    writer.write(1, 'train', {'loss': math.nan, 'norm': math.inf, 'rate': 0.1})
    text = (self.run_dir / run_folder.METRICS).read_text()
    def refuse(constant):
      raise ValueError(constant)
    self.assertEqual(
        json.loads(text, parse_constant=refuse),
        {'step': 1, 'kind': 'train', 'loss': None, 'norm': None, 'rate': 0.1})
    writer.close()

  def test_tensorboard_gets_the_same_and_forgets_what_was_lost(self):
    self.write((5, 'train'), step=4)
    file, = self.run_dir.glob('events.out.tfevents.*')
    data, events = file.read_bytes(), []
    while data:
      size, = struct.unpack('<Q', data[:8])
      events.append(event_pb2.Event.FromString(data[12:12 + size]))  # Between two checksums.
      data = data[16 + size:]
    version, start, row = events
    self.assertEqual(version.file_version, 'brain.Event:2')
    self.assertEqual((start.step, start.session_log.status), (5, event_pb2.SessionLog.START))
    value, = row.summary.value
    self.assertEqual((row.step, value.tag, value.simple_value), (5, 'train/loss', 5.0))

  def test_floats_survive_exactly(self):
    value = 0.1 + 0.2
    writer = metrics.Writer(self.run_dir, step=0, work_done=True)
    writer.write(1, 'train', {'loss': value})
    writer.close()
    self.assertEqual(metrics.read(self.run_dir)[0]['loss'], value)

  def test_the_units_agree(self):
    found = metrics.loss_scalars(math.log(16))
    self.assertAlmostEqual(found['bits_per_byte'], 4)
    self.assertAlmostEqual(found['perplexity'], 16)
    self.assertTrue(math.isfinite(metrics.loss_scalars(1e9)['perplexity']))


class ProgressTest(absltest.TestCase):

  def test_a_speed_that_is_not_known_yet_is_not_shown(self):
    with mock.patch.object(progress.sys, 'stderr', io.StringIO()) as stderr, mock.patch.object(
        progress.time, 'monotonic', side_effect=[0.0, 100.0]):
      bar = progress.Progress(step=0, steps=100)
      bar.show(1, math.log(4), tokens_per_second=math.nan)
      bar.close()
    self.assertRegex(stderr.getvalue(), r'step 1/100: loss 1.386, 2.000 bits/byte ▁, \S+ left')

  def test_a_log_gets_a_line_now_and_then_with_all_that_one_asks_for(self):
    with mock.patch.object(progress.sys, 'stderr', io.StringIO()) as stderr, mock.patch.object(
        progress.time, 'monotonic') as clock:
      clock.return_value = 100.0
      bar = progress.Progress(step=0, steps=100)
      for step in range(1, 51):
        clock.return_value = 100.0 + step
        bar.step_done(step)
        bar.show(step, math.log(4), tokens_per_second=1234.5)
      bar.close()
    lines = stderr.getvalue().splitlines()
    self.assertLen(lines, 3)
    self.assertEqual(
        lines[-1],
        f'step 48/100: loss 1.386, 2.000 bits/byte {"▁" * progress.HISTORY}, 1,234 tokens/s, '
        '00:52 left')

  def test_history_is_short_and_the_time_left_is_told_from_it(self):
    with mock.patch.object(progress.sys, 'stderr', io.StringIO()) as stderr, mock.patch.object(
        progress.time, 'monotonic') as clock:
      clock.return_value = 0.0
      bar = progress.Progress(step=0, steps=200)
      for step in range(1, 101):
        clock.return_value += 1.0 if step <= 50 else 2.0  # It becomes slower.
        bar.show(step, float(100 - step), tokens_per_second=10.0, by_source=' (a 1, b 2)',
                 skipped=3)
      bar.close()
    last = stderr.getvalue().splitlines()[-1]
    self.assertRegex(last, r'bits/byte \(a 1, b 2\) █▇▇▆▅▅▄▄▃▂▂▁, 10 tokens/s, 3 skipped, ')
    step = int(last.split()[1].partition('/')[0])
    minutes, seconds = divmod(2 * (200 - step), 60)
    self.assertEndsWith(last, f'{minutes:02}:{seconds:02} left')

  def test_losses_that_are_not_finite(self):
    self.assertEqual(progress.sparkline([1.0, math.nan, 2.0]), '▁·█')
    self.assertEqual(progress.sparkline([math.nan]), '·')


if __name__ == '__main__':
  absltest.main()
