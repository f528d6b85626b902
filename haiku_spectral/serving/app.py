"""The web application: routes, and what each of them does."""

import asyncio
import contextlib
import functools
import logging
import pathlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from haiku_spectral.serving import answers, errors, guard, requests, text, watch
from haiku_spectral.serving.job import Job
from haiku_spectral.serving.service import Service

PAGE = pathlib.Path(__file__).parent / 'page'
_INDEX = 'index.html'
_TAIL = 1 << 15  # Bytes of a session that are shown, unless more are asked for.
_Handler = Callable[[Request], Awaitable[Response]]


class Access(NamedTuple):
  """Who may ask."""

  hosts: Sequence[str] = ('127.0.0.1', 'localhost', '[::1]')  # Names that the server goes by.
  origins: Sequence[str] = ()  # Pages of other servers that may ask.
  token: str = ''  # What all have to give; empty: nothing.


def make(
    service: Service | None, *, access: Access, max_body: int, watched: pathlib.Path | None = None,
    body_seconds: float = 30.0,
) -> Starlette:
  """The application. Without a service it has no model: it only shows the run that is watched."""
  app = _App(service, watched)
  routes = [
      *(Route(f'/{path.name.removesuffix(_INDEX)}', _page_file(path))
        for path in sorted(PAGE.glob('*.*'))),
      Route('/health', app.health), Route('/v1/models', app.models),
      Route('/v1/models/{model}', app.model), Route('/v1/status', app.status),
      Route('/v1/completions', app.completions, methods=['POST']),
      Route('/v1/chat/completions', app.chat, methods=['POST']),
      Route('/v1/sessions', app.list_sessions, methods=['GET']),
      Route('/v1/sessions', app.create_session, methods=['POST']),
      Route('/v1/sessions/{name}', app.inspect_session, methods=['GET']),
      Route('/v1/sessions/{name}', app.delete_session, methods=['DELETE']),
      Route('/v1/sessions/{name}/fork', app.fork_session, methods=['POST']),
      Route('/v1/sessions/{name}/text', app.session_text),
      Route('/v1/sessions/{name}/state', app.session_state),
      Route('/v1/watch', app.watch),
  ]
  middleware = [Middleware(TrustedHostMiddleware, allowed_hosts=list(access.hosts))]
  if access.origins:
    middleware.append(Middleware(
        CORSMiddleware, allow_origins=list(access.origins), allow_methods=['GET', 'POST', 'DELETE'],
        allow_headers=['authorization', 'content-type']))
  middleware.append(Middleware(
      guard.Guard, token=access.token, max_body=max_body, body_seconds=body_seconds))
  return Starlette(
      routes=routes, middleware=middleware, lifespan=app.lifespan,
      exception_handlers={errors.ApiError: _refuse, HTTPException: _refuse_route,
                          Exception: _broken})


def _page_file(path: pathlib.Path) -> _Handler:
  async def answer(request: Request) -> Response:
    return FileResponse(path)

  return answer


async def _refuse(request: Request, error: Exception) -> Response:
  assert isinstance(error, errors.ApiError)
  return guard.refusal(error)


async def _refuse_route(request: Request, error: Exception) -> Response:
  assert isinstance(error, HTTPException)
  message = f'{request.method} {request.url.path[:80]}: {error.detail.lower()}.'
  return JSONResponse({'error': {
      'message': message, 'type': 'invalid_request_error', 'param': None, 'code': None}},
      error.status_code, error.headers)


async def _broken(request: Request, error: Exception) -> Response:
  logging.error('%s %s failed: %r', request.method, request.url.path, error)
  return JSONResponse({'error': {
      'message': 'the server failed; its log says why.', 'type': 'server_error', 'param': None,
      'code': None}}, 500)


_in_thread = anyio.to_thread.run_sync


class _App:
  """The handlers."""

  def __init__(self, service: Service | None, watched: pathlib.Path | None) -> None:
    self._served, self._watched = service, watched

  @property
  def _service(self) -> Service:
    if self._served is None:
      raise errors.overloaded('no model is served: start the server with --run_dir.')
    return self._served

  @contextlib.asynccontextmanager
  async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
    """From the first request to the last: then the sessions are saved."""
    if self._served:
      self._served.engine.start()
    yield
    if self._served:
      await _in_thread(functools.partial(self._served.close, cancel=True))

  async def health(self, request: Request) -> Response:
    return JSONResponse({'status': 'ok'})

  async def models(self, request: Request) -> Response:
    served = [self._served.describe()] if self._served else []
    return JSONResponse({'object': 'list', 'data': served})

  async def model(self, request: Request) -> Response:
    if request.path_params['model'] != self._service.name:
      raise errors.not_found(f'there is no model {request.path_params["model"]!r:.80}.')
    return JSONResponse(self._service.describe())

  async def status(self, request: Request) -> Response:
    service = self._service
    return JSONResponse({
        **service.engine.busy, 'sessions': len(service.sessions.names()),
        'disk_bytes': service.sessions.disk_bytes})

  async def completions(self, request: Request) -> Response:
    return await self._generate(request, requests.completion, chat=False)

  async def chat(self, request: Request) -> Response:
    return await self._generate(request, requests.chat, chat=True)

  async def _generate(
      self, request: Request, parse: Callable[[bytes, int], requests.Generate], *, chat: bool
  ) -> Response:
    service = self._service
    wanted = parse(await request.body(), service.settings.max_bytes)
    session = await _in_thread(service.acquire, wanted)
    answer, jobs = service.submit(wanted, session, chat=chat)

    def extra() -> dict[str, Any]:
      more = {'ms_per_byte': answers.speed(answer.choices)}
      return more if session is None else {**more, 'session': _describe(service, session.name)}

    if wanted.stream:
      return _Stream(service, jobs, answer.stream(extra))
    try:
      whole = await _unless_disconnected(request, answer.whole)
    finally:
      for job in jobs:
        service.engine.cancel(job)
    return JSONResponse({**whole, **extra()} if wanted.details else whole)

  async def list_sessions(self, request: Request) -> Response:
    service = self._service
    return JSONResponse({'object': 'list', 'data': [
        _describe(service, name) for name in service.sessions.names()]})

  async def create_session(self, request: Request) -> Response:
    given = requests.names(await request.body(), ('id',))
    name = await _in_thread(self._service.sessions.create, given['id'])
    return JSONResponse(_describe(self._service, name), 201)

  async def inspect_session(self, request: Request) -> Response:
    return JSONResponse(_describe(self._service, request.path_params['name']))

  async def delete_session(self, request: Request) -> Response:
    await _in_thread(self._service.sessions.delete, request.path_params['name'])
    return Response(status_code=204)

  async def fork_session(self, request: Request) -> Response:
    given = requests.names(await request.body(), ('id',))
    name = await _in_thread(
        self._service.sessions.fork, request.path_params['name'], given['id'])
    return JSONResponse(_describe(self._service, name), 201)

  async def session_text(self, request: Request) -> Response:
    """The last bytes of a session, with their surprise and what they repeat."""
    tail = request.query_params.get('tail', str(_TAIL))
    if not re.fullmatch('[0-9]{1,9}', tail):
      raise errors.not_allowed('tail', tail, 'a number of bytes')
    return JSONResponse(await _in_thread(
        _text, self._service, request.path_params['name'], int(tail)))

  async def session_state(self, request: Request) -> Response:
    """The session file, as `sample --session` reads it."""
    service, name = self._service, request.path_params['name']
    session = await _in_thread(service.sessions.acquire, name)
    await service.catch_up(session)
    data = await _in_thread(service.sessions.state, name)
    return Response(data, media_type='application/octet-stream', headers={
        'content-disposition': f'attachment; filename="{name}.session"'})

  async def watch(self, request: Request) -> Response:
    if not self._watched:
      raise errors.not_found('no run is watched: start the server with --watch.')
    try:
      return JSONResponse(await _in_thread(watch.curves, self._watched))
    except (OSError, ValueError) as error:
      raise errors.not_found(f'{error}.') from error


class _Stream(StreamingResponse):
  """Server-sent events. The rows are freed when nobody listens, from the first moment on."""

  def __init__(self, service: Service, jobs: list[Job], stream: AsyncIterator[str]) -> None:
    super().__init__(_with_errors(stream), media_type='text/event-stream')
    self._service, self._jobs = service, jobs

  async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
    try:
      await super().__call__(scope, receive, send)
    finally:
      for job in self._jobs:
        self._service.engine.cancel(job)


async def _with_errors(stream: AsyncIterator[str]) -> AsyncIterator[str]:
  """A stream that tells in its last event how it failed."""
  try:
    async for chunk in stream:
      yield chunk
  except errors.ApiError as error:
    yield answers.server_sent(error.body)
  except Exception as error:
    logging.error('a stream failed: %r', error)
    yield answers.server_sent({'error': {
        'message': f'the text failed: {error}', 'type': 'server_error', 'param': None,
        'code': None}})


async def _unless_disconnected(
    request: Request, work: Callable[[], Awaitable[dict[str, Any]]]
) -> dict[str, Any]:
  """What comes of the work; it is given up when the client goes away."""
  working = asyncio.ensure_future(work())
  listening = asyncio.ensure_future(_disconnect(request))
  try:
    await asyncio.wait([working, listening], return_when=asyncio.FIRST_COMPLETED)
    if not working.done():
      raise errors.bad_request('the client has gone away.')  # Nobody reads this.
    return working.result()
  finally:
    working.cancel()
    listening.cancel()


async def _disconnect(request: Request) -> None:
  """Returns when the client has gone away."""
  while (await request.receive())['type'] != 'http.disconnect':
    pass


def _describe(service: Service, name: str) -> dict[str, Any]:
  return {'id': name, 'object': 'session', **service.sessions.summary(name)._asdict(),
          'state_bytes': service.model.state_bytes, 'busy': service.sessions.is_busy(name)}


def _text(service: Service, name: str, tail: int) -> dict[str, Any]:
  session = service.sessions.peek(name)
  turns = session.turns
  data, tenths, repeats = session.tail(tail)
  return {
      **_describe(service, name), 'start': session.size - len(data),
      **text.packed(data, tenths, repeats),
      'parts': [[len(turn.prompt), len(turn.text), turn.finish] for turn in turns]}
