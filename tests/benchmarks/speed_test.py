"""That what is timed is what it is said to be, at a size that takes no time."""

import dataclasses
from unittest import mock

import chex
import jax
import numpy as np
from absl.testing import absltest

from haiku_spectral.benchmarks import speed, subject, timing
from haiku_spectral.benchmarks.settings import Settings
from haiku_spectral.modules import filters, spectral_gpt
from tests.decoding import tiny_model

TEXTS = {'one': b'abcabcabc' * 9, 'another': bytes(range(100))}
TINY = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), TEXTS)
SETTINGS = Settings(
    repeats=1, round_bytes=16, direct_bytes=16, positions=(8, 24), horizons=(32,),
    text_bytes=40, prompt_bytes=40, run_dir='runs/tiny')


def untrained(name, config):
  """Random parameters drawn by numpy, without compiling."""
  generator = np.random.default_rng(0)
  model = spectral_gpt.make_model(config)
  return subject.Subject(name, config, jax.tree.map(
      lambda leaf: generator.normal(0, 0.1, leaf.shape).astype(leaf.dtype),
      jax.eval_shape(model.init, jax.random.key(0))), {})


class SubjectTest(absltest.TestCase):

  def test_pasts_are_those_of_the_same_bytes(self):
    contexts = subject.contexts(TINY, (24, 8))
    # With the boundary.
    self.assertEqual([context.position.item() for context in contexts.values()], [9, 25])
    np.testing.assert_array_equal(contexts[24].recent[0, -24:], subject.random_bytes(24)[0])
    chex.assert_trees_all_equal(
        contexts[24].recent[0, -24:-16], contexts[8].recent[0, -8:])

  def test_both_ways_write_the_same(self):
    context = subject.contexts(TINY, (24,))[24]
    online = subject.online(TINY)(context, 32)
    direct = subject.direct(TINY)(context, 32)
    np.testing.assert_array_equal(online.recent, direct.recent)
    self.assertGreater(len(set(np.asarray(direct.recent[0, -32:]).tolist())), 1)
    chex.assert_trees_all_close(online.logits, direct.logits, rtol=1e-4, atol=1e-4)
    self.assertEqual(direct.position.item(), 57)

  def test_direct_makes_no_taps(self):
    apply, params = subject._with_known_taps(TINY)
    paths = [path for path, leaves in params.items() if filters.is_filter(path)]
    self.assertEqual(paths, ['spectral_gpt/stack/block_0/hyena/filter'])
    self.assertEqual(jax.tree.map(np.shape, params[paths[0]]), {'taps': (1, 32, 16)})
    program = str(jax.make_jaxpr(apply)(
        params, np.zeros((1, 1), np.int32), TINY.model.initial_state(1)))
    self.assertNotIn(' sin ', program)  # The filter's network; rotation has angles of its own.


class SectionsTest(absltest.TestCase):

  def test_flat(self):
    rows = speed.flat(TINY, SETTINGS).rows
    self.assertEqual([row['position'] for row in rows], [8, 24])
    self.assertEqual(rows[0]['ratio'], 1.0)
    for row in rows:
      self.assertAlmostEqual(row['bytes/s'] * row['ms per byte'], 1000)
      self.assertAlmostEqual(row['ratio'], row['ms per byte'] / rows[0]['ms per byte'])
      self.assertEqual(row['state, bytes'], sum(
          leaf.nbytes for leaf in jax.tree.leaves(TINY.model.initial_state(1))))

  def test_horizons(self):
    row, = speed.horizons(TINY, SETTINGS).rows
    self.assertEqual(row['horizon'], 32)
    self.assertAlmostEqual(row['ratio'], row['direct, ms per byte'] / row['online, ms per byte'])

  def test_filter_kinds_have_states_of_their_own(self):
    with (
        mock.patch.object(subject, 'untrained', untrained),
        mock.patch.object(speed, '_milliseconds', return_value={'network': 2.0, 'modal': 1.0}),
    ):
      network, modal = speed.filter_kinds(TINY, SETTINGS).rows
    self.assertEqual((network['filter'], modal['filter']), ('network', 'modal'))
    self.assertEqual((network['bytes/s'], modal['bytes/s']), (500, 1000))
    width, kind = TINY.config.width, TINY.config.hyena.filter
    self.assertEqual(network['state, bytes'] - modal['state, bytes'],
                     4 * width * (kind.horizon - 1 - 2 * kind.modes))

  def test_speculation_is_measured_on_each_text(self):
    for row in speed.speculation(TINY, SETTINGS).rows:
      self.assertIn(row['text'], TEXTS)
      self.assertGreaterEqual(row['bytes per call'], 1)
      self.assertAlmostEqual(row['ratio'], row['speculative, bytes/s'] / row['plain, bytes/s'])

  def test_speculation_is_skipped_without_a_trained_model(self):
    section = speed.speculation(TINY, dataclasses.replace(SETTINGS, run_dir=''))
    self.assertEmpty(section.rows)
    self.assertIn('give --run_dir', section.note)


class MediansTest(absltest.TestCase):

  def test_turns_are_taken_and_the_first_counts_for_nothing(self):
    ran, clock = [], iter([0, 100, 0, 100, 0, 1, 0, 2, 0, 9, 0, 4, 0, 2, 0, 6])
    with mock.patch.object(timing.time, 'perf_counter', lambda: next(clock)):
      found = timing.medians({name: lambda name=name: ran.append(name) for name in 'ab'}, 3)
    self.assertEqual(''.join(ran), 'abababab')
    self.assertEqual(found, {'a': 2, 'b': 4})


if __name__ == '__main__':
  absltest.main()
