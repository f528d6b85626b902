"""Work units: made once for a key, complete or not there."""

import functools
import os
import pathlib
from unittest import mock

from absl.testing import absltest

from datasets.cleaning import rules
from datasets.streaming import work_units


class WorkUnitsTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path) / 'unit'
    self.made = 0

  def work(self, folder):
    self.assertEmpty(list(folder.iterdir()))
    (folder / 'file').write_text('text', encoding='utf-8')
    self.made += 1
    return {'number': self.made}

  def make(self, key):
    return work_units.make(self.folder, key, self.work)['number']

  def test_made_again_only_for_another_key(self):
    self.assertEqual([self.make(key) for key in 'aabba'], [1, 1, 2, 2, 3])

  def test_an_unfinished_unit_is_none(self):
    def cut_off(folder):
      (folder / 'file').write_text('half', encoding='utf-8')
      raise KeyboardInterrupt
    with self.assertRaises(KeyboardInterrupt):
      work_units.make(self.folder, 'a', cut_off)
    self.assertIsNone(work_units.result(self.folder, 'a'))
    self.assertEqual(self.make('a'), 1)
    self.assertEqual((self.folder / 'file').read_text(encoding='utf-8'), 'text')

  def test_a_unit_gets_its_name_when_all_of_it_is_on_the_disk(self):
    on_disk = []

    def sync(descriptor):
      self.assertFalse(self.folder.exists())
      on_disk.append(pathlib.Path(os.readlink(f'/proc/self/fd/{descriptor}')).name)

    with mock.patch.object(os, 'fsync', sync), \
        mock.patch.object(os, 'rename', side_effect=KeyboardInterrupt), \
        self.assertRaises(KeyboardInterrupt):
      self.make('a')
    self.assertContainsSubset({'file', 'done.json'}, on_disk)
    self.assertIsNone(work_units.result(self.folder, 'a'))
    self.assertEqual(self.make('a'), 2)

  def test_a_cut_result_is_none(self):
    self.make('a')
    done = self.folder / 'done.json'
    done.write_bytes(done.read_bytes()[:10])
    self.assertIsNone(work_units.result(self.folder, 'a'))

  def test_a_unit_with_a_cut_or_lost_file_is_none(self):
    self.make('a')
    (self.folder / 'file').write_text('te', encoding='utf-8')
    self.assertIsNone(work_units.result(self.folder, 'a'))
    self.assertEqual(self.make('a'), 2)
    (self.folder / 'file').unlink()
    self.assertEqual([self.make('a'), self.make('a')], [3, 3])

  def test_keys_tell_all_inputs_apart_and_name_functions(self):
    inputs = [(), (1,), ('1',), (rules.Rules(),), (rules.Rules(nfc=False),), (work_units.make,),
              (work_units.key,), (functools.partial(work_units.make, 1),),
              (functools.partial(work_units.make, 2),), ({'a': 1},), ({'a': (work_units.key,)},)]
    keys = [work_units.key(*values) for values in inputs]
    self.assertLen(set(keys), len(keys))
    self.assertEqual(work_units.key(rules.Rules(), work_units.make),
                     work_units.key(rules.Rules(), work_units.make))
    self.assertNotIn('0x', repr(work_units._stable(
        [work_units.make, functools.partial(work_units.make, 1)])))


if __name__ == '__main__':
  absltest.main()
