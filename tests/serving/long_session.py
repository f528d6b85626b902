"""Time per byte through the server, of a short session and of a long one: a measurement.

  ./run //tests/serving:long_session --run_dir=runs/demo

Both sessions are asked in turn, on one server, so that what else the machine does meets both.
"""

import json
import pathlib
import random
import statistics
import tempfile
import time

from absl import app, flags

from tests.serving import running

RUN_DIR = flags.DEFINE_string('run_dir', 'runs/demo', 'Run whose model is asked.')
SHORT = flags.DEFINE_integer('short', 1000, 'Bytes of the short session.')
LONG = flags.DEFINE_integer('long', 1_000_000, 'Bytes of the long one.')
BYTES = flags.DEFINE_integer('bytes', 256, 'Bytes generated in each turn.')
ROUNDS = flags.DEFINE_integer('rounds', 15, 'Turns of each session that are timed.')
_PIECE = 200_000


def make(server, name, size):
  """A session that holds text of so many bytes."""
  server.ask('POST', '/v1/sessions', {'id': name})
  letters = random.Random(0)
  left = size
  while left:
    text = ''.join(letters.choices('etaoin shrdlu', k=min(left, _PIECE)))
    left -= len(text)
    ask(server, {'session': name, 'prompt': text, 'max_tokens': 0})


def ask(server, body):
  status, found = server.ask('POST', '/v1/completions', body)
  if status != 200:
    raise ValueError(found['error']['message'])
  return found


def timed(server, name):
  """Milliseconds per byte of a turn of all its bytes, the whole of the request included."""
  while True:  # A turn in which the model ends the document is shorter, and does not count.
    start = time.perf_counter()
    found = ask(server, {'session': name, 'prompt': ' ', 'max_tokens': BYTES.value,
                         'temperature': 0.8, 'min_p': 0.05})
    seconds = time.perf_counter() - start
    if found['usage']['completion_tokens'] == BYTES.value:
      return 1000 * seconds / BYTES.value


def main(argv):
  del argv
  with tempfile.TemporaryDirectory() as folder:
    server = running.Running(
        pathlib.Path(RUN_DIR.value).resolve(), f'--sessions={folder}', '--rows=1',
        '--max_seconds=36000')
    try:
      names = {'short': SHORT.value, 'long': LONG.value}
      for name, size in names.items():
        make(server, name, size)
      times = {name: [] for name in names}
      for _ in range(ROUNDS.value):
        for name in names:
          times[name].append(timed(server, name))
    finally:
      server.kill()
  medians = {name: statistics.median(found[1:]) for name, found in times.items()}
  print(json.dumps({
      'bytes': names, 'ms per byte': {name: round(each, 4) for name, each in medians.items()},
      'ratio': round(medians['long'] / medians['short'], 4)}))


if __name__ == '__main__':
  app.run(main)
