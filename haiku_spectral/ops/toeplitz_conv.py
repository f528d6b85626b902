"""Causal convolution as products with Toeplitz matrices, a form that matrix units are made for.

Time is cut into blocks of C. The outputs of a block are one product of a [C, (K + 1) C] matrix, in
which every diagonal holds one tap, with the inputs of the block and of the K before it, the fewest
that hold S - 1. With C >= S - 1 there are two stages, within a block and from the one before (Ku et
al. 2025, 2503.01868). The products of a group's channels share their matrix, so groups of many
channels make larger and better filled products.

Shapes: B batch, T time (bytes), D channels, G groups, S horizon (taps), C outputs of a block, K
blocks of history, N blocks of a chunk.
"""

import functools

import chex
import jax
import jax.numpy as jnp


def valid_conv(
    inputs: jax.Array,  # [B, T + S - 1, D]
    taps: jax.Array,  # [S, G], where G divides D: channel d has the taps of group d // (D / G).
    block: int,
) -> jax.Array:  # [B, T, D] float32
  """y[t] = sum over lags s of taps[s] inputs[t + S - 1 - s].

  Operands are of the type of `inputs`, sums float32: O(T (S + C)) operations per channel.
  """
  chex.assert_rank([inputs, taps], [3, 2])
  chex.assert_is_divisible(inputs.shape[2], taps.shape[1])
  horizon, length = taps.shape[0], inputs.shape[1] - taps.shape[0] + 1
  size = min(block, length)
  history = -(-(horizon - 1) // size)
  count = -(-length // size)
  padded = jnp.pad(
      inputs, [(0, 0), (history * size - (horizon - 1), count * size - length), (0, 0)])
  y = _products(padded, toeplitz(taps.astype(inputs.dtype), size, history), size)
  return y[:, :length]


def toeplitz(taps: jax.Array, size: int, history: int) -> jax.Array:  # [S, G] -> [G, C, (K + 1) C]
  """The matrix whose entry [i, j] is the tap of lag i + K C - j, or 0 where there is none.

  Made of copies of the taps, each a place further than the one before. The derivative of such
  copies is a sum in one order, that of an indexed read would be a scatter.
  """
  columns = (history + 1) * size
  width = columns + size - 1  # Lags from -(C - 1) to (K + 1) C - 1.
  line = jnp.pad(taps.T, [(0, 0), (size - 1, width - (size - 1) - taps.shape[0])])[:, ::-1]
  # Row r of the copies begins at place r: rows are one number longer than the line and its pad.
  copies = jnp.tile(jnp.pad(line, [(0, 0), (0, 1)]), (1, size))
  rows = jnp.pad(copies, [(0, 0), (0, size)]).reshape(taps.shape[1], size, width + 2)
  return rows[:, ::-1, :columns]


def _windows(padded: jax.Array, groups: int, size: int, columns: int) -> jax.Array:
  """[B, (N + K) C, D] -> [G, (K + 1) C, D / G, B, N]: what each block's outputs depend on."""
  history = columns // size - 1
  blocks = padded.reshape(padded.shape[0], -1, size, groups, padded.shape[2] // groups)
  count = blocks.shape[1] - history
  windows = jnp.concatenate([blocks[:, k : k + count] for k in range(history + 1)], axis=2)
  return jnp.transpose(windows, (3, 2, 4, 0, 1))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _products(padded: jax.Array, matrix: jax.Array, size: int) -> jax.Array:
  """[B, (N + K) C, D], [G, C, (K + 1) C] -> [B, N C, D] float32."""
  groups, _, columns = matrix.shape
  y = jnp.einsum('gik,gkdbn->gidbn', matrix, _windows(padded, groups, size, columns),
                 preferred_element_type=jnp.float32)
  return jnp.transpose(y, (3, 4, 1, 0, 2)).reshape(padded.shape[0], -1, padded.shape[2])


def _forward(padded, matrix, size):
  return _products(padded, matrix, size), (padded, matrix)


def _backward(size, residuals, cotangent):  # cotangent: [B, N C, D] float32
  # By hand, so that both sides of each product are of one type.
  padded, matrix = residuals
  groups, _, columns = matrix.shape
  blocks = cotangent.astype(padded.dtype).reshape(
      padded.shape[0], -1, size, groups, padded.shape[2] // groups)
  blocks = jnp.transpose(blocks, (3, 2, 4, 0, 1))  # [G, C, D / G, B, N]
  windows, overlap_add = jax.vjp(
      lambda x: _windows(x, groups, size, columns), padded.astype(jnp.float32))
  to_matrix = jnp.einsum('gidbn,gkdbn->gik', blocks, windows.astype(padded.dtype),
                         preferred_element_type=jnp.float32)
  to_windows = jnp.einsum('gik,gidbn->gkdbn', matrix, blocks, preferred_element_type=jnp.float32)
  return overlap_add(to_windows)[0].astype(padded.dtype), to_matrix.astype(matrix.dtype)


_products.defvjp(_forward, _backward)
