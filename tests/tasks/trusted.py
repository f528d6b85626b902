"""For tests: runs without a sandbox what is known to be harmless, and values that pretend."""

from haiku_spectral.sandbox.result import ExecResult, Job, Status


class Agreeable:
  """Claims to be equal to everything."""

  __hash__ = None

  def __eq__(self, other):
    return True


class Text(str):
  """Looks like a string."""


def outcome(status=Status.OK, value=None) -> ExecResult:
  return ExecResult(status=status, value=value, cpu_seconds=0., wall_seconds=0., peak_bytes=0)


def run(job: Job) -> ExecResult:
  """Executes a job of a family: never what a model wrote."""
  names = {}
  exec(job.source, names)
  try:
    return outcome(value=names[job.function](*job.args))
  except Exception:
    return outcome(Status.EXCEPTION)


def accepts(family, problem, completion) -> bool:
  """The whole way of a completion that is known to be harmless."""
  job = family.job(problem, completion)
  return job is not None and family.check(problem, run(job))
