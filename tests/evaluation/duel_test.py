"""The public duel: losses as they are published, and with the whole context."""

import json

import jax
import numpy as np
from absl.testing import absltest

from haiku_spectral import vocab
from haiku_spectral.evaluation import duel
from tests.evaluation import toy_models

MODEL = toy_models.counting()
TEXT = np.random.default_rng(0).integers(97, 101, 100).astype(np.uint8).tobytes()


def written_out(first, data):
  """The nats of counting what was read since `first`."""
  counts, nats = np.full(vocab.SIZE, 0.1), 0.0
  for before, target in zip([first, *data], data, strict=False):
    counts[before] += 1
    nats += np.log(counts.sum() / counts[target])
  return nats


class DuelTest(absltest.TestCase):

  def test_windows_of_the_context_and_the_whole(self):
    scored = []
    losses = duel.measure(MODEL, MODEL.init(jax.random.key(0)), TEXT, length=16, batch_size=3,
                          on_progress=scored.append)
    windows = [written_out(TEXT[start - 1] if start else vocab.BOUNDARY, TEXT[start:start + 16])
               for start in range(0, len(TEXT), 16)]
    self.assertAlmostEqual(losses.cut, sum(windows) / 100, places=5)
    self.assertAlmostEqual(losses.full, written_out(vocab.BOUNDARY, TEXT) / 100, places=5)
    self.assertLess(losses.full, losses.cut)
    self.assertEqual(sum(scored), 200)

  def test_the_table_has_the_published_lines(self):
    ours = duel.Result('ours', 3.04, 'cpu', 777_502, 1024, 1.7, 1.65)
    text = duel.to_text([ours])
    self.assertRegex(text, r'ours +3\.0 +cpu +777,502 +1,024 +1\.7000 +1\.6500')
    self.assertRegex(text, r'nanoGPT.* CPU .* 1\.8800 +-')
    self.assertRegex(text, r'nanoGPT.* A100 .* 1\.4697 +-')
    found = json.loads(duel.to_json([ours]))
    self.assertEqual(found['results'][0]['cut'], 1.7)
    self.assertLen(found['published'], 2)


if __name__ == '__main__':
  absltest.main()
