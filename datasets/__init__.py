"""Where bytes come from: one folder per TFDS builder, and what packs, mixes and batches them.

Once this package is imported `tfds.builder` knows our builders; none is imported before it is used.
"""

import locale
import re
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


def _settle_letters() -> None:
  """Has the C library know 'I' as the capital of 'i'.

  Protobuf makes the names of fields in JSON ('sizeInBytes') by it when TFDS is imported. In Turkish
  locales they would be others, and what is built there could not be read elsewhere, or at all.
  """
  if not re.fullmatch(b'(?iL)i', b'I'):
    try:
      locale.setlocale(locale.LC_CTYPE, 'C.UTF-8')
    except locale.Error:
      locale.setlocale(locale.LC_CTYPE, 'C')


_settle_letters()
