"""Each completion is what the model generates alone."""

import chex
import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import prefill, sampling
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.self_training import sampler
from tests.decoding import tiny_model


class SamplerTest(parameterized.TestCase):

  @parameterized.parameters(([],), ([3],), ([5, 2, 5, 2, 2],), ([1] * 150 + [7] * 64,))
  def test_batches_are_of_similar_lengths_and_hold_all(self, lengths):
    found = sampler.batches(lengths)
    self.assertEqual(sorted(place for batch in found for place in batch),
                     list(range(len(lengths))))
    for batch in found:
      self.assertLessEqual(len(batch), sampler.ROWS)
    self.assertLen(found, -(-len(lengths) // sampler.ROWS))
    self.assertSequenceEqual(
        [lengths[place] for batch in found for place in batch], sorted(lengths))

  def test_seeds_are_distinct_and_begin_alike(self):
    key = jax.random.key(3)
    found = sampler.seeds(key, 1000)
    self.assertLen(set(found), 1000)
    self.assertEqual(sampler.seeds(key, 10), found[:10])
    self.assertBetween(min(found), 0, max(found))
    self.assertLess(max(found), 2**31)

  def test_a_completion_of_a_ragged_batch_is_what_the_model_generates_alone(self):
    requests = [sampler.Request(prompt, seed, num_bytes) for prompt, seed, num_bytes in (
        ('ab:', 5, 6), ('çok:', 6, 4), ('ab:', 7, 6), ('ab:', 5, 6), ('', 8, 6),
        ('a prompt of more bytes:', 9, 6))]
    got_all = sampler.Sampler(tiny_model.CONFIG, tiny_model.params()).sample(
        requests, temperature=1.5)
    self.assertEqual(got_all[0], got_all[3])
    decoder = tiny_model.decoder()
    begun = prefill.begin(decoder.model, decoder.params)
    for request, got in zip(requests, got_all, strict=True):
      ids = vocab.encode(request.prompt.encode())[np.newaxis]
      alone = Generation(
          decoder, prefill.extend(decoder.model, decoder.params, begun, ids),
          Request(request.num_bytes, jax.random.key(request.seed)),
          sampling.SamplingConfig(temperature=1.5, end_of_document=True)).run()
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
