"""Makes the folder of a run whose small model has an exact memory: `tiny_run FOLDER`.

With a second argument it has so many rows of metrics too, as a training would have written them.
"""

import dataclasses
import math
import pathlib
import sys

from haiku_spectral import config
from haiku_spectral.training import metrics
from tests.decoding import tiny_model

CONFIG = dataclasses.replace(
    tiny_model.CONFIG, ngram=config.NgramConfig(orders='2,8', slots=1024))


def write_metrics(folder, steps):
  """Rows of a loss that falls."""
  writer = metrics.Writer(pathlib.Path(folder), step=0, work_done=True)
  for step in range(1, steps + 1):
    scalars = {'loss': 2 + math.exp(-step / 9), 'loss/a': 2, 'loss/b': 2 + math.exp(-step / 5),
               'learning_rate': 1e-3 / step, 'gradient_norm': 1 / step, 'skipped_steps': 1,
               'tokens_per_second': 5000 + step}
    writer.write(step, metrics.TRAIN, scalars)
    if step % 10 == 0:
      writer.write(step, metrics.HELDOUT, {'loss': 2.1})
  writer.close()


def main(folder, steps='0'):
  tiny_model.save_run(folder, model=CONFIG)
  if int(steps):
    write_metrics(folder, int(steps))


if __name__ == '__main__':
  main(*sys.argv[1:])
