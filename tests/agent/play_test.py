"""Sessions that are played at once are those of the loop, each for itself."""

import dataclasses
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.agent import document, folder, goals, loop, play, teacher
from tests.agent import scripted, taught

RNG = np.random.default_rng(0)
GOALS = [goals.draw(RNG, goals.Spec(3, 1), 'heldout') for _ in range(2)]
TWO_DAYS = [goals.draw(RNG, goals.Spec(4, 1, next_day=2), 'heldout')]


def plain(events):
  return [dataclasses.replace(event, seconds=0.0) for event in events]


class PlayTest(parameterized.TestCase):

  def _of_the_loop(self, goal):
    path = pathlib.Path(self.create_tempdir().full_path, 'session')
    place = folder.Folder(path, scripted.model_sampler(), scripted.OWNER)
    place.set_goal(goal.day_text(0).encode())
    turns = len(goal.days[0]) + 1
    loop.run(place, scripted.model_sampler(), scripted.Here(),
             loop.Limits(turns=turns, executions=turns, repeats=turns))
    place.close()
    return plain(folder.Transcript(path / folder.TRANSCRIPT).events)

  def test_the_real_model_plays_as_in_the_loop_however_it_is_cut_and_rests(self):
    rests = []

    def rest(contexts):
      rests.append(len(contexts))
      return scripted.model_sampler(), list(contexts)

    rested = play.play(GOALS, scripted.model_sampler(), scripted.Here(), rest=rest)
    cut = play.play(GOALS, scripted.model_sampler(), scripted.Here(), cut=1 << 20)
    for goal, *sessions in zip(GOALS, rested, cut, strict=True):
      for session in sessions:
        self.assertEqual(plain(session.events), self._of_the_loop(goal))
        self.assertEqual(teacher.result(goal, session.events), (False, 0.0))  # It is noise.
    self.assertEqual(rests, [2])

  @parameterized.parameters(None, 50, 500)
  def test_what_the_model_knows_of_the_past(self, cut):
    seen = []
    with taught.plays(lambda contexts: seen.append(contexts[0])):
      session, = play.play(TWO_DAYS, scripted.model_sampler(), scripted.Here(), cut=cut)
    self.assertTrue(teacher.result(TWO_DAYS[0], session.events)[0])
    ids, goal, number = [vocab.BOUNDARY], [], 0
    before = []
    for event in session.events:
      if event.kind == 'turn':
        behind = ids[len(before) + len(goal):]
        if cut is not None:
          left = max(cut - len(behind), 0)
          earlier = before[1:][-left:] if left else []
          known = [vocab.BOUNDARY, *earlier, *goal, *behind[-cut:]]
        else:
          known = ids
        self.assertEqual(seen[number].position, len(known))
        last = known[-seen[number].recent.shape[1]:]
        np.testing.assert_array_equal(seen[number].recent[0, -len(last):], last)
        number += 1
      new = document.ids(event, ids[-1]).tolist()
      if event.kind == 'goal':
        before, goal = list(ids), new
      ids += new
    self.assertLen(seen, number)


if __name__ == '__main__':
  absltest.main()
