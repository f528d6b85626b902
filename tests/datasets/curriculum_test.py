"""The data of a whole run: exact shares, exact changes, and a pure function of the step."""

import dataclasses
import pathlib
import re
import shutil

import chex
import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import curriculum
from haiku_spectral import config as configs
from haiku_spectral import vocab
from haiku_spectral.config import phases
from haiku_spectral.configs import curriculum as mission
from haiku_spectral.configs import curriculum_small
from tests.datasets import corpora, host_batches
from tests.fixed_examples import fixed_examples

SCALE = 64  # By which segments are shorter than in the presets.
NAMES = {'papers': 'turkish', 'turkish_web': 'web', 'pile_english': 'english',
         'github_code': 'code'}  # And the others as they are.


def rename(mixture):
  return re.sub(r'(\w+/)?(\w+):', lambda m: f'text_folder/{NAMES.get(m[2], m[2])}:', mixture)


def small(preset=mission, *, windows=160, **changes):
  """A preset's phases and weights over small corpora, in segments that are SCALE times shorter."""
  config = configs.from_config_dict(preset.get_config())
  phases_ = tuple(
      dataclasses.replace(
          phase, bytes=windows * phase.segment // SCALE, mixture=rename(phase.mixture),
          segment=phase.segment // SCALE,
          warmup_lengths=re.sub(
              r'(\d+):', lambda m: f'{int(m[1]) // SCALE}:', phase.warmup_lengths),
          rate=dataclasses.replace(phase.rate, warmup_steps=0))
      for phase in config.curriculum)
  return configs.validate(configs.Config(
      model=configs.ModelConfig(pattern='M'),  # The others reach farther than such segments.
      data=dataclasses.replace(
          config.data, mixture=rename(config.data.mixture), segment=config.data.segment // SCALE,
          **changes),
      train=configs.TrainConfig(steps=0), curriculum=phases_))


class CurriculumTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    cls.root = corpora.temporary_folder(cls)
    cls.data_dir = str(cls.root / 'data')
    for number, name in enumerate(('turkish', 'prose', 'web', 'english', 'code', 'golden')):
      files = {f'{i}': corpora.letters(100 * number + i, 25_000 + 31 * i) for i in range(12)}
      corpora.build(name, corpora.write(cls.root / name, files), cls.data_dir)

  def batches(self, config, **options):
    return curriculum.Batches(config, **{'data_dir': self.data_dir, **options})

  def assert_same(self, left, right):
    chex.assert_trees_all_equal(left, right)

  def joined(self, config, step, hosts):
    parts = [self.batches(config, host=host, hosts=hosts)[step] for host in range(hosts)]
    return host_batches.joined(parts)

  @parameterized.parameters(mission, curriculum_small)
  def test_weights_are_shares_of_the_bytes_to_a_thousandth(self, preset):
    config = small(preset, windows=11_000)
    batches, names = self.batches(config), phases.sources(config)
    for phase in phases.plan(config):
      wanted = configs.parse_mixture(phase.data.mixture)
      self.assertAlmostEqual(sum(wanted.values()), 1)
      scored, read, checked = np.zeros(len(names)), 0, 0
      for step in range(phase.first_step, phase.end):
        batch = batches[step]
        np.add.at(scored, batch.sources, (batch.targets != vocab.PAD).sum(1))
        read += batch.targets.size
        if read >= 10_000 * phase.data.segment:
          for name, share in zip(names, scored / scored.sum(), strict=True):
            self.assertAlmostEqual(share, wanted.get(name, 0), delta=0.001)
          checked += 1
      self.assertGreater(checked, 1)

  def test_hosts_read_the_same_global_batches(self):
    config = small(batch_size=8, stateful_rows=5)
    batches = self.batches(config)
    cuts = [stage.first_step for phase in phases.plan(config) for stage in phase.stages]
    for step in {*cuts, *(cut - 1 for cut in cuts[1:]), len(batches) - 1}:
      for hosts in (2, 4, 8):
        self.assert_same(self.joined(config, step, hosts), batches[step])

  @fixed_examples(15)
  @hypothesis.given(st.data())
  def test_a_batch_depends_on_the_step_alone_and_on_no_host(self, data):
    config = small(batch_size=8, stateful_rows=3)
    used = self.batches(config)
    for step in data.draw(st.lists(st.integers(0, len(used) - 1), min_size=1, max_size=4)):
      hosts = data.draw(st.sampled_from([1, 2, 4, 8]))
      self.assert_same(self.joined(config, step, hosts), used[step])

  def test_phases_change_at_their_steps_and_begin_anew(self):
    config = small(batch_size=8, stateful_rows=8)
    batches, names = self.batches(config), phases.sources(config)
    self.assertLen(batches, phases.total_steps(config))
    for phase in phases.plan(config):
      own = {names.index(name) for name in configs.parse_mixture(phase.data.mixture)}
      seen = set()
      for step in range(phase.first_step, phase.end):
        seen |= set(batches[step].sources.tolist())
      self.assertEqual(seen, own)
      np.testing.assert_array_equal(batches[phase.first_step].reset, True)
    with self.assertRaisesRegex(IndexError, f'there are {len(batches)} steps'):
      batches[len(batches)]

  def test_rows_go_on_where_they_were_when_segments_get_longer(self):
    config = small(batch_size=8, stateful_rows=8)
    batches, stages = self.batches(config), phases.plan(config)[0].stages
    self.assertEqual([stage.segment for stage in stages], [4, 16, 64])
    went_on = 0
    for stage in stages[1:]:
      before, after = batches[stage.first_step - 1], batches[stage.first_step]
      self.assertEqual(after.inputs.shape, (8, stage.segment))
      went_on += (~after.reset).sum()
      for row in np.flatnonzero(~after.reset):
        self.assertEqual(after.inputs[row][0], before.targets[row][-1])
        self.assertEqual(after.sources[row], before.sources[row])
    self.assertGreaterEqual(went_on, 12)

  def test_what_a_later_phase_reads_may_be_built_later(self):
    data_dir = str(self.root / 'later')
    shutil.copytree(self.data_dir, data_dir)
    shutil.rmtree(pathlib.Path(data_dir, 'text_folder', 'golden'))
    config = small(batch_size=8, stateful_rows=4)
    batches, last = self.batches(config, data_dir=data_dir), phases.plan(config)[-1]
    self.assertEqual(batches.missing(), {'text_folder/golden': 'golden'})
    batches[last.first_step - 1]
    with self.assertRaisesRegex(FileNotFoundError, "'text_folder/golden' is not built"):
      batches[last.first_step]
    shutil.copytree(pathlib.Path(self.data_dir, 'text_folder', 'golden'),
                    pathlib.Path(data_dir, 'text_folder', 'golden'))
    self.assertEqual(batches.missing(), {})
    batches[last.first_step]

  def test_a_checkpoint_says_what_was_read(self):
    config = small(batch_size=8, stateful_rows=4)
    batches, plan = self.batches(config), phases.plan(config)
    found = batches.reading(plan[1].first_step)  # Nothing of the second phase is read yet.
    self.assertEqual((found['phase'], found['segment']), ('world', 64))
    self.assertEqual(found['weights'], {
        'text_folder/english': 0.4, 'text_folder/web': 0.3, 'text_folder/code': 0.3})
    self.assertEqual(set(found['datasets']), {
        f'text_folder/{name}' for name in ('english', 'web', 'code', 'turkish', 'prose')})
    self.assertEqual(found['datasets']['text_folder/web'],
                     curriculum.fingerprint('text_folder/web', self.data_dir))
    self.assertEqual(found['datasets']['text_folder/web']['version'], '1.0.0')

  def test_a_dataset_that_changed_is_named_as_long_as_it_is_read(self):
    data_dir = str(self.root / 'changed')
    shutil.copytree(self.data_dir, data_dir)
    config = small(batch_size=8, stateful_rows=4)
    plan = phases.plan(config)
    first, second = plan[1].first_step - 1, plan[1].first_step
    readings = {step: self.batches(config, data_dir=data_dir).reading(step)
                for step in (first, second)}

    def rebuild(name, change=lambda data: data):
      files = {path.name: change(path.read_bytes()) for path in (self.root / name).iterdir()}
      source = corpora.write(self.root / f'{name}_again', files)
      corpora.build(name, source, data_dir, overwrite=True)

    rebuild('turkish')
    self.batches(config, data_dir=data_dir).verify(first, readings[first])  # The same again.
    rebuild('turkish', lambda data: data.replace(b'a', b'b'))
    with self.assertRaisesRegex(
        ValueError, r"the dataset 'text_folder/turkish' in .* has changed since step \d+ was saved "
        r'\(1.0.0 \w{16} then, 1.0.0 \w{16} now\): bring back'):
      self.batches(config, data_dir=data_dir).verify(first, readings[first])
    later = self.batches(config, data_dir=data_dir)
    later.verify(second, readings[second])  # Its phase is over,
    rebuild('golden', lambda data: data[1:])
    later.verify(second, readings[second])  # and the phase of this one has not begun.


if __name__ == '__main__':
  absltest.main()
