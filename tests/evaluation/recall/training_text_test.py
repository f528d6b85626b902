"""Text to train on: the size asked for, the tasks of the evaluation, none of its answers."""

import os
import pathlib
import re

from absl.testing import absltest, parameterized

from haiku_spectral.evaluation.recall import example, tasks, training_text
from tests.evaluation.recall import paragraphs

FILLER = paragraphs.filler()


def document(number=0, size=40_000, seed=0):
  return training_text.document(number, size=size, seed=seed, filler=FILLER)


class TrainingTextTest(parameterized.TestCase):

  @parameterized.parameters(1, 20, 21, 22, 23, 24, 500, 40_000)
  def test_size_and_determinism(self, size):
    self.assertLen(document(size=size), size)
    self.assertEqual(document(size=size), document(size=size))
    document(size=size).decode('utf-8')  # No character is cut.
    if size > 24:
      self.assertNotEqual(document(size=size), document(1, size=size))
      self.assertNotEqual(document(size=size), document(seed=1, size=size))

  def test_tasks_are_those_of_the_evaluation(self):
    text = b''.join(document(number) for number in range(8))
    for cue in (rb'keeper of ([A-Z][a-z]{7}) hid ([a-z]{8})', rb'([A-Z][a-z]{7}) = ([a-z]{8})',
                rb'Copy this: ([a-z]{64})()', rb'pass key is (\d{5})()', rb'([A-Z]{2})=([a-z]{2})',
                rb'([A-Z]{4})([a-z]{8})'):
      found = re.findall(cue, text)
      self.assertLess(len(set(found)), len(found), cue)  # Some are asked for.
    self.assertNotEmpty(re.findall(rb'([A-Z][a-z]{7}) = ([a-z]{8})\n.*\n\1\? \2', text, re.DOTALL))

  def test_facts_are_asked_for_from_far_away(self):
    first, last = {}, {}
    for number in range(4):
      text = document(number, size=65_536)
      for at in re.finditer(rb'\n([A-Z][a-z]{7})\? ([a-z]{8})', text):
        distance = at.start() - text.index(b' = '.join(at.groups()))
        first.setdefault(at.groups(), distance)
        last[at.groups()] = distance
    self.assertGreater(max(first.values()), training_text.LONGEST)  # For the first time,
    self.assertTrue(any(last[key] > first[key] for key in first))  # and once more.

  def test_no_answer_of_the_evaluation(self):
    text = b''.join(document(number) for number in range(4))
    asked = []
    for number in range(40):
      each = example.make(tasks.TASKS['verbatim'], length=1000, depth=0.5, filler=FILLER,
                          seed=(example.EVALUATION, 0, number))
      asked.append(each.ids(992, 1000).astype('uint8').tobytes())
    self.assertLen(set(asked), 40)
    self.assertEmpty([answer for answer in asked if answer in text])

  def test_files_of_64_kib(self):
    folder = pathlib.Path(self.create_tempdir().full_path, 'new')
    written = []
    paths = training_text.write(
        folder, size=65_536 + 300, seed=2, filler=FILLER, on_progress=written.append)
    self.assertEqual([path.name for path in paths], ['recall-000000.txt', 'recall-000001.txt'])
    self.assertEqual([path.read_bytes() for path in paths],
                     [document(0, 65_536, 2), document(1, 300, 2)])
    self.assertEqual(written, [65_536, 300])
    with self.assertRaisesRegex(ValueError, 'not empty: give another --write_training_text path'):
      training_text.write(folder, size=1, seed=2, filler=FILLER)
    self.assertLen(os.listdir(folder), 2)


if __name__ == '__main__':
  absltest.main()
