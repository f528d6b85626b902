"""Batches: a pure function of the step, the same for any number of hosts."""

import collections
import dataclasses
import sys

import chex
import hypothesis
import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import strategies as st

from datasets import packing, pipeline, windows
from haiku_spectral import config, vocab
from tests.datasets import corpora, host_batches
from tests.fixed_examples import fixed_examples

CONFIG = config.DataConfig(
    mixture='text_folder/big:4,text_folder/other:1', batch_size=8, segment=1024, chunk_segments=4,
    stateful_rows=4)
BIG, TINY = 'text_folder/big:1', 'text_folder/tiny:1'


def replace(**changes):
  return dataclasses.replace(CONFIG, **changes)


class PipelineTest(parameterized.TestCase):

  @classmethod
  def setUpClass(cls):
    super().setUpClass()
    root = corpora.temporary_folder(cls)
    cls.data_dir = str(root / 'data')
    cls.files = {}
    for name, count, size in (('big', 30, 9000), ('other', 12, 7000), ('tiny', 3, 40),
                              ('long', 3, 400_000)):
      cls.files[name] = [corpora.letters(100 * size + i, size + i) for i in range(count)]
      source = corpora.write(root / name, {f'{i}': data for i, data in enumerate(cls.files[name])})
      corpora.build(name, source, cls.data_dir)
    cls.records = {name: list(windows.Records(
        f'text_folder/{name}', data_dir=cls.data_dir, split='train').stream())
        for name in cls.files}
    # All ids of a training split, record by record.
    cls.streams = {name: np.stack([packing.record_ids(record) for record in records])
                   for name, records in cls.records.items()}

  def batches(self, data_config=CONFIG, seed=0, **options):
    return pipeline.batches(data_config, data_dir=self.data_dir, seed=(seed,), **options)

  def assert_same(self, left, right):
    chex.assert_trees_all_equal(left, right)

  def locate(self, name, inputs):
    """(record, position) of some inputs: letters are random, so there is one such place."""
    for record, ids in enumerate(self.streams[name]):
      for position in range(0, len(ids), len(inputs)):
        if np.array_equal(ids[position:position + len(inputs)], inputs):
          return record, position
    self.fail('these inputs stand nowhere in the split, or not where windows begin')

  def test_types_and_shapes(self):
    batch = self.batches()[0]
    self.assertEqual([(a.shape, a.dtype) for a in batch[:5]], [
        ((8, 1024), np.int32), ((8, 1024), np.int32), ((8,), np.bool_), ((8,), np.int32),
        ((8, 1024), np.bool_)])
    self.assertEqual(batch[5:], (None, None))  # No history unless it is asked for.

  def test_targets_are_the_next_ids_of_the_record(self):
    batches, names = self.batches(), ('big', 'other')
    for step in range(6):
      batch = batches[step]
      np.testing.assert_array_equal(batch.inputs[:, 1:], batch.targets[:, :-1])
      for inputs, targets, source in zip(batch.inputs, batch.targets, batch.sources, strict=True):
        record, position = self.locate(names[source], inputs)
        ids = np.append(self.streams[names[source]][record], vocab.PAD)
        self.assertEqual(targets[-1], ids[position + 1024])

  def test_stateful_rows_read_chunks_in_order_and_are_reset_where_chunks_begin(self):
    batches, seen = self.batches(replace(mixture=BIG)), collections.Counter()
    for row in range(4):
      for step in range(40):
        now, following = batches[step], batches[step + 1]
        (record, position), place = (
            self.locate('big', batch.inputs[row]) for batch in (now, following))
        begins = bool((following.inputs[row] == vocab.BOUNDARY).any())
        if place == (record, position + 1024) and place[1] % 4096:
          self.assertEqual(following.inputs[row][0], now.targets[row][-1])
          self.assertFalse(following.reset[row])
          seen['goes on', begins] += 1
        else:
          self.assertTrue(following.reset[row])
          self.assertEqual(place[1] % 4096, 0)
          rest = self.streams['big'][record][position + 1025:]
          self.assertTrue((step + 1 + 3 - row) % 4 == 0 or (rest == vocab.PAD).all())
          seen['elsewhere'] += 1
    self.assertGreater(min(seen.values()), 5)
    self.assertLen(seen, 3)

  def test_a_chunk_goes_on_from_record_to_record(self):
    # One document that fills records: a row reads two of them in sequence, 128 segments.
    data_config = replace(
        mixture='text_folder/long:1', batch_size=1, stateful_rows=1, chunk_segments=128)
    batches, segments = self.batches(data_config), []
    for step in range(128, 256):
      batch = batches[step]
      self.assertEqual(batch.reset[0], step == 128)
      segments.append(batch.inputs[0])
    read, stream = np.concatenate(segments), self.streams['long'].reshape(-1)
    at = self.locate('long', segments[0])[0] * packing.RECORD_BYTES
    self.assertEqual(at % (2 * packing.RECORD_BYTES), 0)
    np.testing.assert_array_equal(read, stream[at:at + len(read)])

  def test_resets_are_staggered_and_stateless_rows_are_always_reset(self):
    batches = self.batches(
        replace(mixture='text_folder/long:1', batch_size=10, stateful_rows=8, segment=64))
    np.testing.assert_array_equal(batches[0].reset, True)
    for step in range(1, 40):
      reset = batches[step].reset
      np.testing.assert_array_equal(reset[8:], True)
      begin = [(step + (7 - row) // 2) % 4 == 0 for row in range(8)]
      np.testing.assert_array_equal(reset[:8], begin)

  @parameterized.parameters(0, 4, 8)
  def test_hosts_share_the_same_global_batch(self, stateful_rows):
    data_config = replace(stateful_rows=stateful_rows)
    for hosts in (2, 4, 8):
      parts = [self.batches(data_config, host=host, hosts=hosts)[5] for host in range(hosts)]
      joined = host_batches.joined(parts)
      self.assert_same(joined, self.batches(data_config)[5])

  @fixed_examples(20)
  @hypothesis.given(st.lists(st.integers(0, 10**12), min_size=1, max_size=5))
  def test_a_batch_depends_on_the_step_alone(self, steps):
    used = self.batches()
    for step in steps:
      self.assert_same(used[step], self.batches()[step])

  def test_seeds_and_steps_differ(self):
    batches = self.batches()
    for rows in (slice(0, 4), slice(4, 8)):  # Stateful and stateless.
      inputs = batches[0].inputs[rows]
      self.assertFalse(np.array_equal(inputs, batches[1].inputs[rows]))
      self.assertFalse(np.array_equal(inputs, self.batches(seed=1)[0].inputs[rows]))

  @parameterized.parameters(0, 8)
  def test_weights_are_shares_of_the_bytes(self, stateful_rows):
    batches = self.batches(replace(stateful_rows=stateful_rows, segment=64, chunk_segments=4))
    scored = np.zeros(2)
    for step in range(400):  # 3200 windows.
      batch = batches[step]
      np.add.at(scored, batch.sources, (batch.targets != vocab.PAD).sum(1))
    self.assertAlmostEqual(scored[0] / scored.sum(), 0.8, delta=0.01)

  def test_an_epoch_covers_every_window_once(self):
    batches = self.batches(replace(
        mixture=BIG, stateful_rows=0, batch_size=4, segment=4096, chunk_segments=1))
    count = len(windows.Windows(
        windows.Records('text_folder/big', data_dir=self.data_dir, split='train'), 4096))
    rows = [row for step in range(count // 2) for row in batches[step].inputs]
    places = collections.Counter(row.tobytes() for row in rows[:2 * count])
    self.assertLen(places, count)
    self.assertEqual(set(places.values()), {2})
    self.assertLen({row.tobytes() for row in rows[:count]}, count)

  def test_stateful_rows_cover_every_chunk_once(self):
    batches = self.batches(replace(
        mixture=BIG, stateful_rows=2, batch_size=2, segment=1024, chunk_segments=4))
    count = len(windows.Windows(
        windows.Records('text_folder/big', data_dir=self.data_dir, split='train'), 4096))
    # Row 1 is at the beginning of its chunk at step 0, row 0 two segments further.
    chunks = [self.locate('big', batches[step].inputs[row]) for row in range(2)
             for step in [max(0, 4 * k - 2 * (1 - row)) for k in range(count // 2)]]
    self.assertLen({record * 16 + position // 4096 for record, position in chunks}, count // 2 * 2)

  @parameterized.parameters(0, 3, 8)
  def test_a_corpus_smaller_than_a_batch_is_repeated(self, stateful_rows):
    batches = self.batches(replace(
        mixture=TINY, stateful_rows=stateful_rows, segment=16, chunk_segments=4))
    for step in range(50):
      batch = batches[step]
      self.assertTrue((batch.targets != vocab.PAD).any(axis=1).all(), 'a row without a target')
      np.testing.assert_array_equal(batch.reset[stateful_rows:], True)

  def test_short_chunks_start_over_with_a_reset(self):
    # 41 + 41 positions or fewer: a chunk of 64 segments has no more than 6 slices of 16 with
    # something to predict; the row goes back to its start rather than into padding.
    batches = self.batches(replace(
        mixture=TINY, stateful_rows=1, batch_size=1, segment=16, chunk_segments=64))
    previous, begun = batches[0], 0
    for step in range(1, 60):
      batch = batches[step]
      if batch.inputs[0][0] != previous.targets[0][-1]:
        self.assertTrue(batch.reset[0])
        self.assertEqual(batch.inputs[0][0], vocab.BOUNDARY)
        begun += 1
      previous = batch
    self.assertBetween(begun, 59 // 6, 59 // 5 + 1)

  def test_rows_go_on_where_they_were_in_longer_segments(self):
    long = replace(mixture='text_folder/long:1', segment=1024, chunk_segments=8)
    short, whole = self.batches(long, segment=256), self.batches(long)
    later = self.batches(long, offset=2048)
    for step in range(5):
      self.assert_same(*(
          [field[:4] for field in batch[:5]] for batch in (later[step], whole[step + 2])))
    self.assertFalse(later[0].reset[:4].all())
    pieces = [short[step].inputs[:4] for step in range(8)]
    np.testing.assert_array_equal(
        np.concatenate(pieces, axis=1), np.concatenate([whole[k].inputs[:4] for k in (0, 1)], 1))

  def test_boundaries_are_inputs_and_targets(self):
    batches = self.batches(replace(mixture=TINY, stateful_rows=0, segment=128, chunk_segments=1))
    stream = self.streams['tiny'][0]
    boundaries = np.flatnonzero(stream == vocab.BOUNDARY)
    self.assertEqual(boundaries[0], 0)
    for inputs, targets in zip(batches[0].inputs, batches[0].targets, strict=True):
      np.testing.assert_array_equal(np.flatnonzero(inputs == vocab.BOUNDARY), boundaries)
      np.testing.assert_array_equal(np.flatnonzero(targets == vocab.BOUNDARY), boundaries[1:] - 1)

  def test_streams_start_exactly_where_documents_begin(self):
    batches = self.batches(replace(mixture='text_folder/other:1', segment=4096))
    begun = 0
    for step in range(4):
      batch = batches[step]
      for row in range(8):
        record, position = self.locate('other', batch.inputs[row])
        table = self.records['other'][record]
        begins = table['positions'][table['offsets'] == 0] - position
        expected = np.isin(np.arange(4096), begins)
        np.testing.assert_array_equal(batch.stream_start[row], expected)
        begun += expected.sum()
    self.assertGreater(begun, 5)

  @parameterized.parameters(1, 1000, 5000, 3 * packing.RECORD_BYTES)
  def test_history_is_what_the_stream_holds_before_a_stateful_row_that_is_reset(self, history):
    batches = self.batches(replace(mixture='text_folder/other:1', history=history))
    stream, seen = self.streams['other'].reshape(-1), collections.Counter()
    for step in range(20):
      batch = batches[step]
      for row in range(4):
        before = np.zeros(0, np.int32)
        if batch.reset[row]:
          record, position = self.locate('other', batch.inputs[row])
          place = record * packing.RECORD_BYTES + position
          before = stream[max(0, place - history):place]
        expected = np.pad(before, (history - len(before), 0), constant_values=vocab.PAD)
        np.testing.assert_array_equal(batch.history[row], expected)
        first = (np.arange(history) == history - len(before)) & (len(before) < history)
        np.testing.assert_array_equal(
            batch.history_start[row] & (expected != vocab.PAD),
            ((expected == vocab.BOUNDARY) | first) & (expected != vocab.PAD))
        seen[len(before) and ('whole' if len(before) == history else 'padded')] += 1
    self.assertEqual(batch.history.shape, (8, history))
    self.assertEqual((batch.history.dtype, batch.history_start.dtype), (np.int32, np.bool_))
    self.assertGreater(seen[0], 20)
    self.assertGreater(seen['whole' if history < 10_000 else 'padded'], 5)

  def test_history_is_of_stateful_rows_alone_and_changes_nothing_else(self):
    without, having = self.batches(), self.batches(replace(history=2000))
    for step in range(6):
      batch = having[step]
      self.assert_same(batch[:5], without[step][:5])
      np.testing.assert_array_equal(batch.history[4:], vocab.PAD)
      self.assertFalse(batch.history_start[4:].any())
      parts = [self.batches(replace(history=2000), host=host, hosts=2)[step] for host in range(2)]
      self.assert_same(host_batches.joined(parts), batch)

  def test_evaluation_is_fixed_stateless_and_complete(self):
    data_config = replace(mixture=BIG)
    def make():
      return pipeline.evaluation_batches(data_config, data_dir=self.data_dir)
    whole = list(make())
    for left, right in zip(whole, list(make()), strict=True):
      self.assert_same(left, right)
    expected = sum(len(d.data) + 1 for d in self.documents('big', 'validation')) - 1
    self.assertEqual(sum((batch.targets != vocab.PAD).sum() for batch in whole), expected)
    self.assertTrue(all(batch.reset.all() and batch.inputs.shape == (8, 1024) for batch in whole))
    with self.assertRaises(IndexError):
      make()[len(whole)]

  def test_evaluation_with_a_limit_shares_by_weight_and_hosts(self):
    def make(**options):
      return pipeline.evaluation_batches(
          replace(segment=64), data_dir=self.data_dir, limit=5, **options)
    batches = list(make())
    self.assertLen(batches, 5)
    counts = collections.Counter(np.concatenate([batch.sources for batch in batches]).tolist())
    self.assertEqual(counts, {0: 32, 1: 8})
    halves = [make(host=host, hosts=2)[3] for host in range(2)]
    self.assert_same(host_batches.joined(halves), batches[3])

  def test_evaluation_on_less_than_a_window(self):
    batch, = pipeline.evaluation_batches(replace(mixture=TINY), data_dir=self.data_dir, limit=8)
    self.assertEqual((batch.targets != vocab.PAD).sum(1).tolist(), [
        len(self.documents('tiny', 'validation')[0].data)] + [0] * 7)

  def test_padding_is_never_scored(self):
    batches = self.batches(replace(mixture=TINY, segment=1024))
    for step in range(4):
      batch = batches[step]
      np.testing.assert_array_equal(batch.targets[batch.inputs == vocab.PAD], vocab.PAD)

  def documents(self, name, split, **options):
    return list(pipeline.documents(
        f'text_folder/{name}', data_dir=self.data_dir, split=split, **options))

  def test_documents_come_back_whole_or_cut(self):
    whole = self.documents('big', 'train') + self.documents('big', 'validation')
    whole += self.documents('big', 'test')
    self.assertTrue(sorted(d.data for d in whole) == sorted(self.files['big']))
    self.assertLen({d.id for d in whole}, 30)
    cut = self.documents('big', 'train', limit=100)
    self.assertEqual([d.data for d in cut], [d.data[:100] for d in whole[:len(cut)]])

  @parameterized.parameters((3, 0), (2, 2), (2, -1), (0, 0))
  def test_hosts_that_cannot_share(self, hosts, host):
    with self.assertRaisesRegex(ValueError, f'a batch of 8 rows cannot be shared by {hosts} hosts'):
      self.batches(host=host, hosts=hosts)

  def test_mistakes_are_named(self):
    with self.assertRaisesRegex(FileNotFoundError, "'starter' is not built .*run `./run //"):
      self.batches(replace(mixture='text_folder/big:1,starter:1'))
    with self.assertRaisesRegex(ValueError, "has no split 'dev'"):
      self.batches(split='dev')
    with self.assertRaisesRegex(IndexError, 'steps are counted from 0, got -1'):
      self.batches()[-1]

  def test_tensorflow_is_never_imported(self):
    self.batches()[0]
    self.assertNotIn('tensorflow', sys.modules)


if __name__ == '__main__':
  absltest.main()
