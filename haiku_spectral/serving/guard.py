"""What stands before every request: a token, a limit of the body, and the header of its kind."""

import hmac
import http
import re
from collections.abc import Awaitable, Callable

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from haiku_spectral.serving import errors

_HEADERS = {
    # Nothing from other hosts, and nothing of ours in other pages.
    b'content-security-policy': b"default-src 'self'; img-src 'self' data:; "
                                b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    b'x-content-type-options': b'nosniff',
    b'referrer-policy': b'no-referrer',
    b'cache-control': b'no-store',
}
API = '/v1/'
_JSON = re.compile(r'application/json\b')
_Answer = Callable[[Request], Awaitable[Response]]


def refusal(error: errors.ApiError) -> JSONResponse:
  """The answer to a request that is not served."""
  headers = {}
  if error.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
    headers['retry-after'] = '1'
  if error.status == http.HTTPStatus.UNAUTHORIZED:
    headers['www-authenticate'] = 'Bearer'
  return JSONResponse(error.body, error.status, headers)


class Guard:
  """ASGI middleware. The page itself is open to all; what is under /v1/ needs the token."""

  def __init__(self, app: ASGIApp, *, token: str, max_body: int, body_seconds: float) -> None:
    """`token`: empty for none. `max_body` in bytes, and the time for it to arrive in."""
    self._app, self._token, self._max_body = app, token, max_body
    self._body_seconds = body_seconds

  async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
    if scope['type'] != 'http':
      await self._app(scope, receive, send)
      return

    async def send_with_headers(message: Message) -> None:
      if message['type'] == 'http.response.start':
        message['headers'] = [*message['headers'], *_HEADERS.items()]
      await send(message)

    try:
      request = Request(scope)
      self._check(request)
      body = await self._in_time(request, receive) if request.method == 'POST' else None
    except errors.ApiError as error:
      await refusal(error)(scope, receive, send_with_headers)
      return
    await self._app(scope, receive if body is None else _replay(body, receive), send_with_headers)

  def _check(self, request: Request) -> None:
    if not request.scope['path'].startswith(API):  # The router's; that of `url` has the Host in it.
      return
    given = request.headers.get('authorization', '')
    if self._token and not hmac.compare_digest(
        given.encode('utf-8', 'surrogateescape'), f'Bearer {self._token}'.encode()):
      raise errors.ApiError(
          http.HTTPStatus.UNAUTHORIZED, 'the bearer token is missing or wrong: give the one that '
          'the server was started with.')
    # A form of another page could be sent without asking; this type cannot.
    if request.method == 'POST' and not _JSON.match(request.headers.get('content-type', '')):
      raise errors.ApiError(
          http.HTTPStatus.UNSUPPORTED_MEDIA_TYPE, 'give Content-Type: application/json.')

  async def _in_time(self, request: Request, receive: Receive) -> bytes:
    """The whole body. 408 when it does not arrive."""
    try:
      with anyio.fail_after(self._body_seconds):
        return await self._body(request, receive)
    except TimeoutError as error:
      raise errors.ApiError(
          http.HTTPStatus.REQUEST_TIMEOUT,
          f'the body did not arrive within {self._body_seconds:g} seconds.') from error

  async def _body(self, request: Request, receive: Receive) -> bytes:
    """The whole body. 413 as soon as it is known to be too large."""
    body = bytearray()
    declared = request.headers.get('content-length', '0')
    size = int(declared) if declared.isdigit() else 0
    while size <= self._max_body:
      message = await receive()
      if message['type'] == 'http.disconnect':
        raise errors.bad_request('the client has gone away.')  # Nobody will know.
      body += message.get('body', b'')
      size = max(size, len(body))
      if size <= self._max_body and not message.get('more_body'):
        return bytes(body)
    raise errors.ApiError(
        http.HTTPStatus.CONTENT_TOO_LARGE if hasattr(http.HTTPStatus, 'CONTENT_TOO_LARGE')
        else http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f'the body has more than {self._max_body:,} bytes: send less at a time; a session keeps '
        'what was sent before.')


def _replay(body: bytes, receive: Receive) -> Receive:
  """A `receive` that gives the body once, then what comes after it."""
  given = False

  async def again() -> Message:
    nonlocal given
    if given:
      return await receive()
    given = True
    return {'type': 'http.request', 'body': body, 'more_body': False}

  return again
