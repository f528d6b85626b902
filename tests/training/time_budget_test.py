"""Steps that fit into a time: exact by a clock that only steps move."""

from absl.testing import absltest

from haiku_spectral.training import time_budget
from tests.training import stand_in


class TimeBudgetTest(absltest.TestCase):

  def _steps(self, seconds, per_step, **arguments):
    config, now, steps = stand_in.make_config(), [0.0], []

    def change(step, batch):
      now[0] += 100.0 if step < time_budget.WARM_STEPS else per_step  # The first ones compile.
      steps.append(step)
      return batch

    task = stand_in.make_task(config, change=change)
    found = time_budget.steps_in(seconds, config, task, clock=lambda: now[0], **arguments)
    return found, len(steps) - time_budget.WARM_STEPS

  def test_time_over_time_per_step_without_compilation(self):
    self.assertEqual(self._steps(60.0, 0.5)[0], 120)
    self.assertEqual(self._steps(60.0, 0.125)[0], 480)

  def test_measures_for_a_share_of_the_time(self):
    _, measured = self._steps(400.0, 0.5)
    self.assertEqual(measured, 400 * time_budget.SHARE / 0.5)
    self.assertEqual(self._steps(1.0, 0.5)[1], time_budget.MIN_STEPS)

  def test_one_step_at_least(self):
    self.assertEqual(self._steps(0.1, 0.5)[0], 1)

  def test_stops_at_once_when_it_is_to(self):
    self.assertEqual(self._steps(1e6, 0.5, stop=lambda: True)[1], 1)


if __name__ == '__main__':
  absltest.main()
