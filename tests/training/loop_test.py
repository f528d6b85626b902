"""Tests of the loop: whatever interrupts it, a run takes the same steps and writes the same."""

import errno
import functools
import json
import os
import pathlib
import signal
import tempfile
from unittest import mock

import jax
import numpy as np
from absl import logging
from absl.testing import absltest, parameterized

from haiku_spectral import shutdown
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.training import checkpoint, guards, leaves, loop, metrics, run_folder, task
from tests.training import stand_in

jax.config.update('jax_num_cpu_devices', 8)


def train(config, run_dir, devices=1, until=None, **fields):
  """Trains the stand-in until it ends or a signal comes; fields are those of its task."""
  lines = []
  with shutdown.caught() as stop:
    outcome = loop.train(
        config, stand_in.make_task(config, **fields), run_dir=pathlib.Path(run_dir), stop=stop,
        report=lines.append, mesh=meshes.data_mesh(jax.devices()[:devices]), until=until)
  return outcome, lines


def everything(run_dir):
  """What must be equal: the last checkpoint, bitwise, and all rows but their speeds."""
  run_dir = pathlib.Path(run_dir)
  last = checkpoint.restore_latest(run_dir)
  rows = [
      {name: value for name, value in row.items() if name not in stand_in.SPEEDS}
      for row in metrics.read(run_dir)]
  return last.step, leaves.digests({**last.params, **last.training}), last.host, rows


def send(number=signal.SIGTERM):
  """A signal to this process; its handler has run when this returns."""
  os.kill(os.getpid(), number)


class At:
  """Calls a function the n-th time that it is asked to."""

  def __init__(self, count, call=send):
    self.count, self.call, self.seen = count, call, 0

  def __call__(self, *unused):
    self.seen += 1
    if self.seen == self.count:
      self.call()


def stopping_after(count):
  """A change of batches that changes nothing and has a signal come with the n-th one."""
  at = At(count)
  return lambda step, batch: at() or batch


CONFIG = stand_in.make_config(steps=10, log_every=3, eval_every=4, checkpoint_every=5)
# Some at the same steps as evaluations, whose rows must not be written twice.
HOOK = task.Hook('hook', 8, lambda step, params, stop: None if stop() else {'seen': step})


@functools.cache
def uninterrupted(*hooks):
  """Everything about a run that was left alone."""
  with tempfile.TemporaryDirectory() as folder:
    train(CONFIG, folder, hooks=hooks)
    return everything(folder)


class LoopTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)  # Orbax logs much.
    self.config = CONFIG
    self.run_dir = pathlib.Path(self.create_tempdir().full_path)

  def test_a_run_leaves_config_checkpoints_and_rows(self):
    outcome, _ = train(self.config, self.run_dir)
    self.assertEqual((outcome.step, outcome.finished), (10, True))
    self.assertEqual(run_folder.read_config(self.run_dir), self.config)
    rows = metrics.read(self.run_dir)
    train_rows = [row for row in rows if row['kind'] == metrics.TRAIN]
    self.assertEqual([row['step'] for row in train_rows], [3, 6, 9, 10])
    self.assertEqual(
        [row['step'] for row in rows if row['kind'] == metrics.HELDOUT], [4, 8, 10])
    self.assertEqual(set(train_rows[0]), {
        'step', 'kind', 'loss', 'perplexity', 'bits_per_byte', 'gradient_norm', 'learning_rate',
        'skipped_steps', 'phase', 'segment', *stand_in.SPEEDS,
        'loss/starter', 'loss/other', 'bytes/starter', 'bytes/other'})
    self.assertNotEmpty(list(self.run_dir.glob('events.out.tfevents*')))
    self.assertAlmostEqual(rows[-1]['loss'], outcome.heldout_loss)

  def test_the_loss_of_a_row_is_the_mean_since_the_row_before(self):
    every = self.run_dir / 'every'
    train(stand_in.make_config(steps=10, log_every=1, eval_every=0, checkpoint_every=0), every)
    train(self.config, self.run_dir)
    single = [row for row in metrics.read(every) if row['kind'] == metrics.TRAIN]
    scored = [(stand_in.make_batch(self.config, k).targets != 256).sum() for k in range(3)]
    expected = np.average([row['loss'] for row in single[:3]], weights=scored)
    self.assertAlmostEqual(metrics.read(self.run_dir)[0]['loss'], expected, places=5)

  def test_run_resume_resume_is_one_run(self):
    # Stopped between a checkpoint and a row, then between an evaluation and a checkpoint.
    expected = uninterrupted()
    resumed = self.run_dir / 'resumed'
    for stop_after in (7, 2):
      outcome, _ = train(
          self.config, resumed, change=stopping_after(stop_after))
      self.assertFalse(outcome.finished)
    outcome, lines = train(self.config, resumed)
    self.assertTrue(outcome.finished)
    self.assertRegex(lines[0], r'resuming .*resumed at step [89]')
    self.assertEqual(everything(resumed), expected)

  def test_a_run_in_parts_is_one_run(self):
    for until, reached in ((4, 4), (7, 7), (99, 10)):
      outcome, _ = train(self.config, self.run_dir, until=until)
      self.assertEqual((outcome.step, outcome.finished), (reached, True))
    self.assertEqual(everything(self.run_dir), uninterrupted())

  def test_a_run_goes_on_with_other_devices(self):
    _, _, _, expected = uninterrupted()
    folder = self.run_dir / 'moved'
    train(self.config, folder, change=stopping_after(7))
    outcome, _ = train(self.config, folder, devices=8)
    self.assertTrue(outcome.finished)
    _, _, _, rows = everything(folder)
    self.assertEqual([row['step'] for row in rows], [row['step'] for row in expected])
    for found, wanted in zip(rows, expected, strict=True):
      np.testing.assert_allclose(found['loss'], wanted['loss'], rtol=1e-5)

  def test_rows_that_devices_cannot_share_are_refused_before_anything_is_written(self):
    config = stand_in.make_config(batch_size=6)
    with self.assertRaisesRegex(ValueError, 'batch_size=6 cannot be shared evenly by 8 devices'):
      train(config, self.run_dir / 'none', devices=8)
    self.assertFalse((self.run_dir / 'none').exists())

  @parameterized.named_parameters(
      ('at_the_first_batch', {'change': 1}), ('while_compiling', {'on_apply': 2}),
      ('while_evaluating', {'heldout': 2}), ('at_the_start_of_an_evaluation', {'heldout': 4}),
      ('in_the_last_evaluation', {'heldout': 8}), ('in_a_hook', {'hook': 1}))
  def test_sigterm_saves_wherever_it_comes(self, places):
    expected = uninterrupted(HOOK)
    folder = self.run_dir / 'stopped'
    at = {place: At(count) for place, count in places.items()}

    def tamper(place, value=None):
      if place in at:
        at[place]()
      return value

    class Heldout:
      def __iter__(self):
        return (tamper('heldout', stand_in.make_batch(config, 10_000 + i)) for i in range(3))

    config = self.config
    tampered_hook = HOOK._replace(call=lambda *args: tamper('hook') or HOOK.call(*args))
    outcome, _ = train(
        config, folder, change=lambda step, batch: tamper('change', batch),
        on_apply=lambda: tamper('on_apply'), heldout=Heldout(), hooks=[tampered_hook])
    self.assertGreaterEqual(next(iter(at.values())).seen, next(iter(places.values())))
    if 'hook' not in places and places.get('heldout') != 8:
      self.assertFalse(outcome.finished)
    train(config, folder, hooks=[HOOK])
    self.assertEqual(everything(folder), expected)

  def test_stopped_before_the_first_step_there_is_nothing_to_save(self):
    outcome = loop.train(
        self.config, stand_in.make_task(self.config), run_dir=self.run_dir, stop=lambda: True,
        mesh=meshes.data_mesh(jax.devices()[:1]))
    self.assertEqual((outcome.step, outcome.finished), (0, False))
    self.assertFalse(run_folder.has_checkpoint(self.run_dir))

  def test_a_second_interrupt_does_not_wait(self):
    with shutdown.caught() as stop:
      send(signal.SIGINT)
      self.assertTrue(stop())
      send(signal.SIGTERM)
      with self.assertRaises(KeyboardInterrupt):
        send(signal.SIGINT)
    self.assertEqual(signal.getsignal(signal.SIGTERM), signal.SIG_DFL)

  def test_a_finished_run_is_left_as_it_is_and_may_be_prolonged(self):
    train(self.config, self.run_dir)
    before = everything(self.run_dir)
    outcome, _ = train(self.config, self.run_dir)
    self.assertTrue(outcome.finished)
    self.assertEqual(everything(self.run_dir), before)
    longer = stand_in.make_config(steps=13, log_every=3, eval_every=4, checkpoint_every=5)
    outcome, lines = train(longer, self.run_dir)
    self.assertEqual(outcome.step, 13)
    self.assertIn('config.train.steps: 10 != 13', lines[0])
    self.assertEqual(run_folder.read_config(self.run_dir), longer)
    with self.assertRaisesRegex(ValueError, r'config.train.steps=12.*already taken 13: give that'):
      train(stand_in.make_config(steps=12), self.run_dir)
    self.assertEqual(run_folder.read_config(self.run_dir), longer)  # As if it had not been tried.

  def test_another_config_is_refused(self):
    train(self.config, self.run_dir)
    other = stand_in.make_config(steps=10, stateful_rows=2, optimizer={'learning_rate': 0.5})
    with self.assertRaises(ValueError) as caught:
      train(other, self.run_dir)
    message = str(caught.exception)
    self.assertIn('config.data.stateful_rows: 4 != 2', message)
    self.assertIn('config.train.optimizer.learning_rate: 0.02 != 0.5', message)
    self.assertNotIn('config.train.log_every:', message)
    self.assertRegex(message, r'another --run_dir.*What may change is config.train.steps')

  def test_the_best_checkpoint_stays(self):
    config = stand_in.make_config(
        steps=10, eval_every=1, checkpoint_every=1, optimizer={'learning_rate': 0.3})
    def mislead(step, batch):
      return batch._replace(targets=np.full_like(batch.targets, 200)) if step >= 3 else batch
    train(config, self.run_dir, change=mislead)
    losses = {row['step']: row['loss'] for row in metrics.read(self.run_dir)
              if row['kind'] == metrics.HELDOUT}
    best = min(losses, key=losses.get)
    self.assertNotIn(best, (9, 10))  # Else the test shows nothing.
    self.assertEqual(run_folder.steps(self.run_dir), [10, 9, best])
    _, params, step = checkpoint.load_params(self.run_dir, best=True)
    self.assertEqual(step, best)
    _, latest, step = checkpoint.load_params(self.run_dir)
    self.assertEqual(step, 10)
    self.assertFalse(np.array_equal(
        params['spectral_gpt/head']['w'], latest['spectral_gpt/head']['w']))

  def test_a_hook_gets_parameters_and_its_scalars_are_kept(self):
    seen = []
    def call(step, params, stop):
      seen.append((step, sorted(params), stop()))
      return {'size': float(params['spectral_gpt/head']['w'].size)}
    train(self.config, self.run_dir, hooks=[task.Hook('own', 4, call)])
    self.assertEqual([step for step, _, _ in seen], [4, 8, 10])
    self.assertIn({'step': 8, 'kind': 'own', 'size': 8 * 260.0}, metrics.read(self.run_dir))

  def test_batches_of_another_shape_are_refused(self):
    with self.assertRaisesRegex(ValueError, r'must have the shape \(8, 8\), not \(8, 4\)'):
      train(self.config, self.run_dir,
            change=lambda step, batch: batch._replace(inputs=batch.inputs[:, :4]))

  def test_a_full_disk_names_the_last_good_checkpoint(self):
    really = os.write

    def write(descriptor, data):
      if b'"step": 6' in bytes(data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
      return really(descriptor, data)

    with mock.patch.object(os, 'write', write), self.assertRaisesRegex(
        OSError, r'cannot be written to \(No space left on device\). The last good checkpoint is '
        'that of step 5: the same command goes on from there'):
      train(self.config, self.run_dir)
    train(self.config, self.run_dir)
    self.assertEqual(everything(self.run_dir), uninterrupted())

  def test_two_trainings_cannot_share_a_folder(self):
    with run_folder.locked(self.run_dir), self.assertRaisesRegex(
        ValueError, r'another training is writing to .* \(process \d+\): wait'):
      train(self.config, self.run_dir)


class CurriculumTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    logging.set_verbosity(logging.ERROR)
    self.config = stand_in.make_config(
        curriculum=stand_in.make_phases(), log_every=5, eval_every=0, checkpoint_every=0)
    self.run_dir = pathlib.Path(self.create_tempdir().full_path)

  def test_a_run_goes_through_its_phases_and_reports_them(self):
    _, lines = train(self.config, self.run_dir)
    self.assertEqual(lines, [
        "step 0: phase 'phase_0', 4 steps of 8 x 4 bytes of starter:1",
        "step 4: phase 'phase_0', 8 steps of 8 x 8 bytes of starter:1",
        "step 12: phase 'phase_1', 12 steps of 8 x 8 bytes of starter:1,other:1",
        "step 24: phase 'phase_2', 8 steps of 8 x 8 bytes of other:1"])
    rows = metrics.read(self.run_dir)
    found = [(row['step'], row['phase'], row['segment']) for row in rows
             if row['kind'] == metrics.TRAIN]
    self.assertEqual(found, [(5, 1, 8), (10, 1, 8), (12, 1, 8), (15, 2, 8), (20, 2, 8), (24, 2, 8),
                             (25, 3, 8), (30, 3, 8), (32, 3, 8)])
    self.assertEqual([row['step'] for row in rows if row['kind'] == metrics.HELDOUT], [12, 24, 32])
    self.assertIn(24, run_folder.steps(self.run_dir))

  def test_the_bytes_and_the_loss_of_each_dataset_are_counted(self):
    train(self.config, self.run_dir)
    rows = [row for row in metrics.read(self.run_dir) if row['kind'] == metrics.TRAIN]
    batches = [stand_in.make_batch(self.config, step) for step in range(32)]
    for row in rows:
      for source, name in enumerate(('starter', 'other')):
        scored = sum((b.targets[b.sources == source] != 256).sum() for b in batches[:row['step']])
        self.assertEqual(row[f'bytes/{name}'], scored)
    before, last = rows[-2:]
    losses, read = [last['loss/starter'], last['loss/other']], [
        last[f'bytes/{name}'] - before[f'bytes/{name}'] for name in ('starter', 'other')]
    self.assertAlmostEqual(np.average(losses, weights=read), last['loss'], places=5)

  def test_a_phase_that_cannot_begin_costs_no_step_of_the_one_before(self):
    def change(step, batch):
      if step == 24:
        raise FileNotFoundError('the dataset is not built')
      return batch

    with self.assertRaisesRegex(FileNotFoundError, 'is not built'):
      train(self.config, self.run_dir, change=change)
    self.assertEqual(checkpoint.restore_latest(self.run_dir).step, 24)
    outcome, _ = train(self.config, self.run_dir)
    self.assertTrue(outcome.finished)

  def test_a_dataset_that_was_not_read_has_no_loss(self):
    train(self.config, self.run_dir,
          change=lambda step, batch: batch._replace(sources=np.zeros(8, np.int32)))
    row = metrics.read(self.run_dir)[0]
    self.assertEqual((row['bytes/other'], row['loss/other']), (0, None))
    self.assertAlmostEqual(row['loss/starter'], row['loss'], places=6)

  def test_a_checkpoint_keeps_what_was_read_and_asks_whether_it_is_still_there(self):
    asked = []
    def verify(step, reading):
      asked.append((step, reading))
      if len(asked) > 1:
        raise ValueError('the dataset has changed')
    fields = {'reading': lambda step: {'phase': step}, 'verify': verify}
    train(self.config, self.run_dir, change=stopping_after(14), **fields)
    step = run_folder.steps(self.run_dir)[0]
    self.assertEqual(checkpoint.restore_latest(self.run_dir).host['reading'], {'phase': step})
    train(self.config, self.run_dir, change=stopping_after(1), **fields)
    self.assertEqual(asked, [(step, {'phase': step})])
    with self.assertRaisesRegex(ValueError, 'the dataset has changed'):
      train(self.config, self.run_dir, **fields)


class GuardedLoopTest(absltest.TestCase):

  def test_bad_batches_are_skipped_and_counted_and_too_many_stop_the_run(self):
    config = stand_in.make_config(
        steps=30, log_every=1, eval_every=0, checkpoint_every=0,
        guard={'max_consecutive_skips': 3})
    run_dir = pathlib.Path(self.create_tempdir().full_path)
    bad = {4, *range(10, 30)}
    model = stand_in.make_model()

    def apply(params, tokens, state, starts):  # A batch that begins with byte 255 breaks the model.
      logits, state = model.apply(params, tokens, state, starts)
      return logits + jax.numpy.where(tokens[0, 0] == 255, jax.numpy.nan, 0.0), state

    def change(step, batch):
      if step in bad:
        batch.inputs[0, 0] = 255
      return batch

    with self.assertRaisesRegex(
        guards.TooManySkippedSteps, r'stopped at step 14: the last 4 steps were all skipped.*'
        r'gradient norm nan.*Try.*The last good parameters are saved in'):
      train(config, run_dir, change=change, model=model._replace(apply=apply))
    rows = {row['step']: row for row in metrics.read(run_dir)}
    self.assertEqual(rows[4]['skipped_steps'], 0)
    self.assertEqual(rows[5]['skipped_steps'], 1)
    self.assertEqual(rows[10]['skipped_steps'], 1)
    self.assertIsNone(rows[5]['loss'])
    self.assertTrue(all(json.dumps(row) for row in rows.values()))

    good = pathlib.Path(self.create_tempdir().full_path)
    with shutdown.caught() as stop:
      calls = At(10)
      loop.train(
          config, stand_in.make_task(
              config, change=lambda step, batch: calls() or change(step, batch),
              model=model._replace(apply=apply)),
          run_dir=good, stop=stop, mesh=meshes.data_mesh(jax.devices()[:1]))
    np.testing.assert_equal(
        checkpoint.load_params(run_dir)[1], checkpoint.load_params(good)[1])


if __name__ == '__main__':
  absltest.main()
