"""Documents are parsed or refused with a ValueError, whatever is in them."""

from absl.testing import absltest, parameterized

from haiku_spectral.storage import strict_json


class StrictJsonTest(parameterized.TestCase):

  def test_values(self):
    self.assertEqual(strict_json.loads(b'{"a": [1, 2.5, null, "\\u011f"]}'),
                     {'a': [1, 2.5, None, 'ğ']})

  @parameterized.parameters(
      ('[' * 200_000, 'nested too deeply'), ('{"a":' * 200_000, 'nested too deeply'),
      ('[NaN]', 'NaN is not a JSON number'), ('-Infinity', 'not a JSON number'),
      ('1' * 5000, ''), ('', 'Expecting value'), (b'\xff', "can't decode"))
  def test_refusals(self, text, message):
    with self.assertRaisesRegex(ValueError, message):
      strict_json.loads(text)


if __name__ == '__main__':
  absltest.main()
