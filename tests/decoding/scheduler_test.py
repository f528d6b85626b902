"""Texts that come and go in one batch are what they would be alone."""

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import generate, prefill, sampling, scheduler
from tests.decoding import tiny_model

DECODER = tiny_model.decoder()
CONFIG = sampling.SamplingConfig(repetition_penalty=1.2, repetition_window=7)


def alone(request, config=CONFIG):
  model, params = DECODER.model, DECODER.params
  past = request.context or prefill.begin(model, params)
  context = prefill.read(model, params, past, vocab.encode(request.prompt)[None])
  return generate.generate(
      DECODER, context, num_bytes=request.num_bytes, config=config, key=request.key,
      stops=request.stops).texts[0]


def requests(count, seed):
  generator = np.random.default_rng(seed)
  return [
      scheduler.Request(
          prompt=generator.bytes(generator.choice([1, 3, 9, 64])),
          num_bytes=int(generator.integers(0, 150)), key=jax.random.key(i),
          stops=[bytes([i])] if i % 3 == 0 else [])
      for i in range(count)
  ]


class SchedulerTest(parameterized.TestCase):

  @parameterized.parameters(0, 1)
  def test_random_arrivals(self, seed):
    generator = np.random.default_rng(seed)
    told, tickets, waiting = {}, {}, requests(9, seed)
    batch = scheduler.Scheduler(
        DECODER, CONFIG, places=3,
        on_bytes=lambda ticket, data: told.update({ticket: told.get(ticket, b'') + data}))
    while waiting or not batch.idle:
      for _ in range(generator.integers(0, 3)):
        if waiting:
          request = waiting.pop()
          tickets[batch.submit(request)] = request
      batch.step()
    self.assertLen(batch.results, 9)
    for ticket, request in tickets.items():
      want = alone(request)
      self.assertEqual(batch.results[ticket], want)
      self.assertEqual(told.get(ticket, b''), want)

  def test_documents_that_end(self):
    config = sampling.SamplingConfig(end_of_document=True)
    batch = scheduler.Scheduler(DECODER, config, places=3)
    made = [request._replace(num_bytes=600) for request in requests(4, 2)]
    tickets = [batch.submit(request) for request in made]
    results = batch.run()
    texts = [results[ticket] for ticket in tickets]
    self.assertEqual(texts, [alone(request, config) for request in made])
    self.assertLess(min(map(len, texts)), 600)

  def test_one_past_and_many_continuations(self):
    model, params = DECODER.model, DECODER.params
    past = prefill.read(
        model, params, prefill.begin(model, params), vocab.encode(b'abcdefghi')[None])
    made = [scheduler.Request(bytes([i]), 30, jax.random.key(0), context=past) for i in range(3)]
    batch = scheduler.Scheduler(DECODER, CONFIG, places=3)
    for request in made:
      batch.submit(request)
    self.assertEqual(list(batch.run().values()), [alone(request) for request in made])

  def test_nothing_to_do(self):
    batch = scheduler.Scheduler(DECODER, CONFIG, places=3)
    self.assertTrue(batch.idle)
    self.assertEqual(batch.run(), {})

  def test_mistakes(self):
    with self.assertRaisesRegex(ValueError, 'places=0 is not allowed: give 1 or more'):
      scheduler.Scheduler(DECODER, CONFIG, places=0)
    batch = scheduler.Scheduler(DECODER, CONFIG, places=3)
    with self.assertRaisesRegex(ValueError, 'num_bytes=-1 is not allowed: give 0 or more'):
      batch.submit(scheduler.Request(b'', -1, jax.random.key(0)))


if __name__ == '__main__':
  absltest.main()
