"""The model that is measured, and the methods by which it generates.

Shapes: B rows, N bytes, S horizon, D channels.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np

from haiku_spectral import config as config_lib
from haiku_spectral.configs import tiny
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import one_by_one, prefill, sampling
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.decoding.speculation import Speculation
from haiku_spectral.modules import filters, spectral_gpt
from haiku_spectral.training import checkpoint

Context = context_lib.Context
Generate = Callable[[Context, int], Context]  # Greedily generates so many bytes behind one row.
STEPS = one_by_one.STEPS
_GREEDY = sampling.SamplingConfig(temperature=0)


_make_model = functools.cache(spectral_gpt.make_model)  # Compiled programs belong to a model.


class Subject(NamedTuple):
  """A model, its parameters, and text that it has not been trained on."""

  name: str
  config: config_lib.ModelConfig
  params: Any
  texts: Mapping[str, bytes]  # By language.

  @property
  def model(self) -> spectral_gpt.Model:
    """The model as pure functions."""
    return _make_model(self.config)


def load(run_dir: str, texts: Mapping[str, bytes]) -> Subject:
  """The latest checkpoint of a run; without a run, the preset tiny with random parameters."""
  if run_dir:
    config, params, step = checkpoint.load_params(run_dir)
    return Subject(f'{run_dir} at step {step:,}', config.model, jax.device_put(params), texts)
  return untrained(
      'tiny, random parameters', config_lib.from_config_dict(tiny.get_config()).model)._replace(
          texts=texts)


def untrained(name: str, config: config_lib.ModelConfig) -> Subject:
  """Random parameters."""
  return Subject(name, config, jax.jit(_make_model(config).init)(jax.random.key(0)), {})


def random_bytes(count: int) -> np.ndarray:  # [1, count] int32
  """Input where any bytes will do."""
  return np.random.default_rng(0).integers(0, 256, (1, count), np.int32)


def contexts(subject: Subject, positions: tuple[int, ...]) -> dict[int, Context]:
  """The contexts of so many random bytes."""
  found, context, read = {}, prefill.begin(subject.model, subject.params), 0
  ids = random_bytes(max(positions))
  for position in sorted(positions):
    context = prefill.extend(subject.model, subject.params, context, ids[:, read:position])
    found[position], read = context, position
  return found


def online(subject: Subject) -> Generate:
  """Generation as programs do it."""
  decoder = decoder_lib.Decoder(subject.config, subject.params)

  def generate(context: Context, num_bytes: int) -> Context:
    request = Request(num_bytes, jax.random.key(0))
    return jax.block_until_ready(
        Generation(decoder, context, request, _GREEDY).run().context())

  return generate


class Speculative:
  """Prompt-lookup speculation: the same bytes in fewer calls."""

  def __init__(self, subject: Subject, text: bytes) -> None:
    self._decoder = decoder_lib.Decoder(subject.config, subject.params)
    self._text = text
    self.calls = 0  # Of the model, in the last round.

  def generate(self, context: Context, num_bytes: int) -> Context:
    """Generates behind the context of the text."""
    decode = Speculation(self._text)
    generation = Generation(
        self._decoder, context, Request(num_bytes, jax.random.key(0)), _GREEDY, decode=decode)
    context = generation.run().context()
    self.calls = decode.calls
    return jax.block_until_ready(context)


def direct(subject: Subject) -> Generate:
  """Generation by the chunk call with one byte: S products per channel of a long filter.

  The taps are made once, not at every byte. Only for filters of kind 'network', and for multiples
  of `STEPS` bytes.
  """
  apply, params = _with_known_taps(subject)

  @jax.jit
  def some(params: Any, context: Context) -> Context:
    def step(_: int, context: Context) -> Context:
      chosen = jnp.argmax(context.logits[:, :256], axis=-1).astype(jnp.int32)[:, None]
      logits, state = apply(params, chosen, context.state)
      return Context(state, logits[:, -1], context.position + 1,
                     context_lib.remember(context.recent, chosen))

    return jax.lax.fori_loop(0, STEPS, step, context)

  def generate(context: Context, num_bytes: int) -> Context:
    for _ in range(num_bytes // STEPS):
      context = some(params, context)
    return jax.block_until_ready(context)

  return generate


def _with_known_taps(subject: Subject) -> tuple[Callable, Any]:
  """The chunk call, and parameters for it with taps in the place of what makes them."""
  config, width = subject.config.hyena.filter, subject.config.width
  shape = (config.horizon, width)

  @jax.jit
  @jax.vmap
  def taps(params: Any) -> jax.Array:  # [S, D]
    make = hk.transform(lambda: filters.FilterNetwork(config, width).taps())
    return make.apply({'filter': params}, None)

  def known(make: Callable, args: Any, kwargs: Any, called: hk.MethodContext) -> Any:
    if isinstance(called.module, filters.FilterNetwork) and called.method_name == 'taps':
      return hk.get_parameter('taps', shape, init=jnp.zeros)
    return make(*args, **kwargs)

  @functools.wraps(subject.model.apply)
  def apply(*args: Any) -> Any:
    with hk.intercept_methods(known):
      return subject.model.apply(*args)

  return apply, {
      path: {'taps': taps(leaves)} if filters.is_filter(path) else leaves
      for path, leaves in subject.params.items()
  }
