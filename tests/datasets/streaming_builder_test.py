"""Streaming builders: the same records whatever happens on the way, and a report of it all."""

import itertools
import json
import pathlib
from unittest import mock

import chex
from absl.testing import absltest, parameterized

from datasets import packed_builder, packing, splits, streaming_builder
from datasets.cleaning import rules
from datasets.streaming import collect
from tests.datasets import corpora
from tests.datasets.streaming import small_corpus


def documents(builder, split):
  return [text.decode() for _, text in packing.unpack(small_corpus.records(builder, split))]


def report(builder):
  return json.loads((pathlib.Path(builder.data_dir) / 'report.json').read_text(encoding='utf-8'))


class StreamingBuilderTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.root = corpora.temporary_folder(cls)
    cls.source = small_corpus.write_files(cls.root / 'source')
    with small_corpus.small_shards():
      cls.complete = small_corpus.build(cls.root / 'complete', cls.source)

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path)

  def test_every_document_is_in_one_split_once_and_complete(self):
    texts = {small_corpus.text(file, i)
             for file in range(small_corpus.FILES) for i in range(small_corpus.DOCUMENTS)}
    parts = [documents(self.complete, split) for split in ('train', 'validation')]
    self.assertEqual(sorted(parts[0] + parts[1]), sorted(texts))
    self.assertBetween(len(parts[1]), 3, 30)

  def test_all_records_but_the_last_are_full(self):
    lengths = [int(record['length']) for record in small_corpus.records(self.complete, 'train')]
    self.assertEqual(set(lengths[:-1]), {packing.RECORD_BYTES})
    self.assertGreater(len(self.complete.info.splits['train'].shard_lengths), 2)

  def test_documents_are_named_by_file_and_row(self):
    path = pathlib.Path(self.complete.data_dir) / 'documents.jsonl'
    lines = [json.loads(line) for line in path.read_text(encoding='utf-8').splitlines()]
    self.assertLen(lines, small_corpus.DOCUMENTS * small_corpus.FILES)
    for line in lines:
      self.assertEqual(line['id'], splits.document_id(line['name']))
      self.assertRegex(line['name'], r'^\d\.(jsonl|parquet):\d+$')
    train = [line for line in lines if line['split'] == 'train']
    found = list(packing.unpack(small_corpus.records(self.complete, 'train')))
    self.assertEqual([(line['id'], line['bytes']) for line in train],
                     [(identity, len(text)) for identity, text in found])

  def test_a_source_that_changed_is_read_again(self):
    source = self.folder / 'source'
    for number in range(2):
      small_corpus.write_lines(source / f'{number}.jsonl', [small_corpus.words(number, 50)] * 3)
    with mock.patch.object(streaming_builder, '_link', side_effect=ValueError('cut off')), \
        self.assertRaisesRegex(ValueError, 'cut off'):
      small_corpus.build(self.folder / 'out', source)
    self.assertNotEmpty(list((self.folder / 'out').rglob('done.json')))
    small_corpus.write_lines(source / '1.jsonl', [small_corpus.words(7, 60)])
    resumed = small_corpus.build(self.folder / 'out', source)
    small_corpus.assert_same(resumed, small_corpus.build(self.folder / 'again', source))
    self.assertIn(small_corpus.words(7, 60),
                  documents(resumed, 'train') + documents(resumed, 'validation'))

  def test_duplicates_are_found_across_files_and_splits(self):
    text, other = small_corpus.words(1, 400), small_corpus.words(2, 400)
    near = text.replace(text.split()[200], 'xxxxxx')
    for split, texts in (('train', [text, near, other, other]), ('validation', [text, 'x y z'])):
      small_corpus.write_lines(self.folder / 'source' / split / '0.jsonl', texts)
    builder = small_corpus.build(self.folder / 'out', self.folder / 'source')
    self.assertEqual(documents(builder, 'validation'), [text, 'x y z'])
    self.assertEqual(documents(builder, 'train'), [other])
    there = report(builder)
    self.assertEqual(there['filtered'], {rules.EXACT_DUPLICATE: 2, rules.NEAR_DUPLICATE: 1})
    self.assertIn({'file': 'train/0.jsonl: 2', 'reason': rules.NEAR_DUPLICATE},
                  there['first_filtered'])

  @parameterized.parameters(True, False)
  def test_no_held_out_text_is_trained_on(self, exact_duplicates):
    texts = [small_corpus.words(i, 12) + '\n' + small_corpus.words(i + 500, 12) for i in range(40)]
    for name, change in (
        ('0.jsonl', str), ('1.jsonl', lambda text: '\ufeff' + text), ('3.parquet', str),
        ('2.parquet', lambda text: text.replace('\n', '\r\n'))):
      small_corpus.write_lines(self.folder / 'source' / name, list(map(change, texts)))
    builder = small_corpus.build(self.folder / 'out', self.folder / 'source', rules=rules.Rules(
        control=False, exact_duplicates=exact_duplicates))
    there, kept = report(builder), [documents(builder, split) for split in builder.info.splits]
    plain = [{text.replace('\r\n', '\n') for text in part} for part in kept]
    self.assertEqual(plain[0] | plain[1], set(texts))
    self.assertEmpty(plain[0] & plain[1])
    self.assertEqual(sum(map(len, kept)), 40 if exact_duplicates else 160)
    self.assertEqual((there['copies'], there['copies_across_splits']),
                     (0, 0) if exact_duplicates else (120, 0))
    self.assertEqual(there['filtered'], {rules.EXACT_DUPLICATE: 120} if exact_duplicates else {})
    self.assertEqual(there['tolerated'], {'byte_order_mark': 40})
    self.assertEqual(there['first_tolerated'][0],
                     {'file': '1.jsonl: 1', 'reason': 'byte_order_mark'})

  def test_a_text_that_moves_into_an_empty_split_takes_its_copies_with_it(self):
    texts = [small_corpus.words(seed, 30) for seed in range(2)] * 3
    small_corpus.write_lines(self.folder / 'source/0.jsonl', texts)
    builder = small_corpus.build(self.folder / 'out', self.folder / 'source',
                                 rules=rules.Rules(exact_duplicates=False))
    kept = [documents(builder, split) for split in ('train', 'validation')]
    self.assertEqual([len(part) for part in kept], [3, 3])
    self.assertEqual([len(set(part)) for part in kept], [1, 1])

  @parameterized.parameters(True, False)
  def test_copies_of_one_text_cannot_be_split(self, exact_duplicates):
    small_corpus.write_lines(self.folder / 'source/0.jsonl', [small_corpus.words(1, 30)] * 5)
    with self.assertRaisesRegex(ValueError, '1 document is left of those in 1 files, the others '
                                'are copies of it, duplicates,'):
      small_corpus.build(self.folder / 'out', self.folder / 'source',
                         rules=rules.Rules(exact_duplicates=exact_duplicates))

  def test_copies_across_the_splits_of_a_source_are_counted(self):
    text, other = small_corpus.words(1, 30), small_corpus.words(2, 30)
    for split, texts in (('train', [text, text, other]), ('validation', [text])):
      small_corpus.write_lines(self.folder / 'source' / split / '0.jsonl', texts)
    builder = small_corpus.build(self.folder / 'out', self.folder / 'source', rules=rules.NONE)
    there = report(builder)
    self.assertEqual((there['copies'], there['copies_across_splits']), (2, 1))

  def test_names_and_licences_from_the_data_are_printable(self):
    source, escape = self.folder / 'source', '\x1b]0;title\x07'
    small_corpus.write_lines(
        source / f'{escape}.jsonl', [small_corpus.words(i, 9) for i in range(3)], licence=escape)
    small_corpus.write_lines(source / '\udcff.jsonl', [small_corpus.words(9, 9)], licence='MIT')
    with (source / f'{escape}.jsonl').open('a', encoding='utf-8') as file:
      file.write(json.dumps({'n' + escape: 1}) + '\n')
    with mock.patch.object(small_corpus.SmallCorpus, 'SPEC', collect.raw.Spec(licence='licence')):
      builder = small_corpus.build(self.folder / 'out', source)
      with self.assertRaises(ValueError) as raised:
        small_corpus.build(self.folder / 'refused', source, on_error='refuse')
    self.assertTrue(str(raised.exception).isprintable())
    there = report(builder)
    shown = [*there['licences'], *itertools.chain.from_iterable(
        line.values() for line in there['first_filtered'])]
    self.assertLen(shown, 4)
    self.assertTrue(''.join(shown).isprintable())
    lines = (pathlib.Path(builder.data_dir) / 'documents.jsonl').read_text(encoding='utf-8')
    self.assertIn(r'"\\x1b]0;title\\x07.jsonl:1"', lines)
    self.assertIn(r'"\\xff.jsonl:1"', lines)

  def test_report_accounts_for_every_document(self):
    source = self.folder / 'source'
    small_corpus.write_lines(source / '0.jsonl', [
        small_corpus.words(0, 30), small_corpus.words(0, 30), 'k\u0131sa', 'e\u0301 ' * 30,
        'bell\x07 ' * 30], licence='MIT')
    (source / '1.jsonl').write_text('{"text": "cut off\n', encoding='utf-8')
    small_corpus.write_lines(source / '2.jsonl', [small_corpus.words(9, 40)])
    with mock.patch.object(small_corpus.SmallCorpus, 'SPEC', collect.raw.Spec(licence='licence')):
      builder = small_corpus.build(
          self.folder / 'out', source, rules=rules.Rules(minimal_bytes=20))
    there = report(builder)
    self.assertEqual(there['filtered'], {
        rules.EXACT_DUPLICATE: 1, rules.TOO_SHORT: 1, 'invalid_json': 1})
    self.assertEqual((there['source_files'], there['documents_in']), (3, 6))
    self.assertEqual(there['changed'], {'control': 1, 'nfc': 1})
    kept = sum(part['documents'] for part in there['splits'].values())
    self.assertEqual(kept, there['documents_in'] - 2)
    self.assertEqual({name: part['documents'] for name, part in there['licences'].items()},
                     {'CC0': 1, 'MIT': 3})
    self.assertEqual(sum(part['bytes'] for part in there['licences'].values()),
                     sum(part['bytes'] for part in there['splits'].values()))
    self.assertIn({'file': '0.jsonl: 3', 'reason': f'{rules.TOO_SHORT} (5 bytes)'},
                  there['first_filtered'])
    self.assertTrue(any(line['file'] == '1.jsonl: line 1' for line in there['first_filtered']))

  def test_broken_input_may_be_refused(self):
    source = self.folder / 'source'
    small_corpus.write_lines(source / '0.jsonl', [small_corpus.words(i, 30) for i in range(3)])
    with (source / '0.jsonl').open('a', encoding='utf-8') as file:
      file.write('{"text": 1}\n')
    with self.assertRaisesRegex(ValueError, r'0\.jsonl: line 4: wrong_columns .*mend the file'):
      small_corpus.build(self.folder / 'out', source, on_error='refuse')
    builder = small_corpus.build(self.folder / 'out', source, on_error='skip')
    self.assertEqual(report(builder)['filtered'], {'wrong_columns': 1})

  def test_a_sample_is_the_beginning_whatever_the_number_of_workers(self):
    samples = [small_corpus.build(self.folder / str(workers), self.source, max_bytes=200_000,
                                  workers=workers) for workers in (1, 2)]
    small_corpus.assert_same(*samples)
    size = sum(part['bytes'] for part in report(samples[0])['splits'].values())
    self.assertBetween(size, 200_000, 210_000)
    lines = (pathlib.Path(samples[0].data_dir) / 'documents.jsonl').read_bytes().splitlines()
    names = {json.loads(line)['name'].partition(':')[0] for line in lines}
    self.assertEqual(names, {'0.jsonl', '1.parquet'})

  def test_text_of_evaluation_sets_is_filtered(self):
    held_out = documents(self.complete, 'validation')
    source = self.folder / 'source'
    # 70 bytes out of the middle of a held-out document, at odd places.
    stolen = held_out[0].encode()[101:].decode(errors='ignore')[:70]
    small_corpus.write_lines(source / '0.jsonl', [
        'before ' + stolen + ' after', *(small_corpus.words(i, 30) for i in range(5000, 5005))])
    builder = small_corpus.build(
        self.folder / 'out', source, evaluation=(str(self.complete.data_dir),))
    self.assertEqual(report(builder)['filtered'], {rules.CONTAMINATED: 1})
    self.assertEqual(report(builder)['first_filtered'][0]['file'], '0.jsonl: 1')
    self.assertFalse(any(stolen in text for text in documents(builder, 'train')))

  @parameterized.parameters(1, 2)
  def test_neither_split_is_empty(self, seed):
    source = self.folder / 'source'
    small_corpus.write_lines(
        source / '0.jsonl', [small_corpus.words(10 * seed + i, 30) for i in range(2)])
    builder = small_corpus.build(self.folder / 'out', source)
    self.assertLen(documents(builder, 'train'), 1)
    self.assertLen(documents(builder, 'validation'), 1)

  def test_a_document_of_many_records(self):
    text = small_corpus.words(3, 60_000)
    source = self.folder / 'source'
    small_corpus.write_lines(source / '0.jsonl', [text, 'a short one', 'another'])
    with small_corpus.small_shards():
      builder = small_corpus.build(self.folder / 'out', source)
    self.assertIn(text, documents(builder, 'train') + documents(builder, 'validation'))

  @parameterized.parameters(1, 2, 5)
  def test_documents_at_the_edges_of_shards(self, per_shard):
    record = packing.RECORD_BYTES
    sizes = (record - 1, record - 2, 1, 1, 2 * record, record, 1, 3 * record + 1, 5)
    texts = [chr(97 + i) * size for i, size in enumerate(sizes)]
    for split, part in (('train', texts), ('validation', ['x'])):
      small_corpus.write_lines(self.folder / 'source' / split / '0.parquet', part[:4])
      small_corpus.write_lines(self.folder / 'source' / split / '1.parquet', [*part[4:], 'y'])
    with mock.patch.object(packed_builder, 'RECORDS_PER_SHARD', per_shard):
      builder = small_corpus.build(
          self.folder / 'out', self.folder / 'source', rules=rules.NONE)
    names = [f'train/0.parquet:{i}' for i in range(4)] + [f'train/1.parquet:{i}' for i in range(6)]
    expected = packing.pack((splits.document_id(name), [text.encode()])
                            for name, text in zip(names, [*texts, 'y'], strict=True))
    chex.assert_trees_all_equal(small_corpus.records(builder, 'train'), list(expected))
    self.assertLen(builder.info.splits['train'].shard_lengths, -(-9 // per_shard))

  @parameterized.parameters(
      ({'on_error': 'ignore'}, "on_error='ignore' is not allowed: give one of skip, refuse"),
      ({'max_bytes': 0}, 'max_bytes=0 is not allowed: give 1 or more'),
      ({'workers': 0}, 'workers=0 is not allowed: give 1 or more'))
  def test_options_that_are_not_allowed(self, options, message):
    with self.assertRaisesRegex(ValueError, message):
      streaming_builder.Options(**options)

  def test_sources_that_are_not_there(self):
    with self.assertRaisesRegex(FileNotFoundError, "the folder '/no/where' does not exist"):
      small_corpus.build(self.folder / 'out', pathlib.Path('/no/where'))
    with self.assertRaisesRegex(
        FileNotFoundError, 'small_corpus/1.0.0 downloads nothing: give the folder .*--manual_dir'):
      small_corpus.build(self.folder / 'out', '')
    (self.folder / 'empty').mkdir()
    with self.assertRaisesRegex(FileNotFoundError, 'there are no source files'):
      small_corpus.build(self.folder / 'out', self.folder / 'empty')

  def test_an_unknown_language_is_refused_before_anything_is_read(self):
    with self.assertRaisesRegex(ValueError, "language='xx' is not allowed"):
      small_corpus.build(
          self.folder / 'out', pathlib.Path('/no/where'), rules=rules.Rules(language='xx'))

  def test_sources_without_text(self):
    source = self.folder / 'source'
    source.mkdir()
    (source / '0.jsonl').write_text('{"text": 1}\n{"text": "alone"}\n', encoding='utf-8')
    with self.assertRaisesRegex(
        ValueError, r'found 1 document in 1 files \(filtered: 1 x wrong_columns\)'):
      small_corpus.build(self.folder / 'out', source)


if __name__ == '__main__':
  absltest.main()
