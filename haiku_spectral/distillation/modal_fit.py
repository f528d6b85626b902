"""The sum of N decaying, rotating exponentials that is closest to given taps.

h[t] = Re sum_n c_n p_n^t (Massaroli et al. 2023, section 3.2), in float64, from the taps alone:
1. poles of the balanced truncation of the taps (Kung 1978), stable by construction;
2. where that is not close enough, poles that are optimal in the l2 norm over all lags, by
   interpolating the taps' generating function at the poles' mirror images until they stay where
   they are (Gugercin, Antoulas and Beattie 2008; Beattie and Gugercin 2012);
3. weights by linear least squares, in which lags beyond the horizon count as zeros.

Shapes: S horizon (taps), R <= S lags that matter, N modes, n poles (one of a conjugate pair).
"""

import math

import numpy as np
import scipy.linalg

FASTEST = 0.1  # Bytes: a pole of this time constant is a tap at lag 0 and, to 5e-5, nothing else.
SLOWEST = 0.25  # Of the horizon: decayed to 2% there, where the taps are zero.
NEGLIGIBLE = 1e-6  # Taps of a smaller share of the norm are not looked at: float32 is no finer.
CLOSE_ENOUGH = 1e-3  # Relative l2 error below which poles are not improved.
ROUNDS = 8  # Of improvement: 20 gain up to 3% more.
OVERSAMPLING = 12  # Columns beyond the rank that is wanted, and
POWERS = 1  # products with the Hankel matrix that sharpen them (Halko et al. 2011, section 4.5).
RIDGE = 1e-4  # Relative l2 error that a weight may cost, per norm of the taps: large weights that
# cancel each other would be lost in float32.


def _hankel_poles(taps: np.ndarray, order: int) -> np.ndarray:  # [R] -> [<= order] complex
  """Poles of the balanced truncation, from the dominant eigenvectors of the Hankel matrix.

  The matrix of taps followed by zeros is the whole infinite one, and the shift restricted to a
  subspace is a contraction: no pole lies outside the unit circle. O(R^2 order).
  """
  size = len(taps)
  padded = np.concatenate([taps, np.zeros(size)])
  hankel = np.lib.stride_tricks.sliding_window_view(padded, size)[:size].copy()
  rank = min(size, order + OVERSAMPLING)
  basis = np.random.default_rng(0).normal(size=(size, rank))
  for _ in range(1 + POWERS):
    basis, _ = np.linalg.qr(hankel @ basis)
  values, vectors = np.linalg.eigh(basis.T @ hankel @ basis)
  dominant = np.argsort(-np.abs(values))[:order]
  vectors = basis @ vectors[:, dominant]
  return np.linalg.eigvals(vectors[:-1].T @ vectors[1:])


def _improved_poles(taps: np.ndarray, poles: np.ndarray) -> np.ndarray:  # [R], [n] -> [m] complex
  """Poles of the system that agrees with the taps, in value and slope, at the given poles.

  With g(z) = sum_t h[t] z^t, the mirror images are where 1/z is a pole, so it is at the poles
  themselves that g is interpolated. The pencil of the two Loewner matrices has the new ones.
  """
  lags = np.arange(len(taps))
  powers = _powers(poles, len(taps))  # [R, n]
  value = taps @ powers
  slope = (lags * taps) @ powers / poles
  pair = poles.imag > 0
  poles, value, slope = (
      np.concatenate([x, x[pair].conj()]) for x in (poles, value, slope))
  gap = poles[:, None] - poles
  np.fill_diagonal(gap, 1)

  def loewner(values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    matrix = (values[:, None] - values) / gap
    np.fill_diagonal(matrix, slopes)
    return matrix

  shifted = loewner(poles * value, value + poles * slope)
  try:
    return np.linalg.eigvals(np.linalg.solve(shifted, loewner(value, slope)))
  except np.linalg.LinAlgError:  # Fewer poles say the same: there is nothing to improve.
    return poles


def _powers(poles: np.ndarray, length: int) -> np.ndarray:  # [n] -> [T, n]
  return np.exp(np.arange(length)[:, None] * np.log(poles))


def _allowed(poles: np.ndarray, horizon: int) -> np.ndarray:  # [n] complex -> [m] complex
  """One pole of each conjugate pair, mirrored into the unit circle, of allowed time constants."""
  poles = poles[np.isfinite(poles)].astype(complex)  # All of them real, they come as real numbers.
  outside = np.abs(poles) > 1
  poles[outside] = 1 / poles[outside].conj()
  poles = np.where(np.abs(poles.imag) < 1e-9, poles.real, poles)
  poles = poles[poles.imag >= 0]
  poles = np.where(poles == 0, np.finfo(np.float64).tiny, poles)
  radius = np.abs(poles)
  limited = np.clip(radius, math.exp(-1 / FASTEST), math.exp(-1 / (SLOWEST * horizon)))
  return np.unique(limited * (poles / radius))


def _weights(
    taps: np.ndarray, poles: np.ndarray, modes: int  # [R], [n]
) -> tuple[np.ndarray, np.ndarray, float]:  # [N], [N] complex
  """Poles, least-squares weights and the relative l2 error.

  Of too many poles the weakest are dropped; too few are joined by fast ones on a circle, which
  serve the first lags.
  """
  spare = modes - len(poles)
  if spare > 0:
    circle = 0.5 * np.exp(1j * np.pi * (np.arange(spare) + 0.5) / spare)
    poles = np.concatenate([poles, circle])
  # Behind few taps there must be more zeros than unknowns, or what follows would be left free.
  wanted = np.pad(taps, (0, max(len(taps) // 2, 2 * modes)))
  while True:
    powers = _powers(poles, len(wanted))
    basis = np.concatenate([powers.real, -powers.imag], axis=1)
    ridge = RIDGE * np.eye(basis.shape[1])
    solution, *_ = scipy.linalg.lstsq(
        np.concatenate([basis, ridge]), np.pad(wanted, (0, len(ridge))), lapack_driver='gelsy')
    weights = solution[:len(poles)] + 1j * solution[len(poles):]
    if len(poles) == modes:
      error = np.linalg.norm(wanted - basis @ solution) / np.linalg.norm(taps)
      return poles, weights, float(error)
    strength = np.abs(weights) ** 2 / -np.expm1(2 * np.log(np.abs(poles)))
    poles = poles[np.argsort(-strength)[:modes]]


def fit(taps: np.ndarray, modes: int) -> tuple[np.ndarray, np.ndarray]:
  """Poles and weights, both [N] complex128, of the sum of `modes` exponentials closest to the taps.

  taps: [S]. Time constants are from FASTEST bytes to SLOWEST horizons.
  """
  taps = np.asarray(taps, np.float64)
  norm, horizon = np.linalg.norm(taps), len(taps)
  if norm == 0:
    return np.full(modes, 0.5 + 0j), np.zeros(modes, complex)
  tail = np.sqrt(np.cumsum(taps[::-1] ** 2)[::-1])  # [S] Norm of the taps at a lag and beyond.
  taps = taps[:max(int(np.sum(tail > NEGLIGIBLE * norm)), 2)]
  # The shift on nearly all directions is nearly nilpotent: its poles say nothing of the taps.
  order = min(2 * modes, max(len(taps) // 2, 1))
  best = _weights(taps, _allowed(_hankel_poles(taps, order), horizon), modes)
  if best[2] > CLOSE_ENOUGH:
    trial = best[0]
    for _ in range(ROUNDS):
      trial = _allowed(_improved_poles(taps, trial), horizon)
    best = min(best, _weights(taps, trial, modes), key=lambda candidate: candidate[2])
  return best[:2]
