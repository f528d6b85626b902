"""One loop: batches that texts join and leave, ragged batches and single texts give the same."""

import functools

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import loop, prefill, sampling, scheduler
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.decoding.one_by_one import ONE_BY_ONE
from haiku_spectral.decoding.row import Row
from haiku_spectral.decoding.speculation import Speculation
from tests.decoding import tiny_model

DECODER = tiny_model.decoder()
CONFIG = sampling.SamplingConfig(repetition_penalty=1.2, repetition_window=7)


@functools.cache
def begin():
  return prefill.begin(DECODER.model, DECODER.params)


def alone(request, prompt, config=CONFIG, context=None, **kwargs):
  """The text of a request by itself."""
  context = prefill.extend(
      DECODER.model, DECODER.params, context or begin(), vocab.encode(prompt)[None], chunk=8)
  return Generation(DECODER, context, request, config, **kwargs).run().texts[0]


def together(requests, config=CONFIG):
  """The texts of requests with their prompts, whose ragged ends the loop reads."""
  prompts = [vocab.encode(prompt) for _, prompt in requests]
  shared = min(map(len, prompts))
  context = prefill.extend(
      DECODER.model, DECODER.params, prefill.begin(DECODER.model, DECODER.params, len(prompts)),
      np.stack([prompt[:shared] for prompt in prompts]), chunk=8)
  rows = [Row(request.num_bytes, request.stops, may_end=config.end_of_document,
              prompt=prompt[shared:])
          for (request, _), prompt in zip(requests, prompts, strict=True)]
  keys = jax.numpy.stack([jax.random.fold_in(request.key, 0) for request, _ in requests])
  loop.Batch(DECODER, DECODER.to_cache(context), rows, keys, config, ONE_BY_ONE).run()
  return [bytes(row.text) for row in rows]


def some_requests(count, seed):
  """(request, prompt) pairs."""
  generator = np.random.default_rng(seed)
  made = []
  for i in range(count):
    prompt = generator.bytes(generator.choice([1, 3, 9, 64]))
    made.append((Request(
        num_bytes=int(generator.integers(0, 150)), key=jax.random.key(i),
        stops=[bytes([i])] if i % 3 == 0 else []), prompt))
  return made


class SchedulerTest(parameterized.TestCase):

  @parameterized.parameters(0, 1)
  def test_random_arrivals(self, seed):
    generator = np.random.default_rng(seed)
    reported, tickets, waiting = {}, {}, some_requests(9, seed)
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3, callbacks=scheduler.Callbacks(
        on_bytes=lambda ticket, row, data: reported.update(
            {ticket: reported.get(ticket, b'') + data})))
    while waiting or not batch.idle:
      for _ in range(generator.integers(0, 3)):
        if waiting:
          request = waiting.pop()
          tickets[batch.submit(*request)] = request
      batch.step()
    self.assertLen(tickets, 9)
    for ticket, request in tickets.items():
      self.assertEqual(reported.get(ticket, b''), alone(*request))

  def test_documents_that_end(self):
    config = sampling.SamplingConfig(end_of_document=True)
    batch = scheduler.Scheduler(DECODER, config, rows=3)
    made = [(request._replace(num_bytes=600), prompt) for request, prompt in some_requests(4, 2)]
    tickets = [batch.submit(*request) for request in made]
    results = batch.run()
    texts = [results[ticket] for ticket in tickets]
    self.assertEqual(texts, [alone(*request, config) for request in made])
    self.assertLess(min(map(len, texts)), 600)

  def test_one_context_and_many_continuations(self):
    context = prefill.extend(
        DECODER.model, DECODER.params, begin(), vocab.encode(b'abcdefghi')[None], chunk=8)
    request = Request(30, jax.random.key(0))
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3)
    for i in range(3):
      batch.submit(request, bytes([i]), context)
    self.assertEqual(
        list(batch.run().values()),
        [alone(request, bytes([i]), context=context) for i in range(3)])

  def test_rules_of_its_own_for_each_text(self):
    configs = [sampling.SamplingConfig(temperature=temperature, top_p=p, min_p=m) for
               temperature, p, m in ((0, 1, 0), (0.5, 1, 0), (1, 0.5, 0), (1, 1, 0.3), (1, 1, 0))]
    request = Request(40, jax.random.key(0))

    def texts(configs):
      batch = scheduler.Scheduler(DECODER, sampling.SamplingConfig(), rows=3)
      tickets = [batch.submit(request, b'abc', config=config) for config in configs]
      results = batch.run()
      return [results[ticket] for ticket in tickets]

    # That each rule is the one of the whole batch, `sampling_test` shows.
    together = texts(configs)
    self.assertEqual(together, [texts([config])[0] for config in configs])
    self.assertLen(set(together), len(configs))
    self.assertEqual(together[-1], alone(request, b'abc', configs[-1]))

  def test_cancelled_texts_end_where_they_are_and_change_no_other(self):
    ended, contexts = {}, {}

    def end(ticket, row, context):
      ended[ticket], contexts[ticket] = bytes(row.text), context

    batch = scheduler.Scheduler(
        DECODER, CONFIG, rows=3, callbacks=scheduler.Callbacks(on_end=end))
    made = [(Request(90, jax.random.key(i)), b'abc') for i in range(5)]
    tickets = [batch.submit(*request) for request in made]
    batch.step()
    for ticket in (tickets[0], tickets[3]):  # One is generated, one waits.
      batch.cancel(ticket)
    while not batch.idle:
      batch.step()
    want = [alone(*request) for request in made]
    self.assertEqual([ended[tickets[i]] for i in (1, 2, 4)], [want[i] for i in (1, 2, 4)])
    self.assertStartsWith(want[0], ended[tickets[0]])
    self.assertBetween(len(ended[tickets[0]]), 1, 89)
    self.assertEqual(ended[tickets[3]], b'')
    self.assertIsNone(contexts[tickets[3]])
    self.assertEqual(contexts[tickets[1]].position, 4)

  def test_long_prompt_does_not_keep_the_others_waiting(self):
    shown = []
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3, callbacks=scheduler.Callbacks(
        on_bytes=lambda ticket, row, data: shown.append(ticket),
        on_prefill=lambda ticket, log_probs: shown.append((ticket, len(log_probs)))))
    first = batch.submit(Request(150, jax.random.key(0)))
    batch.step()
    long = batch.submit(Request(1, jax.random.key(0)), b'x' * 1100)
    batch.run()
    chunks = [each for each in shown if each == (long, 512)]
    self.assertLen(chunks, 2)
    between = shown[shown.index((long, 512)):]
    self.assertEqual(between[:4], [(long, 512), first, (long, 512), first])

  def test_a_text_of_no_bytes_needs_no_row(self):
    contexts = {}
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3, callbacks=scheduler.Callbacks(
        on_end=lambda ticket, row, context: contexts.update({ticket: context})))
    busy = [batch.submit(Request(90, jax.random.key(0))) for _ in range(3)]
    batch.step()
    made = batch.submit(Request(0, jax.random.key(0)), np.array([65, vocab.BOUNDARY], np.int32),
                        first=True)
    batch.step()
    self.assertNoCommonElements(busy, contexts)
    np.testing.assert_array_equal(contexts[made].recent[0, -2:], [65, vocab.BOUNDARY])

  def test_nothing_to_do(self):
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3)
    self.assertTrue(batch.idle)
    self.assertEqual(batch.run(), {})

  def test_mistakes(self):
    with self.assertRaisesRegex(ValueError, 'rows=0 is not allowed: give 1 or more'):
      scheduler.Scheduler(DECODER, CONFIG, rows=0)
    batch = scheduler.Scheduler(DECODER, CONFIG, rows=3)
    with self.assertRaisesRegex(ValueError, 'num_bytes=-1 is not allowed: give 0 or more'):
      batch.submit(Request(-1, jax.random.key(0)))


class OneLoopTest(parameterized.TestCase):

  @parameterized.product(
      seed=(3, 4), config=(CONFIG, sampling.SamplingConfig(temperature=0.0, end_of_document=True)))
  def test_alone_scheduled_ragged_and_speculative_texts_are_the_same(self, seed, config):
    made = some_requests(5, seed)
    want = [alone(*request, config) for request in made]
    batch = scheduler.Scheduler(DECODER, config, rows=3)
    tickets = [batch.submit(*request) for request in made]
    scheduled = batch.run()
    self.assertEqual([scheduled[ticket] for ticket in tickets], want)
    self.assertEqual(together(made, config), want)
    self.assertEqual(
        [alone(*request, config, decode=Speculation(request[1], (1, 8))) for request in made], want)


if __name__ == '__main__':
  absltest.main()
