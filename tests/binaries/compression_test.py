"""The programs that compress and decompress: files, pipes, what they print, and mistakes."""

import contextlib
import io
import os
import pathlib
import re
import stat
import subprocess
import sys
import threading
from unittest import mock

from absl.testing import absltest, flagsaver, parameterized

from binaries import compress, decompress
from haiku_spectral import config
from haiku_spectral.compression import compressed_file, predictor
from haiku_spectral.decoding import session
from haiku_spectral.evaluation import compressors
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model, toy_predictor
from tests.evaluation import toy_models

PARAMS = tiny_model.params()
LOADED = config.Config(model=tiny_model.CONFIG), PARAMS, 7
TEXT = b'tararaboomdeay ' * 60
# Learns what it reads without training, in place of the tiny model.
COUNTING = toy_models.counting()


def counting(config, params, *args):
  del config, params
  return toy_predictor.ToyPredictor(COUNTING, *args)




class Stream(io.StringIO):
  """A standard stream that is no terminal."""

  def __init__(self, data=b''):
    super().__init__()
    self.buffer = io.BytesIO(data)


def run(program, stdin=b'', **flags):
  """(bytes and text on stdout, text on stderr) of a program in this process."""
  out, err = Stream(), io.StringIO()
  with (
      flagsaver.flagsaver(**{'run_dir': 'runs/tiny', **flags}),
      mock.patch.object(checkpoint, 'load_params', return_value=LOADED),
      mock.patch.object(predictor, 'ModelPredictor', counting),
      mock.patch.dict(os.environ),
      mock.patch.object(sys, 'stdin', Stream(stdin)),
      contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
  ):
    program.main([''])
  return out.buffer.getvalue(), out.getvalue(), err.getvalue()


class ProgramsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)
    self.text, self.small, self.back = (
        str(self.folder / name) for name in ('a.txt', 'a.hsz', 'b.txt'))
    pathlib.Path(self.text).write_bytes(TEXT)

  def test_from_file_to_file_and_back(self):
    os.chmod(self.text, 0o640)
    _, out, err = run(compress, input=self.text, output=self.small)
    size = os.path.getsize(self.small)
    self.assertLess(size, 600)
    self.assertEqual(
        out, f'900 bytes -> {size} bytes, {8 * size / 900:.4f} bits per byte, '
        f'{900 / size:.2f} times smaller\n')
    self.assertEqual(err, '')
    run(decompress, input=self.small, output=self.back)
    self.assertEqual(pathlib.Path(self.back).read_bytes(), TEXT)
    self.assertEqual(sorted(os.listdir(self.folder)), ['a.hsz', 'a.txt', 'b.txt'])
    for path in (self.small, self.back):
      self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o640)

  def test_through_pipes(self):
    run(compress, input=self.text, output=self.small)
    file, out, err = run(compress, stdin=TEXT, input='-', output='-')
    self.assertEqual(file, pathlib.Path(self.small).read_bytes())
    self.assertEqual(out, '')
    self.assertIn('900 bytes -> ', err)
    self.assertEqual(run(decompress, stdin=file, input='-', output='-')[0], TEXT)

  def test_the_input_may_be_a_pipe_with_a_name(self):
    fifo = str(self.folder / 'fifo')
    os.mkfifo(fifo)
    writer = threading.Thread(target=pathlib.Path(fifo).write_bytes, args=(TEXT,))
    writer.start()
    run(compress, input=fifo, output=self.small)
    writer.join()
    run(decompress, input=self.small, output=self.back)
    self.assertEqual(pathlib.Path(self.back).read_bytes(), TEXT)

  def test_an_empty_file(self):
    file, _, err = run(compress, input='-', output='-')
    self.assertIn(f'0 bytes -> {len(file)} bytes', err)
    self.assertEqual(run(decompress, stdin=file, input='-', output='-')[0], b'')

  def test_streams_and_precision(self):
    file, _, _ = run(compress, input='-', output='-', streams=3, precision='bfloat16')
    header, _ = compressed_file.parse(file, name='-')
    self.assertEqual((header.streams, header.precision), (3, 'bfloat16'))
    self.assertEqual(header.owner, session.owner(tiny_model.CONFIG, PARAMS))

  def test_comparison(self):
    sizes = {}
    out = run(compress, input=self.text, output=self.small, compare=True)[1]
    for line in out.splitlines()[3:]:
      if 'not installed' in line:
        continue
      name, size, bits, ratio = re.split(r' {2,}', line)
      sizes[name] = int(size.replace(',', ''))
      self.assertAlmostEqual(float(bits), 8 * sizes[name] / 900, delta=1e-4)
      self.assertAlmostEqual(float(ratio), 900 / sizes[name], delta=1e-2)
    self.assertEqual(list(sizes), [
        'original', *(found.name for found in compressors.available()), 'this model'])
    self.assertEqual(sizes['original'], 900)
    self.assertEqual(sizes['this model'], os.path.getsize(self.small))
    for name in ('gzip -9', 'bzip2 -9', 'xz -9e', 'zstd -19', 'PPMd order 6'):
      self.assertBetween(sizes[name], 20, 120)

  @parameterized.parameters(compress, decompress)
  def test_missing_flags(self, program):
    flags = {'input': self.text, 'output': self.back}
    with self.assertRaisesRegex(ValueError, '--run_dir is missing: give the folder of a training'):
      run(program, **flags, run_dir='')
    for name in flags:
      with self.assertRaisesRegex(ValueError, f'--{name} is missing: give the path of a file, or'):
        run(program, **flags | {name: ''})

  @parameterized.parameters(
      ('', 'is a folder: give the path of a file'),
      ('a.txt/x', 'could not be saved .*: give another --output path'),
      ('../{}/a.txt', 'is the input itself: give another path'))
  def test_output_that_cannot_be(self, name, message):
    output = str(self.folder / name.format(self.folder.name))
    with self.assertRaisesRegex(ValueError, message):
      run(compress, input=self.text, output=output)
    self.assertEqual(pathlib.Path(self.text).read_bytes(), TEXT)

  def test_output_through_a_link_replaces_its_target(self):
    (self.folder / 'big').mkdir()
    target = self.folder / 'big' / 't.hsz'
    target.write_bytes(b'old')
    os.symlink('big/t.hsz', self.small)
    run(compress, input=self.text, output=self.small)
    self.assertTrue(os.path.islink(self.small))
    run(decompress, input=str(target), output=self.back)
    self.assertEqual(pathlib.Path(self.back).read_bytes(), TEXT)

  def test_output_that_is_no_file(self):
    with self.assertRaisesRegex(ValueError, 'Output /dev/null is not a regular file: give another'):
      run(compress, input=self.text, output='/dev/null')

  def test_what_cannot_be_restored_leaves_no_output(self):
    run(compress, input=self.text, output=self.small)
    data = pathlib.Path(self.small).read_bytes()
    pathlib.Path(self.small).write_bytes(data[:-1])
    with self.assertRaisesRegex(ValueError, 'a.hsz is cut short or damaged'):
      run(decompress, input=self.small, output=self.back)
    with self.assertRaisesRegex(ValueError, 'a.txt is not a file that compress wrote'):
      run(decompress, input=self.text, output=self.back)
    with mock.patch.object(compressed_file, 'this_platform', return_value='abacus'):
      run(compress, input=self.text, output=self.small)
    with self.assertRaisesRegex(ValueError, 'a.hsz was made on abacus; this is .*--force'):
      run(decompress, input=self.small, output=self.back)
    self.assertEqual(sorted(os.listdir(self.folder)), ['a.hsz', 'a.txt'])
    run(decompress, input=self.small, output=self.back, force=True)
    self.assertEqual(pathlib.Path(self.back).read_bytes(), TEXT)


class CommandTest(absltest.TestCase):
  """As a user runs them: other processes and a real run folder."""

  def _run(self, program, *flags, stdin=b''):
    return subprocess.run(
        [sys.executable, '-m', f'binaries.{program}', *flags], capture_output=True, input=stdin,
        check=False)

  def test_another_process_restores_what_one_compressed(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    run_dir = f"--run_dir={tiny_model.save_run(folder / 'run')}"
    done = self._run('compress', run_dir, '--input=-', f"--output={folder / 'a.hsz'}", stdin=TEXT)
    self.assertEqual(done.returncode, 0, done.stderr)
    self.assertStartsWith(done.stdout.decode(), '900 bytes -> ')
    done = self._run('decompress', run_dir, f"--input={folder / 'a.hsz'}", '--output=-')
    self.assertEqual((done.returncode, done.stdout), (0, TEXT), done.stderr)

  def test_a_mistake_is_one_line(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    done = self._run(
        'decompress', '--run_dir=runs/no', '--input=-', f"--output={folder / 'b'}", stdin=b'Dear')
    self.assertEqual(done.returncode, 1)
    self.assertEqual(
        done.stderr, b'error: - is not a file that compress wrote: give another --input.\n')
    self.assertEqual(os.listdir(folder), [])


if __name__ == '__main__':
  absltest.main()
