"""The bodies of requests: JSON from anyone, checked field by field before anything is done.

A token is a byte: `max_tokens` counts bytes, and a prompt may be a list of numbers from 0 to 255.
Fields that clients send and that change nothing here are accepted; a field that is not known, or
that asks for what there is not, is refused.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from haiku_spectral.decoding.sampling import SamplingConfig
from haiku_spectral.serving import chat_template, errors
from haiku_spectral.storage import strict_json

DEFAULT_BYTES = 256
MAX_CHOICES, MAX_STOPS, MAX_TOP = 16, 16, 20
MAX_SEED = 2**31 - 1
_IGNORED = ('model', 'user', 'metadata', 'store', 'service_tier', 'safety_identifier')
_ABSENT = {  # What there is not, and the values that do not ask for it.
    'frequency_penalty': (None, 0), 'presence_penalty': (None, 0), 'logit_bias': (None, {}),
    'suffix': (None, ''), 'best_of': (None, 1), 'response_format': (None, {'type': 'text'}),
}
_SAMPLING = ('temperature', 'top_p', 'min_p')


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generate:
  """What is to be generated, whichever of the two ways it was asked for."""

  prompts: tuple[bytes, ...]
  messages: tuple[chat_template.Message, ...] = ()  # Of a chat, which has no prompts.
  num_bytes: int
  n: int  # Choices per prompt.
  stops: tuple[bytes, ...]
  seed: int | None  # None: any.
  config: SamplingConfig
  stream: bool
  include_usage: bool  # In a stream: one more chunk at its end.
  echo: bool
  top: int | None  # Alternatives per byte that are named; None: no log-probabilities.
  session: str | None
  details: bool  # The bytes themselves, their surprise and what recalled them.


NOTHING = Generate(
    prompts=(b'',), num_bytes=0, n=1, stops=(), seed=0, config=SamplingConfig(end_of_document=True),
    stream=False, include_usage=False, echo=False, top=None, session=None, details=False)


class Fields:
  """The fields of a body that have not been looked at yet."""

  def __init__(self, body: bytes) -> None:
    try:
      values = strict_json.loads(body or b'{}')
    except (ValueError, UnicodeDecodeError) as error:
      raise errors.bad_request(f'the body is not JSON: {error}') from error
    if not isinstance(values, dict):
      raise errors.bad_request('the body is no JSON object: give {"field": value, ...}.')
    self._values = values

  def take(self, name: str, default: Any, check: Callable[[Any], bool], allowed: str) -> Any:
    """A field's value; the default where it is absent or null."""
    value = self._values.pop(name, None)
    if value is None:
      return default
    if not check(value):
      raise errors.not_allowed(name, value, allowed)
    return value

  def integer(self, name: str, default: int | None, lower: int, upper: int) -> Any:
    return self.take(
        name, default,
        lambda value: type(value) is int and lower <= value <= upper,
        f'a whole number from {lower:,} to {upper:,}')

  def boolean(self, name: str) -> bool:
    return self.take(name, False, lambda value: isinstance(value, bool), 'true or false')

  def string(self, name: str, default: str | None = None) -> Any:
    return self.take(name, default, _is_text, 'a text')

  def end(self) -> None:
    """Refuses what nobody has looked at."""
    for name in _IGNORED:
      self._values.pop(name, None)
    for name, harmless in _ABSENT.items():
      if (value := self._values.pop(name, None)) not in harmless:
        raise errors.bad_request(
            f'{name}={value!r:.100} is not supported: leave it out.', name)
    if self._values:
      name = min(self._values)
      raise errors.bad_request(f'there is no field {name!r:.100}: leave it out.', name)


def completion(body: bytes, max_bytes: int) -> Generate:
  """The body of /v1/completions."""
  fields = Fields(body)
  prompts = _prompts(fields.take('prompt', '', lambda value: True, ''))
  top = fields.integer('logprobs', None, 0, MAX_TOP)
  request = _generate(fields, max_bytes, prompts=prompts, echo=fields.boolean('echo'), top=top)
  if request.session and (len(prompts) > 1 or request.n > 1 or request.echo):
    raise errors.bad_request(
        'a session goes on in one way: give one prompt, n=1 and no echo with it.', 'session')
  return request


def chat(body: bytes, max_bytes: int) -> Generate:
  """The body of /v1/chat/completions."""
  fields = Fields(body)
  messages = fields.take(
      'messages', (), lambda value: isinstance(value, list), 'a list of messages')
  if not messages:
    raise errors.bad_request('messages are missing: give [{"role": ..., "content": ...}].',
                             'messages')
  limit = fields.integer('max_completion_tokens', None, 0, max_bytes)
  top = fields.integer('top_logprobs', 0, 0, MAX_TOP)
  top = top if fields.boolean('logprobs') else None
  request = _generate(
      fields, max_bytes, prompts=(), echo=False, top=top,
      messages=tuple(map(_message, messages)))
  if request.session and request.n > 1:
    raise errors.bad_request('a session goes on in one way: give n=1 with it.', 'n')
  return dataclasses.replace(
      request, stops=(*request.stops, chat_template.STOP),
      num_bytes=request.num_bytes if limit is None else limit)


def _generate(fields: Fields, max_bytes: int, **known: Any) -> Generate:
  stops = fields.take(
      'stop', (), lambda value: _is_text(value) or (
          isinstance(value, list) and len(value) <= MAX_STOPS and all(map(_is_text, value))),
      f'a text, or a list of at most {MAX_STOPS}')
  stops = tuple(stop.encode() for stop in ([stops] if isinstance(stops, str) else stops))
  if b'' in stops:
    raise errors.not_allowed('stop', '', 'a text of at least one byte')
  options = fields.take(
      'stream_options', {}, _are_stream_options, '{"include_usage": true}')
  number = functools.partial(
      fields.take, default=None, allowed='a number',
      check=lambda value: isinstance(value, int | float) and not isinstance(value, bool))
  chosen = {name: value for name in _SAMPLING if (value := number(name)) is not None}
  try:
    config = SamplingConfig(**chosen, end_of_document=True)
  except (ValueError, OverflowError) as error:
    raise errors.bad_request(str(error), str(error).partition('=')[0]) from error
  request = Generate(
      num_bytes=fields.integer('max_tokens', min(DEFAULT_BYTES, max_bytes), 0, max_bytes),
      n=fields.integer('n', 1, 1, MAX_CHOICES), stops=stops,
      seed=fields.integer('seed', None, 0, MAX_SEED), config=config,
      stream=fields.boolean('stream'), include_usage=options.get('include_usage', False),
      session=fields.string('session'), details=fields.boolean('details'), **known)
  fields.end()
  return request


def _are_stream_options(value: Any) -> bool:
  return (isinstance(value, dict) and value.keys() <= {'include_usage'}
          and isinstance(value.get('include_usage', False), bool))


def _prompts(value: Any) -> tuple[bytes, ...]:
  """A text, a list of texts, bytes as numbers, or a list of such."""
  many = value if isinstance(value, list) and not _is_bytes(value) else [value]
  if not 1 <= len(many) <= MAX_CHOICES or not all(_is_text(x) or _is_bytes(x) for x in many):
    raise errors.not_allowed(
        'prompt', value, f'a text, bytes as numbers from 0 to 255, or 1 to {MAX_CHOICES} of them')
  return tuple(x.encode() if isinstance(x, str) else bytes(x) for x in many)


def _is_text(value: Any) -> bool:
  """Whether it can be sent as UTF-8: JSON may hold halves of a surrogate pair."""
  return isinstance(value, str) and not any('\ud800' <= letter <= '\udfff' for letter in value)


def _is_bytes(value: Any) -> bool:
  return isinstance(value, list) and all(type(x) is int and 0 <= x < 256 for x in value)


def _message(value: Any) -> chat_template.Message:
  allowed = '{"role": "system", "user" or "assistant", "content": a text}'
  if not isinstance(value, dict):
    raise errors.not_allowed('messages', value, allowed)
  role, content = value.get('role'), value.get('content')
  role = 'system' if role == 'developer' else role
  if isinstance(content, list) and all(_is_text_part(part) for part in content):
    content = ''.join(part['text'] for part in content)
  known = role in ('system', *chat_template.NAMES)
  if not known or not isinstance(content, str) or not _is_text(content):
    raise errors.not_allowed('messages', value, allowed)
  return chat_template.Message(str(role), content)


def _is_text_part(part: Any) -> bool:
  return isinstance(part, dict) and part.get('type') == 'text' and _is_text(part.get('text'))


def names(body: bytes, allowed: Sequence[str]) -> dict[str, str | None]:
  """The body of a request about sessions: texts, all optional."""
  fields = Fields(body)
  values = {name: fields.string(name) for name in allowed}
  fields.end()
  return values
