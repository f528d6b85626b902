"""Scores of models whose recall is known: one that recalls all, one that guesses."""

import dataclasses
import math

import jax.numpy as jnp
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.evaluation.recall import example, scoring, tasks
from tests.evaluation import toy_models
from tests.evaluation.recall import paragraphs

RECALLING, GUESSING = toy_models.recalling(1024), toy_models.guessing()
NAMES = ['verbatim', 'passkey', 'needles', 'mqar_16', 'copy', 'induction', 'update', 'session',
         'paraphrased', 'reset']


def evaluate(model, names, **how):
  options = {'lengths': [420, 900], 'depths': [0.0, 0.5, 1.0], 'examples': 2, 'batch_size': 6,
             'chunk': 256, **how}
  params = model.init(None) if model is RECALLING else {}
  return scoring.evaluate(
      model, params, paragraphs.filler(), tasks=tasks.chosen(names), **options)


class ScoringTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.read = []
    cls.cells = evaluate(RECALLING, NAMES, on_progress=cls.read.append)

  def test_a_cell_for_each_task_length_and_depth_in_order(self):
    self.assertEqual(
        [(cell.task, cell.length, cell.depth) for cell in self.cells],
        [(name, length, depth) for name in NAMES for length in (420, 900)
         for depth in (0.0, 0.5, 1.0)])
    self.assertEqual({(cell.task, cell.answers) for cell in self.cells if cell.length == 420
                      and cell.task in ('copy', 'needles', 'mqar_16')},
                     {('copy', 2), ('needles', 8), ('mqar_16', 32)})
    self.assertEqual(
        sum(self.read), scoring.work(tasks.chosen(NAMES), [420, 900], [0.0, 0.5, 1.0], 2))

  @parameterized.parameters(*NAMES[:8])
  def test_a_model_that_recalls_everything_gets_everything(self, name):
    for cell in (cell for cell in self.cells if cell.task == name):
      self.assertEqual((cell.exact, cell.byte_accuracy, cell.first_byte), (1.0, 1.0, 1.0), cell)
      self.assertLess(cell.bits_per_byte, 1e-4)

  def test_what_is_asked_in_other_words_is_not_found_by_equal_contexts(self):
    for cell in (cell for cell in self.cells if cell.task == 'paraphrased'
                 and cell.depth < 1):  # At 1 it is what followed the space before.
      self.assertEqual((cell.exact, cell.first_byte), (0.0, 0.0), cell)

  def test_nothing_is_known_behind_a_reset(self):
    for cell in (cell for cell in self.cells if cell.task == 'reset'):
      self.assertEqual((cell.exact, cell.recallable), (0.0, False), cell)
      self.assertLess(cell.byte_accuracy, 0.2)
      self.assertGreater(cell.bits_per_byte, 4)

  @parameterized.parameters((2, 420), (4, 100), (18, 1000))
  def test_rows_and_chunks_change_nothing(self, batch_size, chunk):
    names = ['needles', 'paraphrased', 'reset']
    found = evaluate(RECALLING, names, batch_size=batch_size, chunk=chunk, lengths=[420])
    wanted = {cell[:3]: cell for cell in map(dataclasses.astuple, self.cells)}
    self.assertLen(found, 9)
    for cell in map(dataclasses.astuple, found):
      self.assertEqual(cell[:-4], wanted[cell[:3]][:-4])

  def test_guessing_is_at_chance(self):
    (cell,) = evaluate(GUESSING, ['copy'], lengths=[160], depths=[0.5], examples=40, chunk=160)
    self.assertAlmostEqual(cell.bits_per_byte, cell.chance_bits, delta=0.01)
    self.assertAlmostEqual(cell.chance_bits, math.log2(26))
    spread = math.sqrt(cell.chance_byte / (40 * 64))
    self.assertAlmostEqual(cell.byte_accuracy, cell.chance_byte, delta=4 * spread)
    self.assertEqual(cell.exact, 0.0)
    self.assertAlmostEqual(cell.chance_exact * 26.0**64, 1.0)

  def test_each_answer_is_scored_at_its_own_place(self):
    # A model that knows a text by heart but for one byte of its second answer.
    text = example.make(tasks.TASKS['needles'], length=420, depth=0.3, seed=(0, 0, 0),
                        filler=paragraphs.filler())
    known = text.ids(0, 420)
    wrong = text.answers[1].start + 3
    known[wrong] = ord('#')

    class ByHeart:
      def initial_state(self, batch_size, dtype):
        del dtype
        return jnp.zeros((1, batch_size), jnp.int32)

      def apply(self, params, tokens, state):
        places = state[0, 0] + jnp.arange(tokens.shape[1])
        logits = 9.0 * (jnp.asarray(known)[places][:, None] == jnp.arange(260))
        return jnp.broadcast_to(logits, (*tokens.shape, 260)), state + tokens.shape[1]

    (found,) = scoring.read(ByHeart(), {}, [text], batch_size=1, chunk=64)
    self.assertEqual([list(np.flatnonzero(~answer.hit)) for answer in found], [[], [3], [], []])
    self.assertEqual([int(np.argmax(answer.nll)) for answer in found][1], 3)

  @parameterized.parameters('examples', 'batch_size', 'chunk')
  def test_mistakes(self, name):
    with self.assertRaisesRegex(ValueError, f'{name}=0 is not allowed: give 1 or more'):
      evaluate(RECALLING, ['copy'], **{name: 0})


if __name__ == '__main__':
  absltest.main()
