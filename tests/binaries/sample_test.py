"""The program that samples: what reaches the terminal, the session, and who made a mistake."""

import contextlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
from unittest import mock

import jax
import numpy as np
from absl import flags as flags_lib
from absl.testing import absltest, flagsaver, parameterized

from binaries import sample
from haiku_spectral import config, vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import prefill, sampling, session
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model

LOADED = config.Config(model=tiny_model.CONFIG), tiny_model.params(), 7
LOAD = mock.Mock(return_value=LOADED)


class Stream(io.StringIO):
  """Standard input without a terminal."""

  def __init__(self, data=b''):
    super().__init__()
    self.buffer = io.BytesIO(data)


def run(stdin=b'', load=LOAD, **flags):
  """(stdout, stderr) of the program in this process, with the tiny model for any run."""
  out, err = io.StringIO(), io.StringIO()
  with (
      flagsaver.flagsaver(**{'run_dir': 'runs/tiny', 'num_bytes': 20, **flags}),
      mock.patch.object(checkpoint, 'load_params', load),
      mock.patch.object(sys, 'stdin', Stream(stdin)),
      contextlib.redirect_stdout(out), contextlib.redirect_stderr(err),
  ):
    sample.main(['sample'])
  return out.getvalue(), err.getvalue()


def generated(prompt, num_bytes=20):
  """What the library generates."""
  model, params = tiny_model.MODEL, tiny_model.params()
  context = prefill.extend(
      model, params, prefill.begin(model, params), vocab.encode(prompt)[np.newaxis])
  return Generation(
      tiny_model.decoder(), context, Request(num_bytes, jax.random.key(0)),
      sampling.SamplingConfig(end_of_document=True)).run().texts[0]


class SampleTest(parameterized.TestCase):

  def test_prompt_from_flag_file_and_pipe(self):
    want = generated(b'abcdefgh').decode(errors='replace') + '\n'
    file = self.create_tempfile('prompt', b'abcdefgh').full_path
    for flags in ({'prompt': 'abcdefgh'}, {'prompt_file': file}, {'stdin': b'abcdefgh'}):
      out, err = run(**flags)
      self.assertEqual(out, want)
      self.assertRegex(err, r'^20 bytes, [\d,]+ bytes/s\n$')
    out, _ = run(prompt='abcdefgh', echo=True)
    self.assertEqual(out, 'abcdefgh' + want)

  def test_several_samples_one_after_the_other(self):
    out, _ = run(prompt='', num_samples=3)
    self.assertEqual(out.split('\n--- sample ')[0],
                     generated(b'').decode(errors='replace') + '\n')
    self.assertIn('--- sample 2 of 3 ---\n', out)
    self.assertIn('--- sample 3 of 3 ---\n', out)

  def test_a_record_of_what_was_generated(self):
    file = pathlib.Path(self.create_tempdir().full_path, 'new', 'samples.jsonl')
    run(prompt='abcdefgh', record=str(file))
    run(prompt='', num_samples=3, num_bytes=5, record=str(file))
    first, second = map(json.loads, file.read_text(encoding='utf-8').splitlines())
    self.assertEqual((first['prompt'], first['texts'], first['bytes'], first['step']), (
        'abcdefgh', [generated(b'abcdefgh').decode(errors='replace')], 20, 7))
    self.assertGreater(first['bytes_per_second'], 0)
    self.assertIn('//binaries:', first['command'])
    self.assertEqual((second['prompt'], len(second['texts']), second['bytes']), ('', 3, 15))

  def test_stop_string_is_not_shown(self):
    free = generated(b'')
    out, _ = run(prompt='', stop=['never', os.fsdecode(free[3:5])])
    self.assertEqual(out, free[:3].decode(errors='replace') + '\n')

  def test_session_goes_on_where_it_ended(self):
    path = os.path.join(self.create_tempdir().full_path, 'talk')
    first, _ = run(prompt='abcdefgh', session=path)
    second, err = run(prompt='', session=path)
    # The two halves of one text, drawn with the same random numbers.
    whole = generated(b'abcdefgh', 40)
    self.assertEqual((first, second), tuple(
        half.decode(errors='replace') + '\n' for half in (whole[:20], whole[20:])))
    self.assertIn(f'session {path}: 29 bytes so far', err)

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing: give the folder of a training run'),
      ({'session': '/'}, 'Session / is a folder: give the path of a file'),
      ({'num_samples': 2, 'session': 'x'}, '--session keeps one .*: give --num_samples=1'),
      ({'temperature': -1.0}, 'temperature=-1.0 is not allowed: give 0'),
      ({'fork': 'x'}, '--fork copies a session: give it as --session'),
      ({'chat': True, 'prompt': 'x'}, '--chat asks for what you say: leave --prompt'),
      ({'regex': 'a', 'utf8': True}, '--regex generates UTF-8 anyway: leave --utf8 out'),
      ({'regex': '(', 'prompt': ''}, r"regex='\(' cannot be used"),
      ({'regex': 'a{30}', 'prompt': ''}, 'num_bytes=20 is not allowed: the shortest allowed text'),
      ({'speculate': True, 'num_samples': 2}, '--speculate is for one text: leave --num_samples'),
      ({'num_bytes': -1, 'prompt': ''}, 'num_bytes=-1 is not allowed: give 0 or more'),
      ({'stop': [''], 'prompt': ''}, "stop='' is not allowed: give a stop string"),
      ({'prompt': '', 'prompt_file': 'x'}, '--prompt and --prompt_file are both given'),
  )
  def test_mistakes_are_refused_before_the_model_is_loaded(self, flags, message):
    with self.assertRaisesRegex(ValueError, message):
      run(**flags, load=mock.Mock(side_effect=AssertionError('loaded')))

  @parameterized.parameters(
      '--num_samples=0', '--best_of=0', '--candidates=300', '--num_bytes=-1', '--temperature=nan',
      '--num_bytes=99999999999999999999', '--top_p=1.5', '--seed=4294967296', '--session=~no/x')
  def test_values_that_are_refused_where_the_flags_are_parsed(self, flag):
    with flagsaver.flagsaver(), self.assertRaises(flags_lib.IllegalFlagValueError):
      flags_lib.FLAGS(['sample', flag])

  def test_a_reader_that_goes_away_loses_no_session(self):
    path = os.path.join(self.create_tempdir().full_path, 'talk')
    read, write = os.pipe()
    os.close(read)
    with (
        open(write, 'w', encoding='utf-8') as gone, mock.patch.object(sys, 'stdout', gone),
        mock.patch.object(checkpoint, 'load_params', return_value=LOADED),
        flagsaver.flagsaver(run_dir='runs/tiny', prompt='ab', session=path, num_bytes=9),
        contextlib.redirect_stderr(io.StringIO()),
    ):
      self.assertEqual(sample.main(['sample']), 141)
    self.assertGreater(session.info(path).position, 3)

  def test_the_most_probable_first_bytes(self):
    _, err = run(prompt='abc', candidates=3)
    shown = [line.split(maxsplit=1) for line in err.splitlines()[:3]]
    shares = [float(share.rstrip('%')) for share, _ in shown]
    self.assertEqual(shares, sorted(shares, reverse=True))
    self.assertLess(sum(shares), 100)

  def test_best_of_several(self):
    out, _ = run(prompt='abc', best_of=3)
    model, params = tiny_model.MODEL, tiny_model.params()
    context = context_lib.repeat(prefill.extend(
        model, params, prefill.begin(model, params), vocab.encode(b'abc')[np.newaxis]), 3)
    several = Generation(
        tiny_model.decoder(), context, Request(20, jax.random.key(0)),
        sampling.SamplingConfig(end_of_document=True)).run()
    means = [scores.mean() for scores in several.log_probs]
    best = several.texts[int(np.argmax(means))]
    self.assertEqual(out, best.decode(errors='replace') + '\n')

  def test_the_session_of_the_best_has_read_it_alone(self):
    path = os.path.join(self.create_tempdir().full_path, 'talk')
    run(prompt='abc', best_of=3, session=path, end_of_document=False)
    self.assertEqual(session.info(path).position, 1 + 3 + 20)

  def test_only_what_is_allowed(self):
    out, _ = run(prompt='abc', regex='[0-9]{4}-[0-9]{2}')
    self.assertRegex(out, r'^\d{4}-\d{2}\n$')
    # The prompt ends inside a character, which is ended first.
    out, _ = run(stdin='ş'.encode()[:1], utf8=True, echo=True, end_of_document=False)
    self.assertNotIn('\ufffd', out)

  @parameterized.parameters(
      ({'temperature': 0.0},), ({'temperature': 0.3, 'stop': ['a'], 'utf8': True},))
  def test_speculative_decoding_gives_the_same(self, flags):
    flags = {'prompt': 'abcabcabc', 'num_bytes': 100, **flags}
    self.assertEqual(run(speculate=True, **flags)[0], run(**flags)[0])

  @parameterized.parameters(1e-38, 1e-300)  # In float32 one with fewer bits, and zero.
  def test_tiny_temperatures_are_greedy(self, temperature):
    want = run(prompt='x', temperature=0.0)[0]
    self.assertEqual(run(prompt='x', temperature=temperature)[0], want)
    self.assertGreater(len(set(want)), 2)

  def test_any_number_of_bytes(self):
    out, _ = run(prompt='x', num_bytes=99999999999999999999, regex='[ab]{5}c')
    self.assertRegex(out, r'^[ab]{5}c\n$')

  def test_one_context_and_two_continuations(self):
    folder = self.create_tempdir().full_path
    path, fork = os.path.join(folder, 'talk'), os.path.join(folder, 'fork')
    run(prompt='abcdefgh', session=path)
    before = pathlib.Path(path).read_bytes()
    one, _ = run(prompt='', session=path, fork=fork)
    self.assertEqual(pathlib.Path(path).read_bytes(), before)
    self.assertEqual(run(prompt='', session=path)[0], one)
    self.assertEqual(pathlib.Path(path).read_bytes(), pathlib.Path(fork).read_bytes())

  def test_what_a_session_holds(self):
    path = os.path.join(self.create_tempdir().full_path, 'talk')
    run(prompt='abcdefgh', session=path)
    out, _ = run(session_info=path, run_dir='')
    self.assertRegex(out, f'^{path}: 29 bytes so far, a state of [0-9,]+ bytes in float32, model ')

  def test_chat(self):
    path = os.path.join(self.create_tempdir().full_path, 'talk')
    lines = iter(['one', 'two', '/info'])
    with mock.patch('builtins.input', lambda *_: next(lines, None) or self._end()):
      out, err = run(chat=True, session=path, num_bytes=5, end_of_document=False)
    self.assertNotEmpty(out)
    self.assertIn(f'{path}: 20 bytes so far', err)  # 1, 4 + 5, and 5 + 5.

  def _end(self):
    raise EOFError

  def test_session_of_another_program_is_refused_and_left_alone(self):
    path = self.create_tempfile('talk', b'my novel').full_path
    with self.assertRaisesRegex(ValueError, 'is not a session of this program'):
      run(prompt='', session=path)
    self.assertEqual(pathlib.Path(path).read_bytes(), b'my novel')


class CommandTest(absltest.TestCase):
  """As a user runs it: another process and a real run folder."""

  def _command(self, *flags):
    return [sys.executable, '-m', 'binaries.sample', *flags]

  def test_control_c_ends_cleanly_with_the_session_saved(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    run_dir = tiny_model.save_run(folder / 'run')
    path = folder / 'talk'
    process = subprocess.Popen(
        self._command(f'--run_dir={run_dir}', '--prompt=ab', f'--session={path}',
                      '--num_bytes=100000000', '--noend_of_document'),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    shown = process.stdout.read(1)
    with self.assertRaisesRegex(ValueError, rf'is open in another .*process {process.pid}'):
      run(prompt='one turn of another process', session=str(path))
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=60)
    self.assertEqual(process.returncode, 0, err)
    self.assertNotIn(b'Traceback', err)
    self.assertTrue((shown + rest).endswith(b'\n'))
    self.assertTrue(path.exists())

  def test_a_mistake_is_one_line(self):
    done = subprocess.run(
        self._command('--run_dir=/no/such/run', '--prompt='), capture_output=True, text=True,
        stdin=subprocess.DEVNULL, check=False)
    self.assertEqual(done.returncode, 1)
    self.assertRegex(done.stderr.splitlines()[-1], '^error: .*/no/such/run')
    self.assertNotIn('Traceback', done.stderr)


if __name__ == '__main__':
  absltest.main()
