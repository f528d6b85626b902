"""The program that scores texts for another: its answers, and requests that are wrong."""

import io
import json
from unittest import mock

from absl.testing import absltest, flagsaver

from binaries import score_texts
from haiku_spectral import config
from haiku_spectral.evaluation import likelihood
from haiku_spectral.training import checkpoint
from tests.decoding import tiny_model

LOADED = config.Config(model=tiny_model.CONFIG), tiny_model.params(), 7


class ScoreTextsTest(absltest.TestCase):

  def ask(self, *lines):
    out = io.StringIO()
    with flagsaver.flagsaver(run_dir='runs/tiny', batch_size=2), mock.patch.object(
        checkpoint, 'load_params', mock.Mock(return_value=LOADED)):
      score_texts.serve(io.StringIO(''.join(line + '\n' for line in lines)), out,
                        *score_texts._answers())
    first, *answers = map(json.loads, out.getvalue().splitlines())
    self.assertEqual(first, {'model': 'runs/tiny at step 7'})
    return answers

  def test_scores_and_texts(self):
    pairs = [['abc', 'dé'], ['', 'x']]
    scores, texts, more = self.ask(
        json.dumps({'score': pairs}),
        json.dumps({'generate': ['abcdefgh', '', 'abcdefgh'], 'num_bytes': 20}),
        json.dumps({'generate': ['abcdefgh'], 'num_bytes': 0}))
    wanted = likelihood.score(
        tiny_model.MODEL, tiny_model.params(), [(a.encode(), b.encode()) for a, b in pairs],
        batch_size=2)
    for (log_prob, greedy), each in zip(scores['scores'], wanted, strict=True):
      self.assertAlmostEqual(log_prob, each.log_prob, places=4)
      self.assertEqual(greedy, each.greedy)
    self.assertLen(texts['texts'], 3)
    self.assertEqual(texts['texts'][0], texts['texts'][2])  # Greedy, whatever shares the batch.
    self.assertEqual(more, {'texts': ['']})

  def test_wrong_requests_are_answered_and_end_nothing(self):
    *wrong, right = self.ask(
        'no json', '{}', '[1]', '{"score": [["a"]]}', '{"score": [[1, "b"]]}',
        '{"generate": ["a"]}', '{"generate": ["a"], "num_bytes": 4, "temperature": -1}',
        '{"score": [["a", "b"]]}')
    for answer in wrong:
      self.assertEqual(answer.keys(), {'error'}, answer)
    self.assertLen(right['scores'], 1)

  def test_a_stop_string(self):
    (whole,), = (answer['texts'] for answer in self.ask(
        json.dumps({'generate': ['abcdefgh'], 'num_bytes': 20})))
    stop = next(letter for letter in whole[2:] if letter.isascii())
    (cut,), = (answer['texts'] for answer in self.ask(
        json.dumps({'generate': ['abcdefgh'], 'num_bytes': 20, 'stops': [stop]})))
    self.assertEqual(cut, whole.partition(stop)[0])


if __name__ == '__main__':
  absltest.main()
