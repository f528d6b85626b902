"""At the host's files: their contents, their names, their existence."""

import os


def _first(attempts):
  """What the first attempt that works returns."""
  for attempt in attempts:
    try:
      if gained := attempt():
        return gained
    except OSError:
      pass
  return None


def _slurp(path):
  with open(path, 'rb') as file:
    return file.read(1000)


def read_passwords(world):
  return _first(lambda path=path: _slurp(path) for path in ('/etc/passwd', '/etc/shadow'))


def read_canary(world):
  return _slurp(world['canary'])


def read_source_of_the_tests(world):
  return _slurp(world['source'])


def map_canary(world):
  import mmap
  descriptor = os.open(world['canary'], os.O_RDONLY)
  return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)[:]


def read_through_symlink(world):
  os.symlink(world['canary'], 'link')
  return _slurp('link')


def read_through_parent_folders(world):
  return _slurp('../' * 20 + world['canary'])


def read_by_handle(world):
  import ctypes
  libc = ctypes.CDLL(None)
  handle, mount = ctypes.create_string_buffer(b'\x80\0\0\0', 200), ctypes.c_int()
  return libc.name_to_handle_at(-100, world['canary'].encode(), handle, ctypes.byref(mount), 0) == 0


def read_inherited_descriptor(world):
  return _first(lambda number=number: os.pread(number, 100, 0) for number in range(3, 256))


def list_home(world):
  return _first(lambda path=path: os.listdir(path) for path in ('/root', '/home', '/tmp', '/var'))


def list_canary_folder(world):
  return os.listdir(world['folder'])


def enter_canary_folder(world):
  os.chdir(world['folder'])
  return os.getcwd()


def learn_that_canary_exists(world):
  return os.stat(world['canary']).st_size


def learn_where_a_symlink_leads(world):
  return os.readlink(world['symlink'])


def read_environment(world):
  return dict(os.environ) or world['nonce'] in str(os.environb)


def read_processes(world):
  paths = [f'/proc/{process}/{name}' for process in ('self', 1, os.getppid(), world['victim'])
           for name in ('environ', 'maps', 'cmdline', 'mem')]
  return _first(lambda path=path: open(path, 'rb').read(1) for path in paths)


def read_devices(world):
  names = ('mem', 'kmem', 'kmsg', 'port', 'kvm', 'sda', 'vda', 'tty', 'fuse', 'null', 'shm')
  return _first(lambda name=name: os.open(f'/dev/{name}', os.O_RDONLY) for name in names)


def make_device(world):
  import stat
  os.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0))
  return True


def make_pipe(world):
  os.mkfifo('pipe')
  return True


def use_packages_of_the_host(world):
  import sys
  sys.path += world['packages']
  import absl
  return absl.__file__


def write_outside(world):
  folders = (world['folder'], '/tmp', '/var/tmp', '/dev/shm', '/run', '/job', '/py', '/', '.')
  return _first(
      lambda path=path: open(f'{path}/{world["nonce"]}', 'w') for path in folders)


def write_anonymous_file(world):
  flags = os.O_TMPFILE | os.O_RDWR
  return _first(lambda path=path: os.open(path, flags) for path in (world['folder'], '/tmp', '.'))


def write_with_other_calls(world):
  import ctypes
  call, path = ctypes.CDLL(None).syscall, world['canary'].encode()
  how = (ctypes.c_uint64 * 3)(os.O_RDWR, 0, 0)
  return (call(2, path, os.O_RDWR) >= 0 or call(85, path, 0o600) >= 0
          or call(437, -100, path, how, 24) >= 0)


def write_standard_library(world):
  with open(os.path.join(os.path.dirname(os.__file__), 'this.py'), 'a'):
    return True


def change_canary(world):
  path = world['canary']
  return _first((
      lambda: open(path, 'r+b'), lambda: os.truncate(path, 0) or 1, lambda: os.unlink(path) or 1,
      lambda: os.rename(path, path + 'x') or 1, lambda: os.chmod(path, 0) or 1,
      lambda: os.chown(path, 1, 1) or 1, lambda: os.utime(path, (0, 0)) or 1,
      lambda: os.setxattr(path, 'user.x', b'') or 1, lambda: os.link(path, path + 'y') or 1))


def symlink_from_canary_folder(world):
  os.symlink('/etc/passwd', world['folder'] + '/link')
  return True


def make_folders_without_end(world):
  for number in range(1000):
    os.mkdir(f'folder{number}')
  return True


def change_kernel_settings(world):
  paths = ('/proc/sysrq-trigger', '/proc/sys/kernel/core_pattern', '/proc/self/oom_score_adj',
           '/sys/fs/cgroup/cgroup.procs', '/sys/kernel/uevent_helper')
  return _first(lambda path=path: os.open(path, os.O_WRONLY) for path in paths)


def watch_files(world):
  import ctypes
  libc = ctypes.CDLL(None)
  return libc.inotify_init1(0) >= 0 or libc.fanotify_init(0, 0) >= 0
