"""Running a turn's code in the sandbox: files and memory go in and come out as values."""

from typing import Protocol

from haiku_spectral.agent import workspace
from haiku_spectral.sandbox.result import ExecResult, Limits, Status, Unavailable

# The code's own names are `files`, which it may change, and `memory`, a copy. What it has changed
# counts if it runs to its end.
_SOURCE = '''
def run(code, files, memory):
  names = {'__name__': '__main__', 'files': files, 'memory': memory}
  exec(compile(code, '<turn>', 'exec'), names)
  return names.get('files')
'''
# A byte of a file may take four characters on its way.
LIMITS = Limits(output_bytes=8 * workspace.MAX_BYTES)
ATTEMPTS = 3  # When not the code fails, but the sandbox.
MAX_SHOWN = 2048  # Bytes of an observation.


class Runner(Protocol):
  """What runs code: sandbox.Sandbox."""

  def run(self, source: str, function: str, args: tuple, limits: Limits) -> ExecResult:
    """Calls a function of some source."""


def run(
    sandbox: Runner, code: str, files: dict[str, bytes], memory: dict[str, str]
) -> tuple[bytes, dict[str, bytes]]:
  """What is observed when the code runs, and the files then.

  Raises Unavailable when the sandbox fails again and again: that is nobody's mistake.
  """
  for _ in range(ATTEMPTS):
    result = sandbox.run(_SOURCE, 'run', (code, files, memory), LIMITS)
    if result.status != Status.INFRASTRUCTURE:
      break
  else:
    raise Unavailable(
        f'The sandbox failed {ATTEMPTS} times at the same code ({result.error}): nothing of it '
        'counts, and the same command tries again.')
  said = str(result.status)
  if result.status == Status.OK:
    try:
      files = workspace.check(result.value)
    except ValueError as error:
      said = f'mistake: {error}'
  elif result.error:
    said += f': {result.error}'
  return _shortened(f'{said}\n{result.stdout}'.encode(errors='replace').rstrip(b'\n')), files


def _shortened(shown: bytes) -> bytes:
  """All, or the beginning and the end, where errors stand."""
  if len(shown) <= MAX_SHOWN:
    return shown
  return shown[:MAX_SHOWN // 2] + b'\n...\n' + shown[-MAX_SHOWN // 2:]
