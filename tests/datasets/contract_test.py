"""What every builder keeps to, without TensorFlow: what tfds.testing.DatasetBuilderTestCase asks.

Builders are built from their dummy data, which has the format of their source.
"""

import contextlib
import dataclasses
import functools
import http.server
import io
import itertools
import pathlib
import subprocess
import sys
import threading
from unittest import mock

import fsspec
import numpy as np
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized
from fsspec.implementations import memory
from pyarrow import parquet as pq
from tensorflow_datasets.core import dataset_metadata
from tensorflow_datasets.core.download import checksums

from datasets import packed_builder, packing, published, registry
from tests.datasets import corpora, dummy_sources

DOCUMENTS = {  # What the dummy data of each corpus must come to.
    'c4_english': {'train': 3, 'validation': 1},
    'enwik8': {'train': 1, 'validation': 1, 'test': 1},
    'github_code': {'train': 3, 'validation': 1},
    'github_code/any_licence': {'train': 4, 'validation': 1},
    'github_code/python': {'train': 1, 'validation': 1},
    'golden': {'train': 3, 'validation': 2},
    'pg19': {'train': 2, 'validation': 1, 'test': 1},
    'pile_english': {'train': 2, 'validation': 1, 'test': 1},
    'pile_english/common_pile': {'train': 3, 'validation': 1},
    'shakespeare_sonnets': {'train': 3, 'validation': 1},
    'tiny_shakespeare': {'train': 1, 'validation': 1},
    'tiny_stories': {'train': 3, 'validation': 1},
    'turkish_academic': {'train': 1, 'validation': 1},
    'turkish_academic/prose': {'train': 1, 'validation': 1},
    'turkish_web': {'train': 3, 'validation': 1},
    'turkish_web/hplt': {'train': 3, 'validation': 1},
    'turkish_web/mc4': {'train': 3, 'validation': 1},
    'wikitext103': {'train': 2, 'validation': 1, 'test': 1},
}
LARGEST_DUMMY = 8 << 10
PUBLISHED = sorted({name.partition('/')[0] for name in DOCUMENTS})


class Bucket(memory.MemoryFileSystem):
  """A remote place, of which the operating system knows nothing."""

  protocol = 's3'
  store: dict = {}  # noqa: RUF012 (as its base class has it)
  pseudo_dirs = ['']  # noqa: RUF012

  @classmethod
  def _strip_protocol(cls, path):
    return memory.MemoryFileSystem._strip_protocol(str(path).removeprefix('s3://'))


def dummy_data(name: str) -> pathlib.Path:
  return dummy_sources.ROOT / name.partition('/')[0] / 'dummy_data'


def build(name: str, data_dir: str, folder: object):
  builder = tfds.builder(name, data_dir=data_dir)
  builder.options = dataclasses.replace(builder.options, folder=str(folder))
  with contextlib.redirect_stdout(None):  # TFDS prints sizes that it does not know.
    builder.download_and_prepare()
  return builder


def records(builder) -> dict:
  return {split: list(builder.as_data_source(split=split)) for split in builder.info.splits}


def documents(builder) -> dict:
  return {split: list(packing.unpack(part)) for split, part in records(builder).items()}


class ContractTest(parameterized.TestCase):

  @parameterized.parameters(*DOCUMENTS)
  def test_dummy_data_is_built_and_read_back(self, name):
    data_dir = self.create_tempdir().full_path
    found = documents(build(name, data_dir, dummy_data(name)))
    self.assertEqual({split: len(part) for split, part in found.items()}, DOCUMENTS[name])
    ids = [document for part in found.values() for document, _ in part]
    texts = [text for part in found.values() for _, text in part]
    self.assertLen(set(ids), len(ids))
    self.assertLen(set(texts), len(texts))
    for text in texts:
      self.assertNotEmpty(text.decode().strip())
    self.assertEqual(set(registry.document_names(name, data_dir)), set(ids))
    report = registry.report(name, data_dir)
    self.assertEqual(sum(licence['documents'] for licence in report['licences'].values()), len(ids))
    self.assertNotIn('', report['licences'])

  @parameterized.parameters('turkish_web', 'pile_english', 'enwik8', 'wikitext103')
  def test_another_build_has_the_same_records(self, name):
    first, again = (records(build(name, self.create_tempdir(str(run)).full_path, dummy_data(name)))
                    for run in range(2))
    self.assertEqual(first.keys(), again.keys())
    for split, part in first.items():
      for record, other in zip(part, again[split], strict=True):
        self.assertEqual(record.keys(), other.keys())
        for key, value in record.items():
          np.testing.assert_array_equal(value, other[key])

  @parameterized.parameters('turkish_web', 'pile_english', 'enwik8', 'golden', 'tiny_stories')
  def test_a_mirror_may_be_remote(self, name):
    fsspec.register_implementation('s3', Bucket, clobber=True)
    Bucket.store.clear()
    bucket = fsspec.filesystem('s3')
    for file in dummy_data(name).rglob('*'):
      if file.is_file():
        bucket.pipe_file(f's3://mirror/{file.relative_to(dummy_data(name))}', file.read_bytes())
    remote = build(name, self.create_tempdir('remote').full_path, 's3://mirror')
    local = build(name, self.create_tempdir('local').full_path, dummy_data(name))
    self.assertEqual(documents(remote), documents(local))

  @parameterized.parameters(*registry.BUILDERS)
  def test_registered(self, dataset):
    builder = registry.builder_class(dataset)
    self.assertEqual(builder.name, dataset)
    self.assertIs(tfds.builder_cls(dataset), builder)
    self.assertTrue(issubclass(builder, tfds.core.DatasetBuilder))
    self.assertIn(str(builder.VERSION), builder.RELEASE_NOTES)

  @parameterized.parameters(*registry.BUILDERS)
  def test_what_tfds_says_of_it(self, dataset):
    metadata = registry.builder_class(dataset).get_metadata()
    self.assertGreater(len(metadata.description), 200)
    self.assertNotEmpty(metadata.citation)
    self.assertContainsSubset(metadata.tags, dataset_metadata.valid_tags())
    self.assertNotEmpty(metadata.tags)

  @parameterized.parameters(*PUBLISHED)
  def test_what_is_said_of_each_corpus(self, dataset):
    names = registry.corpora(dataset)
    self.assertLen(set(names), len(names))
    for name in names or ['']:
      builder = tfds.builder('/'.join(filter(None, [dataset, name])),
                             data_dir=self.create_tempdir().full_path)
      corpus = builder.corpus
      self.assertEqual(builder.info.features.keys(), packed_builder.features().keys())
      self.assertNotEmpty(builder.info.as_proto.redistribution_info.license)
      self.assertNotEmpty(corpus.licence)
      self.assertTrue(corpus.description or not name)
      self.assertIn('train', corpus.files)
      if dataset != 'golden':
        self.assertStartsWith(corpus.homepage, 'https://')
      if corpus.url.startswith(published.HUB):
        self.assertRegex(corpus.revision, '^[0-9a-f]{40}$')
        self.assertEndsWith(corpus.url, f'/resolve/{corpus.revision}')
      if corpus.revision:
        self.assertIn(corpus.revision, builder.get_metadata().description)

  @parameterized.parameters(*PUBLISHED)
  def test_checksums_belong_to_downloads(self, dataset):
    builder = registry.builder_class(dataset)
    configs = builder.BUILDER_CONFIGS or [builder.CORPUS]
    urls = {f'{corpus.url}/{name}' for corpus in configs for paths in corpus.files.values()
            for name in published.names(paths)}
    for url, info in (builder.url_infos or {}).items():
      self.assertIn(url, urls)
      self.assertRegex(info.checksum, '^[0-9a-f]{64}$')
      self.assertGreater(int(info.size), 0)

  @parameterized.parameters('enwik8', 'tiny_shakespeare')
  def test_what_never_changes_has_a_checksum(self, name):
    path = dummy_sources.ROOT / name / 'checksums.tsv'
    self.assertLen(checksums.load_url_infos(path), 1)

  def test_dummy_data_is_what_the_script_makes(self):
    for builder, files in dummy_sources.files().items():
      there = {path.relative_to(dummy_data(builder)).as_posix(): path.read_bytes()
               for path in dummy_data(builder).rglob('*') if path.is_file()}
      self.assertEqual(there.keys(), files.keys())
      for name, data in files.items():
        self.assertLess(len(there[name]), LARGEST_DUMMY)
        if name.endswith('.parquet'):  # Other versions of Arrow write other bytes.
          tables = [pq.read_table(io.BytesIO(file)) for file in (data, there[name])]
          self.assertTrue(tables[0].equals(tables[1]))
        elif not name.endswith(('.gz', '.zst', '.zip')):
          self.assertEqual(there[name], data)


class LazyTest(absltest.TestCase):

  def run_code(self, code):
    return subprocess.check_output([sys.executable, '-c', code], text=True,
                                   stderr=subprocess.STDOUT).strip()

  def test_importing_the_package_imports_no_builder(self):
    self.assertEqual(self.run_code(
        'import sys, datasets; print("tensorflow_datasets" in sys.modules)\n'
        'import tensorflow_datasets\n'
        'print([name for name in sys.modules if name.startswith("datasets.")])'),
        'False\n[]')

  def test_tfds_knows_ours_whichever_was_imported_first(self):
    for order in ('datasets, tensorflow_datasets as tfds', 'tensorflow_datasets as tfds, datasets'):
      self.assertEqual(self.run_code(
          f'import sys, {order}\n'
          'print(tfds.builder("turkish_web/mc4", data_dir="/nowhere").info.full_name,'
          ' "datasets.pg19.pg19_dataset_builder" in sys.modules)'),
          'turkish_web/mc4/1.0.0 False')

  def test_ours_hide_none_of_the_others(self):
    self.assertEqual(self.run_code(
        'import datasets, tensorflow_datasets as tfds\n'
        'print(tfds.builder_cls("mnist").__module__.startswith("tensorflow_datasets"))'), 'True')


class _Quiet(http.server.SimpleHTTPRequestHandler):
  """Gives the files of a folder, without a log."""

  def log_message(self, *message):
    del message


class SourcesTest(parameterized.TestCase):

  class Downloads:
    """Gives a file for every address, and remembers the addresses."""

    def __init__(self, file=''):
      self.urls = []
      self.file = file

    @property
    def manual_dir(self):
      raise AssertionError('Manual directory does not exist or is empty.')

    def download(self, urls):
      self.urls += urls.values()
      return dict.fromkeys(urls, self.file)

  def builder(self, name):
    return tfds.builder(name, data_dir=self.create_tempdir().full_path)

  @parameterized.parameters(
      ('c4_english', {'train': 1024, 'validation': 8}, 'en/c4-train.01023-of-01024.json.gz'),
      ('pile_english', {'train': 30, 'validation': 1, 'test': 1}, 'train/29.jsonl.zst'),
      ('wikitext103', {'train': 2, 'validation': 1, 'test': 1},
       'wikitext-103-raw-v1/train-00001-of-00002.parquet'),
      ('github_code/rust', {'train': 880}, 'data/train-00879-of-00880.parquet'),
      ('turkish_web/mc4', {'train': 1024, 'validation': 4},
       'multilingual/c4-tr-validation.tfrecord-00003-of-00004.json.gz'))
  def test_downloads(self, name, counts, one):
    downloads, builder = self.Downloads('0a1b2c'), self.builder(name)
    sources = builder.sources(downloads)
    self.assertEqual({split: len(part) for split, part in sources.items()}, counts)
    self.assertIn(f'{builder.corpus.url}/{one}', downloads.urls)
    self.assertLen(set(downloads.urls), sum(counts.values()))
    for source in itertools.chain.from_iterable(sources.values()):
      self.assertEqual(source.path, '0a1b2c')
      self.assertNotEmpty(source.spec.format)

  def test_enwik8_is_downloaded_once_and_cut(self):
    downloads = self.Downloads(str(dummy_data('enwik8') / 'enwik8.zip'))
    sources = self.builder('enwik8').sources(downloads)
    self.assertEqual(downloads.urls, ['https://mattmahoney.net/dc/enwik8.zip'])
    spans = [sources[split][0].spec.span for split in ('train', 'validation', 'test')]
    size = spans[2][1]
    self.assertEqual(spans[0], (0, size * 18 // 20))
    self.assertEqual(spans[1][1], size * 19 // 20)
    self.assertEqual([span[1] for span in spans[:2]], [span[0] for span in spans[1:]])

  def test_a_file_comes_over_http(self):
    folder = dummy_data('tiny_shakespeare')
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
      threading.Thread(target=server.serve_forever, daemon=True).start()
      builder = self.builder('tiny_shakespeare')
      address = f'http://127.0.0.1:{server.server_port}'
      with mock.patch.object(type(builder).CORPUS, 'url', address), \
          contextlib.redirect_stdout(None):
        builder.download_and_prepare()
      server.shutdown()
    texts = [text for part in documents(builder).values() for _, text in part]
    self.assertEqual(b''.join(texts), (folder / 'input.txt').read_bytes())

  def test_tiny_shakespeare_is_downloaded_once_and_cut_by_position(self):
    file = self.create_tempfile('input.txt', 'x' * 109).full_path
    downloads = self.Downloads(file)
    sources = self.builder('tiny_shakespeare').sources(downloads)
    self.assertLen(set(downloads.urls), 1)
    spans = {split: source.spec.span for split, (source,) in sources.items()}
    self.assertEqual(spans, {'train': (0, 98), 'validation': (98, None)})

  @parameterized.parameters('turkish_academic', 'turkish_web', 'turkish_web/hplt', 'pg19', 'golden',
                            'pile_english/common_pile')
  def test_what_cannot_be_downloaded_says_what_to_do(self, name):
    with self.assertRaisesRegex(FileNotFoundError, 'mirror .* give the folder with --manual_dir'):
      self.builder(name).sources(self.Downloads())

  def test_a_folder_without_the_files_says_which_there_should_be(self):
    builder = self.builder('c4_english')
    folder = corpora.write(pathlib.Path(self.create_tempdir().full_path),
                           {'en/c4-train.00007-of-01024.json.gz': b''})
    builder.options = dataclasses.replace(builder.options, folder=folder)
    with self.assertRaisesRegex(
        FileNotFoundError, r"no file for 'validation' in .* en/c4-validation.\{00000..00007\}-of"):
      builder.sources(self.Downloads())

  def test_ranges(self):
    self.assertEqual(published.names(('a/{08..10}', 'b')), ['a/08', 'a/09', 'a/10', 'b'])
    self.assertEqual(published.names(('{0..1}-{2..3}',)), ['0-2', '0-3', '1-2', '1-3'])
    self.assertEqual(published.names(('a/*', 'b')), [])


if __name__ == '__main__':
  absltest.main()
