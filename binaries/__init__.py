"""Programs: flags and wiring, no mathematics.

`python -m binaries.NAME` imports this package before the program and all that it needs, so it
prepares the process: open standard streams, text in UTF-8, and a quiet Ctrl-C.
"""

import codecs
import contextlib
import fcntl
import locale
import os
import signal
import sys
import types

INTERRUPTED = 130  # Exit code: 128 and the number of SIGINT, as shells count.


def stop_at_once(number: int, frame: types.FrameType | None) -> None:
  """Ends the process on Ctrl-C while there is nothing to lose: imports, and the very end."""
  del number, frame
  with contextlib.suppress(OSError):
    os.write(2, b'interrupted\n')
  os._exit(INTERRUPTED)


def _reopen_closed_streams() -> bool:
  """Whether one was closed. The next file that is opened would have taken its number."""
  closed = False
  for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
    try:
      os.fstat(number)
    except OSError:
      closed = True
      os.set_inheritable(os.open(os.devnull, mode), True)  # Takes the lowest number that is free.
  return closed


def _is_utf8() -> bool:
  return {codecs.lookup(name).name for name in (
      locale.getpreferredencoding(False), sys.getfilesystemencoding())} == {'utf-8'}


def prepare() -> None:
  """Prepares the process of a program; restarts Python where that is the only way.

  Libraries open text files in the encoding of the locale, so only Python's UTF-8 mode, which is
  chosen when it starts, reads our files right under every locale.
  """
  if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, stop_at_once)
  closed, utf8 = _reopen_closed_streams(), _is_utf8()
  os.environ['PYTHONUTF8'] = '1'  # For the processes that this one starts, too.
  if not utf8:
    # Libraries in C follow the locale all the same: protobuf makes names with its toupper().
    os.environ['LC_ALL'] = 'C.UTF-8'
  if closed or not utf8:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # While Python starts.
    os.execv(sys.executable, [sys.executable, '-X', 'utf8', *sys.orig_argv[1:]])
  signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
  if fcntl.fcntl(1, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
    sys.exit('error: standard output is closed: give it a file, a pipe or /dev/null.')


if sys.argv[:1] == ['-m']:  # Python says so while it looks for the program.
  prepare()
