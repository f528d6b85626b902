"""What goes into a sandbox and what comes out of it."""

import dataclasses
import enum
from typing import Any, NamedTuple

MAX_OUTPUT = 4 << 20  # Bytes, which the host reads as a value in 0.05 s.
MAX_ERROR = 2000  # Characters.


class Unavailable(Exception):
  """The sandbox is missing or does not hold. Programs print it and exit with `EXIT_CODE`."""

  EXIT_CODE = 3


class Status(enum.StrEnum):
  """How a job ended. All but INFRASTRUCTURE are verdicts on the code that ran."""

  OK = 'ok'  # The function returned a value of the types and within the limits of literals.py.
  EXCEPTION = 'exception'  # Raised by the code, or by what it returned.
  EXIT = 'exit'  # The code ended its process.
  SIGNAL = 'signal'  # The process crashed.
  TIMEOUT_WALL = 'timeout_wall'
  TIMEOUT_CPU = 'timeout_cpu'
  MEMORY = 'memory'
  OUTPUT_LIMIT = 'output_limit'
  SYNTAX = 'syntax'  # Nothing ran: the source does not compile.
  INFRASTRUCTURE = 'infrastructure'  # Nothing is known of the code: the sandbox failed.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
  """What a job may use. Processor time decides verdicts; the clock, which load moves, protects."""

  cpu_seconds: float = 2.0
  wall_seconds: float = 10.0
  memory_bytes: int = 256 << 20  # Of address space: some 40 MiB are the interpreter's own.
  output_bytes: int = 65536  # Of stdout and stderr together, and again of the value as text.

  def __post_init__(self) -> None:
    if not 0 < self.cpu_seconds <= 3600:
      raise ValueError(f'cpu_seconds={self.cpu_seconds!r}: give seconds above 0, an hour at most.')
    if not 0 < self.wall_seconds <= 86400:
      raise ValueError(f'wall_seconds={self.wall_seconds!r}: give seconds above 0, a day at most.')
    if type(self.memory_bytes) is not int or not 64 << 20 <= self.memory_bytes <= 1 << 40:
      raise ValueError(f'memory_bytes={self.memory_bytes!r}: give at least 64 MiB, {64 << 20}.')
    if type(self.output_bytes) is not int or not 0 < self.output_bytes <= MAX_OUTPUT:
      raise ValueError(f'output_bytes={self.output_bytes!r}: give 1 to {MAX_OUTPUT} bytes.')


LIMITS = Limits()


class Job(NamedTuple):
  """`source` is run as a module, then its `function` is called with `args`."""

  source: str
  function: str
  args: tuple = ()  # Of the types in literals.py, nested.
  limits: Limits = LIMITS
  hash_seed: int = 0  # PYTHONHASHSEED of the interpreter: what depends on it is not deterministic.


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExecResult:
  """How a job ended and what it cost. What it cost is measured outside the process that ran it."""

  status: Status
  value: Any = None  # Only with OK.
  stdout: str = ''  # And stderr, in the order written; as much as the limit allows.
  error: str = ''  # Type and message, for people: MAX_ERROR printable characters.
  cpu_seconds: float = 0.0
  wall_seconds: float = 0.0
  peak_bytes: int = 0  # Resident, the interpreter's own included.
