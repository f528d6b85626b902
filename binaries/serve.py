"""Serves a model over HTTP: an OpenAI-compatible API, sessions, and a web page to talk to it.

  python -m binaries.serve --run_dir=runs/demo
  python -m binaries.serve --run_dir=runs/demo --watch=runs/books --port=8080

Exit code 0 after SIGTERM or Ctrl-C, once the streams have ended and the sessions are saved.
"""

import contextlib
import logging
import os
import pathlib
import re
import socket
import threading
import types
from collections.abc import Sequence

import uvicorn
from absl import flags

from binaries import command_line, flag_types, model_flags
from haiku_spectral import requirement, shutdown
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import session
from haiku_spectral.serving import app, service, warm_up
from haiku_spectral.serving.sessions import Limits
from haiku_spectral.training import run_folder

flags.adopt_module_key_flags(model_flags)
HOST = flags.DEFINE_string(
    'host', '127.0.0.1', 'Address to listen on; 0.0.0.0: all, which requires --token_file.')
PORT = flag_types.define_integer(
    'port', 8000, 'Port to listen on; 0: any free port.', upper=65535)
SESSIONS = flag_types.define_path(
    'sessions', None, 'Folder of the sessions (default: `sessions` in the run folder).')
TOKEN_FILE = flag_types.define_path(
    'token_file', None, 'File with a token that every request to the API must carry.')
CORS_ORIGIN = flags.DEFINE_multi_string(
    'cors_origin', [], 'Origin whose pages may send requests, as https://example.org; may be given '
    'several times.')
ALLOWED_HOST = flags.DEFINE_multi_string(
    'allowed_host', [], 'Another host name of the server, as example.org; may be repeated.')
WATCH = flag_types.define_path('watch', None, 'Folder of a training run whose curves are shown.')
ROWS = flag_types.define_integer('rows', 8, 'Texts generated at the same time.', lower=1, upper=512)
QUEUE = flag_types.define_integer('queue', 128, 'Texts that may wait; beyond that: 503.')
MAX_BYTES = flag_types.define_integer(
    'max_bytes', 1 << 16, 'Maximum number of bytes of one text.', lower=1)
MAX_BODY = flag_types.define_integer(
    'max_body', 1 << 21, 'Maximum size of a request, in bytes; beyond that: 413.', lower=1024)
MAX_SECONDS = flag_types.define_float(
    'max_seconds', 600.0, 'Maximum time of a request, in seconds; then its text ends.')
MAX_SESSIONS = flag_types.define_integer(
    'max_sessions', 1000, 'Maximum number of sessions; beyond that: 507.')
MAX_DISK = flag_types.define_integer(
    'max_disk', 1 << 14, 'Disk space for the sessions, in MiB; beyond that: 507.')
IN_MEMORY = flag_types.define_integer(
    'in_memory', 16, 'Sessions whose state stays in memory between their turns.', lower=1)
GRACE = flag_types.define_integer(
    'grace', 60, 'Seconds that streams may take to end after SIGTERM; then they are cut off.')
WARM_UP = flags.DEFINE_bool('warm_up', True, 'Compiles everything before it listens.')
_ENDING = 30  # Seconds for what is left when the texts have ended.
PRECISION = model_flags.define_precision()


def _check_flags() -> str:
  """The token. Raises ValueError for flags that do not go together."""
  if not WATCH.value:
    model_flags.check()
  token = ''
  if TOKEN_FILE.value:
    token = pathlib.Path(TOKEN_FILE.value).read_text(encoding='utf-8').strip()
    requirement.require(
        bool(re.fullmatch('[!-~]{16,}', token)), '--token_file', TOKEN_FILE.value,
        'a file with a token of 16 or more ASCII characters and no space')
  for origin in CORS_ORIGIN.value:
    requirement.require(
        bool(re.fullmatch(r'https?://[^/*\s]+', origin)), '--cors_origin', origin,
        'a scheme and a host, as https://example.org')
  for host in ALLOWED_HOST.value:
    requirement.require(
        bool(re.fullmatch(r'(\*\.)?[A-Za-z0-9.-]+', host)), '--allowed_host', host,
        'a host name, as example.org or *.example.org')
  local = HOST.value in ('127.0.0.1', '::1', 'localhost')
  requirement.require(
      bool(local or token), '--host', HOST.value,
      '--token_file with it: whoever reaches the server can use it')
  if WATCH.value:
    run_folder.read_config(pathlib.Path(WATCH.value))
  return token


def _service() -> service.Service | None:
  """The model, ready to serve; None when there is only a run to watch."""
  if not model_flags.RUN_DIR.value:
    return None
  settings = service.Settings(
      ROWS.value, QUEUE.value, MAX_BYTES.value, MAX_BODY.value, MAX_SECONDS.value,
      Limits(MAX_SESSIONS.value, MAX_DISK.value << 20, IN_MEMORY.value))
  folder = SESSIONS.value or os.path.join(model_flags.RUN_DIR.value, 'sessions')
  config, params, step = model_flags.load()
  owner = session.owner(config.model, params)
  decoder = decoder_lib.Decoder(config.model, model_flags.on_device(params, PRECISION.value))
  name = os.path.basename(os.path.realpath(model_flags.RUN_DIR.value))
  served = service.Service(name, decoder, owner, pathlib.Path(folder), settings)
  command_line.tell(f'model {name} at step {step:,}; sessions in {folder}')
  if WARM_UP.value:
    command_line.tell('compiling, which takes a minute the first time ...')
    warm_up.run(decoder, ROWS.value)
  return served


def _bind() -> socket.socket:
  """The address, taken before anything is loaded. Raises ValueError when it cannot be had."""
  taken = socket.socket(socket.AF_INET6 if ':' in HOST.value else socket.AF_INET)
  try:
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((HOST.value, PORT.value))
  except OSError as error:
    taken.close()
    raise ValueError(
        f'--host={HOST.value} --port={PORT.value} cannot be listened at ({error.strerror or error})'
        ': give another --port, or 0 for one that is free.') from error
  return taken


class _Server(uvicorn.Server):
  """Ends in steps: texts are finished, then ended where they are, then the process ends."""

  def __init__(
      self, settings: uvicorn.Config, served: service.Service | None, stop: shutdown.Interruption
  ) -> None:
    super().__init__(settings)
    self._served, self._stop, self._signals = served, stop, 0

  async def startup(self, sockets: list[socket.socket] | None = None) -> None:
    await super().startup(sockets)
    self.should_exit |= self._stop()  # The signal came before there was a loop to take it.
    for taken in sockets or []:
      host, port = taken.getsockname()[:2]
      command_line.tell(f'listening at http://{f"[{host}]" if ":" in host else host}:{port}/')

  def handle_exit(self, sig: int, frame: types.FrameType | None) -> None:
    """The first signal lets texts be finished, the next one ends them where they are."""
    self._signals += 1
    if self._signals == 1:
      # Not print: the signal may have come in the middle of one.
      with contextlib.suppress(OSError):  # Nobody listens.
        os.write(2, b'finishing the texts in work; Ctrl-C ends them where they are\n')
      timer = threading.Timer(GRACE.value, self._cut_short)
      timer.daemon = True
      timer.start()
    if self._signals == 2:
      self._cut_short()
    else:
      super().handle_exit(sig, frame)

  def _cut_short(self) -> None:
    if self._served:
      self._served.engine.cancel_all()


def main(argv: Sequence[str]) -> int:
  """Serves until SIGTERM or Ctrl-C."""
  del argv
  token = _check_flags()
  own = f'[{HOST.value}]' if ':' in HOST.value else HOST.value
  hosts = {*app.Access().hosts, own, *ALLOWED_HOST.value}
  if HOST.value in ('0.0.0.0', '::') and not ALLOWED_HOST.value:
    hosts = {'*'}  # The token keeps strangers out.
  with shutdown.caught() as stop, _bind() as taken:
    served = _service()
    if stop():
      return 0
    application = app.make(
        served, access=app.Access(sorted(hosts), CORS_ORIGIN.value, token),
        max_body=MAX_BODY.value,
        watched=pathlib.Path(WATCH.value) if WATCH.value else None)
    settings = uvicorn.Config(
        application, log_config=None, access_log=False, log_level=logging.WARNING, lifespan='on',
        ws='none', server_header=False, timeout_graceful_shutdown=GRACE.value + _ENDING)
    server = _Server(settings, served, stop)
    try:
      server.run([taken])
    finally:
      if served:  # Where a third signal has ended the loop.
        served.close(cancel=True)
  command_line.tell('ended; the sessions are saved')
  return 0 if server.started else command_line.MISTAKE


if __name__ == '__main__':
  command_line.run(main)
