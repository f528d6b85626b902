"""The thread that generates: jobs come in from any thread, and their observers are told.

It drives the scheduler of `decoding` and has no loop over bytes of its own. All that touches the
model happens in this one thread.
"""

import collections
import functools
import logging
import threading
import time
from collections.abc import Callable

import jax
import numpy as np

from haiku_spectral import vocab
from haiku_spectral.decoding import decoder as decoder_lib
from haiku_spectral.decoding import sampling, scheduler
from haiku_spectral.decoding.context import Context
from haiku_spectral.decoding.generation import Request
from haiku_spectral.decoding.row import Row
from haiku_spectral.serving import errors
from haiku_spectral.serving.job import CANCELLED, CONFIG, LENGTH, STOP, TIME, End, Job, Piece, Top


class _Text:
  """One choice while it is generated."""

  def __init__(self, job: Job, choice: int) -> None:
    self.job, self.choice = job, choice
    self.sent = 0
    self.tops: list[Top] = []
    self.times: list[float] = []


_Done = Callable[[Context | None], None]


class Engine:
  """Generates what jobs ask for, `rows` texts at a time."""

  def __init__(self, decoder: decoder_lib.Decoder, *, rows: int, queue: int) -> None:
    """`queue`: texts that may wait for a row."""
    self._decoder, self._rows, self.capacity = decoder, rows, rows + queue
    self._wake = threading.Condition()
    self._inbox: collections.deque[Callable[[], None]] = collections.deque()
    self._jobs: set[Job] = set()
    self._texts = 0  # That are not complete.
    self._closing = False
    self.bytes_generated = 0
    self._thread = threading.Thread(target=self._run, name='engine', daemon=True)
    self._reset()

  def start(self) -> None:
    """Begins to serve jobs."""
    self._thread.start()

  def submit(self, job: Job) -> None:
    """Queues a job. Raises ApiError when too many texts wait, and while the server ends."""
    with self._wake:
      if self._closing:
        raise errors.overloaded('the server is about to end: try again later.')
      if self._texts + job.choices > self.capacity:
        raise errors.overloaded(
            f'{self._texts} texts are in work, {self.capacity} at most: try again later.')
      self._texts += job.choices
      self._act(lambda: self._begin(job))

  def cancel(self, job: Job, reason: str = CANCELLED) -> None:
    """Ends a job where it is; does nothing to one that has ended."""
    with self._wake:
      self._act(lambda: self._interrupt(job, reason))

  def cancel_all(self) -> None:
    """Ends all jobs where they are."""
    with self._wake:
      self._act(self._interrupt_all)

  def close(self, *, cancel: bool = False) -> None:
    """Waits until all jobs are done, or ends them where they are."""
    with self._wake:
      self._closing = True
      if cancel:
        self._act(self._interrupt_all)
      self._wake.notify()
    if self._thread.ident:
      self._thread.join()

  @property
  def busy(self) -> dict[str, int]:
    """What is going on, for people to look at."""
    return {'rows': self._rows, 'texts': self._texts, 'bytes_generated': self.bytes_generated}

  def _act(self, action: Callable[[], None]) -> None:
    self._inbox.append(action)
    self._wake.notify()

  def _reset(self) -> None:
    self._tasks: dict[int, tuple[Job, _Text | _Done]] = {}  # By ticket.
    self._scheduler = scheduler.Scheduler(
        self._decoder, CONFIG, rows=self._rows, callbacks=scheduler.Callbacks(
            self._on_prefill, self._on_logits, self._on_bytes, self._on_end))

  def _run(self) -> None:
    while self._has_work():
      try:
        self._step()
      except Exception as error:  # The model's, or the disk's: nobody shall wait for ever.
        logging.exception('all texts in work have failed')
        self._fail(error)

  def _has_work(self) -> bool:
    """Waits for something to do; False when nothing will come any more."""
    with self._wake:
      while not self._inbox and self._scheduler.idle:
        if self._closing:
          return False
        self._wake.wait()
    return True

  def _step(self) -> None:
    while self._inbox:
      self._inbox.popleft()()
    now = time.monotonic()
    for job in [each for each in self._jobs if each.deadline < now]:
      self._interrupt(job, TIME)
    if not self._scheduler.idle:
      self._scheduler.step()

  def _fail(self, error: Exception) -> None:
    jobs, self._jobs = self._jobs, set()
    self._reset()
    for job in jobs:
      self._release(job.left)
      job.observer.failed(error)

  def _release(self, count: int) -> None:
    with self._wake:
      self._texts -= count

  # A job: what its start lacks is prefilled, then its prompt, then come the texts.

  def _begin(self, job: Job) -> None:
    self._jobs.add(job)
    job.left = job.choices
    self._prepare(job, list(job.pending), first=False, context=job.start)

  def _prepare(
      self, job: Job, pending: list[np.ndarray], *, first: bool, context: Context | None
  ) -> None:
    if pending:
      then = functools.partial(self._prepared, job, pending[1:])
      self._prefill(job, pending[0], context, then, first=first)
    elif job.choices > 1:
      then = functools.partial(self._start_texts, job, b'', True)
      self._prefill(job, vocab.encode(job.prompt), context, then, first=first)
    else:
      self._start_texts(job, job.prompt, first, context)

  def _prepared(self, job: Job, pending: list[np.ndarray], context: Context | None) -> None:
    self._prepare(job, pending, first=True, context=context)

  def _prefill(
      self, job: Job, ids: np.ndarray, context: Context | None, then: _Done, *, first: bool = True
  ) -> None:
    nothing = Request(0, job.request.key)
    self._note(job, self._scheduler.submit(nothing, ids, context, first=first), then)

  def _start_texts(
      self, job: Job, prompt: bytes, first: bool, context: Context | None
  ) -> None:
    # The first of them shall be let in first.
    for choice in reversed(range(job.choices)) if first else range(job.choices):
      ticket = self._scheduler.submit(
          job.request, prompt, context, job.config, row=choice, first=first, logits=job.top > 0)
      self._note(job, ticket, _Text(job, choice))

  def _note(self, job: Job, ticket: int, task: _Text | _Done) -> None:
    self._tasks[ticket] = job, task
    job.tickets.add(ticket)

  def _interrupt(self, job: Job, reason: str) -> None:
    if job in self._jobs and not job.interrupted and job.left:
      job.interrupted = reason
      for ticket in list(job.tickets):
        self._scheduler.cancel(ticket)

  def _interrupt_all(self) -> None:
    for job in list(self._jobs):
      self._interrupt(job, CANCELLED)

  # What the scheduler tells.

  def _on_prefill(self, ticket: int, log_probs: np.ndarray) -> None:
    job, task = self._tasks[ticket]
    if isinstance(task, _Text) or job.choices > 1:
      job.observer.prefilled(log_probs)

  def _on_logits(self, ticket: int, row: Row, logits: jax.Array) -> None:
    job, task = self._tasks[ticket]
    assert isinstance(task, _Text)
    rows = np.asarray(sampling.log_probs(logits))[:len(row.log_probs) - len(task.tops)]
    for each in rows:
      best = np.argsort(-each, stable=True)[:job.top]
      task.tops.append([(int(id_), float(each[id_])) for id_ in best])

  def _on_bytes(self, ticket: int, row: Row, data: bytes) -> None:
    job, task = self._tasks[ticket]
    assert isinstance(task, _Text)
    where = slice(task.sent, task.sent + len(data))
    task.sent += len(data)
    self.bytes_generated += len(data)
    task.times.append(time.monotonic())
    job.observer.piece(task.choice, Piece(data, row.log_probs[where], task.tops[where]))

  def _on_end(self, ticket: int, row: Row, prompt: Context | None) -> None:
    job, task = self._tasks.pop(ticket)
    job.tickets.discard(ticket)
    if isinstance(task, _Text):
      self._text_ended(job, task, row, prompt)
    elif job.interrupted and job.left:  # It never came to a text.
      for choice in range(job.choices):
        self._text_ended(job, _Text(job, choice), row, None)
    else:
      task(prompt)

  def _text_ended(self, job: Job, task: _Text, row: Row, prompt: Context | None) -> None:
    finish = STOP if row.stopped or row.document_ended else job.interrupted or LENGTH
    job.left -= 1
    self._release(1)
    seconds = task.times[-1] - task.times[0] if task.times else 0.0
    text = bytes(row.text)
    job.observer.ended(task.choice, End(
        finish, text, row.document_ended, row.log_probs[:len(text)], row.ids, seconds))
    if job.keep and prompt is not None:
      # Not from the cache: so the context depends on the text alone, not on the other rows.
      self._prefill(job, row.ids, prompt, functools.partial(self._finish, job))
    elif not job.left:
      self._finish(job, None)

  def _finish(self, job: Job, context: Context | None) -> None:
    self._jobs.discard(job)
    if job.keep:
      job.observer.context(context)
