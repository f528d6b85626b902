"""What was compressed comes back, costs what the model's surprise is worth, or is refused."""

import functools
import hashlib
import math
from unittest import mock

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config, vocab
from haiku_spectral.compression import codec, compressed_file, predictor
from haiku_spectral.decoding import session
from tests.decoding import tiny_model, toy_predictor
from tests.evaluation import toy_models
from tests.fixed_examples import fixed_examples

MODEL = tiny_model.MODEL
COUNTING = toy_models.counting()
PARAMS = tiny_model.params()
TEXT = b'A rose is a rose is a rose. ' * 40


@functools.cache
def owner(seed=0):
  return session.owner(tiny_model.CONFIG, tiny_model.params(seed))


def maker(model, params=PARAMS):
  if model:
    return functools.partial(toy_predictor.ToyPredictor, model)
  return functools.partial(predictor.ModelPredictor, tiny_model.CONFIG, params)


def compress(data, model=None, streams=3, **kwargs):
  return codec.compress(maker(model), owner(), data, streams=streams, **kwargs)


def decompress(file, model=None, params=PARAMS, owned_by=None, **kwargs):
  return codec.decompress(
      maker(model, params), owned_by or owner(), file, name='a.hsz', **kwargs)


def random_bytes(size, seed=0):
  return np.random.default_rng(seed).bytes(size)


@functools.cache
def compressed():
  """The file of 100 bytes."""
  return compress(TEXT[:100])


def words(file):
  """Bytes of a file that are not header."""
  return len(compressed_file.parse(file, name='a.hsz')[1])


def surprise(data, streams):
  """Bits, by another way: all streams as one chunk, the sum of their negative log-probabilities."""
  targets = vocab.encode(data).reshape(streams, -1)
  inputs = np.insert(targets, 0, vocab.BOUNDARY, axis=1)[:, :-1]
  logits, _ = jax.jit(MODEL.apply)(PARAMS, inputs, MODEL.initial_state(streams))
  log_probs = jax.nn.log_softmax(logits[:, :, :256])
  return -float(jnp.take_along_axis(log_probs, targets[..., None], 2).sum()) / math.log(2)


def constant(logits):
  """A model that always predicts the same."""
  def apply(params, tokens, state):
    del params
    return jnp.broadcast_to(jnp.asarray(logits), (*tokens.shape, vocab.SIZE)), state

  return COUNTING._replace(apply=apply)


class RoundTripTest(parameterized.TestCase):

  @parameterized.parameters(
      b'', b'x', b'\0', b'ab', b'abcd', bytes(range(256)), random_bytes(700), TEXT)
  def test_what_is_compressed_comes_back(self, data):
    file = compress(data)
    self.assertEqual(decompress(file), data)
    self.assertEqual(compress(data), file)

  @hypothesis.given(st.binary(max_size=200), st.sampled_from([0, 1, 2, 7, 40]))
  @fixed_examples(40)
  def test_any_bytes_in_any_streams(self, data, streams):
    self.assertEqual(decompress(compress(data, COUNTING, streams), COUNTING), data)

  def test_a_larger_file_of_noise(self):
    data = random_bytes(1 << 18)
    file = compress(data, COUNTING, streams=256)
    self.assertEqual(decompress(file, COUNTING), data)
    # The model learns that nothing can be known, and then costs nothing.
    self.assertBetween(len(file) / len(data), 1, 1.1)

  def test_half_precision(self):
    file = compress(TEXT[:200], precision='bfloat16')
    self.assertEqual(decompress(file), TEXT[:200])
    self.assertNotEqual(file, compress(TEXT[:200]))

  def test_bytes_that_the_model_rules_out(self):
    certain = constant(np.where(np.arange(vocab.SIZE) == 65, 1e9, -1e9).astype(np.float32))
    file = compress(bytes(range(256)) * 4, certain)
    self.assertEqual(decompress(file, certain), bytes(range(256)) * 4)
    # 24 bits for each byte but the expected one.
    self.assertAlmostEqual(words(file) / (255 * 4 * 3), 1, delta=0.01)
    self.assertLess(words(compress(b'A' * 4096, certain)), 20)

  def test_specials_are_not_expected(self):
    only = np.where(np.arange(vocab.SIZE) < 256, 0, 50).astype(np.float32)
    self.assertAlmostEqual(words(compress(TEXT, constant(only))), len(TEXT), delta=12)


class SizeTest(parameterized.TestCase):

  def test_is_the_surprise_of_the_model(self):
    data = TEXT + random_bytes(980)
    # What the coder adds are some bits at its end and 8 for each of four digests.
    self.assertBetween(8 * words(compress(data, streams=3)) - surprise(data, 3), 0, 100)

  def test_the_header_is_small(self):
    self.assertLess(len(compress(b'')), 100)

  def test_a_model_that_knows_more_writes_less(self):
    data = toy_models.documents([2000])[0][1]  # 8 letters, so 3 bits per byte.
    self.assertBetween(8 * words(compress(data, COUNTING, streams=1)) / len(data), 3, 3.5)

  def test_streams_start_as_documents(self):
    half = random_bytes(500)
    one, two = (words(compress(half * streams, COUNTING, streams=streams)) for streams in (1, 2))
    self.assertAlmostEqual(two, 2 * one, delta=8)

  @parameterized.parameters(
      (0, 1), (1, 1), ((1 << 21) - 1, 1), (1 << 21, 2), (3 << 20, 3), (1 << 30, 32))
  def test_streams_by_size(self, size, streams):
    self.assertEqual(codec.default_streams(size), streams)

  @parameterized.parameters((0, 1), (5, 5))
  def test_streams_are_in_the_header(self, streams, want):
    data = random_bytes(7)
    header, _ = compressed_file.parse(compress(data, COUNTING, streams=streams), name='a.hsz')
    self.assertEqual(
        header, (owner(), hashlib.sha256(data).digest(), 7, want, 'float32',
                 compressed_file.this_platform()))

  @parameterized.parameters(1, 3, 40)
  def test_progress_counts_bytes(self, streams):
    seen = []
    compress(TEXT[:100], COUNTING, streams=streams, on_progress=seen.append)
    self.assertEqual(sum(seen), 100)
    self.assertLen(seen, -(-100 // streams))


class RefusalTest(parameterized.TestCase):

  @parameterized.parameters(-1, 4097)
  def test_streams_that_are_not_allowed(self, streams):
    with self.assertRaisesRegex(ValueError, f'streams={streams} is not allowed: give 1 to 4096'):
      compress(TEXT, streams=streams)

  @hypothesis.given(st.integers(0, 10**9), st.integers(0, 7))
  @fixed_examples(100)
  def test_a_flipped_bit_anywhere_is_noticed(self, place, bit):
    data = bytearray(compressed())
    data[place % len(data)] ^= 1 << bit
    with self.assertRaisesRegex(ValueError, 'damaged|not a file that compress wrote|version'):
      compressed_file.parse(bytes(data), name='a.hsz')

  @parameterized.parameters(4, 8, 40, 90, 100, -1)
  def test_a_file_that_was_cut(self, size):
    with self.assertRaisesRegex(ValueError, 'a.hsz is cut short or damaged: its checksum is wrong'):
      decompress(compressed()[:size])

  def test_a_file_with_something_after_it(self):
    with self.assertRaisesRegex(ValueError, 'is cut short or damaged'):
      decompress(compressed() + b'\0\0\0\0')

  @parameterized.parameters(b'', b'hs', b'Dear diary,', b'\x1f\x8b\x08' + bytes(200))
  def test_a_file_of_something_else(self, data):
    with self.assertRaisesRegex(ValueError, 'a.hsz is not a file that compress wrote: give anothe'):
      decompress(data)

  def test_another_version(self):
    with mock.patch.object(compressed_file, 'VERSION', 4):
      file = compress(b'x')
    with self.assertRaisesRegex(ValueError, 'has version 4, this program reads version 3: use'):
      decompress(file)

  def test_another_model(self):
    other = session.owner(config.ModelConfig(), PARAMS)
    with self.assertRaisesRegex(
        ValueError, f'made with another model .fingerprint {owner().model}, this one has '
        f'{other.model}.: give the --run_dir, --slots_times and --online_rate it was made with'):
      decompress(compressed(), owned_by=other)

  def test_other_parameters(self):
    with self.assertRaisesRegex(
        ValueError, 'made with other parameters of this model .*: give the checkpoint it was made'):
      decompress(compressed(), owned_by=owner(seed=1))

  def test_another_platform_unless_forced(self):
    with mock.patch.object(compressed_file, 'this_platform', return_value='abacus, beads 3.1'):
      file = compress(TEXT[:100])
    with self.assertRaisesRegex(
        ValueError, 'was made on abacus, beads 3.1; this is .*, which may round differently: use'):
      decompress(file)
    self.assertEqual(decompress(file, force=True), TEXT[:100])

  def _slightly_other(self):
    """Parameters as another machine might have rounded them."""
    return jax.tree.map(lambda leaf: leaf * (1 + 1e-5), PARAMS)

  def test_other_roundings_are_noticed_early(self):
    file, seen = compress(TEXT), []
    with self.assertRaisesRegex(ValueError, 'a.hsz cannot be restored here: this machine, or the'):
      decompress(file, params=self._slightly_other(), on_progress=seen.append)
    # At the first digest, or the next if by chance that is the same.
    self.assertBetween(len(seen), codec.FIRST_CHECK, 2 * codec.FIRST_CHECK)

  def test_other_roundings_are_noticed_at_the_end_of_a_short_file(self):
    data = random_bytes(60)
    with self.assertRaisesRegex(ValueError, 'a.hsz cannot be restored here'):
      decompress(compress(data), params=jax.tree.map(lambda x: x * 1.5, PARAMS))

  def test_a_model_that_fails(self):
    with self.assertRaisesRegex(ValueError, 'not finite after 0 bytes: its training diverged'):
      compress(TEXT, constant(np.full(vocab.SIZE, np.nan, np.float32)))


if __name__ == '__main__':
  absltest.main()
