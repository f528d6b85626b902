"""lm-eval on tasks in local files: `make //tests/binaries:lm_eval_contract`.

The harness is large, so this is a program with its environment and no part of `make test`;
likelihood_test.py and score_texts_test.py ask the same without.
"""

import contextlib
import io
import json
import math
import os
import pathlib
import subprocess

from absl.testing import absltest, flagsaver

from binaries import evaluate_lm_eval, scoring_process

PYTHON = os.environ.get('PY') or str(evaluate_lm_eval.ROOT / '.venv/bin/python')
TASKS = 'tests/evaluation/lm_eval_tasks'
MAKE_RUN = 'import sys; from tests.decoding import tiny_model; tiny_model.save_run(sys.argv[1])'


class LmEvalTest(absltest.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.run_dir = os.path.join(absltest.get_default_test_tmpdir(), 'lm_eval_run')
    if not os.path.exists(cls.run_dir):
      subprocess.run([PYTHON, '-c', MAKE_RUN, cls.run_dir], check=True, capture_output=True)

  def _run(self, **flags):
    out = io.StringIO()
    with flagsaver.flagsaver(run_dir=self.run_dir, include_path=TASKS, **flags), \
        contextlib.redirect_stdout(out):
      evaluate_lm_eval.main(['evaluate_lm_eval'])
    return out.getvalue(), json.loads(
        pathlib.Path(self.run_dir, 'lm_eval.json').read_text(encoding='utf-8'))

  def test_the_three_kinds_of_requests(self):
    table, found = self._run(tasks=['local_choice', 'local_rolling', 'local_generation'])
    self.assertIn('local_choice', table)
    questions = [json.loads(line) for line in pathlib.Path(
        TASKS, 'questions.jsonl').read_text(encoding='utf-8').splitlines()]
    with scoring_process.ScoringProcess(PYTHON, [f'--run_dir={self.run_dir}']) as process:
      texts = [each['question'] for each in questions]
      rolling = process.score([('', text) for text in texts])
      right = 0
      for each in questions:
        # lm-eval puts a space between question and answer.
        scores = process.score([(each['question'], f' {answer}') for answer in each['answers']])
        right += max(range(2), key=lambda i: scores[i][0]) == each['right']
      generated = process.generate(texts, num_bytes=8, stops=['\n'])
    nats = -sum(log_prob for log_prob, _ in rolling)
    self.assertAlmostEqual(found['local_rolling bits_per_byte'],
                           nats / math.log(2) / sum(len(text.encode()) for text in texts), places=4)
    self.assertAlmostEqual(found['local_choice acc'], right / len(questions))
    exact = sum(text == each['answers'][each['right']]
                for text, each in zip(generated, questions, strict=True))
    self.assertAlmostEqual(found['local_generation exact_match'], exact / len(questions))

  def test_mistakes(self):
    with self.assertRaisesRegex(ValueError, '--tasks is missing'):
      self._run(tasks=[])
    with self.assertRaisesRegex(ValueError, '--tasks=nothing is not allowed'):
      self._run(tasks=['nothing'])


if __name__ == '__main__':
  absltest.main()
