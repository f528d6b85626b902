from absl.testing import absltest

from haiku_spectral.requirement import require


class RequirementTest(absltest.TestCase):

  def test_a_refusal_names_the_field_its_value_and_what_is_allowed(self):
    require(True, '--width', 3, 'an even number')
    with self.assertRaisesRegex(ValueError, "^--width='x' is not allowed: give an even number.$"):
      require(False, '--width', 'x', 'an even number')


if __name__ == '__main__':
  absltest.main()
