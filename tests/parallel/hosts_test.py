"""Tests of what processes agree on, and of which rows each reads."""

import itertools
from typing import NamedTuple
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.parallel import hosts
from haiku_spectral.parallel import mesh as meshes


class Device(NamedTuple):
  process_index: int


class Mesh(NamedTuple):
  devices: np.ndarray
  shape: dict


def mesh_of(text, per_process):
  """A mesh whose devices are those of processes, one after the other."""
  sizes = meshes.parse(text)
  shape = tuple(sizes.values())
  devices = np.empty(shape, object)
  for number, place in enumerate(itertools.product(*map(range, shape))):
    devices[place] = Device(number // per_process)
  return Mesh(devices, sizes)


class RowShareTest(parameterized.TestCase):

  @parameterized.parameters(
      ('data:4', 2, [(0, 2), (1, 2)]), ('data:2,sequence:2', 2, [(0, 2), (1, 2)]),
      ('sequence:4', 2, [(0, 1), (0, 1)]),  # Both read all rows, and place their slices.
      ('data:2,sequence:4', 2, [(0, 2), (0, 2), (1, 2), (1, 2)]),
      ('data:2,fsdp:2,sequence:2', 4, [(0, 2), (1, 2)]))
  def test_each_process_reads_the_rows_of_its_devices(self, text, per_process, expected):
    mesh = mesh_of(text, per_process)
    for process, share in enumerate(expected):
      with mock.patch.object(jax, 'process_index', lambda process=process: process):
        self.assertEqual(meshes.row_share(mesh), share)

  def test_unequal_shares_are_refused(self):
    with self.assertRaisesRegex(ValueError, '3 shares of rows by 2 processes. Give sizes'):
      meshes.row_share(mesh_of('data:3', 2))


class HostsTest(parameterized.TestCase):

  @parameterized.parameters(
      (hosts.Join('here:1', 2), 'needs --processes and --process as well'),
      (hosts.Join('here:1', 2, 2), '--process=2 is none of the 2 processes: give 0 to 1'),
      (hosts.Join('cluster', 2, 0), 'by itself: leave them out'),
      (hosts.Join('cluster'), 'did not come together'))
  def test_what_does_not_fit_together_is_refused(self, where, message):
    with self.assertRaisesRegex(ValueError, message):
      hosts.join(where)

  def test_one_process_is_its_own_majority(self):
    self.assertEqual(hosts.total([0, 7, 2**32 - 1]).tolist(), [0, 7, 2**32 - 1])
    self.assertTrue(hosts.any_of(True))
    told = iter([False, True])
    vote = hosts.StopVote(lambda: next(told))
    self.assertEqual([vote(), vote()], [False, True])

  def test_only_what_a_lost_process_leaves_is_taken_for_one(self):
    gone = ValueError('UNKNOWN: Gloo all-reduce failed: Connection reset by peer')
    with mock.patch.object(hosts, 'are_several', lambda: True):
      with (self.assertRaisesRegex(hosts.LostProcess, 'gone or cannot be reached .*Go on from 7'),
            hosts.noticing_losses(lambda: 'Go on from 7.')):
        raise gone
      with self.assertRaisesRegex(ValueError, 'another mistake'), hosts.noticing_losses(str):
        raise ValueError('another mistake')
    with self.assertRaises(ValueError) as caught, hosts.noticing_losses(str):
      raise gone
    self.assertIs(caught.exception, gone)


if __name__ == '__main__':
  absltest.main()
