"""The coordinate check passes with rates that follow the width, and fails without them."""

import pathlib

from absl.testing import absltest

from haiku_spectral.benchmarks import coordinates, subject
from haiku_spectral.benchmarks.settings import Settings
from tests.decoding import tiny_model

TEXT = b'One fine day in the middle of the night, two dead men got up to fight. ' * 9
SUBJECT = subject.Subject('tiny', tiny_model.CONFIG, tiny_model.params(), {'English': TEXT})
SETTINGS = Settings(widths=(32, 128), check_steps=4)


class CoordinatesTest(absltest.TestCase):

  def test_flat_with_scaled_rates_and_not_with_one_rate_for_all(self):
    section = coordinates.check('adamw', SUBJECT, SETTINGS, pattern='A', orders='')
    found = {label: {row['width']: {name: row[name] for name in ('0 A', 'logits')}
                     for row in section.rows if row['rates'] == label}
             for label in ('scaled', 'one rate')}
    self.assertLess(coordinates.spread(found['scaled']), 1.7)
    self.assertGreater(coordinates.spread(found['one rate']), 2.5)
    self.assertEqual(found['scaled'][32], found['one rate'][32])  # The base width itself.
    self.assertRegex(section.note, r'scaled: within 1\.\d\dx, one rate: within \d+\.\d\dx')
    path, = coordinates.draw({'adamw': section}, pathlib.Path(self.create_tempdir().full_path))
    self.assertTrue(path.read_bytes().startswith(b'\x89PNG'))

  def test_spread_is_the_worst_layer(self):
    self.assertEqual(coordinates.spread({8: {'a': 1.0, 'b': 2.0}, 16: {'a': 1.5, 'b': 0.5}}), 4.0)
    self.assertEmpty(coordinates.draw({}, pathlib.Path('/nowhere')))


if __name__ == '__main__':
  absltest.main()
