"""The rounds themselves, with a sampler whose skill is known and a training that takes no time."""

import dataclasses
import hashlib
import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config
from haiku_spectral.config import phases
from haiku_spectral.self_training import measure, report, rounds, sampler, settings, verdicts
from haiku_spectral.tasks import golden_record, registry
from haiku_spectral.training import checkpoint, run_folder
from tests.decoding import tiny_model
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
CONFIG = config.Config(
    model=tiny_model.CONFIG, data=config.DataConfig(carried_rows=0),
    curriculum=tuple(
        config.PhaseConfig(name=name, bytes=80 * 1024, mixture=mixture,
                           rate=config.RateConfig(warmup_steps=1))
        for name, mixture in (('base', 'golden/labelled:0.8,starter:0.2'),
                              ('round', 'golden/labelled:0.4,starter:0.1,golden:0.5'))),
    train=config.TrainConfig(steps=0))


class SkilledSampler:
  """Right with the chance of its skill at each number of digits."""

  def __init__(self, skill):
    self.skill = skill

  def sample(self, requests, *, num_bytes, temperature, progress):
    progress(len(requests))
    return [self.one(request, temperature) for request in requests]

  def one(self, request, temperature):
    digest = hashlib.sha256(f'{request} {temperature}'.encode()).digest()
    number = int(request.prompt[:-1])
    right = digest[0] < 256 * self.skill[len(str(number))]
    return sampler.Sample(str(2 * number + (not right)), digest[1] > 10, -float(digest[2]) - 0.5)


class Killed(Exception):
  """Stands for a kill."""


class RoundsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.enter_context(absltest.mock.patch.dict(registry.FAMILIES, {FAMILY.name: FAMILY}))
    self.enter_context(absltest.mock.patch.object(rounds, 'load', self.load))
    self.skills, self.bits = {}, {}
    self.built, self.trained = [], []
    self.kill = lambda stage: None

  def load(self, folder):
    skill = self.skills.get(folder.name, {1: 0.97, 2: 0.6, 3: 0.5})
    return rounds.Model(folder, max(checkpoint.steps(folder)), 'f00d', SkilledSampler(skill))

  def build(self, name, folder):
    self.kill('build')
    self.built.append((name, sorted(path.name for path in folder.iterdir())))

  def train(self, run_dir, whole, until):
    self.kill('train')
    self.trained.append((run_dir.name, until))
    run_folder.write_config(run_dir, whole)
    store = checkpoint.Store(run_dir, keep_latest=1)
    store.save(until, tiny_model.params(until), {'step': np.zeros(1)}, {'heldout_loss': 2.0})
    store.close()
    row = {'step': until, 'kind': 'heldout', 'bits_per_byte': self.bits.get(run_dir.name, 3.0)}
    (run_dir / run_folder.METRICS).write_text(json.dumps(row) + '\n')
    return True

  def progress(self, stage, total):
    self.kill(stage)
    return lambda count: None

  def run_arm(self, arm, root=None, **changes):
    chosen = dataclasses.replace(settings.Settings(
        family='doubling', rounds=2, labelled=30, labelled_depth=3, prompts=40, samples=4, probe=20,
        heldout=30, pass_heldout=8, pass_attempts=8), **changes)
    root = root or self.root
    root.mkdir(exist_ok=True)
    with verdicts.Verdicts(root / 'verdicts.jsonl', FAMILY, stand_ins.Executor()) as court:
      one = rounds.Rounds(
          CONFIG, chosen, FAMILY, seed=3, folder=root / 'seed_3', court=court,
          workshop=rounds.Workshop(self.build, self.train, lambda line: None, self.progress))
      one.base()
      one.run(arm)

  def records(self, arm, number):
    return list(golden_record.read(self.root / f'seed_3/{arm}/records/round_{number}.jsonl'))

  def test_golden_takes_what_is_right_and_tells_where_it_came_from(self):
    self.run_arm('golden')
    steps = [phase.end for phase in phases.plan(rounds.plan(
        CONFIG, seed=3, arm='golden', rounds=2))]
    self.assertEqual(self.trained, list(zip(('base', 'round_1', 'round_2'), steps, strict=True)))
    self.assertEqual(self.built, [
        ('golden/labelled', ['labelled.jsonl']), ('golden/golden_1', ['round_1.jsonl']),
        ('golden/golden_2', ['round_1.jsonl', 'round_2.jsonl'])])
    heldout = {f'{n}=' for n in range(1000) if FAMILY.split(str(n)) == 'heldout'}
    accepted = []
    for number in (1, 2):
      found = self.records('golden', number)
      self.assertEqual(len(found) % 4, 0)
      self.assertBetween(len(found), 100, 160)  # There are not many problems of one digit.
      kept = [record for record in found if record.verdict == golden_record.ACCEPTED]
      self.assertNotEmpty(kept)
      self.assertEqual({record.step for record in kept}, {steps[number - 1]})
      self.assertEqual({record.fingerprint for record in kept}, {'f00d'})
      self.assertEqual({record.verifier for record in kept}, {'doubling-1'})
      self.assertGreater({record.verdict for record in found}, {'wrong', 'malformed', 'accepted'})
      accepted += kept
    for record in accepted:
      self.assertEqual(record.completion, f'{2 * int(record.prompt[:-1])}\n')
    self.assertEmpty({record.prompt for record in accepted} & heldout)
    self.assertLen({record.prompt for record in accepted}, len(accepted))

  def test_mastered_depths_get_little(self):
    self.run_arm('golden', rounds=1)
    asked = [record.depth for record in self.records('golden', 1)]
    self.assertLessEqual(asked.count(1), 0.2 * len(asked))

  def test_arms_differ_in_what_they_bring(self):
    self.run_arm('control')
    self.assertEqual([name for name, _ in self.built], ['golden/labelled'])
    mixtures = [phase.data.mixture for phase in phases.plan(
        rounds.plan(CONFIG, seed=3, arm='control', rounds=2))]
    self.assertEqual(mixtures[1:], ['golden/labelled:0.4,starter:0.1'] * 2)
    self.run_arm('oracle')
    oracle = self.records('oracle', 1)
    self.assertEqual({record.completion for record in oracle},
                     {f'{2 * int(record.prompt[:-1])}\n' for record in oracle})
    self.run_arm('unfiltered')
    unfiltered = [record for record in self.records('unfiltered', 1)
                  if record.verdict == golden_record.ACCEPTED]
    self.assertEqual({record.verifier for record in unfiltered}, {golden_record.UNVERIFIED})
    wrong = [record for record in unfiltered
             if record.completion != f'{2 * int(record.prompt[:-1])}\n']
    self.assertBetween(len(wrong) / len(unfiltered), 0.1, 0.6)

  def test_a_kill_anywhere_changes_nothing(self):
    self.run_arm('golden', self.root / 'alone')
    for stage in ('labelled problems', 'build', 'train', 'held-out: executing', 'probe: writing',
                  'round 1: writing', 'round 2: executing', 'round 2: held-out', 'attempts'):
      kills = []

      def kill(now, last=stage, kills=kills):
        if last in now and not kills:
          kills.append(now)
          raise Killed(now)

      self.kill = kill
      root = self.root / stage.replace(' ', '_')
      with self.assertRaises(Killed, msg=stage):
        self.run_arm('golden', root)
      self.run_arm('golden', root)
      for name in ('records/round_1.jsonl', 'records/round_2.jsonl', 'round_2/evaluation.json'):
        self.assertEqual((root / 'seed_3/golden' / name).read_bytes(),
                         (self.root / 'alone/seed_3/golden' / name).read_bytes(), (stage, name))

  def test_no_signal_at_the_frontier(self):
    self.skills['base'] = {1: 1.0, 2: 0.0, 3: 0.9}
    with self.assertRaisesRegex(rounds.NoSignal, 'Of 20 problems of depth 2 fewer than 5%'):
      self.run_arm('golden')
    self.assertFalse((self.root / 'seed_3/golden').exists())

  @parameterized.parameters(
      ({'skills': {'round_2': {1: 0.5, 2: 0.5, 3: 1.0}}}, r'pass@1 at depths 1, 2 lost 0\.'),
      ({'bits': {'round_2': 3.2}}, r'real text takes \+0.200 bits per byte'))
  def test_a_round_that_forgets_is_stopped_and_the_model_before_named(self, change, message):
    for name, value in change.items():
      getattr(self, name).update(value)
    for _ in range(2):  # And stays so when it is begun again.
      with self.assertRaisesRegex(rounds.Regression, message + r'.*keep is that of .*round_1;'):
        self.run_arm('golden')

  def test_a_row_of_metrics_for_each_round_and_a_report(self):
    self.run_arm('golden')
    rows = [json.loads(line) for line in
            (self.root / 'seed_3/golden/metrics.jsonl').read_text().splitlines()]
    self.assertEqual([row['step'] for row in rows], [1, 2])
    self.assertGreater(rows[0]['verdicts/accepted'], 0)
    self.assertBetween(rows[0]['acceptance/3'], 0.1, 0.9)
    self.assertIn('golden, round 2', report.write(self.root))
    last = measure.load(self.root / 'seed_3/golden/round_2/evaluation.json')
    self.assertBetween(last.pass_at(1, '3'), 0.2, 0.8)

  @parameterized.parameters(
      ({'curriculum': CONFIG.curriculum[:1]}, 'has 1 phases: give two'),
      ({'curriculum': CONFIG.curriculum[:1] * 2}, 'give one with golden'))
  def test_configs_that_cannot_be(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      rounds.plan(dataclasses.replace(CONFIG, **change), seed=0)


if __name__ == '__main__':
  absltest.main()
