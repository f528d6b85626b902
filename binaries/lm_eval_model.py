"""A model of this library as lm-eval asks for one."""

import json
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.model import LM

from binaries import scoring_process

MAX_BYTES = 1024  # Generated, where a task does not say.
_BATCH = 64  # Requests at a time.


class ByteModel(LM):
  """Log probabilities and texts by bytes: there is no tokenizer, and no greatest length."""

  def __init__(self, process: scoring_process.ScoringProcess) -> None:
    super().__init__()
    self._process = process

  def loglikelihood(self, requests: list[Instance]) -> list[tuple[float, bool]]:
    """Of each continuation behind its context."""
    return self._score([request.args for request in requests])

  def loglikelihood_rolling(self, requests: list[Instance]) -> list[float]:
    """Of each whole text, as a document."""
    return [log_prob for log_prob, _ in self._score([('', *request.args) for request in requests])]

  def generate_until(self, requests: list[Instance]) -> list[str]:
    """What follows each prompt, up to one of its stop strings."""
    alike: dict[str, list[int]] = {}  # Places of the requests with the same settings.
    for place, request in enumerate(requests):
      alike.setdefault(json.dumps(_generation(request.args[1])), []).append(place)
    texts: dict[int, str] = {}
    for settings, places in alike.items():
      for start in range(0, len(places), _BATCH):
        some = places[start:start + _BATCH]
        texts |= zip(some, self._process.generate(
            [requests[place].args[0] for place in some], seed=some[0], **json.loads(settings)),
                     strict=True)
    return [texts[place] for place in range(len(requests))]

  def _score(self, pairs: list[tuple[str, str]]) -> list[tuple[float, bool]]:
    return [score for start in range(0, len(pairs), _BATCH)
            for score in self._process.score(pairs[start:start + _BATCH])]


def _generation(how: dict[str, Any]) -> dict[str, Any]:
  """The fields of a request to `score_texts` for a task's settings."""
  until = how.get('until') or []
  sampled = how.get('do_sample', bool(how.get('temperature')))
  return {
      'stops': [until] if isinstance(until, str) else list(until),
      'num_bytes': int(how.get('max_gen_toks', MAX_BYTES)),
      'temperature': float(how.get('temperature', 1.0)) if sampled else 0.0}
