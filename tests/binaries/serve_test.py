"""The program that serves: mistakes are told in one line, before anything is loaded."""

import contextlib
import socket

from absl.testing import absltest, flagsaver, parameterized

from binaries import serve

LONG = 'x' * 16


class MistakesTest(parameterized.TestCase):

  @parameterized.parameters(
      ({'run_dir': ''}, '--run_dir is missing'),
      ({}, '/none is not the folder of a run'),
      ({'run_dir': '', 'watch': '/none'}, '/none is not the folder of a run'),
      ({'host': '0.0.0.0'}, "--host='0.0.0.0' is not allowed: give --token_file with it"),
      ({'token_file': '/dev/null'}, 'a token of 16 or more ASCII characters'),
      ({'cors_origin': ['example.org']}, "--cors_origin='example.org' is not allowed: give a sch"),
      ({'cors_origin': ['*']}, '--cors_origin=.* a scheme and a host'),
      ({'allowed_host': ['https://a.b']}, '--allowed_host=.* a host name'),
      ({'allowed_host': ['*.a.*']}, '--allowed_host=.* a host name'),
      ({'token_file': '/none'}, 'No such file'))
  def test_flags(self, flags, message):
    with (
        self.assertRaisesRegex((ValueError, OSError), message),
        flagsaver.flagsaver(**{'run_dir': '/none', 'port': 0, **flags}),
    ):
      serve.main(['serve'])

  def test_address_that_is_taken(self):
    with contextlib.closing(socket.create_server(('127.0.0.1', 0))) as other:
      port = other.getsockname()[1]
      with (
          self.assertRaisesRegex(ValueError, f'--port={port} cannot be listened at .*: give ano'),
          flagsaver.flagsaver(run_dir='/none', port=port),
      ):
        serve.main(['serve'])

  def test_other_host_with_a_token(self):
    token = self.create_tempfile('token', LONG + '\n').full_path
    with flagsaver.flagsaver(run_dir='/none', port=0, host='0.0.0.0', token_file=token):
      self.assertEqual(serve._check_flags(), LONG)


if __name__ == '__main__':
  absltest.main()
