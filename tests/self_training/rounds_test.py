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
from haiku_spectral.training import checkpoint_store, run_folder
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
  """Right with the chance of its skill at each number of digits, on the gate with another one."""

  def __init__(self, skill, gate):
    self.skill, self.gate = skill, gate

  def sample(self, requests, *, temperature, progress):
    progress(len(requests))
    return [self.one(request, temperature) for request in requests]

  def one(self, request, temperature):
    digest = hashlib.sha256(f'{request} {temperature}'.encode()).digest()
    number = int(request.prompt[:-1])
    skill = self.gate if FAMILY.split(str(number)) == 'gate' else self.skill
    right = digest[0] < 256 * skill[len(str(number))]
    text = str(2 * number + (not right)) if right or digest[3] < 128 else 'loop'
    return sampler.Sample(text, digest[1] > 10, -float(digest[2]) - 0.5)


class Killed(Exception):
  """Stands for a kill."""


class RoundsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.enter_context(absltest.mock.patch.dict(registry.FAMILIES, {FAMILY.name: FAMILY}))
    self.enter_context(absltest.mock.patch.object(seed_run, 'load', self.load))
    self.skills, self.gates, self.bits = {}, {}, {}
    self.built, self.trained = [], []
    self.kill = lambda stage: None

  def load(self, folder):
    skill = self.skills.get(folder.name, {1: 0.97, 2: 0.6, 3: 0.3})
    return seed_run.Model(folder, max(run_folder.steps(folder)), 'f00d', SkilledSampler(
        skill, self.gates.get(folder.name, skill)))

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
        family='doubling', rounds=2, labelled=30, labelled_depth=1, deepest=3, prompts=60,
        samples=4, probe=20, gate=20, heldout=30, pass_heldout=8, pass_attempts=8), **changes)
    root = root or self.root
    root.mkdir(exist_ok=True)
    with verifier_cache.VerifierCache(
        root / paths.VERDICTS, FAMILY, stand_ins.Executor()) as verifier:
      run = seed_run.start(
          CONFIG, chosen, FAMILY, seed=3, paths=paths.of_seed(root, 3), verifier=verifier,
          callbacks=callbacks.Callbacks(
              self.build, self.train, lambda line: self.kill(line), self.progress))
      rounds.run_base(run)
      rounds.run_arm(run, arm)
      return run

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
      self.assertLen(found, 240)
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

  def test_rounds_ask_at_the_frontier_of_the_gate_and_one_beyond(self):
    self.gates |= {'base': {1: 1.0, 2: 0.0, 3: 0.9}, 'round_1': {1: 1.0, 2: 0.5, 3: 0.0}}
    self.run_arm('golden')
    asked = [{record.depth for record in self.records('golden', number)} for number in (1, 2)]
    self.assertEqual(asked, [{1, 2}, {2, 3}])
    probed = [sorted(evaluation.load(
        self.root / f'seed_3/{name}/evaluation.json').probe) for name in ('base', 'golden/round_1')]
    self.assertEqual(probed, [['1', '2'], ['1', '2', '3']])

  def test_the_other_arms_ask_what_golden_asks_whatever_they_know(self):
    self.run_arm('golden')
    asked = [[record.prompt for record in self.records('golden', number)] for number in (1, 2)]
    self.skills |= {'round_1': {1: 0.1, 2: 0.0, 3: 0.0}, 'round_2': {1: 0.1, 2: 0.0, 3: 0.0}}
    for arm in ('unfiltered', 'agreement'):
      self.run_arm(arm)
      self.assertEqual([[record.prompt for record in self.records(arm, number)]
                        for number in (1, 2)], asked)
    self.assertEmpty(evaluation.load(self.root / 'seed_3/unfiltered/round_2/evaluation.json').probe)

  def test_the_other_arms_come_after_golden_and_end_with_it(self):
    with self.assertRaisesRegex(ValueError, '--arm=oracle asks what golden has asked, .*seed 3'):
      self.run_arm('oracle')
    self.bits['round_1'] = 3.2
    with self.assertRaises(outcomes.Regression):
      self.run_arm('golden')
    self.run_arm('control')
    self.assertEqual([outcomes.load(self.root / f'seed_3/{arm}/outcome.json')[:2]
                      for arm in ('golden', 'control')], [('regression', 1), ('completed', 1)])

  def test_a_verifier_that_errs_accepts_the_same_wrong_answers_each_time(self):
    self.run_arm('golden', wrong_accepted=0.2)
    found = self.records('golden', 1)
    wrong = [record for record in found
             if record.completion.removesuffix('\n') != f'{2 * int(record.prompt[:-1])}']
    accepted = [record for record in wrong if record.verdict == verified_sample.ACCEPTED]
    judged = {(record.prompt, record.completion) for record in wrong if record.sandbox != 'not_run'}
    self.assertBetween(len(accepted) / len(judged), 0.05, 0.4)
    self.assertEqual({record.sandbox for record in accepted}, {'ok', 'timeout_cpu'})
    self.assertEqual({record.verifier for record in accepted}, {verified_sample.UNVERIFIED})
    last = evaluation.load(self.root / 'seed_3/golden/round_2/evaluation.json')
    self.assertGreater(last.round['accepted_unverified'], 0)
    self.assertLess(np.mean(last.greedy['3']), 0.5)  # No model is measured by such a verifier.
    again = self.root / 'again'
    self.run_arm('golden', again, wrong_accepted=0.2)
    name = 'seed_3/golden/records/round_2.jsonl'
    self.assertEqual((again / name).read_bytes(), (self.root / name).read_bytes())

  def test_arms_differ_in_what_they_bring(self):
    self.run_arm('golden')
    self.built.clear()
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
    self.assertBetween(len(wrong) / len(unfiltered), 0.1, 0.8)
    self.run_arm('agreement')
    agreed = [record for record in self.records('agreement', 1)
              if record.verdict == verified_sample.ACCEPTED]
    self.assertEqual({record.verifier for record in agreed}, {verified_sample.UNVERIFIED})
    self.assertLen({record.prompt for record in agreed}, len(agreed))
    self.assertIn('outvoted', {record.verdict for record in self.records('agreement', 1)})

  def test_a_kill_anywhere_changes_nothing(self):
    self.run_arm('golden', self.root / 'alone')
    for stage in ('labelled problems', 'build', 'train', 'held-out: executing', 'probe: generating',
                  'round 1: generating', 'round 2: executing', 'round 2: held-out', 'attempts',
                  'round 1: gate', 'round 1: pass@1'):
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
      for name in ('records/round_1.jsonl', 'records/round_2.jsonl', 'round_2/evaluation.json',
                   'metrics.jsonl', 'outcome.json'):
        self.assertEqual((root / 'seed_3/golden' / name).read_bytes(),
                         (self.root / 'alone/seed_3/golden' / name).read_bytes(), (stage, name))

  def test_rounds_that_are_added_are_those_of_a_longer_run(self):
    self.run_arm('golden', self.root / 'alone')
    self.run_arm('golden', self.root / 'longer', rounds=1)
    self.run_arm('golden', self.root / 'longer')
    for name in ('records/round_2.jsonl', 'round_1/config.json', 'round_2/config.json',
                 'round_2/evaluation.json', 'outcome.json'):
      self.assertEqual((self.root / 'longer/seed_3/golden' / name).read_bytes(),
                       (self.root / 'alone/seed_3/golden' / name).read_bytes(), name)

  @parameterized.parameters(
      ({1: 0.0, 2: 0.9, 3: 0.9}, 'no signal. Of 20 problems of depth 1 fewer than 5% were solved'),
      ({1: 0.9, 2: 0.0, 3: 0.9}, r'Of \d+ samples at depths 1, 2, .* none deeper than the labelled '
                                 r'problems \(depth 1\).*--labelled_depth'))
  def test_no_signal(self, skill, message):
    self.skills['base'] = skill
    for _ in range(2):  # And ends so again when the command is given again.
      with self.assertRaisesRegex(outcomes.NoSignal, message):
        self.run_arm('golden')
    self.assertFalse((self.root / 'seed_3/golden/records').exists())
    ended = outcomes.load(self.root / 'seed_3/golden/outcome.json')
    self.assertEqual(ended[:2], ('no_signal', 0))
    self.run_arm('unfiltered')
    text = report.write(self.root)
    self.assertIn('seed 3, golden ended after 0 rounds (no signal)', text)
    self.assertIn('golden - unfiltered: +0.000', text)

  def test_when_every_depth_is_mastered_the_arm_ends_and_says_so(self):
    self.skills['round_1'] = {1: 1.0, 2: 1.0, 3: 1.0}
    self.bits = {}
    with absltest.mock.patch.object(frontier, 'MASTERED', 0.9):
      for _ in range(2):  # And ends so again when the command is given again.
        with self.assertRaisesRegex(outcomes.Mastered, 'golden, round 2: every depth is mastered'):
          self.run_arm('golden')
    self.assertEqual([name for name, _ in self.built if name != 'golden/labelled'],
                     ['golden/golden_1'])
    self.run_arm('unfiltered')
    self.assertIn('seed 3, golden ended after 1 round (mastered)', report.write(self.root))

  @parameterized.parameters(
      ({'gates': {'round_2': {1: 0.5, 2: 0.5, 3: 1.0}}},
       r'on the gate, pass@1 at depths 1 lost 0\.'),
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
