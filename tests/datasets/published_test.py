"""What single builders make of what stands in their files."""

import dataclasses
import json
import pathlib

from absl.testing import absltest, parameterized

from datasets import splits, streaming_builder
from datasets.enwik8 import enwik8_dataset_builder as enwik8
from datasets.github_code import github_code_dataset_builder as github_code
from datasets.golden import golden_dataset_builder as golden
from datasets.readers import raw, reader
from datasets.shakespeare_sonnets import shakespeare_sonnets_dataset_builder as sonnets
from datasets.wikitext103 import wikitext103_dataset_builder as wikitext103
from haiku_spectral.tasks import verified_sample as record
from tests.datasets import corpora
from tests.datasets.readers import source_files

PROBLEM = raw.Problem('f', 'line 9', 'invalid_json')
RECORD = record.VerifiedSample(
    family='functions', prompt='# double x\n', completion='x * 2\n', depth=2, seed=7,
    temperature=0.8, log_probability=-3.5, step=900, fingerprint='0f1e', verifier='1.2.0',
    verdict='accepted', sandbox='ok', seconds=0.25, peak_bytes=12_000_000)


def rows(texts):
  return iter([raw.RawDocument(text.encode(), f'f:{row}') for row, text in enumerate(texts)])


def split_items(items):
  documents = [(item.name, item.text.decode()) for item in items
               if isinstance(item, raw.RawDocument)]
  return documents, [item for item in items if isinstance(item, raw.Problem)]


class WikiTextTest(absltest.TestCase):

  def test_lines_become_articles_and_none_is_lost(self):
    lines = ['', ' = One = \n', '', ' First . \n', ' = no title = \n', ' Second . \n', '',
             ' = = Section = = \n', '', ' Third . \n', '', ' = Two = \n', '', ' Fourth . \n']
    found, _ = split_items(list(wikitext103.articles(rows(lines))))
    self.assertEqual([name for name, _ in found], ['f:1', 'f:11'])
    self.assertEqual(found[0][1][:20], ' = One = \n \n First .')
    self.assertEqual(''.join(text for _, text in found),
                     ''.join(line or ' \n' for line in lines[1:]))
    self.assertIn(' = = Section = = \n', found[0][1])

  def test_a_file_that_begins_inside_an_article(self):
    found, _ = split_items(list(wikitext103.articles(rows([' rest \n', '', ' = T = \n', '', 'x']))))
    self.assertEqual(found, [('f:0', ' rest \n \n'), ('f:2', ' = T = \n \nx')])

  def test_a_title_that_nothing_follows_is_kept(self):
    found, _ = split_items(list(wikitext103.articles(rows(['', ' a \n', '', ' = T = \n']))))
    self.assertEqual(''.join(text for _, text in found), ' \n a \n \n = T = \n')

  def test_problems_pass(self):
    items = [*rows([' a \n']), PROBLEM, *rows([' b \n'])]
    found, problems = split_items(list(wikitext103.articles(iter(items))))
    self.assertEqual((found, problems), ([('f:0', ' a \n b \n')], [PROBLEM]))


class SonnetsTest(absltest.TestCase):

  def test_the_real_book(self):
    datasets = pathlib.Path(sonnets.__file__).parents[1]
    path = datasets / 'starter/text/english/shakespeare_sonnets.txt'
    found, problems = split_items(
        list(reader.read(path, sonnets.Builder.CORPUS.spec, name='book')))
    self.assertEmpty(problems)
    self.assertLen(found, 154)
    self.assertEqual([found[0][0], found[-1][0]], ['book:I', 'book:CLIV'])
    self.assertStartsWith(found[0][1], 'From fairest creatures we desire increase,\nThat thereby')
    lines = [len(text.splitlines()) for _, text in found]
    self.assertEqual((lines.count(14), min(lines), max(lines)), (152, 12, 15))

  def test_what_gutenberg_adds_is_removed(self):
    book = 'Licence\n*** START ***\nI\n a\n\nII\n b\n*** END OF IT ***\nIII\n licence\n'
    found, _ = split_items(list(sonnets.sonnets(rows([book]))))
    self.assertEqual(found, [('f:I', 'a\n'), ('f:II', 'b\n')])


class GitHubCodeTest(parameterized.TestCase):

  @parameterized.parameters(
      ('all', 'mit', 'Rust', ''), ('all', 'gpl-3.0', 'Rust', 'licence'),
      ('all', '', 'C', 'licence'),
      ('rust', 'isc', 'Rust', ''), ('rust', 'isc', 'C', 'language'),
      ('any_licence', 'agpl-3.0', 'C', ''))
  def test_which_files_are_kept(self, name, licence, language, reason):
    specs = {config.name: config.spec for config in github_code.Builder.BUILDER_CONFIGS}
    document = raw.RawDocument(b'', 'f:0', licence, {'language': language})
    self.assertEqual(specs[name].keep(document), reason)

  def test_no_licence_that_binds_what_is_derived_is_permissive(self):
    for licence in github_code.PERMISSIVE:
      self.assertNotRegex(licence, 'gpl|mpl|epl|-sa|-nc')


class GoldenTest(parameterized.TestCase):

  def read(self, lines):
    folder = pathlib.Path(self.create_tempdir().full_path)
    path = source_files.write(folder, 'round.jsonl', '\n'.join(lines).encode())
    spec = golden.Builder.CORPUS.spec
    return {split: split_items(list(golden.accepted(reader.read(path, spec), split=split)))
            for split in ('train', 'validation')}

  def test_a_record_comes_back_from_its_line(self):
    self.assertEqual(record.parse(json.loads(record.dumps(RECORD))), RECORD)
    self.assertNotIn('\n', record.dumps(RECORD))

  def test_all_samples_of_a_prompt_fall_on_one_side(self):
    prompts = [f'prompt {number}' for number in range(100)]
    lines = [record.dumps(dataclasses.replace(RECORD, prompt=prompt, completion=f'\n{sample}'))
             for prompt in prompts for sample in range(3)]
    found = {split: [text.split('\n')[0] for _, text in documents]
             for split, (documents, _) in self.read(lines).items()}
    self.assertEqual(sorted(found['train'] + found['validation']), sorted(prompts * 3))
    self.assertEmpty(set(found['train']) & set(found['validation']))
    self.assertEqual(set(found['validation']),
                     {prompt for prompt in prompts if splits.fraction(prompt) < golden.VALIDATION})
    self.assertNotEmpty(found['validation'])

  def test_what_was_not_accepted_is_counted_once_and_never_read(self):
    wrong = dataclasses.replace(RECORD, verdict='wrong', completion='never this')
    broken = record.dumps(RECORD).replace('"seed": 7', '"seed": "7"')
    found = self.read([record.dumps(RECORD), record.dumps(wrong), broken, '{"text": 1}'])
    self.assertEqual(found['train'][0], [('round.jsonl:1', RECORD.prompt + RECORD.completion)])
    self.assertEqual(found['validation'], ([], []))
    self.assertEqual([(item.position, item.reason, item.wrong) for item in found['train'][1]], [
        ('line 2', 'wrong', False), ('line 3', 'invalid_record', True),
        ('line 4', 'wrong_columns', True)])
    self.assertIn("seed='7' is not allowed: give int.", found['train'][1][1].detail)

  @parameterized.parameters(*record.FIELDS)
  def test_every_field_is_needed(self, name):
    row = json.loads(record.dumps(RECORD))
    del row[name]
    with self.assertRaisesRegex(ValueError, f'^no {name}$'):
      record.parse(row)

  @parameterized.parameters(
      dict(depth=-1), dict(seed=True), dict(temperature=float('nan')), dict(step=1.0),
      dict(log_probability=0.5), dict(log_probability=float('-inf')), dict(fingerprint='XYZ'),
      dict(verdict=''), dict(verdict='Not Good'), dict(sandbox='fine'), dict(prompt=b'bytes'),
      dict(sandbox='not_run'), dict(prompt='', completion=''))
  def test_values_that_cannot_be(self, **change):
    with self.assertRaisesRegex(ValueError, 'allowed|accepted'):
      dataclasses.replace(RECORD, **change)

  def test_an_integer_will_do_for_a_number(self):
    self.assertEqual(dataclasses.replace(RECORD, temperature=0).temperature, 0)

  @parameterized.parameters((1.0, ['train', 'validation']), (golden.VALIDATION, ['train']))
  def test_few_records_may_leave_nothing_to_validate(self, held_out, splits_):
    folder = pathlib.Path(self.create_tempdir().full_path)
    prompts = [f'prompt {number}' for number in range(100)]
    lines = [record.dumps(dataclasses.replace(RECORD, prompt=prompt)) for prompt in prompts
             if held_out == 1 or splits.fraction(prompt) >= held_out]
    corpora.write(folder, {'records/round_1.jsonl': '\n'.join(lines).encode()})
    builder = golden.Builder(data_dir=str(folder / 'data'), config='few')
    builder.options = streaming_builder.Options(folder=str(folder / 'records'))
    self.assertEqual(builder.info.full_name, 'golden/few/1.0.0')
    self.assertCountEqual(builder.sources(None), splits_)

  def test_unknown_fields_are_refused(self):
    with self.assertRaisesRegex(ValueError, 'unknown answer'):
      record.parse({**json.loads(record.dumps(RECORD)), 'answer': 1})


class Enwik8Test(absltest.TestCase):

  def test_the_splits_joined_are_the_file(self):
    data = ('<page>' + 'ğ€🌱' * 211 + '</page>').encode()
    folder = corpora.write(pathlib.Path(self.create_tempdir().full_path),
                           {'enwik8.zip': source_files.zipped({'enwik8': data})})
    builder = enwik8.Builder(data_dir=self.create_tempdir('data').full_path)
    builder.options = dataclasses.replace(builder.options, folder=folder)
    parts = {split: [item.text for source in sources
                     for item in reader.read(source.path, source.spec)]
             for split, sources in builder.sources(None).items()}
    self.assertEqual(b''.join(parts['train'] + parts['validation'] + parts['test']), data)
    self.assertAlmostEqual(len(parts['train'][0]) / len(data), 0.9, delta=0.01)
    self.assertAlmostEqual(len(parts['test'][0]) / len(data), 0.05, delta=0.01)


if __name__ == '__main__':
  absltest.main()
