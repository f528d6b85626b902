"""The training step on a mesh of all axes: what it computes, and what its program sends."""

import collections
import dataclasses
import functools
import re

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.modules import spectral_gpt
from haiku_spectral.ops import fft_conv
from haiku_spectral.parallel import mesh as meshes
from haiku_spectral.parallel import traffic
from haiku_spectral.training import step
from tests.parallel import hlo, meshed

MIXED = 'data:2,fsdp:2,sequence:2'
CONFIG = meshed.make_config()


def in_chunks(chunk):
  """The config with segments that are read in chunks of so many bytes."""
  return dataclasses.replace(CONFIG, train=dataclasses.replace(CONFIG.train, chunk=chunk))


@functools.cache
def steps(text, chunk=0):
  current, losses = meshed.run(in_chunks(chunk), text, 3)
  return current, losses


class StepTest(parameterized.TestCase):

  @parameterized.parameters(('data:1', 8), (MIXED, 0), (MIXED, 8))
  def test_steps_are_those_of_one_device(self, text, chunk):
    (one, losses), (many, found) = steps('data:1'), steps(text, chunk)
    np.testing.assert_allclose(found, losses, rtol=1e-5)
    for got, want in zip(jax.tree.leaves(many.carry), jax.tree.leaves(one.carry), strict=True):
      if np.issubdtype(want.dtype, np.integer):
        np.testing.assert_array_equal(got, want)  # The exact memory's state.
      else:
        np.testing.assert_allclose(got, want, atol=2e-3 * np.abs(want).max())


  @parameterized.parameters(('data:1', 8), (MIXED, 8))
  def test_held_out_losses_are_those_of_one_device(self, text, chunk):
    model, rows = spectral_gpt.make_model(CONFIG.model), meshed.make_rows(CONFIG, 0)
    params = model.init(jax.random.key(0))

    def loss_of(text, chunk):
      mesh = meshed.make_mesh(text)
      placed = meshes.place_rows(mesh, rows)
      return step.make_loss(model, in_chunks(chunk), mesh)(
          params, placed.inputs, placed.targets, placed.sources, placed.stream_start)

    found, expected = loss_of(text, chunk), loss_of('data:1', 0)
    np.testing.assert_allclose(found.nats, expected.nats, rtol=1e-5)
    np.testing.assert_array_equal(found.targets, expected.targets)


class ProgramTest(absltest.TestCase):
  """What the compiled step does on a mesh of all axes."""

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.mesh = meshed.make_mesh(MIXED)
    rows = meshes.place_rows(cls.mesh, meshed.make_rows(CONFIG, 0))
    cls.text = meshed.stepper(CONFIG, MIXED).lower(steps(MIXED)[0], rows).compile().as_text()
    cls.collectives = hlo.collectives(cls.text)

  def test_only_parameters_are_gathered(self):
    params = steps(MIXED)[0].params
    whole = {value.shape[-2:] for named in params.values() for value in named.values()
             if value.ndim > 1}
    gathered = [each for each in self.collectives if each.kind == 'all-gather']
    self.assertNotEmpty(gathered)
    for each in gathered:
      self.assertEqual(hlo.axes(each, self.mesh), ('fsdp',), each)
      dims = tuple(int(n) for n in re.findall(r'\[([\d,]+)\]', each.shape)[0].split(','))
      self.assertIn(dims[-2:], whole, each)
    self.assertEmpty([each for each in self.collectives if each.kind == 'all-to-all'])

  def test_transforms_are_of_the_rows_and_slices_of_one_device(self):
    rows, length = meshed.ROWS // 4, meshed.SEGMENT // 2
    size = fft_conv.transform_size(length + meshed.MODEL.hyena.filter.horizon - 1)
    shapes = re.findall(r'= \w+\[([\d,]+)\]\S* fft\(', self.text)
    self.assertNotEmpty(shapes)
    for shape in shapes:
      dims = [int(n) for n in shape.split(',')]
      self.assertIn(dims[-1], (size, size // 2 + 1), shape)
      self.assertLessEqual(np.prod(dims[:-1]), rows * meshed.MODEL.width, shape)

  def test_sends_the_bytes_of_the_formula(self):
    self.check_traffic(CONFIG, self.collectives)

  def test_sends_the_bytes_of_the_formula_in_chunks(self):
    config = in_chunks(8)
    rows = meshes.place_rows(self.mesh, meshed.make_rows(config, 0))
    text = meshed.stepper(config, MIXED).lower(steps(MIXED)[0], rows).compile().as_text()
    self.check_traffic(config, hlo.collectives(text))

  def check_traffic(self, config, collectives):
    found = collections.Counter()
    for each in collectives:
      found[hlo.axes(each, self.mesh)] += hlo.sent(each)
    found.pop((), None)  # A sum over one device.
    expected = traffic.per_step(config, self.mesh.shape)
    for axes, sent in expected.items():
      print(f'{axes}: {found[axes]:.0f} bytes, by the formula {sent:.0f}')
    for axes in found | expected:
      # Single numbers are not in the formula; counts that are the same in all layers cross once.
      self.assertLess(abs(found[axes] - expected.get(axes, 0.0)),
                      0.01 * expected.get(axes, 0.0) + 1000, axes)


if __name__ == '__main__':
  absltest.main()
