"""Contamination: what has 64 bytes in common with an evaluation set is found, and nothing else."""

import pathlib
import random

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies

from datasets.cleaning import contamination
from tests.datasets import corpora
from tests.fixed_examples import fixed_examples


def digits(size):
  """Text that shares no byte with the evaluation sets."""
  return bytes(random.Random(size).choices(b'0123456789', k=size))


class ContaminationTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.folder = corpora.temporary_folder(cls)
    cls.texts = [corpora.letters(seed, 1000 + 37 * seed) for seed in range(20)]
    contamination.write(cls.folder, cls.texts)
    cls.sets = contamination.EvaluationText(cls.folder)

  @fixed_examples()
  @hypothesis.given(strategies.data())
  def test_64_bytes_are_found_anywhere(self, data):
    text = data.draw(strategies.sampled_from(self.texts))
    begin = data.draw(strategies.integers(0, len(text) - 64))
    before = digits(data.draw(strategies.integers(0, 200)))
    found = self.sets.find(before + text[begin:begin + 64] + digits(50))
    self.assertEqual(found, len(before))

  @fixed_examples()
  @hypothesis.given(strategies.data())
  def test_63_bytes_are_not(self, data):
    text = data.draw(strategies.sampled_from(self.texts))
    begin = data.draw(strategies.integers(1, len(text) - 64))
    around = (bytes([text[begin - 1] ^ 1]), bytes([text[begin + 63] ^ 1]))
    document = b'\1' * 99 + around[0] + text[begin:begin + 63] + around[1] + b'\2' * 99
    self.assertEqual(self.sets.find(document), -1)

  def test_no_window_reaches_from_one_text_to_the_next(self):
    self.assertEqual(self.sets.find(self.texts[0][-40:] + self.texts[1][:40]), -1)

  @parameterized.parameters(-70, -64, -40, -1, 0, 30)
  def test_found_where_a_long_document_is_cut_to_be_hashed(self, place):
    begin = contamination._STEP + place
    document = digits(begin) + self.texts[3][100:164] + digits(1000)
    self.assertEqual(self.sets.find(document), begin)

  @parameterized.parameters(b'', b'short', b'x' * 63)
  def test_short_documents_are_clean(self, document):
    self.assertEqual(self.sets.find(document), -1)

  def test_rulers_are_no_evidence(self):
    ruler = b'-' * 200 + b'\n' + b' = ' * 100
    contamination.write(self.folder / 'rulers', [ruler + self.texts[0]])
    sets = contamination.EvaluationText(self.folder / 'rulers')
    self.assertEqual(sets.find(b'Title\n' + ruler), -1)
    self.assertEqual(sets.find(self.texts[0]), 0)

  def test_no_evaluation_text_at_all(self):
    contamination.write(self.folder / 'none', [])
    sets = contamination.EvaluationText(pathlib.Path(self.folder / 'none'))
    self.assertEqual(sets.find(bytes(random.Random(0).randbytes(500))), -1)


if __name__ == '__main__':
  absltest.main()
