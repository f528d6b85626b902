"""At sockets of every family, and the host's listeners."""

import contextlib
import socket


def connect_tcp(world):
  with socket.create_connection(('127.0.0.1', world['tcp']), 1) as plug:
    plug.sendall(world['nonce'].encode())
  return True


def connect_tcp_ipv6(world):
  return socket.create_connection(('::1', world['tcp']), 1)


def send_udp(world):
  with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
    plug.sendto(world['nonce'].encode(), ('127.0.0.1', world['udp']))
  return True


def connect_unix(world):
  with socket.socket(socket.AF_UNIX) as plug:
    plug.connect(world['unix'])
  return True


def connect_abstract(world):
  with socket.socket(socket.AF_UNIX) as plug:
    plug.connect(world['abstract'])
  return True


def listen(world):
  return socket.create_server(('127.0.0.1', 0))


def pair_of_sockets(world):
  return bool(socket.socketpair())


def look_up_name(world):
  return socket.getaddrinfo('example.com', 80)


def other_families(world):
  families = [(socket.AF_NETLINK, socket.SOCK_RAW), (socket.AF_PACKET, socket.SOCK_RAW),
              (socket.AF_VSOCK, socket.SOCK_STREAM), (socket.AF_ALG, socket.SOCK_SEQPACKET),
              (socket.AF_INET, socket.SOCK_RAW), (31, socket.SOCK_RAW)]
  opened = []
  for family, kind in families:
    with contextlib.suppress(OSError):
      opened.append(socket.socket(family, kind))
  return opened


def sockets_by_number(world):
  import ctypes
  call = ctypes.CDLL(None).syscall
  return [family for family in range(46) if call(41, family, 1, 0) >= 0]
