"""How learning rates follow the width: what was tuned on a narrow model holds on a wide one.

The maximal update parametrisation (Yang et al. 2022, "Tensor Programs V", table 8; for Muon:
Bernstein and Newhouse 2025, "Modular Duality"): after a step, the activations of every layer change
by as much whatever the width W is. The initial weights do so as they are (variance 1 / inputs).

| parameters | inputs | Adam's rate | Muon's rate |
|---|---|---|---|
| matrices `w` between layers | W or as the MLP | W0 / W | 1: its update has a spectral norm |
| `w` of decays, strengths, hidden gates | W | W0 / W | (Adam) |
| head | W | W0 / W | (Adam) |
| embedding, tied or not | an id | 1 | (Adam) |
| `w` of what the exact memory reads | its orders | 1 | 1 |
| filters, short taps, scales, biases | none that grows | 1 | (Adam) |

W0 is `config.train.optimizer.base_width`, the width at which the rates were tuned. Weight decay
follows the schedule alone. The width of a head stays the same: heads grow in number.
"""

from typing import Any

import haiku as hk

from haiku_spectral.config import Config
from haiku_spectral.modules import filters

_FIXED_INPUTS = ('ngram_input',)  # Modules whose projections read what does not grow.


def reads_width(module: str, name: str) -> bool:
  """Whether a parameter sums over inputs whose number grows with the width."""
  path = module.split('/')
  if filters.is_filter(module) or any(part in _FIXED_INPUTS for part in path):
    return False
  return name == 'w' or (path[-1], name) == ('head', 'table')


def factors(config: Config, params: hk.Params, orthogonalised: Any) -> Any:
  """What the update of each parameter is multiplied by, in the structure of the parameters.

  `orthogonalised(module, name)` says which ones Muon has.
  """
  rates = config.train.optimizer
  ratio = rates.base_width / config.model.width

  def factor(module: str, name: str, value: Any) -> float:
    del value
    if rates.kind == 'muon' and orthogonalised(module, name):
      return 1.0
    return ratio if reads_width(module, name) else 1.0

  return hk.data_structures.map(factor, params)
