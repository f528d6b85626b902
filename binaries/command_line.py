"""How every program starts and how it tells a user of a mistake."""

import sys
from collections.abc import Callable, Sequence

from absl import app

USER_ERRORS = (ValueError, FileNotFoundError, FileExistsError, NotADirectoryError, PermissionError)


def run(main: Callable[[Sequence[str]], int | None]) -> None:
  """Runs `main`; a user's mistake becomes one line on stderr and exit code 1, without a traceback."""

  def guarded(argv: Sequence[str]) -> int | None:
    if len(argv) > 1:
      print(f'error: unknown argument {argv[1]!r}: give flags (--name=value).', file=sys.stderr)
      return 1
    try:
      return main(argv)
    except USER_ERRORS as error:
      print(f'error: {error}', file=sys.stderr)
      return 1
    except KeyboardInterrupt:
      print('interrupted', file=sys.stderr)
      return 130

  app.run(guarded)
