"""Each completion is what the model generates alone."""

import chex
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import generate, prefill, sampling
from haiku_spectral.self_training import sampler
from tests.decoding import tiny_model

NUM_BYTES = 6


class SamplerTest(parameterized.TestCase):

  @parameterized.parameters(([],), ([3],), ([5, 2, 5, 2, 2],), ([1] * 150 + [7] * 64,))
  def test_batches_are_of_one_length_and_hold_all(self, lengths):
    found = sampler.batches(lengths)
    self.assertEqual(sorted(place for batch in found for place in batch),
                     list(range(len(lengths))))
    for batch in found:
      self.assertLessEqual(len(batch), sampler.ROWS)
      self.assertLen({lengths[place] for place in batch}, 1)

  def test_seeds_are_distinct_and_begin_alike(self):
    key = jax.random.key(3)
    found = sampler.seeds(key, 1000)
    self.assertLen(set(found), 1000)
    self.assertEqual(sampler.seeds(key, 10), found[:10])
    self.assertBetween(min(found), 0, max(found))
    self.assertLess(max(found), 2**31)

  def test_a_completion_is_what_the_model_writes_alone(self):
    requests = [sampler.Request(prompt, seed) for prompt, seed in (
        ('ab:', 5), ('çok:', 6), ('ab:', 7), ('ab:', 5))]
    writer = sampler.Sampler(tiny_model.CONFIG, tiny_model.params())
    written = writer.sample(requests, num_bytes=NUM_BYTES, temperature=1.5)
    self.assertEqual(written[0], written[3])
    decoder = tiny_model.decoder()
    begun = prefill.begin(decoder.model, decoder.params)
    for request, got in zip(requests, written, strict=True):
      ids = vocab.encode(request.prompt.encode())[np.newaxis]
      alone = generate.generate(
          decoder, prefill.read(decoder.model, decoder.params, begun, ids), num_bytes=NUM_BYTES,
          config=sampling.SamplingConfig(temperature=1.5, end_of_document=True),
          key=jax.random.key(request.seed))
      want = sampler.completed(alone.texts[0], alone.log_probs[0])
      self.assertEqual(got.text, want.text)
      chex.assert_trees_all_close(got.log_probability, want.log_probability, rtol=1e-4)

  @parameterized.parameters(
      (b'+pl\n', '+pl', True, -4.0), (b'+pl\nrest', '+pl', True, -4.0),
      (b'+pl', '+pl', False, -3.0), (b'', '', False, 0.0), (b'\xff\n', '\\xff', False, -2.0),
      ('ç\n'.encode(), 'ç', True, -3.0))
  def test_a_completion_ends_with_stop(self, text, shown, whole, log_probability):
    found = sampler.completed(text, -np.ones(len(text)))
    self.assertEqual(found, sampler.Sample(shown, whole, log_probability))


if __name__ == '__main__':
  absltest.main()
