"""Minimal pairs: the reader, what counts as a hit, and what length alone decides."""

import json
import pathlib

from absl.testing import absltest, parameterized

from haiku_spectral.evaluation import plot as house
from haiku_spectral.evaluation.minimal_pairs import plot, report, scoring, turblimp
from haiku_spectral.evaluation.minimal_pairs.pair import Pair

HEADER = 'good_sentence;bad_sentence;good_cue;bad_cue;critical_region;phenomenon'


def pair(good, bad, phenomenon='x'):
  return Pair(phenomenon, good.encode(), bad.encode())


def value(estimate):
  return None if estimate is None else round(estimate.value, 6)


class ScoringTest(parameterized.TestCase):

  def test_every_way_of_counting(self):
    pairs = [pair('ab', 'cd'), pair('abc', 'de'), pair('ef', 'ghij'), pair('same', 'same')]
    nats = {b'ab': 1.0, b'cd': 2.0, b'abc': 2.1, b'de': 2.0, b'ef': 3.0, b'ghij': 3.2,
            b'same': 1.0}
    row, average = scoring.evaluate(pairs, {'model': nats})
    self.assertEqual((row.pairs, row.identical, row.equal_length), (3, 1, 1))
    shares = row.shares['model']
    self.assertEqual(value(shares['sum']), round(2 / 3, 6))  # 1 < 2, 2.1 > 2, 3 < 3.2.
    self.assertEqual(value(shares['per byte']), round(2 / 3, 6))  # 0.5 < 1, 0.7 < 1, 1.5 > 0.8.
    self.assertEqual(value(shares['equal length']), 1.0)
    self.assertEqual(value(shares['right is longer']), 0.0)
    self.assertEqual(value(shares['right is shorter']), 1.0)
    self.assertEqual(value(row.shares['shorter']['sum']), 0.5)  # A tie, a miss and a hit.
    self.assertEqual(average.phenomenon, 'average')

  def test_lengths_are_bytes(self):
    (row, _) = scoring.evaluate([pair('ı', 'ab')], {'m': {'ı'.encode(): 1.0, b'ab': 2.0}})
    self.assertEqual(row.equal_length, 1)

  def test_a_tie_counts_half(self):
    (row, _) = scoring.evaluate([pair('a', 'b')], {'m': {b'a': 1.0, b'b': 1.0}})
    self.assertEqual(value(row.shares['m']['sum']), 0.5)

  def test_pairs_of_one_sentence_alone(self):
    rows = scoring.evaluate([pair('a', 'a')], {'m': {b'a': 1.0}})
    self.assertEqual((rows[0].pairs, rows[0].identical), (0, 1))
    self.assertIsNone(rows[-1].shares['m']['sum'])
    self.assertIn('-', report.to_text(rows, source=''))

  def test_the_average_weighs_phenomena_and_not_pairs(self):
    pairs = [pair('a', 'b', 'one'), *(pair(f'{i}', f'x{i}', 'two') for i in range(20))]
    nats = {text: float(len(text)) for each in pairs for text in each[1:]} | {b'a': 2.0}
    rows = scoring.evaluate(pairs, {'m': nats})
    self.assertEqual([value(row.shares['m']['sum']) for row in rows], [0.0, 1.0, 0.5])

  def test_a_repeated_pair_makes_the_interval_no_narrower(self):
    pairs = [pair(f'{i}', f'x{i}') for i in range(20)]
    nats = {text: float(i % 3) for each in pairs for i, text in enumerate(each[1:], len(each.good))}
    nats |= {each.good: 5.0 for each in pairs[:7]}
    once, _ = scoring.evaluate(pairs, {'m': nats})
    often, _ = scoring.evaluate(pairs * 10, {'m': nats})
    self.assertEqual(often.pairs, 200)
    for end in ('value', 'low', 'high'):
      self.assertAlmostEqual(
          getattr(once.shares['m']['sum'], end), getattr(often.shares['m']['sum'], end), delta=1e-6)

  def test_report_and_picture(self):
    pairs = [pair(f'{i}', f'{i}x', name) for name in ('one_thing', 'two') for i in range(12)]
    nats = {text: float(len(text)) for each in pairs for text in each[1:]}
    rows = scoring.evaluate(pairs, {'model': nats, '3-gram': nats})
    text = report.to_text(rows, source='a run')
    self.assertRegex(text, r'one_thing +12 +0 +0 +1\.000')
    self.assertIn('3-gram, average: 1.000 where the right sentence is shorter', text)
    found = json.loads(report.to_json(rows, source='a run'))
    self.assertEqual(found['phenomena'][0]['shares']['model']['sum']['value'], 1.0)
    self.assertIsNone(found['phenomena'][0]['shares']['model']['equal length'])
    path = self.create_tempdir().full_path + '/pairs.png'
    house.save_figure(plot.figure(rows), path)
    self.assertTrue(pathlib.Path(path).read_bytes().startswith(b'\x89PNG'))


class TurblimpTest(parameterized.TestCase):

  def _file(self, text, name='a.csv', folder=None):
    folder = folder or self.create_tempdir()
    return folder.create_file(name, text).full_path

  def test_a_folder_in_the_order_of_its_names(self):
    folder = self.create_tempdir()
    self._file(f'{HEADER};subtype\nKediye baktı.;Kediyi baktı.;a;b;c;argument;dative\n', 'b.csv',
               folder)
    self._file(f'\ufeff{HEADER}\nÖlür. ;Öler.;a;b;-;irregular  \n', 'a.csv', folder)
    folder.create_file('README.md', 'No pairs.')
    self.assertEqual(turblimp.read(folder.full_path), [
        pair('Ölür.', 'Öler.', 'irregular'),
        pair('Kediye baktı.', 'Kediyi baktı.', 'argument/dative')])

  @parameterized.parameters(
      ('good_sentence,bad_sentence\n', "has no column 'good_sentence'"),
      ('', "has no column 'good_sentence'"),
      (f'{HEADER}\n', 'holds no pairs'),
      (f'{HEADER}\na;b;c;d;e;f\na;b;c\n', 'line 3: nothing in one of the columns'),
      (f'{HEADER}\n"a;b\n', 'is no CSV'),
  )
  def test_what_is_refused(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      turblimp.read(self._file(text))

  def test_what_is_not_there_or_not_text(self):
    with self.assertRaisesRegex(FileNotFoundError, 'does not exist: give a CSV file'):
      turblimp.read('/no/such/pairs')
    path = pathlib.Path(self._file(''))
    path.write_bytes(HEADER.encode() + b'\n\xff;b;c;d;e;f\n')
    with self.assertRaisesRegex(ValueError, 'is no CSV'):
      turblimp.read(path)


if __name__ == '__main__':
  absltest.main()
