import functools
import itertools

import hypothesis
import hypothesis.strategies as st
import jax
import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.ops import linear_memory
from tests import chunk_law

HEADS, WIDTH = 2, 4


def inputs(length: int, decay: float = 0.3, strength: float = 1.0, batch: int = 2):
  """Packed [B, T, H, 3 K + 3]: queries, unit keys, values, log-decay, gates."""
  q, k, v = (chunk_law.normal(batch, length, HEADS, WIDTH, seed=i) for i in range(3))
  k /= np.linalg.norm(k, axis=-1, keepdims=True)
  rng = np.random.default_rng(3)
  log_decay = -decay * rng.exponential(size=(batch, length, HEADS, 1))
  gates = strength * rng.uniform(size=(batch, length, HEADS, 2)) * (2, 1)
  return np.concatenate([q, k, v, log_decay, gates], axis=-1, dtype=np.float32)


def unpack(x, rule: str):
  bounds = (0, WIDTH, 2 * WIDTH, 3 * WIDTH)
  q, k, v = (x[..., a:b] for a, b in itertools.pairwise(bounds))
  log_decay, *gates = (x[..., i] for i in range(3 * WIDTH, 3 * WIDTH + 3))
  return q, k, v, log_decay, linear_memory.Gates(*gates) if rule == 'delta' else None


@functools.cache
def mixer(rule: str, block: int):
  def run(x, state):
    q, k, v, log_decay, gates = unpack(x, rule)
    return linear_memory.linear_memory(q, k, v, log_decay, state, gates, block=block)

  return jax.jit(run)


def written_out(x, rule: str, state: np.ndarray):
  """One byte at a time in float64, straight from the definition."""
  q, k, v, log_decay, gates = jax.tree.map(
      lambda part: np.asarray(part, np.float64), unpack(x, rule))
  memory, outputs = state.astype(np.float64), []
  for t in range(x.shape[1]):
    a = np.exp(log_decay[:, t])[..., None, None]
    key, value = k[:, t][..., :, None], v[:, t][..., None, :]
    if gates is None:
      memory = a * memory + key * value
    else:
      b, c = (gate[:, t][..., None, None] for gate in gates)
      erase = np.eye(WIDTH) - b * key * key.swapaxes(-1, -2)
      memory = a * erase @ memory + c * key * value
    outputs.append(np.einsum('bhkv,bhk->bhv', memory, q[:, t]))
  return np.stack(outputs, axis=1), memory


EMPTY = np.zeros((2, HEADS, WIDTH, WIDTH), np.float32)


class LinearMemoryTest(parameterized.TestCase):

  @parameterized.product(rule=('gated', 'delta'), length=(1, 40), block=(1, 16))
  def test_equals_the_definition(self, rule, length, block):
    x = inputs(length)
    state = chunk_law.normal(*EMPTY.shape, seed=9)
    out, last = mixer(rule, block)(x, state)
    expected, expected_last = written_out(x, rule, state)
    np.testing.assert_allclose(out, expected, atol=1e-5)
    np.testing.assert_allclose(last, expected_last, atol=1e-5)

  @chunk_law.settings
  @hypothesis.given(lengths=chunk_law.cuts, rule=st.sampled_from(('gated', 'delta')))
  def test_law_of_chunks(self, lengths, rule):
    chunk_law.assert_law(mixer(rule, 16), inputs(sum(lengths)), EMPTY, lengths)

  @parameterized.parameters('gated', 'delta')
  def test_causal_with_reach_far_beyond_a_block(self, rule):
    slow = inputs(200, decay=0.003, strength=0.02)
    chunk_law.assert_causal_with_reach(mixer(rule, 16), slow, EMPTY, reach=150)

  @parameterized.parameters('gated', 'delta')
  def test_fast_decay_gives_finite_gradients(self, rule):
    x = inputs(64, decay=50.0)
    loss = lambda x: jnp.sum(mixer(rule, 32)(x, EMPTY)[0] ** 2)
    self.assertTrue(np.isfinite(np.asarray(jax.jit(jax.grad(loss))(x))).all())

  def test_delta_rule_replaces_what_a_key_held(self):
    key = jnp.zeros((1, 2, 1, WIDTH)).at[..., 0].set(1.0)
    values = jnp.array([[[[1.0, 2, 3, 4]], [[5.0, 6, 7, 8]]]])
    still, full = jnp.zeros((1, 2, 1)), jnp.ones((1, 2, 1))
    read = lambda gates: linear_memory.linear_memory(
        key, key, values, still, EMPTY[:1, :1], gates, block=2)[0][0, 1, 0]
    gates = linear_memory.Gates(full, full)
    np.testing.assert_allclose(read(gates), [5, 6, 7, 8], atol=1e-6)
    np.testing.assert_allclose(read(gates._replace(erase=2 * full)), [4, 4, 4, 4], atol=1e-6)
    np.testing.assert_allclose(read(None), [6, 8, 10, 12], atol=1e-6)


if __name__ == '__main__':
  absltest.main()
