"""Corpora built as an Apache Beam pipeline: `make //tests/datasets:beam_contract`.

Beam pins other versions of what we use, so this is a program with an environment of its own and no
part of `make test`.
"""

import pathlib

from absl.testing import absltest

from tests.datasets.streaming import small_corpus


class BeamTest(absltest.TestCase):

  def test_the_same_records_as_without(self):
    root = pathlib.Path(self.create_tempdir().full_path)
    source = small_corpus.write_files(root / 'source')
    with small_corpus.small_shards():
      alone = small_corpus.build(root / 'alone', source)
      for options in ((), ('--runner=DirectRunner', '--direct_num_workers=2')):
        piped = small_corpus.build(root / str(len(options)), source, beam=options)
        small_corpus.assert_same(piped, alone)

  def test_broken_input_is_refused(self):
    root = pathlib.Path(self.create_tempdir().full_path)
    small_corpus.write_lines(root / 'source/0.jsonl', ['one', 'two'])
    (root / 'source/1.jsonl').write_text('{"text": 1}\n')
    with self.assertRaisesRegex(Exception, r'1\.jsonl: line 1: wrong_columns .*mend the file'):
      small_corpus.build(root / 'out', root / 'source', beam=(), on_error='refuse')


if __name__ == '__main__':
  absltest.main()
