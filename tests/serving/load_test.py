"""Many clients at once: no error, no text mixed up, memory flat; and kill -9 in the middle.

`make //tests/serving:load_test ARGS='--seconds=300'` for the time that counts.
"""

import itertools
import json
import pathlib
import random
import threading
import time
from collections import Counter

from absl import flags
from absl.testing import absltest

from tests.serving import running

SECONDS = flags.DEFINE_float('seconds', 20.0, 'For so long the clients ask.')
CLIENTS = flags.DEFINE_integer('clients', 64, 'Clients at once.')
RUN_DIR = flags.DEFINE_string('run_dir', '', 'Run whose model is asked; a tiny one by default.')
SCRIPTS, TURNS, TEXTS = 4, 6, 12
SLACK = 1.05, 32 << 20  # Memory may grow by this factor and so many bytes.


def setUpModule():
  global RUN
  RUN = RUN_DIR.value or running.make_run(
      pathlib.Path(absltest.get_default_test_tmpdir()) / 'load_run')


def body(number):
  """A request of its own kind for each number; the same number, the same text."""
  chosen = random.Random(number)
  return {
      'prompt': ''.join(chosen.choices('abcdefgh şçğ\n', k=chosen.choice([1, 9, 70, 600]))),
      'max_tokens': chosen.choice([1, 17, 64, 200]), 'seed': number,
      'temperature': chosen.choice([0, 0.7, 1]), 'top_p': chosen.choice([0.8, 1]),
      'stop': chosen.choice([[], ['e']])}


def turn(script, number):
  return {**body(1000 + 100 * script + number), 'session': None}


def text_of(answer):
  return answer['choices'][0]['text'], answer['choices'][0]['finish_reason']


class Clients:
  """Clients that ask until they are told to stop; each compares what it gets."""

  def __init__(self, server, texts, turns):
    self._server, self._texts, self._turns = server, texts, turns
    self._stop = threading.Event()
    self.mistakes = []
    self.counts = Counter()
    self.kept = {}  # Finished turns of each session: (script, number of turns).
    self._threads = [threading.Thread(target=self._client, args=[i]) for i in range(CLIENTS.value)]

  def start(self):
    for thread in self._threads:
      thread.start()

  def stop(self):
    self._stop.set()

  def join(self):
    for thread in self._threads:
      thread.join()

  def _client(self, number):
    try:
      for round_number in itertools.count():
        if self._stop.is_set():
          return
        if number % 2:
          self._ask_for_text(number + round_number)
        else:
          self._talk(number, round_number)
    except Exception as error:  # A server that was killed, or a mistake that the test will show.
      if not self._stop.is_set():
        self.mistakes.append(f'client {number}: {error!r}')

  def _ask_for_text(self, number):
    number %= TEXTS
    self._compare(self._complete(body(number)), self._texts[number], number)

  def _talk(self, number, round_number):
    script, name = number // 2 % SCRIPTS, f'c{number}-{round_number}'
    status, found = self._server.ask('POST', '/v1/sessions', {'id': name})
    assert status == 201, found
    for count in range(TURNS):
      if self._stop.is_set():
        return
      answer = self._complete({**turn(script, count), 'session': name})
      self._compare(answer, self._turns[script][count], (script, count))
      self.kept[name] = script, count + 1

  def _complete(self, request):
    status, found = self._server.ask('POST', '/v1/completions', request)
    assert status == 200, found
    return found

  def _compare(self, answer, wanted, what):
    self.counts['answers'] += 1
    self.counts['bytes'] += answer['usage']['completion_tokens']
    if text_of(answer) != wanted:
      self.mistakes.append(f'{what}: {text_of(answer)!r} is not {wanted!r}')


def resident(server):
  """Bytes of memory of the server's process."""
  pages = pathlib.Path(f'/proc/{server.process.pid}/statm').read_text().split()[1]
  return int(pages) * 4096


class LoadTest(absltest.TestCase):

  def start(self, folder):
    server = running.Running(
        RUN, f'--sessions={folder}', '--max_sessions=1000000', f'--queue={CLIENTS.value}')
    self.addCleanup(server.kill)
    return server

  def alone(self, server):
    """What each request and each script gets when nobody else asks."""
    texts = [text_of(server.ask('POST', '/v1/completions', body(i))[1]) for i in range(TEXTS)]
    turns = []
    for script in range(SCRIPTS):
      name = f'alone-{script}'
      server.ask('POST', '/v1/sessions', {'id': name})
      turns.append([text_of(server.ask(
          'POST', '/v1/completions', {**turn(script, i), 'session': name})[1])
          for i in range(TURNS)])
    return texts, turns

  def test_load_and_kill(self):
    folder = pathlib.Path(self.create_tempdir().full_path) / 'sessions'
    server = self.start(folder)
    texts, turns = self.alone(server)
    clients = Clients(server, texts, turns)
    clients.start()
    sizes = []
    end = time.monotonic() + SECONDS.value
    while time.monotonic() < end and not clients.mistakes:
      time.sleep(min(1, SECONDS.value / 20))
      sizes.append(resident(server))
    clients.stop()
    kept = dict(clients.kept)  # Before the kill: more may be finished, none of these may be lost.
    server.kill()
    clients.join()
    self.assertEmpty(clients.mistakes)
    self.assertGreater(clients.counts['answers'], CLIENTS.value)
    settled, last = sizes[len(sizes) // 3], max(sizes[-3:])
    print(json.dumps({
        **clients.counts, 'seconds': SECONDS.value, 'clients': CLIENTS.value,
        'sessions': len(kept), 'MiB after a third': settled >> 20, 'MiB at the end': last >> 20}))
    self.assertLess(last, settled * SLACK[0] + SLACK[1])
    self._check_kept(self.start(folder), kept, turns)

  def _check_kept(self, server, kept, turns):
    """All finished turns are there, and a session that was cut goes on as it would have."""
    self.assertNotEmpty(kept)
    cut = {}
    for name, (script, count) in kept.items():
      status, found = server.ask('GET', f'/v1/sessions/{name}')
      self.assertEqual(status, 200, name)
      self.assertGreaterEqual(found['turns'], count, name)
      if found['turns'] < TURNS:
        cut[name] = script, found['turns']
    for name, (script, count) in list(cut.items())[:8]:
      status, found = server.ask(
          'POST', '/v1/completions', {**turn(script, count), 'session': name})
      self.assertEqual(status, 200, found)
      self.assertEqual(text_of(found), turns[script][count])


if __name__ == '__main__':
  absltest.main()
