"""The rounds themselves, with a sampler whose skill is known and a training that takes no time."""

import dataclasses
import hashlib
import json
import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import config
from haiku_spectral.config import phases
from haiku_spectral.self_training import (
  callbacks,
  curriculum,
  evaluation,
  frontier,
  outcomes,
  paths,
  report,
  rounds,
  sampler,
  seed_run,
  settings,
  verifier_cache,
)
from haiku_spectral.tasks import registry, verified_sample
from haiku_spectral.training import checkpoint, checkpoint_store, run_folder
from tests.decoding import tiny_model
from tests.self_training import stand_ins

FAMILY = stand_ins.Doubling()
CONFIG = config.Config(
    model=tiny_model.CONFIG, data=config.DataConfig(stateful_rows=0),
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
    self.enter_context(absltest.mock.patch.object(seed_run, 'load', self.load))
    self.skills, self.bits = {}, {}
    self.built, self.trained = [], []
    self.kill = lambda stage: None

  def load(self, folder):
    skill = self.skills.get(folder.name, {1: 0.97, 2: 0.6, 3: 0.5})
    return seed_run.Model(folder, max(checkpoint.steps(folder)), 'f00d', SkilledSampler(skill))

  def build(self, name, folder):
    self.kill('build')
    self.built.append((name, sorted(path.name for path in folder.iterdir())))

  def train(self, run_dir, whole, until):
    self.kill('train')
    self.trained.append((run_dir.name, until))
    run_folder.write_config(run_dir, whole)
    store = checkpoint_store.Store(run_dir, keep_latest=1)
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
    with verifier_cache.VerifierCache(
        root / paths.VERDICTS, FAMILY, stand_ins.Executor()) as verifier:
      run = seed_run.start(
          CONFIG, chosen, FAMILY, seed=3, paths=paths.of_seed(root, 3), verifier=verifier,
          callbacks=callbacks.Callbacks(self.build, self.train, lambda line: None, self.progress))
      rounds.run_base(run)
      rounds.run_arm(run, arm)

  def records(self, arm, number):
    return list(verified_sample.read(self.root / f'seed_3/{arm}/records/round_{number}.jsonl'))

  def test_golden_takes_what_is_right_and_tells_where_it_came_from(self):
    self.run_arm('golden')
    steps = [phase.end for phase in phases.plan(curriculum.plan(
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
      kept = [record for record in found if record.verdict == verified_sample.ACCEPTED]
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
        curriculum.plan(CONFIG, seed=3, arm='control', rounds=2))]
    self.assertEqual(mixtures[1:], ['golden/labelled:0.4,starter:0.1'] * 2)
    self.run_arm('oracle')
    oracle = self.records('oracle', 1)
    self.assertEqual({record.completion for record in oracle},
                     {f'{2 * int(record.prompt[:-1])}\n' for record in oracle})
    self.run_arm('unfiltered')
    unfiltered = [record for record in self.records('unfiltered', 1)
                  if record.verdict == verified_sample.ACCEPTED]
    self.assertEqual({record.verifier for record in unfiltered}, {verified_sample.UNVERIFIED})
    wrong = [record for record in unfiltered
             if record.completion != f'{2 * int(record.prompt[:-1])}\n']
    self.assertBetween(len(wrong) / len(unfiltered), 0.1, 0.6)

  def test_a_kill_anywhere_changes_nothing(self):
    self.run_arm('golden', self.root / 'alone')
    for stage in ('labelled problems', 'build', 'train', 'held-out: executing', 'probe: generating',
                  'round 1: generating', 'round 2: executing', 'round 2: held-out', 'attempts'):
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
    with self.assertRaisesRegex(outcomes.NoSignal, 'Of 20 problems of depth 2 fewer than 5%'):
      self.run_arm('golden')
    self.assertFalse((self.root / 'seed_3/golden').exists())

  def test_when_every_depth_is_mastered_the_arm_ends_and_says_so(self):
    self.skills['round_1'] = {1: 1.0, 2: 1.0, 3: 1.0}
    self.bits = {}
    with absltest.mock.patch.object(frontier, 'MASTERED', 0.9):
      for _ in range(2):  # And ends so again when the command is given again.
        with self.assertRaisesRegex(outcomes.Mastered, 'golden, round 2: every depth is mastered'):
          self.run_arm('golden')
    self.assertEqual([name for name, _ in self.built if name != 'golden/labelled'],
                     ['golden/golden_1'])
    self.assertIn('golden, round 1', report.write(self.root))

  @parameterized.parameters(
      ({'skills': {'round_2': {1: 0.5, 2: 0.5, 3: 1.0}}}, r'pass@1 at depths 1, 2 lost 0\.'),
      ({'bits': {'round_2': 3.2}}, r'real text takes \+0.200 bits per byte'))
  def test_a_round_that_forgets_is_stopped_and_the_model_before_named(self, change, message):
    for name, value in change.items():
      getattr(self, name).update(value)
    for _ in range(2):  # And stays so when it is begun again.
      with self.assertRaisesRegex(outcomes.Regression, message + r'.*keep is that of .*round_1;'):
        self.run_arm('golden')

  def test_a_row_of_metrics_for_each_round_and_a_report(self):
    self.run_arm('golden')
    rows = [json.loads(line) for line in
            (self.root / 'seed_3/golden/metrics.jsonl').read_text().splitlines()]
    self.assertEqual([row['step'] for row in rows], [1, 2])
    self.assertGreater(rows[0]['verdicts/accepted'], 0)
    self.assertBetween(rows[0]['acceptance/3'], 0.1, 0.9)
    self.assertIn('golden, round 2', report.write(self.root))
    last = evaluation.load(self.root / 'seed_3/golden/round_2/evaluation.json')
    self.assertBetween(last.pass_at(1, '3'), 0.2, 0.8)

  @parameterized.parameters(
      ({'curriculum': CONFIG.curriculum[:1]}, 'has 1 phases: give two'),
      ({'curriculum': CONFIG.curriculum[:1] * 2}, 'give one with golden'))
  def test_configs_that_cannot_be(self, change, message):
    with self.assertRaisesRegex(ValueError, message):
      curriculum.plan(dataclasses.replace(CONFIG, **change), seed=0)


if __name__ == '__main__':
  absltest.main()
