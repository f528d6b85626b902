"""How every program starts and how it tells a user of a mistake."""

import sys
from collections.abc import Callable, Sequence

from absl import app, logging

BAR_SECONDS = 0.2 if sys.stderr.isatty() else 15.0  # A log file needs few lines.
USER_ERRORS = (ValueError, OSError)  # OSError: files that are not there, full disks, permissions.


def _parse_flags(argv: list[str]) -> list[str]:
  """absl's, and config files that cannot be loaded or fields that are not there told in a line."""
  try:
    return app.parse_flags_with_usage(argv)
  except (AttributeError, ImportError, OSError, SyntaxError, TypeError, ValueError) as error:
    reason = ' '.join(str(error).replace('\\n', ' ').replace('\\', '').split())
    print(f'error: a flag cannot be used: {reason}', file=sys.stderr)
    sys.exit(1)


def run(main: Callable[[Sequence[str]], int | None]) -> None:
  """Runs `main`; a user's mistake becomes a line on stderr and exit code 1, no traceback."""

  def guarded(argv: Sequence[str]) -> int | None:
    if len(argv) > 1:
      print(f'error: unknown argument {argv[1]!r}: give flags (--name=value).', file=sys.stderr)
      return 1
    # What libraries log about their own doings is no news to a user.
    logging.set_verbosity(logging.WARNING)
    try:
      return main(argv)
    except USER_ERRORS as error:
      print(f'error: {error}', file=sys.stderr)
      return 1
    except KeyboardInterrupt:
      print('interrupted', file=sys.stderr)
      return 130

  app.run(guarded, flags_parser=_parse_flags)
