import signal

from absl.testing import absltest

from haiku_spectral import shutdown


class InterruptionTest(absltest.TestCase):

  def test_the_first_control_c_asks_and_the_second_interrupts(self):
    before = signal.getsignal(signal.SIGINT)
    with shutdown.caught() as interrupted:
      self.assertFalse(interrupted())
      signal.raise_signal(signal.SIGINT)
      self.assertTrue(interrupted())
      self.assertEqual(interrupted.reason, 'SIGINT')
      with self.assertRaises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    self.assertIs(signal.getsignal(signal.SIGINT), before)

  def test_a_second_sigterm_asks_no_more_than_the_first(self):
    with shutdown.caught() as interrupted:
      for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
      self.assertEqual(interrupted.reason, 'SIGTERM')


if __name__ == '__main__':
  absltest.main()
