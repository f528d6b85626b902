"""What flags take, and how they refuse the rest."""

import os
import pathlib
import sys
from unittest import mock

from absl import flags
from absl.testing import absltest, flagsaver, parameterized

from binaries import flag_types, preset_flag

PLACE = flag_types.define_path('place', '~/default', 'A path.')
PLACES = flag_types.define_paths('places', 'Paths.')
COUNT = flag_types.define_integer('count', 3, 'A number.', lower=1)
COUNTS = flag_types.define_integers('counts', [1, 2], 'Numbers.', lower=1)
SHARE = flag_types.define_float('share', None, 'A number.', upper=1.0)
SIZES = flag_types.define_integer_list('sizes', [1, 2], 'Numbers.', lower=1)
DEPTHS = flag_types.define_float_list('depths', [0.5], 'Numbers.', upper=1.0)
RATE = flag_types.define_float('rate', 1.0, 'A number.')
CONFIG = preset_flag.define(None, 'A preset.')


HOME = os.path.expanduser('~')  # When the flags were defined.


def parse(*arguments):
  with mock.patch.object(sys, 'argv', ['program', *arguments]):  # Presets look there.
    flags.FLAGS(['program', *arguments])


class FlagTypesTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.enter_context(flagsaver.flagsaver())
    self.folder = self.create_tempdir().full_path
    self.enter_context(mock.patch.dict(os.environ, HOME='/home/somebody'))

  def assert_refused(self, argument, message):
    wanted = f'^flag {argument}: {message}'
    with self.assertRaisesRegex(flags.IllegalFlagValueError, wanted) as seen:
      parse(argument)
    self.assertLen(str(seen.exception).splitlines(), 1)

  @parameterized.parameters(
      ('~', '/home/somebody'), ('~/a b', '/home/somebody/a b'), ('a/~', 'a/~'), ('', ''),
      ('./~', './~'), ('-', '-'), ('/dev/fd/63', '/dev/fd/63'))
  def test_a_path_has_the_home_folder_in_it(self, given, wanted):
    parse(f'--place={given}')
    self.assertEqual(PLACE.value, wanted)

  def test_each_path_of_a_list_and_of_a_default(self):
    parse('--places=~/a,b,~')
    self.assertEqual(PLACES.value, ['/home/somebody/a', 'b', '/home/somebody'])
    self.assertEqual(flags.FLAGS['place'].default, HOME + '/default')

  def test_each_number_of_a_list(self):
    self.assertEqual((SIZES.value, DEPTHS.value), ([1, 2], [0.5]))
    parse('--sizes=4,5', '--depths=0,.25,1')
    self.assertEqual((SIZES.value, DEPTHS.value), ([4, 5], [0.0, 0.25, 1.0]))
    self.assert_refused('--sizes=4,0', 'give a whole number from 1 to')
    self.assert_refused('--sizes=4,x', 'give a whole number from 1 to')
    self.assert_refused('--depths=0.5,1.5', 'give a number from 0.0 to 1.0')

  def test_the_home_folder_of_nobody_is_no_name(self):
    self.assert_refused('--place=~nobody-at-all/x', 'there is no such home folder; ./~nobody')

  @parameterized.parameters('0', '-1', 'two', '1.5', '99999999999999999999', '9' * 400, '')
  def test_numbers_beyond_their_bounds(self, given):
    allowed = 'give a whole number from 1 to 2,147,483,647.'
    self.assert_refused(f'--count={given}', allowed)
    self.assert_refused(f'--counts={given}', allowed)

  @parameterized.parameters('nan', 'inf', '-0.1', '1.1', 'half')
  def test_shares_beyond_their_bounds(self, given):
    self.assert_refused(f'--share={given}', 'give a number from 0.0 to 1.0.')

  @parameterized.parameters('nan', 'inf', '1e999', '-1e-9')
  def test_numbers_that_are_not_finite(self, given):
    self.assert_refused(f'--rate={given}', 'give a number of 0.0 or more.')

  def test_numbers_that_are_allowed(self):
    parse('--count=2147483647', '--counts=1', '--counts=7', '--share=1', '--rate=1e-300')
    self.assertEqual((COUNT.value, COUNTS.value, SHARE.value, RATE.value),
                     (2147483647, [1, 7], 1.0, 1e-300))

  def preset(self, body, name='preset.py'):
    path = pathlib.Path(self.folder, name)
    path.write_text(body, encoding='utf-8')
    return path

  def test_a_preset_and_its_fields(self):
    path = self.preset(
        'from ml_collections import config_dict as c\n'
        'def get_config(): return c.ConfigDict({"steps": 1, "name": "a"})\n')
    os.environ['HOME'] = self.folder
    parse('--config=~/preset.py', '--config.steps=5')
    self.assertEqual(CONFIG.value.to_dict(), {'steps': 5, 'name': 'a'})
    self.assertEqual(preset_flag.path(), path)

  @parameterized.parameters(
      ('x = false', "the preset ends with NameError: name 'false' is not defined"),
      ('def get_config(): return {}["width"]', "the preset ends with KeyError: 'width'"),
      ('def get_config(): raise ValueError("a\\nb")', 'the preset ends with ValueError: a b$'),
      ('def get_config(:', 'the preset ends with SyntaxError: '),
      ('def get_config(): return open("/none")', 'the preset ends with FileNotFoundError: .*/none'),
      ('import nothing_at_all', 'the preset ends with ModuleNotFoundError: No module named'),
      ('', "the preset ends with KeyError: 'get_config'"),
      ('def get_config(): pass', r'its get_config\(\) gives NoneType, not a ConfigDict'))
  def test_a_preset_with_a_mistake_is_one_line(self, body, message):
    self.assert_refused(f'--config={self.preset(body)}', message)

  def test_what_is_no_preset(self):
    path = self.preset('{"model": {"tied": false}}', 'config.json')
    self.assert_refused(f'--config={path}', 'it is not a preset: give a preset, .* or --run_dir')
    self.assert_refused(f'--config={self.folder}', 'it is not a preset')
    self.assert_refused('--config=/no/where.py', 'it does not exist')


if __name__ == '__main__':
  absltest.main()
