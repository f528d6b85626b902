"""The rules of datasets/readers/README.md: one behaviour for what is not as it should be."""

import gzip
import json
import pathlib
import re
import zipfile

import pyarrow as pa
from absl.testing import absltest, parameterized
from backports import zstd
from pyarrow import parquet as pq

from datasets.readers import decompression, raw, reader
from tests.datasets.readers import source_files

MARK = '\ufeff'
ROWS = [{'text': f'belge {i} ' + 'ş' * 20} for i in range(300)]
TEXTS = [row['text'] for row in ROWS]
LINES = source_files.json_lines(ROWS)


def zstd_frame(data, **options):
  return zstd.compress(data, options={
      getattr(zstd.CompressionParameter, name): value for name, value in options.items()})


def zstd_window(data, log):
  """A frame of one raw block that asks for a window of 2**log bytes, as `zstd --long` does."""
  header = b'\x28\xb5\x2f\xfd\0' + bytes([log - 10 << 3])
  return header + (len(data) << 3 | 1).to_bytes(3, 'little') + data


def wrong_checksum(member, *, behind=0):
  """The same member with another checksum, behind which some bytes stand."""
  place = len(member) - behind - 1
  return member[:place] + bytes([member[place] ^ 1]) + member[place + 1:]


MEMBERS = {  # Ending -> a function that makes a member, and one that spoils its checksum.
    'gz': (source_files.gzipped, lambda member: wrong_checksum(member, behind=4)),
    'zst': (lambda data: zstd_frame(data, checksum_flag=1), wrong_checksum),
}


class RulesTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def read(self, name, data, **fields):
    """Texts of the documents, and the problems."""
    path = source_files.write(self.folder, name, data)
    items = list(reader.read(path, raw.Spec(**fields)))
    return ([item.text.decode() for item in items if isinstance(item, raw.RawDocument)],
            [item for item in items if isinstance(item, raw.Problem)])

  def test_every_reason_has_a_rule(self):
    rules = pathlib.Path(reader.__file__).with_name('README.md').read_text(encoding='utf-8')
    counted = ', '.join(re.findall(r'\| ((?:`\w+`(?:, )?)+) \|\n', rules))
    self.assertEqual(sorted(set(re.findall(r'\w+', counted))), sorted(raw.REASONS))

  @parameterized.parameters('p.jsonl', 'p.jsonl.gz', 'p.jsonl.zst')
  def test_a_byte_order_mark_costs_no_line(self, name):
    pack = {'gz': source_files.gzipped, 'zst': source_files.zstd}.get(name[8:], bytes)
    mark = MARK.encode()
    texts, problems = self.read(name, pack(mark + LINES + mark + LINES))  # Two files joined.
    self.assertEqual(texts, TEXTS * 2)
    self.assertEqual(problems, [
        raw.Problem(name, position, 'byte_order_mark', wrong=False, tolerated=True)
        for position in ('line 1', 'line 301')])

  @parameterized.parameters('jsonl', 'parquet', 'txt', 'zip')
  def test_a_byte_order_mark_is_no_part_of_a_text(self, kind):
    text = MARK + 'yazı'
    data = {'jsonl': json.dumps({'text': text}).encode(), 'txt': text.encode(),
            'parquet': source_files.parquet([{'text': text}]),
            'zip': source_files.zipped({'a.txt': text.encode()})}[kind]
    texts, [problem] = self.read(f'p.{kind}', data)
    self.assertEqual(texts, ['yazı'])
    self.assertEqual(problem[2:], ('byte_order_mark', '', False, True))

  @parameterized.product(ending=tuple(MEMBERS), tail=(b'\0', bytes(512), bytes(100_000), b'garbage',
                                               bytes(600) + b'garbage', b'\x1f', b'\x28\xb5'))
  def test_bytes_behind_the_last_member_cost_nothing(self, ending, tail):
    member = MEMBERS[ending][0](LINES.removesuffix(b'\n'))
    texts, problems = self.read(f'p.jsonl.{ending}', member + tail)
    self.assertEqual(texts, TEXTS)
    zeros = not tail.strip(b'\0')
    self.assertEqual(problems, [raw.Problem(
        f'p.jsonl.{ending}', f'byte {len(member)}', 'trailing_bytes', 'zeros' if zeros else '',
        wrong=not zeros, tolerated=True)])

  @parameterized.parameters(*MEMBERS)
  def test_zeros_between_members_cost_nothing(self, ending):
    member = MEMBERS[ending][0](LINES)
    self.assertEqual(self.read(f'p.jsonl.{ending}', member + bytes(70_000) + member),
                     (TEXTS * 2, []))

  @parameterized.product(ending=tuple(MEMBERS), read_bytes=(1, 7, 1 << 16))
  def test_a_wrong_checksum_costs_no_document(self, ending, read_bytes):
    pack, spoil = MEMBERS[ending]
    members = [pack(LINES), spoil(pack(LINES)), pack(LINES), spoil(pack(LINES.rstrip()))]
    with absltest.mock.patch.object(decompression, 'READ_BYTES', read_bytes):
      texts, problems = self.read(f'p.jsonl.{ending}', b''.join(members))
    self.assertEqual(texts, TEXTS * 4)
    behind = 5 if ending == 'gz' else 1
    places = [len(b''.join(members[:count])) - behind for count in (2, 4)]
    self.assertEqual(problems, [
        raw.Problem(f'p.jsonl.{ending}', f'byte {place}', 'wrong_checksum', tolerated=True)
        for place in places])

  def test_a_wrong_length_in_a_gzip_trailer_is_a_wrong_checksum(self):
    texts, [problem] = self.read('p.txt.gz', wrong_checksum(gzip.compress(b'text')))
    self.assertEqual((texts, problem.reason), (['text'], 'wrong_checksum'))

  @parameterized.parameters(*MEMBERS)
  def test_a_cut_stream_gives_all_but_the_unfinished_document(self, ending):
    member = MEMBERS[ending][0](LINES)
    texts, [problem] = self.read(f'p.jsonl.{ending}', member[:-9])
    self.assertEqual((problem.position, problem.tolerated), (f'byte {len(member) - 9}', False))
    self.assertStartsWith(problem.reason, 'bad_')
    self.assertEqual(texts, TEXTS[:len(texts)])

  def test_no_cut_text_is_taken_for_a_document(self):
    data = source_files.gzipped('\n'.join(TEXTS).encode())[:-9]
    texts, [problem] = self.read('p.txt.gz', data)
    self.assertEqual((texts, problem.reason), ([], 'bad_gzip_stream'))
    texts, [problem] = self.read('p.txt.gz', data, separator=b'\n')
    self.assertGreater(len(texts), 100)
    self.assertEqual(texts, TEXTS[:len(texts)])

  def test_what_precedes_a_damaged_place_is_given(self):
    data = gzip.compress(LINES, compresslevel=0)  # In stored blocks: what follows is not decoded.
    data = data[:10] + data[10:].replace(LINES[-5000:], b'')
    texts, problems = self.read('p.jsonl.gz', data)
    self.assertGreater(len(texts), 100)
    self.assertEqual(texts, TEXTS[:len(texts)])
    self.assertEqual(problems[-1].reason, 'bad_gzip_stream')
    self.assertRegex(problems[-1].position, r'^byte \d+$')

  @parameterized.parameters(27, 28, 31)
  def test_windows_of_zstd(self, log):
    self.assertEqual(self.read('p.jsonl.zst', zstd_window(LINES, log)), (TEXTS, []))

  def test_skippable_frames_of_zstd(self):
    skipped = b'\x50\x2a\x4d\x18\5\0\0\0hello'
    self.assertEqual(self.read('p.jsonl.zst', skipped + zstd_frame(LINES) + skipped), (TEXTS, []))

  @parameterized.parameters(
      pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
      pa.binary_view(), pa.dictionary(pa.int32(), pa.string()),
      pa.dictionary(pa.int8(), pa.large_string()))
  def test_types_of_text_in_parquet(self, kind):
    texts = pa.array(['bir', 'üç', None, 'bir', 'son']).cast(
        kind.value_type if pa.types.is_dictionary(kind) else kind)
    texts = texts.dictionary_encode().cast(kind) if pa.types.is_dictionary(kind) else texts
    table = pa.table({'text': texts, 'licence': texts})
    self.assertEqual(table.schema.field('text').type, kind)
    pq.write_table(table, self.folder / 'a.parquet')
    found, problems = self.read('p.parquet', (self.folder / 'a.parquet').read_bytes())
    self.assertEqual(found, ['bir', 'üç', 'bir', 'son'])
    self.assertEqual(problems, [
        raw.Problem('p.parquet', 'row 2', 'wrong_columns', "'text' is null")])

  def test_hidden_members_of_a_zip_are_filtered(self):
    data = source_files.zipped({
        'a.txt': b'text', '__MACOSX/._a.txt': b'\0\5\x16\7' + b'x' * 20, '.DS_Store': b'\0\1',
        '.git/config': b'text too'})
    texts, problems = self.read('p.zip', data)
    self.assertEqual(texts, ['text'])
    self.assertEqual(problems, [
        raw.Problem('p.zip', f'member {name}', 'hidden', wrong=False)
        for name in ('.DS_Store', '.git/config', '__MACOSX/._a.txt')])

  @parameterized.parameters('._a.jsonl', '__MACOSX/a.jsonl', 'train/._a.jsonl')
  def test_hidden_files_are_filtered(self, name):
    path = source_files.write(self.folder, 'a.jsonl', LINES)
    self.assertEqual(list(reader.read(path, raw.Spec(), name=name)),
                     [raw.Problem(name, '', 'hidden', wrong=False)])

  @parameterized.parameters('txt', 'txt.gz', 'zip')
  def test_plain_text_with_nul_is_filtered(self, kind):
    pack = {'txt': bytes, 'txt.gz': source_files.gzipped,
            'zip': lambda data: source_files.zipped({'a': data})}[kind]
    texts, [problem] = self.read(f'p.{kind}', pack('yazı'.encode('utf-16-be')))
    self.assertEqual((texts, problem[1:3]), ([], ('byte 0', 'contains_nul')))
    texts, [problem] = self.read(f'p.{kind}', pack(b'good|a\0b|end'), separator=b'|')
    self.assertEqual((texts, problem[1:3]), (['good', 'end'], ('byte 6', 'contains_nul')))

  def test_a_nul_in_json_or_parquet_is_kept(self):
    self.assertEqual(self.read('p.jsonl', b'{"text": "a\\u0000b"}'), (['a\0b'], []))
    self.assertEqual(self.read('p.parquet', source_files.parquet([{'text': 'a\0b'}])),
                     (['a\0b'], []))

  @parameterized.parameters(
      ('p.jsonl', b'\n\n'), ('p.jsonl.gz', source_files.gzipped(b'')), ('p.txt', b' | '),
      ('p.zip', source_files.zipped({})),
      ('p.parquet', source_files.parquet([], schema={'text': pa.string()})), ('p.jsonl', b''))
  def test_a_file_without_documents_is_counted(self, name, data):
    self.assertEqual(self.read(name, data, separator=b'|'),
                     ([], [raw.Problem(name, '', 'empty_file')]))

  def test_names_of_members_are_printable(self):
    name = '\x1b]0;title\x07\n.txt'
    data = source_files.zipped({name: b'text', '\x1b[31m': b'\xff'})
    path = source_files.write(self.folder, 'p.zip', data)
    [problem, document] = reader.read(path, raw.Spec(), name='\x9b31m.zip')
    self.assertEqual(document.name, r'\x9b31m.zip/\x1b]0;title\x07\n.txt:0')
    self.assertTrue(str(problem).isprintable())
    broken = data.replace(b'text', b'teXt')
    with zipfile.ZipFile(path) as archive:
      self.assertIn(name, archive.namelist())
    problem = self.read('p.zip', broken)[1][-1]
    self.assertTrue(str(problem).isprintable())


if __name__ == '__main__':
  absltest.main()
