"""A model in a process of its own (`score_texts`), for programs that have none of its packages."""

import json
import subprocess
from collections.abc import Sequence
from typing import Any, Self


class ScoringProcess:
  """Asks `score_texts`, which it starts. A context manager."""

  def __init__(self, python: str, flags: Sequence[str]) -> None:
    """Raises ValueError when the process ends before the model is loaded: it has said why."""
    self._process = subprocess.Popen(
        [python, '-m', 'binaries.score_texts', *flags], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, encoding='utf-8')
    try:
      self.model = str(self._read()['model'])
    except BaseException:
      self.close()
      raise

  def __enter__(self) -> Self:
    """Ends the process at the end of the block."""
    return self

  def __exit__(self, *unused: object) -> None:
    """Ends the process."""
    self.close()

  def score(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[float, bool]]:
    """(log probability, greedy) of each continuation behind its context."""
    found = self._ask({'score': [list(pair) for pair in pairs]})['scores']
    return [(float(log_prob), bool(greedy)) for log_prob, greedy in found]

  def generate(self, prompts: Sequence[str], **how: Any) -> list[str]:
    """What follows each prompt; `how` are the other fields of the request."""
    return list(self._ask({'generate': list(prompts), **how})['texts'])

  def close(self) -> None:
    """Ends the process; further calls do nothing."""
    if self._process.stdin and not self._process.stdin.closed:
      self._process.stdin.close()
    self._process.wait()
    if self._process.stdout:
      self._process.stdout.close()

  def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
    assert self._process.stdin
    self._process.stdin.write(json.dumps(request) + '\n')
    self._process.stdin.flush()
    answer = self._read()
    if 'error' in answer:
      raise ValueError(f'the model refuses a request: {answer["error"]}')
    return answer

  def _read(self) -> dict[str, Any]:
    assert self._process.stdout
    line = self._process.stdout.readline()
    if not line:
      raise ValueError('the process of the model has ended: see its message above.')
    return json.loads(line)
