"""Landlock from the inside: this process may read a list of files and touch nothing else.

Numbers and structures are those of linux/landlock.h; what a kernel does not know yet is left out.
"""

import ctypes
import os
import struct
from typing import Any

CREATE_RULESET, ADD_RULE, RESTRICT_SELF, CAPSET = 444, 445, 446, 126
VERSION, PATH_BENEATH = 1, 1
READ_FILE, READ_DIRECTORY = 4, 8
FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # What version V came to know.
TCP = {4: 3}  # bind, connect
SCOPES = {6: 3}  # Abstract sockets, signals: only within.


def _handled(known: dict[int, int], version: int) -> int:
  return sum(bits for since, bits in known.items() if version >= since)


def restrict(libc: Any, readable: list[tuple[str, int]]) -> None:
  """Leaves this process the files below these paths, to read; drops every capability.

  Raises OSError when the kernel has no Landlock or refuses. Needs no_new_privs.
  """
  libc.syscall.restype = ctypes.c_long

  def call(number: int, *args: Any) -> int:
    answer = libc.syscall(ctypes.c_long(number), *args)
    if answer < 0:
      code = ctypes.get_errno()
      raise OSError(code, f'Landlock: system call {number} fails: {os.strerror(code)}')
    return answer

  version = call(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(VERSION))
  fields = [_handled(FILES, version), _handled(TCP, version), _handled(SCOPES, version)]
  size = 8 * (3 if version >= 6 else 2 if version >= 4 else 1)
  ruleset = call(
      CREATE_RULESET, struct.pack('<3Q', *fields), ctypes.c_size_t(size), ctypes.c_uint(0))
  for path, access in readable:
    descriptor = os.open(path, os.O_PATH)
    rule = struct.pack('<Qi', access, descriptor)  # Packed, as struct landlock_path_beneath_attr.
    call(ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(PATH_BENEATH), rule, ctypes.c_uint(0))
    os.close(descriptor)
  call(RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
  os.close(ruleset)
  call(CAPSET, struct.pack('<Ii', 0x20080522, 0), bytes(24))
