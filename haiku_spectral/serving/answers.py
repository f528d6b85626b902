"""From events to what OpenAI's clients read: one object, or a stream of chunks."""

import dataclasses
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import numpy as np

from haiku_spectral import vocab
from haiku_spectral.serving import text as text_lib
from haiku_spectral.serving import turn
from haiku_spectral.serving.job import STOP, End, Top
from haiku_spectral.serving.requests import Generate

# What clients know; TIME and CANCELLED are limits, too.
_FINISH = {STOP: 'stop'}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
  """Which of the two ways an answer has."""

  chat: bool
  model: str
  seed: int
  request: Generate
  id: str = dataclasses.field(default_factory=lambda: secrets.token_hex(12))
  created: int = dataclasses.field(default_factory=lambda: int(time.time()))

  def whole(self, choices: Sequence['Choice'], usage: dict[str, int]) -> dict[str, Any]:
    """The object of an answer that is not streamed."""
    kind = 'chat.completion' if self.chat else 'text_completion'
    return {**self._head(kind), 'choices': [choice.whole() for choice in choices],
            'usage': usage, 'seed': self.seed}

  def chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """One of a stream."""
    kind = 'chat.completion.chunk' if self.chat else 'text_completion'
    return {**self._head(kind), 'choices': choices, **more}

  def _head(self, kind: str) -> dict[str, Any]:
    return {'id': f'{"chatcmpl" if self.chat else "cmpl"}-{self.id}', 'object': kind,
            'created': self.created, 'model': self.model}


class Choice:
  """A choice as it grows, in the one form or the other."""

  def __init__(self, form: Form, index: int, prompt: bytes) -> None:
    self._form, self.index = form, index
    self._text = vocab.TextStream()
    self._shown: list[str] = []
    self._places = text_lib.Offsets()
    self._offsets: list[int] = []
    self._data = bytearray()
    self._log_probs: list[float | None] = []
    self._tops: list[Top] = []
    self._details: list[dict[str, Any]] = []
    self.end: End | None = None
    self._echo = prompt if form.request.echo else b''
    self._first = True

  def prefilled(self, event: turn.Prefilled, data: bytes) -> dict[str, Any] | None:
    """The prompt's bytes, for those who asked for them."""
    parts: dict[str, Any] = {}
    if self._form.request.details:
      parts['prompt_details'] = text_lib.details(data, event.log_probs, event.repeats)
    if self._echo:
      # The first byte of a text that is scored from nothing has no log-probability in the API.
      return self._add(data, event.log_probs.tolist(), [[] for _ in data], parts)
    return self._piece('', parts) if parts else None

  def generated(self, event: turn.Generated) -> dict[str, Any] | None:
    """Bytes of the text; None where no character is complete and nobody wants the bytes."""
    data, log_probs, tops = event.piece
    parts: dict[str, Any] = {}
    if self._form.request.details:
      parts['details'] = text_lib.details(data, log_probs, event.repeats)
    return self._add(data, log_probs, tops, parts)

  def ended(self, end: End) -> dict[str, Any]:
    """The last piece."""
    self.end = end
    text = self._text.close()
    self._shown.append(text)
    return self._piece(text, {'finish_reason': self.finish})

  @property
  def finish(self) -> str | None:
    """OpenAI's name for how the text ended; None while it goes on."""
    return _FINISH.get(self.end.finish, 'length') if self.end else None

  def whole(self) -> dict[str, Any]:
    """The choice of an answer that is not streamed."""
    text, request = ''.join(self._shown), self._form.request
    choice: dict[str, Any] = {'index': self.index, 'finish_reason': self.finish, 'logprobs': None}
    if self._form.chat:
      choice['message'] = {'role': 'assistant', 'content': text, 'refusal': None}
    else:
      choice['text'] = text
    if request.top is not None:
      choice['logprobs'] = self._named(
          bytes(self._data), self._log_probs, self._tops, self._offsets)
    return choice

  def _add(
      self, data: bytes, log_probs: list[float], tops: list[Top], parts: dict[str, Any]
  ) -> dict[str, Any] | None:
    text = self._text.feed(data)
    self._shown.append(text)
    if self._form.request.top is not None:
      self._data += data
      self._log_probs += log_probs
      self._tops += tops
      offsets = self._places.feed(data)
      self._offsets += offsets
      parts['logprobs'] = self._named(data, log_probs, tops, offsets)
    return self._piece(text, parts) if text or parts else None

  def _named(
      self, data: bytes, log_probs: list[Any], tops: list[Top], offsets: list[int]
  ) -> dict[str, Any]:
    if self._form.chat:
      return text_lib.chat_log_probs(data, log_probs, tops)
    return text_lib.completion_log_probs(data, log_probs, tops, offsets)

  def _piece(self, text: str, parts: dict[str, Any]) -> dict[str, Any]:
    choice = {'index': self.index, 'finish_reason': None, 'logprobs': None, **parts}
    if not self._form.chat:
      return {**choice, 'text': text}
    role = {'role': 'assistant'} if self._first else {}
    self._first = False
    last = choice['finish_reason'] is not None and not text
    return {**choice, 'delta': {**role, **({} if last else {'content': text})}}


class Answer:
  """All choices of a request, with what they need of their events."""

  def __init__(self, form: Form, parts: Sequence[tuple[turn.Events, bytes]]) -> None:
    """`parts`: the events of each prompt, and the prompt."""
    self.form, self._parts = form, parts
    self.choices: list[Choice] = []
    self._generated = 0

  async def pieces(self) -> AsyncIterator[dict[str, Any]]:
    """What a stream's chunks say of the choices, as it comes."""
    for events, prompt in self._parts:
      first = len(self.choices)
      count = self.form.request.n
      self.choices += [Choice(self.form, first + i, prompt) for i in range(count)]
      async for piece in self._of_one_prompt(events, prompt, self.choices[first:]):
        yield piece

  async def _of_one_prompt(
      self, events: turn.Events, prompt: bytes, choices: list[Choice]
  ) -> AsyncIterator[dict[str, Any]]:
    seen, left = 0, len(choices) + events.keeps
    while left:
      event = await events.next()
      found: list[dict[str, Any] | None] = []
      if isinstance(event, turn.Prefilled):
        data = prompt[seen:seen + len(event.log_probs)]
        seen += len(data)
        found = [choice.prefilled(event, data) for choice in choices]
      elif isinstance(event, turn.Generated):
        found = [choices[event.choice].generated(event)]
        self._generated += len(event.piece.data)
      elif isinstance(event, turn.Ended):
        found = [choices[event.choice].ended(event.end)]
        left -= 1
      elif isinstance(event, turn.Kept):
        left -= 1
      for piece in found:
        if piece is not None:
          yield piece

  async def whole(self) -> dict[str, Any]:
    """Everything at once."""
    async for _ in self.pieces():
      pass
    return self.form.whole(self.choices, self.usage)

  async def stream(self, extra: Any) -> AsyncIterator[str]:
    """Server-sent events. `extra()` is what the last chunk says beside the usage."""
    async for piece in self.pieces():
      yield server_sent(self.form.chunk([piece]))
    if self.form.request.include_usage or self.form.request.details:
      yield server_sent(self.form.chunk([], usage=self.usage, seed=self.form.seed, **extra()))
    yield 'data: [DONE]\n\n'

  @property
  def usage(self) -> dict[str, int]:
    """Tokens are bytes."""
    given = sum(len(prompt) for _, prompt in self._parts)
    return {'prompt_tokens': given, 'completion_tokens': self._generated,
            'total_tokens': given + self._generated}


def server_sent(value: Any) -> str:
  """An event of a stream."""
  return f'data: {json.dumps(value, ensure_ascii=False)}\n\n'


def speed(choices: Sequence[Choice]) -> float | None:
  """Milliseconds per byte, between the first device call of a text and its last."""
  ends = [choice.end for choice in choices if choice.end and len(choice.end.text) > 1]
  count = sum(len(end.text) for end in ends)
  return 1000 * float(np.sum([end.seconds for end in ends])) / count if count else None
