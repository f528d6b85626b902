"""The baseline: time per token of a GPT-2 of a given size, by the tokens in its cache.

  ./run //haiku_spectral/benchmarks:transformer_baseline --contexts=1024,8192

Random weights and a random cache: neither changes the time. Every kind of cache and of attention
that `transformers` has for this model is timed, interleaved, in float32 on `--threads` cores, and
the fastest at each context counts. A step is what greedy decoding does: a forward of one token and
the choice of the next. Prints JSON. It runs in an environment of its own (.venv-transformer).
"""

import argparse
import itertools
import json
import statistics
import time
from typing import Any

import torch
import transformers

from haiku_spectral import backend

VOCABULARY, LAYERS, HEADS = 260, 6, 4
CACHES, ATTENTIONS = ('dynamic', 'static'), ('eager', 'sdpa')
WARM_STEPS = 3


def width(parameters: int) -> int:
  """The usual width, by 32, of so many parameters in LAYERS layers: 12 width^2 in each."""
  return 32 * max(round((parameters / (12 * LAYERS)) ** 0.5 / 32), 1)


def make_model(parameters: int, positions: int, attention: str) -> Any:
  """A GPT-2 whose MLP is as wide as makes `parameters`, the table of positions not counted."""
  def build(inner: int, device: str) -> Any:
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=width(parameters), n_layer=LAYERS, n_head=HEADS,
        n_inner=inner, n_positions=positions, attn_implementation=attention,
        bos_token_id=None, eos_token_id=None)
    with torch.device(device):
      return transformers.GPT2LMHeadModel(config).eval()

  thin, wide = (count(build(inner, 'meta')) for inner in (1, 2))
  return build(1 + round((parameters - thin) / (wide - thin)), 'cpu')


def count(model: Any) -> int:
  """Parameters without the table of positions, which grows with the longest context."""
  return sum(leaf.numel() for leaf in model.parameters()) - model.transformer.wpe.weight.numel()


def fill(model: Any, kind: str, context: int, space: int) -> Any:
  """A cache of `context` tokens, with space for so many more."""
  cache = (transformers.DynamicCache(config=model.config) if kind == 'dynamic' else
           transformers.StaticCache(config=model.config, max_cache_len=context + space))
  for layer in range(LAYERS):
    keys, values = torch.randn(2, 1, HEADS, context, model.config.n_embd // HEADS)
    cache.update(keys, values, layer)
  return cache


def median_step(model: Any, kind: str, context: int, steps: int) -> float:
  """Median seconds per token behind `context` tokens."""
  total = WARM_STEPS + steps
  cache = fill(model, kind, context, total)
  ids = torch.zeros(1, 1, dtype=torch.long)
  times = []
  for step in range(total):
    start = time.perf_counter()
    position = torch.tensor([[context + step]])
    logits = model(ids, past_key_values=cache, position_ids=position, use_cache=True).logits
    ids = logits[:, -1].argmax(-1, keepdim=True)
    times.append(time.perf_counter() - start)
  if cache.get_seq_length() != context + total:
    raise RuntimeError(f'the {kind} cache holds {cache.get_seq_length()}, not {context + total}')
  return statistics.median(times[WARM_STEPS:])


def measure(
    contexts: list[int], *, parameters: int, steps: int, repeats: int
) -> list[dict[str, Any]]:
  """For each context the milliseconds of every variant, the least median of `repeats`."""
  positions = max(contexts) + WARM_STEPS + steps
  models = {kind: make_model(parameters, positions, kind) for kind in ATTENTIONS}
  rows = []
  for context in contexts:
    variants: dict[str, list[float]] = {}
    for _, cache, attention in itertools.product(range(repeats), CACHES, ATTENTIONS):
      seconds = median_step(models[attention], cache, context, steps)
      variants.setdefault(f'{cache} cache, {attention}', []).append(1000 * seconds)
    least = {name: min(times) for name, times in variants.items()}
    best = min(least, key=least.__getitem__)
    rows.append({'context': context, 'ms': least[best], 'variant': best, 'variants': least,
                 'parameters': count(models['sdpa'])})
  return rows


def main() -> None:
  """Measures and prints."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--contexts', default='1024,8192,32768', help='Tokens in the cache.')
  parser.add_argument('--parameters', type=int, default=4_780_000, help='Size of the model.')
  parser.add_argument('--steps', type=int, default=32, help='Tokens timed.')
  parser.add_argument('--repeats', type=int, default=3, help='Rounds; the least median counts.')
  parser.add_argument('--threads', type=int, default=2, help='Cores used.')
  flags = parser.parse_args()
  torch.set_num_threads(flags.threads)
  torch.manual_seed(0)
  with torch.inference_mode():
    rows = measure([int(context) for context in flags.contexts.split(',')],
                   parameters=flags.parameters, steps=flags.steps, repeats=flags.repeats)
  print(json.dumps({
      'torch': torch.__version__, 'transformers': transformers.__version__,
      'threads': torch.get_num_threads(), 'steps': flags.steps, 'rows': rows}))


if __name__ == '__main__':
  backend.tune_malloc()  # The baseline gets what our programs have.
  main()
