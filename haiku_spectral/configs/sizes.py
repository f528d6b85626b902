"""The rule by which models grow: everything follows from the width W.

| what | rule |
|---|---|
| layers | 6 round(0.09 sqrt(W)): depth grows with the square root of the width |
| heads, of memory and attention | of width 64; of 128 from W = 2048 on |
| width of the MLP | 5 W / 2 |
| slots of the n-gram memory, per context | 2^18; 2^20 from W = 2048 on |
| slots of the match memory, bytes of its ring | 2^20, 2^21 |
| parameters | about 11.5 W^2 layers |
| learning rate | 0.5 / W, in two digits |
| text | 80 bytes per parameter: 20 tokens (Hoffmann et al. 2022) of 4 bytes |
| precision, activations | bfloat16, computed again in the backward pass |

`tiny` and `small` have the models of widths 256 and 512. `nano` and `base` differ from those of 96
and 768 in their MLPs (160 and 2560). nano also has narrower heads, fewer slots and no match
memory, and nano and tiny have the gated rule, because they train on CPUs, and the count memory,
which was measured on them alone. `1b`, `7b` and `100b`
follow the rule exactly.
"""

import dataclasses
import math

from haiku_spectral import config

WIDE = 2048  # From here on, matrix units and memories want larger heads and tables.
BYTES_PER_PARAMETER = 80


def model(width: int) -> config.ModelConfig:
  """The model of a width, a multiple of 256."""
  heads = width // (128 if width >= WIDE else 64)
  return config.ModelConfig(
      width=width, layers=6 * round(0.09 * math.sqrt(width)), mlp_width=5 * width // 2,
      memory=config.MemoryConfig(heads=heads), attention=config.AttentionConfig(heads=heads),
      ngram=config.NgramConfig(slots=1 << (20 if width >= WIDE else 18), words='1,2'),
      match=config.MatchConfig(length=8, slots=1 << 20))


def parameters(model: config.ModelConfig) -> float:
  """About how many parameters the matrices of the layers have."""
  return (4 + 3 * model.mlp_width / model.width) * model.width**2 * model.layers


def large(width: int, *, rows: int, segment: int) -> config.Config:
  """The whole preset of a wide model, whose steps read `rows` segments of so many bytes."""
  chosen = model(width)
  steps = BYTES_PER_PARAMETER * parameters(chosen) / (rows * segment)
  return config.Config(
      model=dataclasses.replace(chosen, remat=True),
      data=config.DataConfig(batch_size=rows, stateful_rows=rows // 2, segment=segment),
      train=config.TrainConfig(
          steps=1000 * round(steps / 1000), precision='bfloat16', eval_every=2000,
          checkpoint_every=1000, optimizer=config.OptimizerConfig(
              learning_rate=float(f'{0.5 / width:.1e}'), warmup_steps=2000)))
