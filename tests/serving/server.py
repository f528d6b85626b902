"""A server in this process, behind a real socket, and plain HTTP to ask it."""

import contextlib
import http.client
import json
import pathlib
import threading
import time

import uvicorn

from haiku_spectral.decoding import session
from haiku_spectral.serving import app, service
from tests.decoding import tiny_model

ACCESS = app.Access()
OWNER = session.Owner('1' * 16, '2' * 16)


class Server:
  """Serves from a thread; a second one can follow it on the same folder."""

  def __init__(self, folder, *, decoder=None, owner=OWNER, access=ACCESS, watched=None,
               body_seconds=30.0, with_model=True, **settings):
    self.service = None
    if with_model:
      settings = service.Settings(**{'rows': 3, 'max_bytes': 4096, **settings})
      self.service = service.Service(
          'tiny', decoder or tiny_model.decoder(), owner, pathlib.Path(folder), settings)
    self.app = app.make(
        self.service, access=access, watched=watched, body_seconds=body_seconds,
        max_body=settings.max_body if with_model else 1 << 20)
    self._server = uvicorn.Server(uvicorn.Config(
        self.app, port=0, log_config=None, access_log=False, log_level='warning',
        lifespan='on', timeout_graceful_shutdown=60))
    self._thread = threading.Thread(target=self._server.run)
    self._thread.start()
    while not self._server.started:
      assert self._thread.is_alive(), 'the server did not start'
      time.sleep(0.01)
    self.port = self._server.servers[0].sockets[0].getsockname()[1]
    self.url = f'http://127.0.0.1:{self.port}'

  def close(self):
    self._server.should_exit = True
    self._thread.join()

  def connection(self):
    return contextlib.closing(http.client.HTTPConnection('127.0.0.1', self.port, timeout=120))

  def raw(self, method, path, body=None, headers=None):
    """(status, headers, bytes)."""
    with self.connection() as connection:
      data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
      kind = {'Content-Type': 'application/json'} if method == 'POST' else {}
      connection.request(method, path, data, {**kind, **(headers or {})})
      answer = connection.getresponse()
      return answer.status, dict(answer.getheaders()), answer.read()

  def ask(self, method, path, body=None, headers=None):
    """(status, parsed JSON)."""
    status, _, data = self.raw(method, path, body, headers)
    return status, json.loads(data) if data else None

  def complete(self, **body):
    """The object that answers a completion."""
    status, found = self.ask('POST', '/v1/completions', body)
    assert status == 200, found
    return found

  def stream(self, path='/v1/completions', **body):
    """The parsed events of a stream; the last is '[DONE]'."""
    status, headers, data = self.raw('POST', path, {**body, 'stream': True})
    assert status == 200, data
    assert headers['content-type'].startswith('text/event-stream'), headers
    return events(data)


def events(data):
  found = [each.removeprefix(b'data: ') for each in data.split(b'\n\n') if each]
  return [each.decode() if each == b'[DONE]' else json.loads(each) for each in found]
