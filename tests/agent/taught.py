"""Sessions whose turns a teacher generates in the place of the model."""

import contextlib
from unittest import mock

from haiku_spectral.agent import play, teacher
from haiku_spectral.sandbox import sandbox
from tests.agent import scripted


@contextlib.contextmanager
def plays(look=lambda contexts: None, change=lambda place, text: text):
  """In the `with` block `play` has the teacher's turns, changed; `look` gets the contexts."""
  turn = play._turn

  def taught(rows, active, sampler, sandbox, day, cut):
    def generate(sampler, contexts, active):
      look(contexts)
      return {place: change(place, teacher.turn(rows[place].played, rows[place].goal))
              for place in active}

    with mock.patch.object(play, '_generate', generate):
      return turn(rows, active, sampler, sandbox, day, cut)

  with mock.patch.object(play, '_turn', taught):
    yield


@contextlib.contextmanager
def trusted():
  """The teacher's code needs no sandbox, which takes its time to start."""
  with (
      mock.patch.object(sandbox.Sandbox, '__enter__', lambda box: box),
      mock.patch.object(sandbox.Sandbox, '__exit__', lambda *unused: None),
      mock.patch.object(sandbox.Sandbox, 'run', lambda box, *job: scripted.Here().run(*job)),
  ):
    yield


def missed_in(*places):
  """A change for `plays`: the sessions at these places never say that they reached their goals."""
  return lambda place, text: text.replace(b'DONE', b'so') if place in places else text
