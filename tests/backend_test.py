"""What each platform gets, and that it is asked for no earlier than it is known."""

import ast
import ctypes
import os
import subprocess
import sys
from unittest import mock

import jax
import jax.numpy as jnp
from absl.testing import absltest

from haiku_spectral import backend

FAULTS = '''
import resource
import numpy as np
from haiku_spectral import backend
{call}
def faults():
  return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3):
  np.ones(2**22)  # 32 MiB.
before = faults()
for _ in range(10):
  np.ones(2**22)
print(faults() - before)
'''
FLAGS = '''
import ctypes, re
from haiku_spectral import backend
{call}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
address = libc.malloc(2**25) + 2**24
for mapping in re.split('^(?=[0-9a-f]+-)', open('/proc/self/smaps').read(), flags=re.M)[1:]:
  first, last = (int(x, 16) for x in mapping.split()[0].split('-'))
  if first <= address < last:
    print(' hg ' in mapping.partition('VmFlags:')[2])
'''


class BackendTest(absltest.TestCase):

  def test_other_platforms_get_what_is_theirs(self):
    options = (backend.run_once_options, backend.decoding_options)
    self.assertTrue(all(option() for option in options))
    self.assertTrue(backend.orders_by_data_alone())
    own = backend.training_options()
    with mock.patch.object(jax, 'default_backend', return_value='gpu'):
      self.assertEqual([option() for option in options], [{}, {}])
      self.assertFalse(backend.orders_by_data_alone())
      self.assertNoCommonElements(own, backend.training_options())
    with mock.patch.object(jax, 'default_backend', return_value='METAL'):
      self.assertEqual(backend.choices(), backend.Choices())

  def test_the_options_of_every_platform_have_names_that_xla_knows(self):
    for name, choices in backend.PLATFORMS.items():
      for options in (choices.run_once_options, choices.decoding_options,
                      choices.training_options):
        with self.subTest(name):
          self.assertEqual(jax.jit(lambda x: x + 1, compiler_options=dict(options))(1), 2)

  def test_choices_last_as_long_as_their_block(self):
    before = backend.choices()
    with self.assertRaises(ZeroDivisionError), backend.chosen(long_convolution='toeplitz'):
      self.assertEqual(backend.long_convolution(), 'toeplitz')
      raise ZeroDivisionError
    self.assertEqual(backend.choices(), before)

  def test_options_are_accepted_and_asked_for_at_the_first_call(self):
    asked = []

    def options():
      asked.append(1)
      return {**backend.run_once_options(), **backend.decoding_options()}

    @backend.jit(options, static_argnums=0)
    def scaled(factor, x):
      return factor * x

    self.assertEmpty(asked)
    for factor in (2, 3, 3):
      self.assertEqual(scaled(factor, jnp.float32(2)), 2 * factor)
    self.assertLen(asked, 1)

  def printed(self, program, call):
    if not hasattr(ctypes.CDLL(None), 'mallopt'):
      self.skipTest('another C library than glibc')
    environment = {k: v for k, v in os.environ.items() if not k.startswith('MALLOC_')}
    return ast.literal_eval(subprocess.run(
        [sys.executable, '-c', program.format(call=call)], env=environment,
        capture_output=True, text=True, check=True).stdout)

  def test_freed_memory_is_kept(self):
    faults = [self.printed(FAULTS, call) for call in ('backend.tune_malloc()', '')]
    self.assertLess(faults[0], 0.1 * faults[1])

  def test_huge_pages_are_advised(self):
    if backend.OVERCOMMIT.read_text().strip() == '2':
      self.skipTest('memory that is allocated counts as used')
    self.assertTrue(self.printed(FLAGS, 'backend.tune_malloc()'))
    self.assertFalse(self.printed(FLAGS, ''))
    strict = self.create_tempfile('overcommit_memory', '2\n').full_path
    for path in (strict, '/no/such/file'):  # A system may not say.
      self.assertFalse(self.printed(FLAGS, f"""
import pathlib
backend.OVERCOMMIT = pathlib.Path({path!r})
backend.tune_malloc()"""))

  def test_what_the_user_has_set_stays(self):
    library = mock.Mock()
    with mock.patch.object(ctypes, 'CDLL', return_value=library), mock.patch.dict(
        os.environ, {'MALLOC_ARENA_MAX': '4', 'MALLOC_TOP_PAD_': '0'}):
      for variable in ('MALLOC_MMAP_MAX_', 'MALLOC_TRIM_THRESHOLD_'):
        os.environ.pop(variable, None)
      library.malloc.return_value = None  # No more memory.
      backend.tune_malloc()
    self.assertEqual([call.args[0] for call in library.mallopt.call_args_list], [-4, -1])
    library.madvise.assert_not_called()
    with mock.patch.object(ctypes, 'CDLL', return_value=object()):
      backend.tune_malloc()  # Another C library.


if __name__ == '__main__':
  absltest.main()
