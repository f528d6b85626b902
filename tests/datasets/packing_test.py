"""Packing: every byte, boundary and table row is where the format says."""

import chex
import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import packing
from haiku_spectral import config, vocab
from tests.fixed_examples import fixed_examples

R = packing.RECORD_BYTES
EDGES = (0, 1, 2, R - 2, R - 1, R, R + 1, 2 * R - 2, 2 * R - 1, 2 * R, 2 * R + 1)


def content(seed, size):
  return np.random.default_rng(seed).integers(0, 256, size, np.uint8).tobytes()


def chunked(data, size):
  return (data[start:start + size] for start in range(0, len(data), size))


def pack(documents, chunk=7919):
  return list(packing.pack((i, chunked(data, chunk)) for i, data in enumerate(documents)))


def expected_stream(documents):
  parts = [part for data in documents for part in ([vocab.BOUNDARY], np.frombuffer(data, np.uint8))]
  return np.concatenate([np.asarray(part, np.int32) for part in parts])


def expected_table(documents, record):
  """The rows of one record, from the definition."""
  rows, start = [], 0
  for identity, data in enumerate(documents):
    end = start + 1 + len(data)
    if record * R <= start < (record + 1) * R:
      rows.append((start - record * R, identity, 0))
    elif start < record * R < end:
      rows.append((0, identity, record * R - start))
    start = end
  return rows


sizes = st.one_of(st.integers(0, 400), st.sampled_from(EDGES))
documents_of_any_size = st.lists(
    st.builds(content, st.integers(0, 5), sizes), min_size=1, max_size=6)


class PackingTest(parameterized.TestCase):

  def check(self, documents, records):
    stream = expected_stream(documents)
    self.assertLen(records, -(-len(stream) // R))
    self.assertEqual(packing.count_records(len(documents), sum(map(len, documents))), len(records))
    for index, record in enumerate(records):
      part = stream[index * R:(index + 1) * R]
      ids = packing.record_ids(record)
      self.assertEqual(int(record['length']), len(part))
      np.testing.assert_array_equal(ids[:len(part)], part)
      np.testing.assert_array_equal(ids[len(part):], vocab.PAD)
      table = list(zip(*(record[name].tolist() for name in ('positions', 'documents', 'offsets')),
                       strict=True))
      self.assertEqual(table, expected_table(documents, index))
    self.assertEqual(list(packing.unpack(records)), list(enumerate(documents)))

  @fixed_examples(60)
  @hypothesis.given(documents_of_any_size, st.sampled_from((1, 3, 1000, R, 10 * R)))
  def test_any_documents_in_any_chunks(self, documents, chunk):
    chunk = max(chunk, max(map(len, documents)) // 200)  # Few chunks: a chunk costs its time.
    self.check(documents, pack(documents, chunk))

  @fixed_examples(60)
  @hypothesis.given(st.lists(st.text(), min_size=1))
  def test_unicode_text(self, texts):
    documents = [text.encode('utf-8', 'surrogatepass') for text in texts]
    self.check(documents, pack(documents))

  @parameterized.product(first=EDGES, second=(0, 1, R))
  def test_lengths_at_the_edges_of_a_record(self, first, second):
    documents = [content(1, first), content(2, second), b'last']
    self.check(documents, pack(documents))

  @fixed_examples(60)
  @hypothesis.given(documents_of_any_size, st.data())
  def test_a_stream_is_packed_from_any_record_on(self, documents, data):
    count = packing.count_records(len(documents), sum(map(len, documents)))
    first = data.draw(st.integers(0, count - 1))
    starts = np.cumsum([0, *(len(document) + 1 for document in documents)])
    begin = int(np.searchsorted(starts, first * R, side='right')) - 1
    skipped = first * R - int(starts[begin])
    rest = [documents[begin][max(0, skipped - 1):], *documents[begin + 1:]]
    records = list(packing.pack(
        ((i, chunked(part, 7919)) for i, part in enumerate(rest, begin)), skipped=skipped))
    chex.assert_trees_all_equal(records, pack(documents)[first:])

  def test_nothing_gives_nothing(self):
    self.assertEmpty(list(packing.pack([])))
    self.assertEmpty(list(packing.unpack([])))

  def test_a_document_without_end_is_packed_as_it_comes(self):
    def endless():
      while True:
        yield b'x' * 1000
    records = packing.pack([(7, endless())])
    self.assertEqual(next(records)['offsets'].tolist(), [0])
    for index in range(1, 50):
      record = next(records)
      self.assertEqual(record['offsets'].tolist(), [index * R])
      self.assertEqual(record['documents'].tolist(), [7])

  def test_types_are_those_of_the_format(self):
    record, = pack([b'text'])
    types = {name: np.asarray(value).dtype for name, value in record.items()}
    self.assertEqual(types, {'bytes': np.uint8, 'length': np.int32, 'positions': np.int32,
                             'documents': np.int64, 'offsets': np.int64})
    self.assertEqual(record['bytes'].shape, (config.RECORD_BYTES,))

  @fixed_examples(60)
  @hypothesis.given(st.integers(0, R - 1), st.integers(1, 3000))
  def test_a_window_is_a_slice_of_the_record(self, start, length):
    record = pack([content(i, 1500) for i in range(41)])[0]  # 41 documents: not quite full.
    ids = np.concatenate([packing.record_ids(record), np.full(3000, vocab.PAD, np.int32)])
    np.testing.assert_array_equal(
        packing.window_ids(record, start, length), ids[start:start + length])

  @parameterized.parameters(0, 1, 999, R - 1, R, R + 1, 10 * R)
  def test_unpack_gives_no_more_than_the_limit(self, limit):
    documents = [content(1, 1000), content(2, 2 * R + 50), b'', content(3, R - 1)]
    unpacked = list(packing.unpack(pack(documents), limit=limit))
    self.assertEqual(unpacked, [(i, data[:limit]) for i, data in enumerate(documents)])

  def test_records_out_of_order_are_refused(self):
    records = pack([content(1, 5 * R)])
    with self.assertRaisesRegex(ValueError, 'records out of order: byte 131071 of document 0'):
      list(packing.unpack([records[0], records[2]]))


if __name__ == '__main__':
  absltest.main()
