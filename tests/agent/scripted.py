"""Sessions by script: turns that are given, run in this process; the real model reads them."""

import contextlib
import copy
import dataclasses
import io
from collections.abc import Iterator

import jax

from haiku_spectral.agent import folder, loop, sampler
from haiku_spectral.decoding import sampling
from haiku_spectral.sandbox.result import ExecResult, Status
from tests.decoding import tiny_model

OWNER = folder.session.owner(tiny_model.CONFIG, tiny_model.params())


def model_sampler(seed=0):
  """The small model as it is: its turns are noise."""
  return sampler.ModelSampler(
      tiny_model.decoder(seed), sampling.SamplingConfig(temperature=0.0, end_of_document=True),
      jax.random.key(0), turn_bytes=24)


@dataclasses.dataclass(frozen=True)
class ScriptedSampler(sampler.ModelSampler):
  """Generates a given script, whatever the context."""

  turns: Iterator = ()

  def generate(self, context, should_stop):
    turn = next(self.turns)
    return turn() if callable(turn) else turn


def scripted(*turns):
  """A sampler of these turns; callables are called when it is their turn."""
  return ScriptedSampler(**vars(model_sampler()), turns=iter(turns))


def code(*lines):
  """A turn that runs these lines."""
  return '\n'.join(['```', *lines, '```', '']).encode()


class Here:
  """Runs trusted code in this process, as a sandbox would; fails first as often as asked."""

  def __init__(self, failures=0):
    self.failures = failures
    self.runs = 0

  def run(self, source, function, args, limits):
    self.runs += 1
    if self.failures:
      self.failures -= 1
      return ExecResult(status=Status.INFRASTRUCTURE, error='the pipe broke')
    out, names = io.StringIO(), {}
    try:
      with contextlib.redirect_stdout(out):
        exec(source, names)
        value = names[function](*copy.deepcopy(args))
    except Exception as error:
      return ExecResult(status=Status.EXCEPTION, stdout=out.getvalue(),
                        error=f'{type(error).__name__}: {error}')
    return ExecResult(status=Status.OK, value=value, stdout=out.getvalue())

  def map(self, jobs):
    return [self.run(job.source, job.function, job.args, job.limits) for job in jobs]


def go(path, writer, sandbox=None, goal=b'count', reported=None, owner=OWNER, **limits):
  """(why the session ended, its history, its context) after a run of the loop on a folder."""
  place = folder.Folder(path, writer, owner, (reported if reported is not None else []).append)
  try:
    place.set_goal(goal)
    reason = loop.run(place, writer, sandbox or Here(), loop.Limits(**limits))
    return reason, place.history, place.context
  finally:
    place.close()
