"""The suite `quality`: runs and baselines on the same documents."""

import pathlib

import numpy as np
from absl.testing import absltest

from haiku_spectral.benchmarks import quality
from haiku_spectral.benchmarks.settings import Settings
from tests.decoding import tiny_model

SETTINGS = Settings(quality_bytes=2000, context_bytes=3000)


def documents(config, split, limit):
  """Words of few letters; three documents are held out."""
  generator = np.random.default_rng(split == 'train')
  for size in (900, 700, 900) if split == 'validation' else (4000,):
    yield generator.choice(np.frombuffer(b'abcde \n', np.uint8), size).tobytes()[:limit]
    limit = max(limit - size, 0)


class QualityTest(absltest.TestCase):

  def _runs(self, *seeds, **data):
    folders = [self.create_tempdir().full_path + f'/{seed}' for seed in seeds]
    return [tiny_model.save_run(folder, seed, segment=32, **data)
            for folder, seed in zip(folders, seeds, strict=True)]

  def test_every_line_has_the_same_documents(self):
    section = quality.sections(documents)['held_out'](
        None, Settings(**{**SETTINGS.__dict__, 'run_dir': ','.join(self._runs(0, 1))}))
    self.assertIn('3 documents of starter:1, 2,000 bytes', section.note)
    rows = {row['model']: row for row in section.rows}
    ours = section.rows[0]
    self.assertEqual((ours['model'], ours['runs']), ('0 and 1 more', 2))
    self.assertLess(ours['seeds, low'], ours['bits per byte'])
    self.assertGreater(ours['seeds, high'], ours['bits per byte'])
    self.assertLess(ours['documents, low'], ours['documents, high'])
    entropy = np.log2(7)
    self.assertAlmostEqual(rows['frequencies of bytes']['bits per byte'], entropy, delta=0.1)
    for name in ('3-grams of bytes', '6-grams of bytes', 'PPMd order 6', 'xz -9e'):
      self.assertGreater(rows[name]['bits per byte'], entropy - 0.1)
      self.assertEqual(rows[name]['parameters'], quality.MISSING)
    behind = rows['xz -9e, behind the training text']
    self.assertLess(behind['bits per byte'], rows['xz -9e']['bits per byte'])  # No header thrice.
    path, = quality.draw({'held_out': section}, pathlib.Path(self.create_tempdir().full_path))
    self.assertTrue(path.read_bytes().startswith(b'\x89PNG'))

  def test_mistakes(self):
    measure = quality.sections(documents)['held_out']
    with self.assertRaisesRegex(ValueError, '--run_dir is missing: give the folders of runs'):
      measure(None, SETTINGS)
    runs = self._runs(0)[0], self._runs(1, mixture='starter:1,enwik8:1')[0]
    with self.assertRaisesRegex(ValueError, 'have other data: give runs of one mixture'):
      measure(None, Settings(run_dir=','.join(runs)))
    with self.assertRaisesRegex(ValueError, 'has no held-out text'):
      quality.sections(lambda *_: iter(()))['held_out'](None, Settings(run_dir=runs[0]))


if __name__ == '__main__':
  absltest.main()
