"""A worker that takes training steps of a baseline: GPT-2 or Mamba, of a given size.

  ./run //haiku_spectral/benchmarks:transformer_train_step KIND ROWS LENGTH PARAMETERS THREADS

KIND is gpt2 (attention by PyTorch's SDPA) or mamba (as transformers computes it without kernels of
its own). Random tokens, float32, AdamW, no dropout. It runs in .venv-transformer, and with no more
than half of the machine's memory: what wants more ends with an error.
"""

import os
import resource
import sys
from typing import Any

import torch
import transformers

from haiku_spectral import backend
from haiku_spectral.benchmarks import step_worker, transformer_baseline

MEMORY_SHARE = 0.5


def make_mamba(parameters: int) -> Any:
  """A Mamba as deep as makes about so many parameters."""
  def build(layers: int, device: str) -> Any:
    config = transformers.MambaConfig(
        vocab_size=transformer_baseline.VOCABULARY,
        hidden_size=transformer_baseline.width(parameters), num_hidden_layers=layers,
        use_cache=False)
    with torch.device(device):
      return transformers.MambaForCausalLM(config)

  one, two = (sum(leaf.numel() for leaf in build(layers, 'meta').parameters())
              for layers in (1, 2))
  return build(max(1 + round((parameters - one) / (two - one)), 1), 'cpu')


def main() -> None:
  """Builds, warms up, serves."""
  kind = sys.argv[1]
  rows, length, parameters, threads = map(int, sys.argv[2:6])
  torch.set_num_threads(threads)
  torch.manual_seed(0)
  memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES')
  resource.setrlimit(resource.RLIMIT_DATA, (int(MEMORY_SHARE * memory),) * 2)
  model = (make_mamba(parameters) if kind == 'mamba'
           else transformer_baseline.make_model(parameters, length, 'sdpa'))
  optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
  ids = torch.randint(0, 256, (rows, length))

  def step() -> dict[str, Any]:
    loss = model(ids, labels=ids, use_cache=False).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {}

  step()
  size = (sum(leaf.numel() for leaf in model.parameters()) if kind == 'mamba'
          else transformer_baseline.count(model))
  step_worker.serve({'parameters': size, 'torch': torch.__version__,
                     'transformers': transformers.__version__}, step)


if __name__ == '__main__':
  backend.tune_malloc()  # The baseline gets what our programs have.
  main()
