"""The task of a training on built datasets."""

import functools
import pathlib

import jax

from binaries import extrapolation_report
from datasets import curriculum, pipeline, prefetch
from haiku_spectral.config import Config
from haiku_spectral.modules import filters, spectral_gpt
from haiku_spectral.training import task


def make(
    config: Config, *, data_dir: str, run_dir: pathlib.Path, share: tuple[int, int] = (0, 1)
) -> task.Task:
  """Trains on the mixtures of the config's phases and measures on held-out text of its data.

  `share` is (h, H): this process reads the h-th of H equal shares of each batch's rows.

  Raises FileNotFoundError or ValueError for a dataset that is not built or is damaged.
  """
  data, train = config.data, config.train
  host, hosts = share
  batches = curriculum.Batches(config, data_dir=data_dir, host=host, hosts=hosts)
  model = spectral_gpt.make_model(config.model)
  hooks = [extrapolation_report.training_hook(
      config, model, data_dir=data_dir, run_dir=run_dir)] if train.extrapolation_every else []
  return task.Task(
      model=model,
      batches_from=lambda step: prefetch.iterate(batches, step),
      heldout=pipeline.evaluation_batches(
          data, data_dir=data_dir, limit=train.eval_batches or None, host=host, hosts=hosts),
      reading=batches.reading,
      verify=batches.verify,
      flops_per_byte=functools.partial(spectral_gpt.training_flops_per_byte, config.model),
      properties=jax.jit(lambda params: {
          'filter_tail_mass': filters.tail_mass(
              config.model.hyena.filter, config.model.width, params, data.segment)}),
      hooks=hooks)
