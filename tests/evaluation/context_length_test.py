"""The same bytes with contexts of every length: models whose use of the context is known."""

import functools
import json
import os
import pathlib
import re
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized
from matplotlib import image

from haiku_spectral import vocab
from haiku_spectral.evaluation import (
  compressors,
  context_length,
  context_plot,
  context_report,
)
from tests.evaluation import toy_models

LENGTHS = (4, 8, 32)
DOCUMENTS = [data for _, data in toy_models.documents([100, 61, 200])]
PLAN = context_length.make_plan(DOCUMENTS, lengths=LENGTHS)
COUNTING = toy_models.counting()


def measure(model, plan=PLAN, **settings):
  settings = {'batch_size': 3, 'chunk': 16} | settings
  return context_length.measure(model, model.init(jax.random.key(0)), plan, **settings)


def summarize(runs, costs=None, plan=PLAN):
  return context_length.summarize(plan, runs, costs or {}, train_length=8, trained_context=16)


def probs(data, position, length):
  """Predictions when counting, with a context of `length` bytes cut off as windows are."""
  first = len(data) - round(len(data) / 4)
  start = max(0, first + (position - first) // length * length - length)
  counts = np.full(vocab.SIZE, 0.1)
  for byte in [*([] if start else [vocab.BOUNDARY]), *data[start:position]]:
    counts[byte] += 1
  return counts / counts.sum()


class ContextLengthTest(parameterized.TestCase):

  def test_every_context_scores_the_last_part_once(self):
    self.assertEqual(PLAN.lengths, LENGTHS)
    np.testing.assert_array_equal(PLAN.scored, [25, 15, 50])
    for context in range(4):
      for document, data in enumerate(DOCUMENTS):
        windows = [window for window in PLAN.windows()
                   if (window.document, window.context) == (document, context)]
        scored = sorted(position for window in windows
                        for position in range(window.first, window.end))
        self.assertEqual(scored, list(range(PLAN.firsts[document], len(data))))
        for window in windows:
          if context == 3:
            self.assertEqual(window.start, 0)
          else:
            self.assertEqual(window.start, window.first - LENGTHS[context])
    sizes = [window.size for window in PLAN.windows()]
    self.assertEqual(sizes, sorted(sizes, reverse=True))

  def test_losses_written_out(self):
    found = measure(COUNTING).nats
    for document, data in enumerate(DOCUMENTS):
      for context, length in enumerate((*LENGTHS, 10_000)):
        want = sum(-np.log(probs(data, position, length)[data[position]])
                   for position in range(PLAN.firsts[document], len(data)))
        self.assertAlmostEqual(found[document, context], want, places=3)

  @mock.patch.object(context_length, 'SAMPLES', 30)
  def test_remembrance_written_out(self):
    self.assertEqual(PLAN.every, 3)
    found = measure(COUNTING).remembrance
    for document, data in enumerate(DOCUMENTS):
      sampled = [p for p in range(PLAN.firsts[document], len(data)) if p % 3 == 0]
      self.assertLen(sampled, PLAN.samples[document])
      for context, length in enumerate((*LENGTHS, 10_000)):
        want = sum(np.abs(probs(data, p, length) - probs(data, p, 10_000)).sum() / 2
                   for p in sampled)
        self.assertAlmostEqual(found[document, context], want, places=3)

  def test_a_model_that_sees_no_more_than_a_context_gains_nothing_beyond(self):
    bits = summarize([measure(toy_models.windowed(8))]).rows
    for row in bits[2:]:  # 8 bytes are all that it can see.
      np.testing.assert_allclose(row.bits_per_byte, bits[1].bits_per_byte, rtol=1e-6)
    np.testing.assert_allclose([row.remembrance.value for row in bits[1:]], 0, atol=1e-6)
    self.assertGreater(bits[0].remembrance.value, 0.01)
    self.assertGreater(abs(bits[0].bits_per_byte.value - bits[1].bits_per_byte.value), 1e-3)

  def test_a_model_that_uses_its_context_gains_with_every_length(self):
    rows = summarize([measure(COUNTING)]).rows
    gains = [row.gain.value for row in rows]
    self.assertEqual(gains[0], 0)
    self.assertEqual(gains, sorted(set(gains)))
    self.assertEqual([row.context for row in rows], [*LENGTHS, 150])
    self.assertEqual([row.whole for row in rows], [False, False, False, True])

  @parameterized.parameters((1, 5), (2, 1), (8, 64))
  def test_batch_and_chunk_change_nothing(self, batch_size, chunk):
    got = measure(COUNTING, batch_size=batch_size, chunk=chunk)
    jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5),
                 got, measure(COUNTING))

  def test_progress_adds_up_to_the_work_that_was_planned(self):
    scored, compressed = [], []
    measure(COUNTING, on_progress=scored.append)
    context_length.compressor_bytes(PLAN, on_progress=compressed.append)
    self.assertEqual((sum(scored), sum(compressed)), (PLAN.work(),) * 2)

  def test_compressors_get_the_same_windows(self):
    data = b' '.join(b'%d' % (n * n % 1009) for n in range(2000))  # Repeats itself after 1009.
    plan = context_length.make_plan([data], lengths=[256, 1024, 10**6])
    self.assertEqual(plan.lengths, (256, 1024))  # A million is the whole.
    costs = context_length.compressor_bytes(plan)
    first = plan.firsts[0]
    xz = next(c for c in compressors.COMPRESSORS if c.name == 'xz -9e')
    want = sum(compressors.cost(xz, data[start - 1024:start], data[start:start + 1024])
               for start in range(first, len(data), 1024))
    self.assertEqual(costs['xz -9e'][0, 1], want)
    self.assertEqual(costs['xz -9e'][0, 2], xz.size(data) - xz.size(data[:first]))
    for name in ('xz -9e', 'PPMd order 6', 'zstd -19'):
      self.assertLess(costs[name][0, 2], costs[name][0, 1] / 3)
    rows = summarize([context_length.Measured(*np.ones((2, 1, 3)))], costs, plan).rows
    self.assertAlmostEqual(rows[1].compressors['xz -9e'], 8 * want / (len(data) - first))

  def test_runs_give_means_and_intervals_over_them(self):
    one = measure(COUNTING)
    found = summarize([one._replace(nats=share * one.nats) for share in (1, 1.1, 1.2)])
    np.testing.assert_allclose(found.rows[0].bits_per_byte.value,
                               1.1 * summarize([one]).rows[0].bits_per_byte.value)
    for row in found.rows:
      self.assertAlmostEqual(row.over_runs.value, row.bits_per_byte.value)
      self.assertLess(row.over_runs.low, row.over_runs.value)
      self.assertAlmostEqual(row.gain_over_runs.value, row.gain.value)
    self.assertIsNone(summarize([one]).rows[0].over_runs)

  @parameterized.parameters(
      ({'lengths': [0]}, r'contexts=\[0\] is not allowed: give one or more lengths'),
      ({'lengths': []}, r'contexts=\[\] is not allowed'),
      ({'last_part': 0.0}, 'last_part=0.0 is not allowed: give a fraction'),
      ({'last_part': 0.6}, 'last_part=0.6 is not allowed'),
      ({'lengths': [150]}, 'the longest of 3 has 150 bytes, but the shortest context .* have 150'),
  )
  def test_what_cannot_be_evaluated(self, arguments, message):
    with self.assertRaisesRegex(ValueError, message):
      context_length.make_plan(DOCUMENTS, **({'lengths': LENGTHS} | arguments))


class ReportTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    costs = {'xz -9e': np.full((3, 4), 10.0), 'zpaq -m5': np.full((3, 4), np.nan)}
    costs['zpaq -m5'][:, 3] = 5
    self.found = summarize([measure(COUNTING)], costs)

  def test_table(self):
    text = context_report.to_text(self.found)
    for part in ('The last 90 bytes of 3 documents of up to 200 bytes', 'segments of 8 bytes',
                 'up to 16 bytes', 'whole', 'xz -9e', f'{8 * 30 / 90:.4f}', f'{8 * 15 / 90:.4f}',
                 'cut to 4 bytes'):
      self.assertIn(part, text)
    table = [line for line in text.splitlines() if re.match(r' *(\d|whole)', line)]
    self.assertEqual([line.split()[-1] == '-' for line in table], [True, True, True, False])

  def test_json(self):
    read = json.loads(context_report.to_json(self.found))
    self.assertEqual([row['context'] for row in read['rows']], [*LENGTHS, 150])
    self.assertEqual(read['rows'][3]['gain']['value'], self.found.rows[3].gain.value)
    self.assertEqual(read['rows'][3]['remembrance']['value'], 0)
    self.assertIsNone(read['rows'][0]['compressors']['zpaq -m5'])
    self.assertIsNone(read['rows'][0]['over_runs'])

  def test_picture(self):
    axes = context_plot.figure(self.found).axes[0]
    self.assertEqual((axes.get_xscale(), axes.get_ylabel()), ('log', 'bits per byte'))
    lines = {line.get_label(): line.get_xydata() for line in axes.lines}
    np.testing.assert_allclose(
        lines['this model'],
        [[row.context, row.bits_per_byte.value] for row in self.found.rows])
    self.assertIn('xz -9e', lines)
    path = os.path.join(self.create_tempdir().full_path, 'context.png')
    context_plot.save(self.found, path)
    self.assertGreater(pathlib.Path(path).stat().st_size, 1000)
    self.assertLess(image.imread(path).min(), 0.5)


if __name__ == '__main__':
  absltest.main()
