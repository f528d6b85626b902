"""Compressors as baselines: sizes, costs given a context, and programs that are not there."""

import bz2
import gzip
import lzma
import os
import pathlib
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.evaluation import compressors

BUILT_IN = [compressor for compressor in compressors.COMPRESSORS if not compressor.program]
TEXT = b' '.join(b'%d' % (n * n) for n in range(3000))
ZPAQ = """#!/bin/sh
[ "$1 $2 $3 $4 $5" = 'add archive.zpaq data -method 5' ] || { echo 'what?' >&2; exit 2; }
grep -q bad data && { echo 'cannot read data' >&2; exit 1; }
cp data archive.zpaq
"""


class CompressorsTest(parameterized.TestCase):

  def _path_with_zpaq(self):
    folder = self.create_tempdir().full_path
    program = pathlib.Path(folder, 'zpaq')
    program.write_text(ZPAQ)
    program.chmod(0o700)
    return mock.patch.dict(os.environ, {'PATH': f'{folder}:{os.environ["PATH"]}'})

  @parameterized.parameters(*BUILT_IN)
  def test_the_more_text_the_more_bytes(self, name, size, _):
    found = [size(TEXT[:length]) for length in (0, 100, 1000, 10_000)]
    self.assertEqual(found, sorted(set(found)), name)
    self.assertLess(found[-1], 5000)
    noise = np.random.default_rng(0).bytes(5000)
    self.assertBetween(size(noise), 5000, 5600)

  @parameterized.parameters(*BUILT_IN)
  def test_what_was_there_before_costs_less_each_time(self, *compressor):
    compressor = compressors.Compressor(*compressor)
    part, other = TEXT[:4000], TEXT[-4000:]
    costs = [compressors.cost(compressor, context, part) for context in (b'', other, part)]
    self.assertGreater(costs[0], costs[2])
    self.assertGreater(costs[1], 2 * costs[2])
    self.assertGreater(costs[2], 0)

  def test_ppmd_is_the_best_of_them_on_text(self):
    text = pathlib.Path(__file__).read_bytes()
    sizes = {compressor.name: compressor.size(text) for compressor in BUILT_IN}
    self.assertEqual(min(sizes, key=sizes.get), 'PPMd order 6')

  def test_sizes_are_those_of_the_libraries(self):
    with mock.patch.dict(os.environ, {'PATH': ''}):
      sizes = compressors.sizes(TEXT)
      self.assertEqual(compressors.missing(), ['zpaq -m5'])
    self.assertEqual(list(sizes), [compressor.name for compressor in BUILT_IN])
    self.assertEqual(sizes['gzip -9'], len(gzip.compress(TEXT, 9)))
    self.assertEqual(sizes['bzip2 -9'], len(bz2.compress(TEXT, 9)))
    for length in (0, 10, 5000, len(TEXT)):  # The smaller dictionary changes nothing.
      self.assertEqual(compressors.sizes(TEXT[:length])['xz -9e'],
                       len(lzma.compress(TEXT[:length], preset=9 | lzma.PRESET_EXTREME)))

  def test_zpaq_is_used_where_it_is_installed(self):
    with self._path_with_zpaq():
      self.assertEmpty(compressors.missing())
      self.assertEqual(compressors.sizes(b'abc')['zpaq -m5'], 3)
      zpaq = compressors.available()[-1]
      self.assertEqual(compressors.cost(zpaq, b'abc', b'de'), 2)
      with self.assertRaisesRegex(ValueError, 'zpaq ended with exit code 1: cannot read data'):
        zpaq.size(b'bad')


if __name__ == '__main__':
  absltest.main()
