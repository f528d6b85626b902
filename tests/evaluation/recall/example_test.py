"""Texts of the recall tasks are what they say: length, depth, answers, and nothing known before."""

import collections
import itertools
import re

import hypothesis
import hypothesis.strategies as st
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.evaluation.recall import background, example, tasks
from tests.evaluation.recall import paragraphs
from tests.fixed_examples import fixed_examples

FILLER = paragraphs.filler()
TASKS = [tasks.TASKS[name] for name in tasks.TASKS if name not in ('mqar_128', 'mqar_256')]


def make(task, length=1000, depth=0.5, seed=(0, 0, 0), filler=FILLER):
  return example.make(task, length=length, depth=depth, seed=seed, filler=filler)


def ids(text):
  return text.ids(0, text.length)


def data(text):
  """The text; a BOUNDARY id shows as a byte that no text here has."""
  return np.minimum(ids(text), 255).astype(np.uint8).tobytes()


def answers(text):
  return [data(text)[place] for place in text.answers]


class ExampleTest(parameterized.TestCase):

  @hypothesis.given(
      task=st.sampled_from(TASKS), extra=st.integers(0, 3000), depth=st.floats(0, 1),
      seed=st.integers(0, 9), cuts=st.lists(st.floats(0, 1), max_size=4))
  @fixed_examples(120)
  def test_length_depth_answers_and_pieces(self, task, extra, depth, seed, cuts):
    length = example.minimum_length(task) + extra
    text = make(task, length, depth, (0, seed, 0))
    whole = ids(text)
    self.assertEqual(whole.size, length)
    np.testing.assert_array_equal(ids(make(task, length, depth, (0, seed, 0))), whole)
    edges = [0, *sorted(round(cut * length) for cut in cuts), length]
    np.testing.assert_array_equal(
        np.concatenate([text.ids(a, b) for a, b in itertools.pairwise(edges)]), whole)
    *facts, ending = text.inserts
    self.assertEqual(ending.start + ending.ids.size, length)
    # The fact that has the depth: the last one of `update`, the first one else.
    self.assertEqual(sum(fact.ids.size for fact in facts) + ending.ids.size + extra, length)
    chosen = facts[-1] if task.name == 'update' else facts[0]
    before = sum(fact.ids.size for fact in facts[:-1]) if task.name == 'update' else 0
    self.assertEqual(chosen.start, before + round(depth * extra))
    stated = [fact.ids.astype(np.uint8).tobytes() for fact in facts]
    for fact, words in zip(facts, stated, strict=True):
      self.assertEqual(data(text)[fact.start:fact.start + fact.ids.size], words)
      self.assertLessEqual(fact.start + fact.ids.size, ending.start)
    for answer in answers(text):
      self.assertTrue(any(answer in words for words in stated), answer)
    self.assertEqual(text.answers[-1].stop, length)
    whole[whole == vocab.BOUNDARY] = ord('#')
    whole.astype(np.uint8).tobytes().decode('utf-8')  # No character is cut.
    if not task.name.startswith('mqar'):  # Whose values are two letters.
      around = FILLER.text if not task.noise else text.background.take(0, length).tobytes()
      self.assertFalse(any(answer in around for answer in answers(text)))

  @parameterized.parameters(*((task,) for task in TASKS))
  def test_other_seeds_give_other_answers(self, task):
    found = {tuple(answers(make(task, seed=seed)))
             for seed in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))}
    self.assertLen(found, 4)
    self.assertNotEqual(answers(make(task, depth=0.5)), answers(make(task, depth=0.25)))
    self.assertNotEqual(answers(make(task, length=1001)), answers(make(task)))

  @parameterized.parameters('verbatim', 'paraphrased', 'passkey', 'needles', 'copy', 'update')
  def test_what_occurs_in_the_filler_is_not_asked_for(self, name):
    task = tasks.TASKS[name]
    known = answers(make(task))
    filler = background.Filler(b'\n\n'.join([FILLER.text, *known]))
    text = make(task, filler=filler)
    self.assertEmpty([answer for answer in answers(text) if answer in filler.text])
    self.assertNoCommonElements(answers(text), known)

  def test_keys_that_occur_in_the_filler_are_not_asked_for(self):
    keys = [bytes([a, b]) + b'=' for a in tasks.CAPITALS for b in tasks.CAPITALS]
    free = set(keys[::90])
    filler = background.Filler(b' '.join(key for key in keys if key not in free))
    text = make(tasks.TASKS['mqar_8'], filler=filler)
    asked = {data(text)[place.start - 3:place.start] for place in text.answers}
    self.assertLen(asked, 8)
    self.assertContainsSubset(asked, free)
    with self.assertRaisesRegex(ValueError, "the filler holds all strings like '[A-Z]{2}='"):
      make(tasks.TASKS['mqar_16'], filler=filler)

  @parameterized.parameters(*((task,) for task in TASKS))
  def test_chance_is_as_stated(self, task):
    seeds = 60
    found = [answer for seed in range(seeds) for answer in answers(make(task, seed=(0, seed, 0)))]
    counts = np.array(list(collections.Counter(b''.join(found)).values()))
    self.assertLen(counts, task.alphabet)
    # No byte is likelier than the others: so many deviations would be seen in 1 of 10^6 tests.
    expected = counts.sum() * task.chance
    self.assertLess(abs(counts - expected).max(), 5 * np.sqrt(expected))
    self.assertLen({len(answer) for answer in found}, 1)

  @parameterized.parameters(4, 64)
  def test_pairs_are_asked_once_each_by_their_keys(self, count):
    text = make(tasks.TASKS[f'mqar_{count}'])
    pairs = re.findall(rb'([A-Z]{2}=)([a-z]{2})', data(text))
    stated, asked = pairs[:count], pairs[count:]
    self.assertLen(dict(stated), count)
    self.assertNotEqual(stated, asked)
    self.assertCountEqual(stated, asked)
    self.assertEqual([value for _, value in asked], answers(text))

  def test_an_update_ends_with_the_value_that_is_asked_for(self):
    text = make(tasks.TASKS['update'])
    *old, asked, again = re.findall(rb'\n([A-Z][a-z]{7} = [a-z]{8})', data(text))
    self.assertEqual(asked, again)
    self.assertLen({*old, asked}, 4)

  def test_a_boundary_stands_between_the_facts_and_the_question(self):
    for name, restarts in (('session', False), ('reset', True)):
      text = make(tasks.TASKS[name], depth=1.0)
      (place,) = np.flatnonzero(ids(text) == vocab.BOUNDARY)
      self.assertEqual(text.restart, place if restarts else None)
      self.assertEqual(text.inserts[-1].start, place)
    self.assertNotIn(vocab.BOUNDARY, ids(make(tasks.TASKS['verbatim'])))

  def test_a_text_of_a_mebibyte_is_never_whole(self):
    taken = []

    class Background:
      def take(self, start, count):
        taken.append((start, count))
        return np.zeros(count, np.uint8)

    text = make(tasks.TASKS['verbatim'], 1 << 20, 1.0)._replace(background=Background())
    end = text.ids(text.length - 50, text.length)
    self.assertEqual(taken, [(text.length - 50, 50)])
    self.assertEqual(end[-8:].astype(np.uint8).tobytes(),
                     text.inserts[0].ids[-15:-7].astype(np.uint8).tobytes())

  @parameterized.parameters(
      ([], [100], [0.5], 'tasks=.. is not allowed: give one or more'),
      (TASKS, [1000], [1.5], r'--depths=1.5 is not allowed: give 0 \(the beginning\) to 1'),
      (TASKS, [1 << 21], [0.5], '--lengths=2097152 is not allowed: give .* to 1,048,576'),
      (TASKS, [2000, 700], [0.5],
       '--lengths=700 is not allowed: give 769 bytes, which the task mqar_64 takes, to'),
  )
  def test_mistakes(self, chosen, lengths, depths, message):
    with self.assertRaisesRegex(ValueError, message):
      example.check(chosen, lengths, depths, prefix='--')

  def test_a_task_that_is_not_there(self):
    with self.assertRaisesRegex(ValueError, "no recall task 'neddle': give some of verbatim, "):
      tasks.chosen(['copy', 'neddle'])


if __name__ == '__main__':
  absltest.main()
