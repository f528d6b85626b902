"""What is trained on is what the agent's model has as its context, marks included."""

import pathlib

import numpy as np
from absl.testing import absltest, parameterized

from datasets import preparation, registry, windows
from datasets.agent_transcripts import agent_transcripts_dataset_builder as builders
from haiku_spectral import vocab
from haiku_spectral.agent import document, goals, teacher, transcript
from haiku_spectral.agent.transcript import Event

NAME = 'agent_transcripts/teacher'
RNG = np.random.default_rng(0)
SESSIONS = {f'a/{number}': teacher.play(goals.draw(
    RNG, goals.Spec(6, 2, next_day=2), 'train')).events for number in range(12)}


class AgentTranscriptsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.root = pathlib.Path(self.create_tempdir().full_path)
    self.data_dir = str(self.root / 'data')

  def _write(self, sessions):
    for name, events in sessions.items():
      path = self.root / 'sessions' / name / 'transcript.jsonl'
      path.parent.mkdir(parents=True)
      path.write_bytes(b''.join(map(transcript.encode, events)))

  def _build(self, **settings):
    def make(place):
      config = builders.TranscriptsConfig(
          name='teacher', source=str(self.root / 'sessions'), validation=0.3, **settings)
      return builders.Builder(config=config, data_dir=place)

    return preparation.prepare(NAME, make, data_dir=self.data_dir)[1]

  def _documents(self, split):
    """The ids of each document of a split, by its name."""
    records = windows.Records(NAME, data_dir=self.data_dir, split=split)
    cut = windows.Windows(records, 64)
    ids = np.concatenate([cut.ids(index, 0, 64)[:64] for index in range(len(cut))])
    parts = np.split(ids, np.flatnonzero(ids == vocab.BOUNDARY))[1:]
    names = registry.document_names(NAME, self.data_dir)
    places = [identity for record in records.stream() for identity in record['documents']]
    return {names[place]: part for place, part in zip(dict.fromkeys(places), parts, strict=True)}

  def test_windows_are_the_contexts_of_the_agent(self):
    self._write(SESSIONS)
    report = self._build()
    found = {}
    for split in report['splits']:
      found |= self._documents(split)
    self.assertEqual(found.keys(), SESSIONS.keys())
    for name, events in SESSIONS.items():
      part = found[name][found[name] != vocab.PAD]
      want = [vocab.BOUNDARY, *document.of(events)]
      # The last byte of a record has no target, and a split may end with it.
      np.testing.assert_array_equal(part, want[:len(part)])
      self.assertLen(part, len(want)) if name != list(found)[-1] else None
    self.assertGreater(np.sum(part == vocab.RESULT), 3)
    self.assertLen(report['splits'], 2)

  def test_what_stands_before_a_window_has_its_marks(self):
    self._write(SESSIONS)
    self._build()
    cut = windows.Windows(windows.Records(NAME, data_dir=self.data_dir, split='train'), 1024)
    np.testing.assert_array_equal(cut.before(1, 0, 1024), cut.ids(0, 0, 1024)[:1024])

  def test_what_is_no_transcript_is_filtered(self):
    goal, turn = Event('goal', b'x'), Event('turn', b'DONE')
    self._write(SESSIONS | {
        'noise': [goal, Event('turn', b'\xfe')], 'torn': [goal, turn], 'empty': []})
    torn = self.root / 'sessions' / 'torn' / 'transcript.jsonl'
    torn.write_bytes(torn.read_bytes()[:-3])
    (self.root / 'sessions' / 'other').mkdir()
    (self.root / 'sessions' / 'other' / 'transcript.jsonl').write_text('{}\n')
    report = self._build()
    self.assertEqual(report['filtered'], {'damaged': 3})
    reasons = {row['file']: row['reason'] for row in report['first_filtered']}
    self.assertIn('invalid start byte', reasons['noise'])
    self.assertIn('is damaged in line 1', reasons['other'])
    self.assertEqual(sum(part['documents'] for part in report['splits'].values()), 13)

  @parameterized.parameters(
      ({'name': '1'}, "the name '1' is not allowed"),
      ({'name': 'x', 'validation': 1.0}, 'validation=1.0'))
  def test_mistakes(self, settings, message):
    with self.assertRaisesRegex(ValueError, message):
      builders.TranscriptsConfig(source='', **settings)

  def test_a_folder_without_sessions(self):
    (self.root / 'sessions').mkdir()
    with self.assertRaisesRegex(ValueError, 'no transcript.jsonl of a session below'):
      self._build()


if __name__ == '__main__':
  absltest.main()
