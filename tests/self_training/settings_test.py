"""Settings: what is allowed, and that a run keeps its own."""

import dataclasses
import pathlib

from absl.testing import absltest, parameterized

from haiku_spectral.self_training import settings
from haiku_spectral.tasks import registry

DEFAULT = settings.Settings()


class SettingsTest(parameterized.TestCase):

  @parameterized.parameters(
      ({'family': 'cooking'}, "family='cooking' does not exist: choose one of"),
      ({'rounds': 0}, '--rounds=0 is not allowed: give 1 or more'),
      ({'deepest': 13}, '--deepest=13 is not allowed: give 1 to 12 with --family=turkish_steps'),
      ({'labelled_depth': 13}, '--labelled_depth=13 is not allowed: give 1 to --deepest=12'),
      ({'wrong_accepted': 5.0}, '--wrong_accepted=5.0 is not allowed: give 0 to 1'),
      ({'pass_heldout': 500}, '--pass_heldout=500 is not allowed: give --heldout=100 or fewer'),
      ({'pass_attempts': 4}, '--pass_attempts=4 is not allowed: give 8 or more'),
      ({'temperature': 0.0}, '--temperature=0.0 is not allowed: give more than 0'))
  def test_values_that_are_not_allowed(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      dataclasses.replace(DEFAULT, **change)

  def test_a_run_goes_on_with_its_own_settings_alone(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    settings.keep(DEFAULT, '{"a": 1}', folder)
    settings.keep(DEFAULT, '{"a": 1}', folder)
    settings.keep(dataclasses.replace(DEFAULT, allowed_bits=0.5, rounds=99), '{"a": 1}', folder)
    with self.assertRaisesRegex(ValueError, r'begun with another --prompts \(1000 there, 7 given'):
      settings.keep(dataclasses.replace(DEFAULT, prompts=7), '{"a": 1}', folder)
    with self.assertRaisesRegex(ValueError, "--family .'turkish_steps' there"):
      settings.keep(dataclasses.replace(DEFAULT, family='functions'), '{"a": 1}', folder)
    with self.assertRaisesRegex(ValueError, 'begun with another --config:'):
      settings.keep(DEFAULT, '{"a": 2}', folder)
    for text in ('{', '[]', '[' * 100_000):
      (folder / settings.FILE).write_text(text)
      with self.assertRaisesRegex(ValueError, 'is damaged'):
        settings.keep(DEFAULT, '{"a": 1}', folder)

  def test_a_run_goes_on_with_the_same_problems_alone(self):
    folder = pathlib.Path(self.create_tempdir().full_path)
    settings.keep(DEFAULT, '{}', folder)
    family = registry.family(DEFAULT.family)
    changed = absltest.mock.patch.object(type(family), 'version', '99')
    with changed, self.assertRaisesRegex(ValueError, 'begun with another version .*, now 99'):
      settings.keep(DEFAULT, '{}', folder)


if __name__ == '__main__':
  absltest.main()
