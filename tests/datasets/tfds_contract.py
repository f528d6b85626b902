"""TFDS's own test of builders over ours: `make //tests/datasets:tfds_contract`.

It needs TensorFlow (2 GB), so it is a program with an environment of its own and no part of
`make test`; contract_test.py asks the same without. TFDS makes no tf.data pipeline of ArrayRecord
files, which are all that we write: what its test wants of one is given by the data source.
"""

import functools

import tensorflow as tf
import tensorflow_datasets as tfds
from absl.testing import absltest

from datasets import registry

_TWO, _THREE = ('train', 'validation'), ('train', 'validation', 'test')
SPLITS = {  # Each split of the dummy data is one record.
    'c4_english': _TWO, 'enwik8': _THREE, 'github_code/all': _TWO, 'github_code/any_licence': _TWO,
    'github_code/python': _TWO, 'golden': _TWO, 'pg19': _THREE, 'pile_english/common_pile': _TWO,
    'pile_english/uncopyrighted': _THREE, 'shakespeare_sonnets': _TWO,
    'tiny_shakespeare': _TWO, 'tiny_stories': _TWO, 'turkish_academic/papers': _TWO,
    'turkish_academic/prose': _TWO, 'turkish_web/fineweb2': _TWO, 'turkish_web/hplt': _TWO,
    'turkish_web/mc4': _TWO, 'wikitext103': _THREE,
}


def _as_dataset(builder, split):
  """The records of a split as tf.data has them: any of another shape or type is an error."""
  return tf.data.Dataset.from_generator(
      functools.partial(iter, builder.as_data_source(split=split)),
      output_signature=builder.info.features.get_tensor_spec())


def _make_builder(self, config=None):
  builder = self.dataset_class(data_dir=self.tmp_dir, config=config, version=self.VERSION)
  builder.as_dataset = functools.partial(_as_dataset, builder)
  return builder


def _test_case(name):
  dataset, _, corpus = name.partition('/')
  return type(name, (tfds.testing.DatasetBuilderTestCase,), {
      '__module__': __name__, 'DATASET_CLASS': registry.builder_class(dataset),
      'BUILDER_CONFIG_NAMES_TO_TEST': [corpus] if corpus else None,
      'SPLITS': dict.fromkeys(SPLITS[name], 1), '_make_builder': _make_builder})


def load_tests(loader, tests, pattern):
  """What unittest asks a module for: the test case of TFDS once for every corpus."""
  del tests, pattern
  return loader.suiteClass(loader.loadTestsFromTestCase(_test_case(name)) for name in SPLITS)


if __name__ == '__main__':
  absltest.main()
