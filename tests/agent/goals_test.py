"""Goals need the past, the teacher reaches them, and what is not right does not count."""

import re

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral.agent import document, goals, loop, teacher
from haiku_spectral.agent.goals import Spec
from haiku_spectral.agent.transcript import Event
from haiku_spectral.sandbox import sandbox
from haiku_spectral.tasks import problem

SPECS = Spec(4, 1), Spec(8, 3), Spec(12, 4, 400), Spec(6, 3, next_day=3)


def draw(spec=SPECS[1], seed=0, split='heldout'):
  return goals.draw(np.random.default_rng(seed), spec, split)


def values(goal):
  return teacher.play(goal).history.memory


class GoalsTest(parameterized.TestCase):

  @parameterized.parameters(*SPECS)
  def test_the_teacher_reaches_its_goals_in_their_number_of_turns(self, *fields):
    spec = Spec(*fields)
    goal = draw(spec)
    played = teacher.play(goal)
    self.assertEqual(teacher.result(goal, played.events), (True, 1.0))
    turns = [event for event in played.events if event.kind == 'turn']
    self.assertLen(turns, spec.turns + spec.next_day)
    self.assertEqual(goal.turns, len(turns))
    self.assertLen(values(goal), spec.depth + 1 + bool(spec.next_day))

  def test_the_sandbox_shows_what_the_teacher_saw(self):
    goal = draw(Spec(5, 1, 1900))
    with sandbox.Sandbox(workers=1, hash_seeds=(0,)) as box:
      self.assertEqual(teacher.play(goal, box), teacher.play(goal))

  def test_the_last_step_uses_the_first_value_and_the_chain(self):
    for seed in range(20):
      day, = draw(seed=seed).days
      values = [(f'v{number:02}', step) for number, step in enumerate(day, 1)
                if isinstance(step, goals.Value)]
      self.assertLen(day, 7)
      self.assertEqual([name for name, _ in values][::3], ['v01', 'v07'])
      self.assertEqual(values[2][1].operands, (values[1][0],))
      self.assertEqual(values[3][1].operands, (values[2][0], 'v01'))

  def test_the_next_day_uses_values_of_the_first(self):
    self.assertEqual(draw(SPECS[3]).days[1][-1].operands, ('v01', 'v05'))

  def test_goals_are_on_their_side_of_the_split(self):
    for split in problem.SPLITS:
      rng = np.random.default_rng(1)
      drawn = [goals.draw_mixed(rng, split, most_turns=24, most_shown=600) for _ in range(50)]
      self.assertEqual({problem.side(goal.text) for goal in drawn}, {split})
      self.assertLen({goal.text for goal in drawn}, 50)
      self.assertBetween(max(len(goal.days[0]) + 1 for goal in drawn), 15, 24)

  def test_no_value_can_be_read_in_the_goal(self):
    goal = draw(Spec(16, 5))
    for value in values(goal).values():
      self.assertNotIn(value, goal.text)
    self.assertNotEqual(values(goal), values(draw(Spec(16, 5), seed=1)))

  @parameterized.parameters(256, 1000, 4096, 16_384, 65_536)
  def test_distances_are_those_asked_for(self, distance):
    spec = goals.of_distance(distance)
    found = {teacher.distance(teacher.play(draw(spec, seed)).events) for seed in range(3)}
    self.assertLen(found, 1)
    self.assertBetween(found.pop(), distance - 0.1 * distance, distance + 0.1 * distance)

  def test_the_distance_is_that_to_the_last_place_of_the_value(self):
    events = teacher.play(draw(Spec(5, 1))).events
    text = document.of(events)
    name, _ = next(iter(values(draw(Spec(5, 1))).items()))
    places = [found.start() for found in re.finditer(
        rf'{name}=\d'.encode(), bytes(np.minimum(text, 255).astype(np.uint8)))]
    self.assertEqual(teacher.distance(events), places[-1] - places[-2])

  @parameterized.parameters(
      (b'=1', b'=2', 0), (b'REMEMBER ', b'REMEMBER x', 7), (b'DONE', b'REMEMBER z=1', 7),
      (b'range(20', b'range(10', 0))
  def test_what_is_not_right_does_not_count(self, right, wrong, from_turn):
    goal, seed = draw(), 0
    while not any(value.startswith('1') for value in list(values(goal).values())[:-1]):
      seed += 1
      goal = draw(seed=seed)
    played = teacher.Played().after(teacher.goal_event(teacher.Played(), goal, 0))
    day, = goal.days
    for number in range(len(day) + 1):
      text = teacher.turn(played, goal)
      if number >= from_turn:
        text = text.replace(right, wrong)
      played = played.after(Event('turn', text))
      played = played.after(loop.act(played.history, teacher.Trusted()))
    last = played.history.latest.text == b'done'
    played = played.after(Event('end', loop.DONE.encode() if last else b'turns'))
    reached, share = teacher.result(goal, played.events)
    self.assertFalse(reached)
    self.assertEqual(share == 1, right in (b'DONE', b'range(20'))

  @parameterized.parameters(
      (Spec(4, 3), 'turns=4 is not allowed: give 5 .for depth 3. to 99'),
      (Spec(8, 0), 'depth=0 is not allowed'), (Spec(8, 3, 10), 'shown=10 is not allowed'),
      (Spec(8, 3, 200, 1), 'next_day=1 is not allowed'))
  def test_goals_that_there_are_not(self, spec, message):
    with self.assertRaisesRegex(ValueError, message):
      draw(spec)


if __name__ == '__main__':
  absltest.main()
