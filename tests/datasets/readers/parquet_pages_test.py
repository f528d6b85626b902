"""Pages: their sizes are known before they are read, however the file was written."""

import io

from absl.testing import absltest, parameterized
from pyarrow import parquet as pq

from datasets.readers import parquet_pages
from tests.datasets.readers import source_files

VALUES = [character * size for character, size in zip('abcdefgh', (1, 9, 300, 20_000) * 2,
                                                      strict=True)]


def largest(data, columns, **options):
  table = pq.ParquetFile(io.BytesIO(data))
  return [parquet_pages.largest(table.metadata.row_group(group), io.BytesIO(data), columns,
                                **options)
          for group in range(table.num_row_groups)]


class ParquetPagesTest(parameterized.TestCase):

  @parameterized.product(
      compression=('none', 'snappy', 'zstd', 'gzip'), dictionary=(False, True),
      version=('1.0', '2.0'), checksum=(False, True), statistics=(False, True))
  def test_every_way_to_write(self, compression, dictionary, version, checksum, statistics):
    rows = [{'text': value, 'tags': [value[:5]] * 3, 'in': {'deep': value}} for value in VALUES * 4]
    data = source_files.parquet(
        rows, compression=compression, use_dictionary=dictionary, data_page_version=version,
        write_page_checksum=checksum, write_statistics=statistics, row_group_size=8,
        data_page_size=1000, write_batch_size=1)
    for columns in (['text'], ['tags'], ['in'], ['in.deep'], ['text', 'tags', 'in']):
      bounds = largest(data, columns, small=0)
      self.assertLen(bounds, 4)
      for bound in bounds:
        self.assertBetween(bound, 20_000 if columns != ['tags'] else 5, 2 * sum(map(len, VALUES)))

  def test_only_the_columns_asked_for_count(self):
    data = source_files.parquet([{'text': 'x', 'text_of_another': 'y' * 50_000}] * 3,
                                use_dictionary=False)
    self.assertLess(max(largest(data, ['text'], small=0)), 100)
    self.assertGreater(max(largest(data, ['text_of_another'], small=0)), 150_000)

  def test_small_columns_are_not_looked_into(self):
    data = source_files.parquet([{'text': 'x' * 100}] * 3)
    table = pq.ParquetFile(io.BytesIO(data))
    group = table.metadata.row_group(0)
    self.assertEqual(parquet_pages.largest(group, None, ['text']),
                     group.column(0).total_uncompressed_size)

  @parameterized.parameters(b'', b'\0', b'\xff' * 40, b'\x15', b'\x15\x00\x15\x01\x15\x02\x00',
                            b'\x1b\x00', b'\x15' + b'\x80' * 100, b'\x1c' * 5000)
  def test_what_is_no_header(self, header):
    data = source_files.parquet([{'text': 'x' * 100}] * 3)
    group = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0)
    with self.assertRaisesRegex(ValueError, 'no page header at byte|a page ends at byte'):
      parquet_pages.largest(group, io.BytesIO(b'PAR1' + header), ['text'], small=0)


if __name__ == '__main__':
  absltest.main()
