"""The process that reads parquet files: what it may use, and that its end costs a row group."""

import io
import os
import pathlib
import signal
import subprocess
import sys
import time
from unittest import mock

import pyarrow as pa
from absl.testing import absltest, parameterized
from pyarrow import parquet as pq

from datasets.readers import raw, reader_process
from tests.datasets.readers import source_files

ROWS = [{'text': f'{i:04}' * 20_000} for i in range(12)]


def parquet(rows, **options):
  return source_files.parquet(rows, compression=None, use_dictionary=False, **options)


def read(file, **fields):
  if isinstance(file, bytes):
    file = io.BytesIO(file)
  return list(reader_process.read(file, 'p.parquet', raw.Spec(**fields)))


def texts(items):
  return [item.text.decode() for item in items if isinstance(item, raw.RawDocument)]


def problems(items):
  return [item for item in items if isinstance(item, raw.Problem)]


def readers():
  """The processes that read a file now."""
  server = reader_process._server().process.pid
  children = pathlib.Path(f'/proc/{server}/task/{server}/children').read_text(encoding='utf-8')
  return [int(child) for child in children.split()]


class Deadly(io.BytesIO):
  """A file whose readers are killed when they ask for a byte in a range."""

  deadly = range(0)

  def read(self, size=-1):
    if self.tell() in self.deadly:
      for process in readers():
        os.kill(process, signal.SIGKILL)
    return super().read(size)


class ReaderProcessTest(parameterized.TestCase):

  def test_a_page_above_the_limit_of_memory_is_named_and_the_next_row_group_is_read(self):
    limit = reader_process.limits(raw.Spec(max_document_bytes=9)).memory_bytes
    huge = pa.array([b'before', bytes(limit - (1 << 20)), b'after', b'next'], pa.binary())
    sink = io.BytesIO()
    pq.write_table(pa.table({'text': huge}), sink, compression='zstd', use_dictionary=False,
                   row_group_size=3, write_batch_size=1, data_page_size=1, write_statistics=False)
    self.assertLess(len(sink.getvalue()), 1 << 20)
    items = read(sink.getvalue(), max_document_bytes=9)
    self.assertEqual(texts(items), ['before', 'next'])
    [problem] = problems(items)
    self.assertEqual(problem[1:3], ('row 1', 'too_large'))
    self.assertIn('row group 0 behind it', problem.detail)

  def test_a_row_above_the_limit_that_fits_into_memory_costs_that_row_alone(self):
    items = read(parquet([{'text': text} for text in ('before', 'x' * 5000, 'after')]),
                 max_document_bytes=4999)
    self.assertEqual(texts(items), ['before', 'after'])
    self.assertEqual(problems(items), [
        raw.Problem('p.parquet', 'row 1', 'too_large', '5000 bytes, 4999 are allowed')])

  @absltest.skipUnless(pathlib.Path('/proc/self/task').exists(), 'Linux tells of processes there.')
  def test_a_reader_that_is_killed_costs_a_row_group(self):
    data = parquet(ROWS, row_group_size=4)
    column = pq.ParquetFile(io.BytesIO(data)).metadata.row_group(1).column(0)
    file = Deadly(data)
    file.deadly = range(column.data_page_offset, column.data_page_offset + 1000)
    items = read(file)
    self.assertEqual(texts(items), [row['text'] for row in ROWS[:4] + ROWS[8:]])
    [problem] = problems(items)
    self.assertEqual(problem[1:3], ('row 4', 'cut_parquet'))
    self.assertIn('ended the process that read it', problem.detail)

  def test_a_reader_without_an_answer_is_given_up(self):
    with mock.patch.object(reader_process, 'ANSWER_SECONDS', 0):
      problem = read(parquet(ROWS))[-1]
    self.assertEqual((problem.reason, problem.detail), ('cut_parquet', 'no answer for 0 s'))

  def test_work_has_a_limit(self):
    request = ('p', raw.Spec(), 0, 0, reader_process.Limits(1 << 30, processor_seconds=1))
    process = mock.Mock(recv=lambda: request)

    def never_ready(file, name, spec, group, send):
      send('begun')
      while True:
        pass

    if not (reader := os.fork()):
      reader_process._answer(process, never_ready)
    self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]), -signal.SIGXCPU)

  def test_another_server_takes_the_place_of_one_that_was_ended(self):
    read(parquet(ROWS))
    reader_process._server().process.kill()
    self.assertLen(texts(read(parquet(ROWS))), len(ROWS))

  @absltest.skipUnless(pathlib.Path('/proc/self/task').exists(), 'Linux tells of processes there.')
  def test_a_reader_ends_when_nobody_reads_on(self):
    items = reader_process.read(io.BytesIO(parquet(ROWS, row_group_size=1)), 'p', raw.Spec())
    next(items)
    [process] = readers()
    items.close()
    for _ in range(3):  # What it still sends or asks for finds nobody.
      read(parquet(ROWS))
    self.assertNotIn(process, readers())

  def test_a_server_that_cannot_start_says_how_to_see_why(self):
    reader_process._end(reader_process._server())
    reader_process._server.cache_clear()
    with mock.patch.object(sys, 'executable', '/bin/false'), \
        self.assertRaisesRegex(ValueError, r'does not start \(exit code 1\): run /bin/false -P'):
      read(parquet(ROWS))

  def test_the_server_ends_with_the_process_that_started_it(self):
    code = ('from datasets.readers import reader_process as p; import os; '
            'print(p._server().process.pid, flush=True); os._exit(0)')
    server = int(subprocess.check_output([sys.executable, '-c', code]))
    end = time.monotonic() + 60
    with self.assertRaises(ProcessLookupError):
      while time.monotonic() < end:
        os.kill(server, 0)
        time.sleep(0.01)


if __name__ == '__main__':
  absltest.main()
