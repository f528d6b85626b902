"""Full and cut context on the same bytes: no gain from what a model does not see."""

import tracemalloc

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.evaluation import extrapolation, plan
from tests.evaluation import toy_models

T = 32
COUNTING = toy_models.counting()
DOCUMENTS = toy_models.documents([300, 64 * 5, 20, 128, 24, 47, 48])


def evaluate(model, documents=None, **kwargs):
  settings = {'train_length': T, 'max_factor': 8, 'batch_size': 3} | kwargs
  return extrapolation.evaluate(
      model, model.init(jax.random.key(0)), DOCUMENTS if documents is None else documents,
      **settings)


def losses(first, data):
  """[N] nats of data after `first` when counting, by counting."""
  counts, nll = np.full(vocab.SIZE, 0.1), []
  for before, target in zip([first, *data], data, strict=False):
    counts[before] += 1
    nll.append(np.log(counts.sum() / counts[target]))
  return np.array(nll)


def measurement(gain, spread, seed):
  """Of 24 documents of 64 bytes; the full context saves `gain` +- `spread` bits per byte."""
  generator = np.random.default_rng(seed)
  cut = generator.uniform(1.5, 2.5, (24, 2)) * T / 2 * np.log(2)
  gains = generator.normal(gain, spread, (24, 2)) * T / 2 * np.log(2)
  gains[:, 0] = 0
  factors = np.stack([np.full((24, 2), T / 2), cut - gains, cut], axis=2)
  return extrapolation.Measurement(
      plan.Plan(T, 2), factors, factors[:, :, :2], (2 * T,) * 24)


class ExtrapolationTest(parameterized.TestCase):

  def test_a_model_that_sees_no_more_than_any_window_gains_exactly_nothing(self):
    found = evaluate(toy_models.windowed(3 * T // 4 + 1))
    self.assertEqual([row.factor for row in found.factors], [1, 2, 4, 8])
    for row in found.factors:
      self.assertTrue(row.success)
      np.testing.assert_allclose(row.gain, 0, atol=1e-6)
    # The shortest cut context is 3/4 T + 1 ids: a model that sees one more can tell.
    found = evaluate(toy_models.windowed(3 * T // 4 + 2))
    self.assertGreater(abs(found.factors[-1].gain.value), 1e-4)

  def test_a_model_that_uses_its_context_gains(self):
    found = evaluate(COUNTING)
    self.assertEqual(found.factors[0].gain.value, 0)
    gains = [row.gain.value for row in found.factors]
    self.assertEqual(gains, sorted(gains))
    for row in found.factors[1:]:
      self.assertGreater(row.gain.low, 0)
      self.assertTrue(row.success)
      self.assertAlmostEqual(row.gain.value, row.cut.value - row.full.value, places=9)

  def test_a_model_that_breaks_beyond_its_length_fails_there(self):
    found = evaluate(toy_models.forgetting(2 * T))
    self.assertEqual([row.success for row in found.factors], [True, True, False, False])

  @parameterized.parameters(
      (-0.01, 0.0005, False),  # Worse by what a tolerance of 0.5 % would have passed.
      (-0.0005, 0.0005, True), (0.05, 0.0005, True),
      (0.0, 0.1, False),  # As good on average, but it might as well be worse.
  )
  def test_non_inferiority_fails_when_it_should(self, gain, spread, success):
    row = extrapolation.summarize([measurement(gain, spread, seed=0)]).factors[1]
    self.assertAlmostEqual(row.gain.value, gain, delta=spread)
    self.assertEqual(row.success, success)

  def test_runs_that_differ_show_less_than_one_of_them(self):
    runs = [measurement(gain, 1e-4, seed=1) for gain in (0.02, 0.0, -0.015)]
    row = extrapolation.summarize(runs).factors[1]
    self.assertGreater(row.gain.low, 0)
    self.assertLess(row.gain_over_runs.low, -0.01)
    self.assertFalse(row.success)
    self.assertTrue(extrapolation.summarize(runs[:1] * 3).factors[1].success)
    self.assertEqual(extrapolation.summarize(runs).runs, 3)

  def test_the_same_bytes_and_the_right_contexts_written_out(self):
    found = evaluate(COUNTING)
    sums = np.zeros((4, 3))
    for _, data in DOCUMENTS:
      full = losses(vocab.BOUNDARY, data)
      for index, factor in enumerate([1, 2, 4, 8]):
        if len(data) < factor * T * 3 / 4:
          continue
        for position in range(factor * T // 2, min(factor * T, len(data))):
          start = (position // (T // 4) - 3) * (T // 4) if position >= T else 0
          first = data[start - 1] if start else vocab.BOUNDARY
          cut = losses(first, data[start:start + T])[position - start]
          sums[index] += 1, full[position], cut
    for row, (count, full, cut) in zip(found.factors, sums, strict=True):
      self.assertEqual(row.bytes, count)
      np.testing.assert_allclose(row.full.value, full / count / np.log(2), rtol=1e-6)
      np.testing.assert_allclose(row.cut.value, cut / count / np.log(2), rtol=1e-6)

  @parameterized.parameters((1, 5), (2, 1), (8, 32), (3, 16))
  def test_batch_and_chunk_change_nothing(self, batch_size, chunk):
    want = evaluate(COUNTING)
    got = evaluate(COUNTING, batch_size=batch_size, chunk=chunk)
    for left, right in zip(want.factors, got.factors, strict=True):
      self.assertEqual(left.bytes, right.bytes)
      np.testing.assert_allclose(left.full, right.full, rtol=1e-6)
      np.testing.assert_allclose(left.cut, right.cut, rtol=1e-6)

  def test_octaves_cover_every_position_once(self):
    found = evaluate(COUNTING)
    self.assertEqual(found.documents, 6)
    self.assertEqual(found.skipped, 1)
    read = [min(len(data), 8 * T) for _, data in DOCUMENTS if len(data) >= 24]
    self.assertEqual(sum(row.bytes for row in found.octaves), sum(read))
    self.assertEqual((found.bytes, found.longest), (sum(read), max(read)))
    self.assertEqual([(row.start, row.end) for row in found.octaves][:4],
                     [(0, 1), (1, 2), (2, 4), (4, 8)])
    self.assertEqual(found.octaves[3].bytes, 4 * len(read))
    total = sum(row.bytes * row.bits_per_byte for row in found.octaves)
    self.assertAlmostEqual(total / sum(read), found.bits_per_byte.value, places=6)

  def test_progress_adds_up_to_the_work_that_was_planned(self):
    scored = []
    evaluate(COUNTING, on_progress=scored.append)
    work = plan.Plan(T, 8).work
    self.assertEqual(sum(scored), sum(work(len(data)) for _, data in DOCUMENTS))

  def test_memory_does_not_grow_with_length(self):
    def peak(length):
      documents = toy_models.documents([length])
      tracemalloc.start()
      evaluate(COUNTING, documents, max_factor=512)
      _, most = tracemalloc.get_traced_memory()
      tracemalloc.stop()
      return most

    evaluate(COUNTING, toy_models.documents([64]), max_factor=512)
    short, long = peak(1024), peak(16384)
    # The document itself is held once more by its stream; nothing of size bytes x ids is.
    self.assertLess(long - short, 3 * 16384)

  @parameterized.parameters(
      ({'documents': [(0, b'x' * 20)]}, 'the longest of 1 has 20 bytes, which is 0.62x'),
      ({'documents': []}, 'There are no held-out documents'),
      ({'max_factor': 6}, 'max_factor=6 is not allowed: give a power of two'),
      ({'train_length': 31}, 'train_length=31 is not allowed: give a multiple'),
      ({'batch_size': 0}, 'batch_size=0 is not allowed: give 1 or more'),
      ({'chunk': 33}, 'chunk=33 is not allowed: give 1 to the training length 32'),
  )
  def test_what_cannot_be_evaluated(self, arguments, message):
    with self.assertRaisesRegex(ValueError, message):
      evaluate(COUNTING, **arguments)


if __name__ == '__main__':
  absltest.main()
