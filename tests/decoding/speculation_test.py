"""Draft tokens change how many calls of the model there are, and nothing else."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import automaton, prefill, sampling, speculation
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from tests import chunk_law
from tests.decoding import tiny_model
from tests.modules.random_params import random_params

DECODER = tiny_model.decoder()
GREEDY = sampling.SamplingConfig(temperature=0)
PROMPT = b'the cat sat on the mat, the cat sat'


def context(decoder=DECODER, data=PROMPT):
  model, params = decoder.model, decoder.params
  return prefill.extend(
      model, params, prefill.begin(model, params), vocab.encode(data)[None], chunk=8)


def generate(num_bytes, decode, config=GREEDY, decoder=DECODER, start=None, stops=(), **kwargs):
  request = Request(num_bytes, jax.random.key(0), stops)
  return Generation(
      decoder, start or context(decoder), request, config, decode=decode, **kwargs).run()


def tied(noise):
  """A decoder whose logits of bytes 2n and 2n + 1 are the same but for some relative noise."""
  config = dataclasses.replace(tiny_model.CONFIG, tied_head=False)
  params = dict(random_params(config))
  path, = (path for path in params if path.endswith('/head'))
  table = np.array(params[path]['table'])  # [V, D]
  pairs = table[0:256:2]
  draw = np.random.default_rng(1).standard_normal(pairs.shape)
  table[1:256:2] = pairs * (1 + noise * draw)
  return decoder_lib.Decoder(config, {**params, path: {'table': table}})


class SpeculationTest(parameterized.TestCase):

  @parameterized.product(seed=(0, 1), num_bytes=(1, 64, 300))
  def test_same_text_and_context_as_one_by_one(self, seed, num_bytes):
    decoder = tiny_model.decoder(seed)
    want = generate(num_bytes, ONE_BY_ONE, decoder=decoder)
    got = generate(num_bytes, speculation.Speculation(PROMPT), decoder=decoder)
    self.assertEqual(got.texts, want.texts)
    np.testing.assert_allclose(got.log_probs[0], want.log_probs[0], atol=1e-4)
    got, want = got.context(), want.context()
    np.testing.assert_array_equal(got.recent, want.recent)
    np.testing.assert_array_equal(got.position, want.position)
    chunk_law.assert_close((got.logits, got.state), (want.logits, want.state), 2e-5)

  def test_holds_for_all_sampling_rules(self):
    config = sampling.SamplingConfig(
        temperature=0.3, top_k=5, top_p=0.9, repetition_penalty=1.2, end_of_document=True)
    decode = speculation.Speculation(PROMPT, (1, 8))
    got = generate(200, decode, config)
    self.assertEqual(got.texts, generate(200, ONE_BY_ONE, config).texts)

  @parameterized.parameters(automaton.utf8, lambda: automaton.regex('([a-d]{1,3}, )+[a-d]'))
  def test_holds_for_constraints(self, allowed):
    decode, allowed = speculation.Speculation(PROMPT, (1, 8)), allowed()
    got = generate(150, decode, constraint=allowed)
    self.assertEqual(got.texts, generate(150, ONE_BY_ONE, constraint=allowed).texts)
    self.assertGreater(decode.accepted, 0)

  def test_stop_string_and_context_behind_it(self):
    stop = generate(300, ONE_BY_ONE).texts[0][58:67]  # Over the start of a block.
    want = generate(300, ONE_BY_ONE, stops=[stop])
    got = generate(300, speculation.Speculation(PROMPT), stops=[stop])
    self.assertEqual(got.texts, want.texts)
    chunk_law.assert_close(got.context().state, want.context().state, 1e-5)

  def test_a_text_that_repeats_itself_takes_few_calls(self):
    decode = speculation.Speculation(PROMPT)
    calm = jax.tree.map(lambda x: 0.7 * x, tiny_model.params())  # So that it soon goes in circles.
    generate(300, decode, decoder=decoder_lib.Decoder(tiny_model.CONFIG, calm))
    self.assertEqual(decode.calls + decode.accepted, 300)
    self.assertLess(decode.calls, 150)

  def test_wrong_drafts_cost_only_calls(self):
    want = generate(70, ONE_BY_ONE)

    class Wrong:
      """Knows one byte, and is then sure of what does not come."""

      def __init__(self):
        self._known = 0

      def feed(self, data):
        self._known += len(data)

      def draft(self, byte, count):
        right = want.texts[0][self._known - len(PROMPT) + 1:][:1]
        return (right + bytes([(byte + 1) % 256] * count))[:count]

    self.enter_context(absltest.mock.patch.object(speculation, 'PromptLookup', Wrong))
    decode = speculation.Speculation(PROMPT)
    got = generate(70, decode)
    self.assertEqual(got.texts, want.texts)
    self.assertGreater(decode.drafted - decode.accepted, 20)
    chunk_law.assert_close(got.context().state, want.context().state, 1e-5)

  def test_ends_with_the_document(self):
    config = sampling.SamplingConfig(temperature=0, end_of_document=True)
    # A context in which the end is all that can come.
    start = context()
    start = start._replace(logits=start.logits.at[:, vocab.BOUNDARY].set(1e3))
    want = generate(40, ONE_BY_ONE, config, start=start)
    got = generate(40, speculation.Speculation(), config, start=start)
    self.assertEqual(got.texts, [b''])
    self.assertEqual(got.context().recent[0, -1], vocab.BOUNDARY)
    np.testing.assert_array_equal(got.context().recent, want.context().recent)


class TiesTest(parameterized.TestCase):

  def test_exact_ties_go_to_the_lower_byte_in_both(self):
    decoder = tied(noise=0.0)
    want = generate(200, ONE_BY_ONE, decoder=decoder)
    decode = speculation.Speculation(PROMPT, (1, 8))
    got = generate(200, decode, decoder=decoder)
    self.assertEqual(got.texts, want.texts)
    self.assertFalse([byte for byte in got.texts[0] if byte % 2])
    self.assertGreater(decode.accepted, 0)

  @parameterized.parameters(1e-7, 3e-7)
  def test_a_near_tie_may_flip_and_every_byte_is_the_best_to_rounding(self, noise):
    decoder = tied(noise)
    got = generate(200, speculation.Speculation(PROMPT, (1, 8)), decoder=decoder)
    ids = np.array([[vocab.BOUNDARY, *PROMPT, *got.texts[0]]])
    state = decoder.model.initial_state(1, jnp.float32)
    logits, _ = jax.jit(decoder.model.apply)(decoder.params, ids, state)
    before = np.asarray(logits)[0, len(PROMPT):-1, :256]
    chosen = np.take_along_axis(before, vocab.encode(got.texts[0])[:, None], axis=1)[:, 0]
    scale = np.abs(before).max()
    # The pairs are closer than rounding, all others are not.
    self.assertLess(np.max(before.max(axis=1) - chosen), 1e-5 * scale)
    self.assertGreater(np.max(before.max(axis=1) - np.sort(before, axis=1)[:, -3]), 0.01 * scale)


if __name__ == '__main__':
  absltest.main()
