"""Readers: the same documents from every format, little held, and no fault without a name."""

import io
import itertools
import json
import pathlib
import pickle
import tracemalloc
from unittest import mock

import hypothesis
import pyarrow as pa
from absl.testing import absltest, parameterized
from hypothesis import strategies as st
from pyarrow import parquet as pq

from datasets.readers import raw, reader, reader_process
from tests.datasets.readers import source_files
from tests.fixed_examples import fixed_examples

TEXTS = ['Bir varmış, bir yokmuş.\nSatır iki.', 'x', 'two\ttabs ' * 40, '🌱 ağaç']
ROWS = [{'text': text, 'id': i, 'license': 'mit' if i % 2 else 'apache-2.0'}
        for i, text in enumerate(TEXTS)]
LINES = source_files.json_lines(ROWS)
SEPARATOR = b'<|endoftext|>'
SEPARATED = raw.Spec(separator=SEPARATOR)
FILES = {
    'parquet': (source_files.parquet(ROWS, row_group_size=2), raw.Spec()),
    'jsonl': (LINES, raw.Spec()),
    'jsonl.gz': (source_files.gzipped(LINES), raw.Spec()),
    'jsonl.zst': (source_files.zstd(LINES), raw.Spec()),
    'txt': (SEPARATOR.join(text.encode() for text in TEXTS), SEPARATED),
    'txt.gz': (source_files.gzipped(SEPARATOR.join(text.encode() for text in TEXTS)), SEPARATED),
    'zip': (source_files.zipped({f'{i}.txt': text.encode() for i, text in enumerate(TEXTS)}),
            raw.Spec()),
}
INVALID = b'ab\xff'


def flip(data: bytes, position: int) -> bytes:
  return data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1:]


def reasons(items):
  return [(item.position, item.reason) for item in items if isinstance(item, raw.Problem)]


def texts(items):
  return [item.text.decode() for item in items if isinstance(item, raw.RawDocument)]


class FilesTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def read(self, name, data, spec=None):
    path = source_files.write(self.folder, name, data)
    return list(reader.read(path, spec or raw.Spec()))


class ReaderTest(FilesTest):

  @parameterized.parameters(*FILES)
  def test_the_same_documents_from_every_format(self, kind):
    data, spec = FILES[kind]
    items = self.read(f'part.{kind}', data, spec)
    self.assertEqual(texts(items), TEXTS)
    self.assertLen({item.name for item in items}, len(TEXTS))
    for item in items:
      self.assertStartsWith(item.name, f'part.{kind}')
    self.assertEqual(list(reader.read(self.folder / f'part.{kind}', spec)), items)

  def test_names_of_documents(self):
    names = {'parquet': 'p.parquet:3', 'jsonl.gz': 'p.jsonl.gz:4', 'zip': 'p.zip/3.txt:0'}
    for kind, name in names.items():
      data, spec = FILES[kind]
      self.assertEqual(self.read(f'p.{kind}', data, spec)[-1].name, name)

  @parameterized.parameters('parquet', 'jsonl.zst')
  def test_licence_and_other_columns(self, kind):
    spec = raw.Spec(licence='license', meta=('id',))
    items = self.read(f'p.{kind}', FILES[kind][0], spec)
    self.assertEqual([(item.licence, item.meta) for item in items],
                     [(row['license'], {'id': row['id']}) for row in ROWS])

  def test_fields_inside_fields(self):
    row = {'a': {'b': 'text'}, 'meta': {'set': 'X', 'licences': ['mit', 'bsd']}}
    spec = raw.Spec(text='a.b', licence='meta.licences', meta=('meta.set', 'meta.none.deeper'))
    item, = self.read('p.jsonl', source_files.json_lines([row]), spec)
    self.assertEqual(item[2:], ('bsd AND mit', {'meta.set': 'X', 'meta.none.deeper': None}))
    rows = [{'text': 'x', 'meta': {'set': 'X', 'other': 'Y'}}]
    item, = self.read('p.parquet', source_files.parquet(rows), raw.Spec(meta=('meta.set',)))
    self.assertEqual(item.meta, {'meta.set': 'X'})

  def test_only_the_columns_asked_for_are_read(self):
    data = source_files.parquet([{'text': 'x', 'other': 'y' * 5000}] * 50, compression=None,
                                use_dictionary=False)
    broken = data.replace(b'y' * 5000, b'\xff' * 5000)
    self.assertEqual(texts(self.read('p.parquet', broken)), ['x'] * 50)

  def test_several_frames_in_a_file(self):
    for name, pack in (('p.jsonl.zst', source_files.zstd), ('p.jsonl.gz', source_files.gzipped)):
      parts = [pack(line + b'\n') for line in LINES.splitlines()]
      self.assertEqual(texts(self.read(name, b''.join(parts))), TEXTS)

  @fixed_examples(60)
  @hypothesis.given(st.lists(st.text('ab<|ğ', max_size=9), max_size=6), st.integers(1, 7))
  def test_separators_across_reads(self, documents, read_bytes):
    data = b'<||>'.join(document.encode() for document in documents)
    expected = [part for part in data.decode().split('<||>') if part.strip()]
    with mock.patch('datasets.readers.plain_text.READ_BYTES', read_bytes):
      items = self.read('p.txt', data, raw.Spec(separator=b'<||>'))
    self.assertEqual(texts(items), expected if data else [])
    for item in items:
      if isinstance(item, raw.RawDocument):
        begin = int(item.name.rpartition(':')[2])
        self.assertEqual(data[begin:begin + len(item.text)], item.text)

  @fixed_examples(60)
  @hypothesis.given(st.text('ağ€🌱', max_size=12), st.lists(st.integers(0, 30), max_size=3),
                    st.integers(1, 40))
  def test_spans_cut_a_text_between_characters(self, text, cuts, read_bytes):
    data = text.encode()
    cuts = [0, *sorted(cuts), None]
    with mock.patch('datasets.readers.plain_text.READ_BYTES', read_bytes):
      found = [texts(self.read('p.zip', source_files.zipped({'m': data}), raw.Spec(span=span)))
               for span in itertools.pairwise(cuts)]
    self.assertEqual(''.join(itertools.chain.from_iterable(found)), text)
    for part, (start, stop) in zip(found, itertools.pairwise(cuts), strict=True):
      self.assertBetween(len(data[start:stop]) - len(''.join(part).encode()), -3, 3)

  def test_a_spec_can_be_pickled(self):
    spec = raw.Spec(text='content', meta=('id',), separator=b'\0')
    self.assertEqual(pickle.loads(pickle.dumps(spec)), spec)

  def test_what_is_filtered_by_choice_is_no_fault(self):
    spec = raw.Spec(licence='license', keep=lambda item: '' if item.licence == 'mit' else 'licence')
    items = self.read('p.jsonl', LINES, spec)
    self.assertEqual(texts(items), TEXTS[1::2])
    filtered = [item for item in items if isinstance(item, raw.Problem)]
    self.assertEqual(filtered, [raw.Problem('p.jsonl', '1', 'licence', wrong=False),
                                raw.Problem('p.jsonl', '3', 'licence', wrong=False)])

  def test_mistakes_of_the_caller(self):
    with self.assertRaisesRegex(ValueError, "'p.csv' has none of the endings .*: give a format"):
      reader.read(self.folder / 'p.csv', raw.Spec())
    with self.assertRaisesRegex(ValueError, "format='csv' is not allowed: give one of parquet"):
      raw.Spec(format='csv')
    with self.assertRaisesRegex(ValueError, 'max_document_bytes=0 is not allowed'):
      raw.Spec(max_document_bytes=0)


class CorruptInputTest(FilesTest):

  @parameterized.parameters(*FILES)
  def test_a_file_of_no_length(self, kind):
    self.assertEqual(self.read(f'p.{kind}', b''), [raw.Problem(f'p.{kind}', '', 'empty_file')])

  @parameterized.parameters(*FILES)
  def test_a_file_that_is_not_there(self, kind):
    self.assertEqual(list(reader.read(self.folder / f'p.{kind}', raw.Spec())),
                     [raw.Problem(f'p.{kind}', '', 'unreadable', 'No such file or directory')])

  @parameterized.named_parameters(
      ('parquet', 'parquet', 'cut_parquet'), ('gz', 'jsonl.gz', 'bad_gzip_stream'),
      ('zst', 'jsonl.zst', 'bad_zstd_frame'), ('txt_gz', 'txt.gz', 'bad_gzip_stream'),
      ('zip', 'zip', 'bad_zip'))
  def test_a_file_that_is_cut(self, kind, reason):
    data, spec = FILES[kind]
    for size in (4, len(data) // 2, len(data) - 3):
      items = self.read(f'p.{kind}', data[:size], spec)
      self.assertEqual((items[-1].file, items[-1].reason), (f'p.{kind}', reason))
      self.assertEqual(texts(items), TEXTS[:len(texts(items))])

  @parameterized.parameters(*FILES)
  def test_no_bit_flipped_anywhere_raises(self, kind):
    data, spec = FILES[kind]
    for position in range(0, len(data), max(1, len(data) // 150)):
      for item in self.read(f'p.{kind}', flip(data, position), spec):
        self.assertIsInstance(item, raw.RawDocument | raw.Problem)
        if isinstance(item, raw.RawDocument):
          item.text.decode()

  def test_lines_that_are_wrong_and_the_good_ones_between(self):
    bad = [b'{"text": "cut', b'[1, 2]', b'{"content": "x"}', b'{"text": 7}', b'{"text": null}',
           b'{"text": "' + INVALID + b'"}', b'{"text": "\\ud800"}', b'[' * 100_000,
           b'{"text": "x", "n": ' + b'9' * 5000 + b'}']
    good = b'{"text": "good"}'
    data = b'\n'.join(line for bad_line in bad for line in (bad_line, good)) + b'\n\n' + good
    items = self.read('p.jsonl', data)
    self.assertEqual(texts(items), ['good'] * (len(bad) + 1))
    self.assertEqual(reasons(items), [
        ('line 1', 'invalid_json'), ('line 3', 'wrong_columns'), ('line 5', 'wrong_columns'),
        ('line 7', 'wrong_columns'), ('line 9', 'wrong_columns'), ('line 11', 'invalid_utf8'),
        ('line 13', 'invalid_utf8'), ('line 15', 'invalid_json'), ('line 17', 'invalid_json')])

  def test_rows_that_are_not_utf8(self):
    rows = [{'text': text} for text in ('good', 'XYZ123', 'also good')]
    data = source_files.parquet(rows, compression=None, use_dictionary=False,
                                write_statistics=False)
    self.assertEqual(data.count(b'XYZ123'), 1)
    items = self.read('p.parquet', data.replace(b'XYZ123', INVALID + b'123'))
    self.assertEqual(texts(items), ['good', 'also good'])
    self.assertEqual(reasons(items), [('row 1', 'invalid_utf8')])

  def test_text_that_is_not_utf8(self):
    items = self.read('p.txt', b'good' + SEPARATOR + INVALID + SEPARATOR + b'end', SEPARATED)
    self.assertEqual(texts(items), ['good', 'end'])
    self.assertEqual(reasons(items), [('byte 19', 'invalid_utf8')])
    items = self.read('p.zip', source_files.zipped({'a': INVALID, 'b': b'good'}))
    self.assertEqual(texts(items), ['good'])
    self.assertEqual(items[0][:3], ('p.zip/a', 'byte 2', 'invalid_utf8'))

  @parameterized.parameters(
      ([{'content': 'x'}], 'no column text; there is content'),
      ([{'text': 7}], "'text' is int64, not text"),
      ([{'text': ['x']}], "'text' is list.*, not text"))
  def test_wrong_columns(self, rows, detail):
    item, = self.read('p.parquet', source_files.parquet(rows))
    self.assertEqual(item[:3], ('p.parquet', '', 'wrong_columns'))
    self.assertRegex(item.detail, detail)

  def test_a_null_among_rows(self):
    items = self.read('p.parquet', source_files.parquet([{'text': 'x'}, {'text': None}]))
    self.assertEqual((texts(items), reasons(items)), (['x'], [('row 1', 'wrong_columns')]))

  def test_one_row_group_is_damaged_and_the_next_is_read(self):
    rows = [{'text': f'{i:04}' * 500} for i in range(40)]
    data = source_files.parquet(rows, row_group_size=10, compression=None, use_dictionary=False,
                                write_statistics=False, write_page_checksum=True)
    column = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(0)
    found = self.read('p.parquet', flip(data, column.data_page_offset + 500))
    self.assertEqual(texts(found), [row['text'] for row in rows[:10] + rows[20:]])
    self.assertRegex(str(found[10]), r'^p.parquet: row 10: cut_parquet \(.*CRC')

  def test_a_member_is_damaged_and_the_next_is_read(self):
    data = source_files.zipped({f'{i}.txt': TEXTS[2].encode() + b'%d' % i for i in range(3)})
    items = self.read('p.zip', flip(data, data.index(b'1.txt') + 12))
    self.assertLen(texts(items), 2)
    self.assertEqual(reasons(items), [('member 1.txt', 'bad_zip')])

  def test_a_member_is_cut_out_and_those_behind_it_are_read(self):
    data = source_files.zipped({f'{i}.txt': TEXTS[2].encode() + b'%d' % i for i in range(3)})
    begin = data.rindex(b'PK\3\4', 0, data.index(b'1.txt'))
    items = self.read('p.zip', data[begin:])  # The first member now stands at a place below 0.
    self.assertEqual(texts(items), [TEXTS[2] + '1', TEXTS[2] + '2'])
    self.assertEqual(reasons(items), [('member 0.txt', 'bad_zip')])


class LargeDocumentTest(FilesTest):
  """A document above the limit is named, the next is read, and nothing of its size is held."""

  LIMIT = 1 << 20
  HUGE = b'z' * (24 << 20)

  def rows(self):
    return [b'before', self.HUGE, b'after']

  @parameterized.parameters(*FILES)
  def test_too_large(self, kind):
    if kind == 'parquet':
      table = pa.table({'text': pa.array([row.decode() for row in self.rows()])})
      sink = pa.BufferOutputStream()
      pq.write_table(table, sink, row_group_size=1, use_dictionary=False)
      data = sink.getvalue().to_pybytes()
    elif kind == 'zip':
      data = source_files.zipped({str(i): row for i, row in enumerate(self.rows())})
    elif kind.startswith('txt'):
      data = SEPARATOR.join(self.rows())
    else:
      data = b''.join(b'{"text": "' + row + b'"}\n' for row in self.rows())
    if kind.endswith('gz'):
      data = source_files.gzipped(data)
    elif kind.endswith('zst'):
      data = source_files.zstd(data)
    path = source_files.write(self.folder, f'p.{kind}', data)
    spec = raw.Spec(max_document_bytes=self.LIMIT, separator=SEPARATOR if 'txt' in kind else b'')
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
      items, held = [], 0
      for item in reader.read(path, spec):
        items.append(item)
        held = max(held, pa.total_allocated_bytes() - before)
      peak = tracemalloc.get_traced_memory()[1]
    finally:
      tracemalloc.stop()
    self.assertEqual(texts(items), ['before', 'after'])
    (_, reason), = reasons(items)
    self.assertEqual(reason, 'too_large')
    self.assertLess(max(peak, held), 6 * self.LIMIT)

  def test_a_value_repeated_from_a_dictionary(self):
    row = 'z' * (8 << 20)
    data = source_files.parquet([{'text': row}] * 40, use_dictionary=True)
    self.assertLess(len(data), len(row))
    spec = raw.Spec(max_document_bytes=len(row))
    self.assertLess(reader_process.limits(spec).memory_bytes, 40 * len(row))
    self.assertEqual([len(item.text) for item in self.read('p.parquet', data, spec)],
                     [len(row)] * 40)

  @parameterized.parameters(0, 1, 100)
  def test_the_limit_itself_is_allowed(self, more):
    data = json.dumps({'text': 'x' * 100}).encode()
    spec = raw.Spec(max_document_bytes=len(data) - 1 + more)
    items = self.read('p.jsonl', data + b'\n{"text": ""}', spec)
    self.assertLen(texts(items), 2 if more else 1)
    spec = raw.Spec(max_document_bytes=99 + more)
    self.assertLen(texts(self.read('p.txt', b'x' * 100, spec)), min(more, 1))
    self.assertLen(texts(self.read('p.parquet', source_files.parquet([{'text': 'x' * 100}]), spec)),
                   min(more, 1))


if __name__ == '__main__':
  absltest.main()
