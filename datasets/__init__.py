"""Where bytes come from: one folder per TFDS builder, and what packs, mixes and batches them.

Once this package is imported `tfds.builder` knows our builders; none is imported before it is used.
"""

from typing import Any

import wrapt


class _Provider:
  """What TFDS asks for a builder by its name."""

  def has_dataset(self, name: str) -> bool:
    from datasets import registry
    return name in registry.BUILDERS

  def get_builder_cls(self, name: str) -> Any:
    from datasets import registry
    return registry.builder_class(name)


@wrapt.when_imported('tensorflow_datasets')
def _offer_builders(tfds: Any) -> None:
  tfds.core.add_dataset_builder_provider(_Provider(), index=0)
