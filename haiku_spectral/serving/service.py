"""The model behind the API: its engine, its sessions, and the settings of the server."""

import contextlib
import pathlib
import secrets
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

from haiku_spectral.config import schema
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import session as session_file
from haiku_spectral.decoding.generation import Request
from haiku_spectral.serving import answers, chat_template, errors, requests, turn
from haiku_spectral.serving import recall as recall_lib
from haiku_spectral.serving import session as session_lib
from haiku_spectral.serving.engine import Engine
from haiku_spectral.serving.job import Job
from haiku_spectral.serving.session import Session
from haiku_spectral.serving.sessions import Limits, Sessions


class Settings(NamedTuple):
  """What a server allows."""

  rows: int = 8  # Texts that are generated at once.
  queue: int = 128  # Texts that may wait for a row.
  max_bytes: int = 1 << 16  # Of one text.
  max_body: int = 1 << 21  # Of a request.
  max_seconds: float = 600.0  # Of a request, its time in the queue included.
  limits: Limits = Limits(sessions=1000, disk_bytes=1 << 34, in_memory=16)


class Service:
  """A model that is served."""

  def __init__(
      self, name: str, decoder: decoder_lib.Decoder, owner: session_file.Owner,
      folder: pathlib.Path, settings: Settings,
  ) -> None:
    """`folder` holds the sessions. Raises ValueError or OSError when it cannot be used."""
    self.name, self.settings, self._decoder = name, settings, decoder
    self.created = int(time.time())
    chosen = decoder.config.ngram.orders, decoder.config.counts.orders
    self.orders = sorted({order for orders in chosen for order in schema.parse_orders(orders)})
    self.model = session_lib.Model(
        owner, context_lib.empty(decoder.model, 1, decoder.dtype), self.orders)
    self.sessions = Sessions(folder, self.model, settings.limits)
    self.engine = Engine(decoder, rows=settings.rows, queue=settings.queue)

  def describe(self) -> dict[str, Any]:
    """The model, as /v1/models lists it."""
    return {'id': self.name, 'object': 'model', 'created': self.created,
            'owned_by': 'haiku_spectral', 'vocabulary': 'bytes',
            'state_bytes': self.model.state_bytes,
            'parameters': sum(leaf.size for leaf in jax.tree.leaves(self._decoder.params)),
            'max_tokens': self.settings.max_bytes, 'orders': self.orders}

  def acquire(self, request: requests.Generate) -> Session | None:
    """The session that a request goes on with, until its turn is over. Raises ApiError."""
    if not request.session:
      return None
    session = self.sessions.acquire(request.session)
    if request.details and self.orders:
      try:
        session.recall()  # Here, in a thread: it takes as long as the session's text.
      except BaseException:
        self.sessions.release(session)
        raise
    return session

  def submit(
      self, request: requests.Generate, session: Session | None, *, chat: bool
  ) -> tuple[answers.Answer, list[Job]]:
    """Queues what a request asks for. To be called where the answer is awaited; raises ApiError."""
    jobs: list[Job] = []
    with self._all_or_none(jobs, session):
      if (count := request.n * max(len(request.prompts), 1)) > self.engine.capacity:
        raise errors.bad_request(
            f'{count} texts in one request, {self.engine.capacity} at most: give fewer prompts, or '
            'a smaller n.')
      seed = secrets.randbelow(requests.MAX_SEED) if request.seed is None else request.seed
      form = answers.Form(chat=chat, model=self.name, seed=seed, request=request)
      prompts = request.prompts
      if chat:
        first = session is None or session.size == 0
        prompts = (chat_template.render(request.messages, first=first),)
      parts = []
      for prompt in prompts:
        events = turn.Events(
            prompt, recall=self._recall(request, session, len(prompts)), session=session,
            sessions=self.sessions)
        jobs.append(self._job(request, prompt, events, seed, session))
        parts.append((events, prompt))
      for job in jobs:
        self.engine.submit(job)
      return answers.Answer(form, parts), jobs

  async def catch_up(self, session: Session) -> None:
    """Prefills the turns that the state of an acquired session lacks, and releases it."""
    answer, _ = self.submit(requests.NOTHING, session, chat=False)
    await answer.whole()

  def close(self, *, cancel: bool = False) -> None:
    """Ends the work, at once or when it is done, and saves the sessions."""
    self.engine.close(cancel=cancel)
    self.sessions.close()

  @contextlib.contextmanager
  def _all_or_none(self, jobs: list[Job], session: Session | None) -> Iterator[None]:
    try:
      yield
    except BaseException:
      for job in jobs:
        self.engine.cancel(job)
      if session:
        self.sessions.release(session)
      raise

  def _recall(
      self, request: requests.Generate, session: Session | None, prompts: int
  ) -> recall_lib.Recall | None:
    if not request.details or request.n > 1 or prompts > 1 or not self.orders:
      return None
    return session.recall() if session else recall_lib.Recall(self.orders)

  def _job(
      self, request: requests.Generate, prompt: bytes, events: turn.Events, seed: int,
      session: Session | None,
  ) -> Job:
    start, pending = session.start if session else (None, [])
    return Job(
        events, prompt, Request(request.num_bytes, jax.random.key(seed), request.stops),
        request.config, choices=request.n, top=request.top or 0, start=start, pending=pending,
        keep=session is not None, deadline=time.monotonic() + self.settings.max_seconds)
