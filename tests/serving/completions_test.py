"""Texts over HTTP are those of the library; every field does what OpenAI's API says it does."""

import base64
import json
import socket
import time
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import loop, prefill, sampling
from haiku_spectral.decoding.generation import Generation, Request
from tests.decoding import tiny_model
from tests.serving import server as server_lib

DECODER = tiny_model.decoder()


def setUpModule():
  global SERVER
  folder = absltest.get_default_test_tmpdir() + '/completions'
  SERVER = server_lib.Server(folder, max_body=4096, queue=5)


def tearDownModule():
  SERVER.close()


def generated(prompt, num_bytes, *, seed=0, stops=(), **rules):
  """The text and the log-probabilities of the library."""
  context = prefill.extend(
      DECODER.model, DECODER.params, prefill.begin(DECODER.model, DECODER.params),
      vocab.encode(prompt)[None])
  made = Generation(
      DECODER, context, Request(num_bytes, jax.random.key(seed), stops),
      sampling.SamplingConfig(end_of_document=True, **rules)).run()
  return made.texts[0], made.log_probs[0]


def shown(data):
  return data.decode(errors='replace')


class CompletionsTest(parameterized.TestCase):

  @parameterized.parameters({}, {'temperature': 0})  # Each compiles the library's program anew.
  def test_text_is_that_of_the_library(self, **rules):
    found = SERVER.complete(prompt='Merhaba dünya', max_tokens=50, seed=3, **rules)
    text, _ = generated('Merhaba dünya'.encode(), 50, seed=3, **rules)
    self.assertEqual(found['choices'][0]['text'], shown(text))
    self.assertEqual(found['usage'], {
        'prompt_tokens': 14, 'completion_tokens': len(text), 'total_tokens': 14 + len(text)})
    self.assertEqual(found['object'], 'text_completion')
    self.assertEqual(found['model'], 'tiny')

  def test_streamed_pieces_are_whole_characters_and_make_up_the_text(self):
    whole = SERVER.complete(prompt='ab', max_tokens=200, seed=1)
    chunks = SERVER.stream(prompt='ab', max_tokens=200, seed=1)
    self.assertEqual(chunks.pop(), '[DONE]')
    pieces = [chunk['choices'][0]['text'] for chunk in chunks]
    self.assertGreater(len(pieces), 5)
    self.assertEqual(''.join(pieces), whole['choices'][0]['text'])
    self.assertEqual([chunk['choices'][0]['finish_reason'] for chunk in chunks],
                     [None] * (len(chunks) - 1) + [whole['choices'][0]['finish_reason']])

  def test_usage_at_the_end_of_a_stream(self):
    chunks = SERVER.stream(
        prompt='ab', max_tokens=9, seed=1, stream_options={'include_usage': True})
    self.assertEqual(chunks[-2]['usage']['completion_tokens'], 9)
    self.assertEqual(chunks[-2]['choices'], [])

  def test_choices_are_the_rows_of_a_batch(self):
    found = SERVER.complete(prompt='abc', max_tokens=20, n=3, seed=5)['choices']
    self.assertEqual([choice['index'] for choice in found], [0, 1, 2])
    context = prefill.extend(
        DECODER.model, DECODER.params, prefill.begin(DECODER.model, DECODER.params, 3),
        np.tile(vocab.encode(b'abc'), (3, 1)))
    want = Generation(DECODER, context, Request(20, jax.random.key(5)),
                      sampling.SamplingConfig(end_of_document=True)).run().texts
    self.assertEqual([choice['text'] for choice in found], [shown(text) for text in want])

  def test_several_prompts(self):
    found = SERVER.complete(prompt=['a', 'b'], max_tokens=10, seed=0)['choices']
    self.assertEqual([choice['text'] for choice in found],
                     [shown(generated(prompt, 10)[0]) for prompt in (b'a', b'b')])

  def test_prompt_of_bytes(self):
    data = bytes([255, 0, 128, 65])
    found = SERVER.complete(prompt=list(data), max_tokens=10, seed=0)
    self.assertEqual(found['choices'][0]['text'], shown(generated(data, 10)[0]))

  def test_stop(self):
    free, _ = generated(b'abc', 100, seed=2)
    stop = next(chr(byte) for byte in free[5:] if byte < 128)
    want, _ = generated(b'abc', 100, seed=2, stops=[stop.encode()])
    found = SERVER.complete(prompt='abc', max_tokens=100, seed=2, stop=[stop, 'never'])
    self.assertEqual(found['choices'][0]['text'], shown(want))
    self.assertEqual(found['choices'][0]['finish_reason'], 'stop')

  def test_log_probs(self):
    text, log_probs = generated(b'abc', 30, seed=4)
    found = SERVER.complete(prompt='abc', max_tokens=30, seed=4, logprobs=2)['choices'][0]
    log = found['logprobs']
    np.testing.assert_allclose(log['token_logprobs'], log_probs, atol=1e-4)
    self.assertEqual(log['tokens'], [
        chr(byte) if byte < 128 else f'bytes:\\x{byte:02x}' for byte in text])
    for value, top in zip(log_probs, log['top_logprobs'], strict=True):
      self.assertLen(top, 2)
      self.assertLessEqual(value, max(top.values()) + 1e-4)
    starts = [len(text[:i].decode(errors='replace')) for i in range(len(text))]
    for i, (offset, byte) in enumerate(zip(log['text_offset'], text, strict=True)):
      if byte < 128:
        self.assertEqual(offset, starts[i])

  def test_echo_scores_the_prompt(self):
    prompt = 'şemsiye'.encode()
    found = SERVER.complete(prompt='şemsiye', max_tokens=0, echo=True, logprobs=0)['choices'][0]
    self.assertEqual(found['text'], 'şemsiye')
    context, want = prefill.begin(DECODER.model, DECODER.params), []
    for byte in prompt:
      want.append(float(sampling.log_prob(context.logits, np.array([byte]))[0]))
      context = prefill.extend(DECODER.model, DECODER.params, context, np.array([[byte]], np.int32))
    np.testing.assert_allclose(found['logprobs']['token_logprobs'], want, atol=1e-4)

  def test_details(self):
    chunks = SERVER.stream(prompt='abcd', max_tokens=30, seed=4, details=True)
    text, log_probs = generated(b'abcd', 30, seed=4)
    parts = [chunk['choices'][0] for chunk in chunks[:-2]]
    given = [part['prompt_details'] for part in parts if 'prompt_details' in part]
    new = [part['details'] for part in parts if 'details' in part]
    self.assertEqual(b''.join(base64.b64decode(each['bytes']) for each in given), b'abcd')
    self.assertEqual(b''.join(base64.b64decode(each['bytes']) for each in new), text)
    tenths = np.frombuffer(b''.join(base64.b64decode(each['tenths']) for each in new), np.uint8)
    np.testing.assert_allclose(tenths, np.minimum(-log_probs / np.log(2) * 10, 255), atol=0.51)
    self.assertGreater(chunks[-2]['ms_per_byte'], 0)

  def test_any_seed_is_named_and_gives_the_text_again(self):
    first = SERVER.complete(prompt='x', max_tokens=40)
    again = SERVER.complete(prompt='x', max_tokens=40, seed=first['seed'])
    self.assertEqual(first['choices'], again['choices'])


class ChatTest(parameterized.TestCase):

  MESSAGES = ({'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Selam'})
  RENDERED = b'Be kind.\n\nUser: Selam\nAssistant: '

  def test_answer_continues_the_template(self):
    status, found = SERVER.ask('POST', '/v1/chat/completions', {
        'model': 'tiny', 'messages': self.MESSAGES, 'max_completion_tokens': 40, 'seed': 0})
    self.assertEqual(status, 200, found)
    want, _ = generated(self.RENDERED, 40, stops=[b'\nUser:'])
    self.assertEqual(found['choices'][0]['message'],
                     {'role': 'assistant', 'content': shown(want), 'refusal': None})

  def test_stream(self):
    chunks = SERVER.stream(
        '/v1/chat/completions', messages=self.MESSAGES, max_tokens=40, seed=0)
    deltas = [chunk['choices'][0]['delta'] for chunk in chunks[:-1]]
    self.assertEqual(deltas[0]['role'], 'assistant')
    want, _ = generated(self.RENDERED, 40, stops=[b'\nUser:'])
    self.assertEqual(''.join(delta.get('content', '') for delta in deltas), shown(want))

  def test_log_probs(self):
    _, found = SERVER.ask('POST', '/v1/chat/completions', {
        'messages': self.MESSAGES, 'max_tokens': 20, 'seed': 0, 'logprobs': True,
        'top_logprobs': 3})
    text, log_probs = generated(self.RENDERED, 20, stops=[b'\nUser:'])
    content = found['choices'][0]['logprobs']['content']
    self.assertEqual(bytes(each['bytes'][0] for each in content), text)
    np.testing.assert_allclose([each['logprob'] for each in content], log_probs, atol=1e-4)
    self.assertTrue(all(len(each['top_logprobs']) == 3 for each in content))

  def test_parts_of_text(self):
    body = {'max_tokens': 20, 'seed': 0}
    parts = [{'role': 'user', 'content': [
        {'type': 'text', 'text': 'Se'}, {'type': 'text', 'text': 'lam'}]}]
    one, two = (SERVER.ask('POST', '/v1/chat/completions', {**body, 'messages': messages})[1]
                for messages in (parts, [self.MESSAGES[1]]))
    self.assertEqual(one['choices'], two['choices'])


class RefusalTest(parameterized.TestCase):

  @parameterized.parameters(
      (b'{', 'the body is not JSON'), (b'[1]', 'the body is no JSON object'),
      (b'\xff', 'the body is not JSON'), (b'{"n": NaN}', 'NaN is not a JSON number'))
  def test_what_is_no_object(self, body, message):
    status, found = SERVER.ask('POST', '/v1/completions', body)
    self.assertEqual(status, 400)
    self.assertIn(message, found['error']['message'])

  @parameterized.parameters(
      ('max_tokens', -1), ('max_tokens', 4097), ('max_tokens', 1.5), ('max_tokens', True),
      ('n', 0), ('n', 99), ('temperature', -1), ('temperature', 'hot'), ('top_p', 0),
      ('top_p', 1.1), ('min_p', 2), ('seed', -1), ('stop', ''), ('stop', [1]), ('logprobs', 21),
      ('prompt', 7), ('prompt', [256]), ('prompt', ['a', 1]), ('prompt', '\ud800'),
      ('stream', 1), ('echo', 'yes'), ('suffix', 'x'), ('best_of', 2), ('logit_bias', {'5': 1}),
      ('presence_penalty', 1), ('session', '../x'), ('details', 0), ('temprature', 1))
  def test_a_field_that_is_wrong_is_named(self, field, value):
    status, found = SERVER.ask('POST', '/v1/completions', {'max_tokens': 1, field: value})
    self.assertIn(status, (400, 404), found)
    self.assertIn(field if status == 400 else 'no session', found['error']['message'])

  @parameterized.parameters(
      ({},), ({'messages': []},), ({'messages': ['x']},),
      ({'messages': [{'role': 'robot', 'content': 'x'}]},),
      ({'messages': [{'role': 'user', 'content': [{'type': 'image_url'}]}]},),
      ({'messages': [{'role': 'user', 'content': 'x'}], 'tools': []},))
  def test_chats_that_are_wrong(self, body):
    status, found = SERVER.ask('POST', '/v1/chat/completions', body)
    self.assertEqual(status, 400, found)

  def test_ignored_and_harmless_fields(self):
    SERVER.complete(prompt='a', max_tokens=1, model='any', user='me', best_of=1, suffix=None,
                    frequency_penalty=0, logit_bias={}, stream=None)

  def test_a_body_that_is_too_large(self):
    status, found = SERVER.ask('POST', '/v1/completions', {'prompt': 'a' * 5000})
    self.assertEqual(status, 413, found)
    with SERVER.connection() as connection:  # Without a length that tells it before.
      connection.request('POST', '/v1/completions', iter([b'{"prompt": "', b'a' * 9000]),
                         {'Content-Type': 'application/json'}, encode_chunked=True)
      self.assertEqual(connection.getresponse().status, 413)

  def test_other_methods_paths_types_and_hosts(self):
    for method, path, body, headers, want in (
        ('GET', '/v1/completions', None, {}, 405), ('GET', '/v1/nothing', None, {}, 404),
        ('GET', '/page/../app.py', None, {}, 404), ('GET', '/..%2fapp.py', None, {}, 404),
        ('POST', '/v1/completions', b'{}', {'Content-Type': 'text/plain'}, 415),
        ('GET', '/v1/models', None, {'Host': 'evil.example'}, 400)):
      status, _, _ = SERVER.raw(method, path, body, headers)
      self.assertEqual(status, want, (method, path))

  def test_more_texts_than_may_wait(self):
    status, found = SERVER.ask('POST', '/v1/completions', {'prompt': 'a', 'n': 9})
    self.assertEqual(status, 400, found)
    self.assertIn('9 texts in one request, 8 at most', found['error']['message'])
    SERVER.complete(prompt='a', max_tokens=1, n=8)


class FailureTest(parameterized.TestCase):

  @parameterized.parameters(True, False)
  def test_a_failure_is_told_and_does_not_end_the_server(self, stream):
    with mock.patch.object(loop.Batch, 'step', side_effect=ValueError('logits are not finite')):
      status, _, data = SERVER.raw(
          'POST', '/v1/completions', {'prompt': 'a', 'stream': stream, 'n': 2})
    self.assertEqual(status, 200 if stream else 500)
    self.assertIn(b'server_error', data)
    self.assertNotIn(b'[DONE]', data)
    self.assertEqual(SERVER.ask('GET', '/v1/status')[1]['texts'], 0)
    SERVER.complete(prompt='a', max_tokens=3)


class ModelsTest(absltest.TestCase):

  def test_models(self):
    status, found = SERVER.ask('GET', '/v1/models')
    self.assertEqual((status, found['data'][0]['id']), (200, 'tiny'))
    self.assertEqual(SERVER.ask('GET', '/v1/models/tiny')[0], 200)
    self.assertEqual(SERVER.ask('GET', '/v1/models/other')[0], 404)
    self.assertEqual(SERVER.ask('GET', '/health'), (200, {'status': 'ok'}))


class DisconnectTest(parameterized.TestCase):

  @parameterized.parameters(True, False)
  def test_a_client_that_goes_away_frees_its_row(self, stream):
    # Greedy: a model of random parameters may end a document at any byte.
    body = json.dumps({'prompt': 'a', 'max_tokens': 4096, 'n': 3, 'stream': stream,
                       'temperature': 0}).encode()
    with socket.create_connection(('127.0.0.1', SERVER.port)) as connection:
      connection.sendall(
          b'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
          b'Content-Length: %d\r\n\r\n' % len(body) + body)
      if stream:
        connection.recv(100)
      while SERVER.ask('GET', '/v1/status')[1]['texts'] < 3:
        time.sleep(0.01)
      before = SERVER.service.engine.bytes_generated
    while SERVER.ask('GET', '/v1/status')[1]['texts']:
      time.sleep(0.01)
    # Far from what was asked for.
    self.assertLess(SERVER.service.engine.bytes_generated - before, 3 * 4096)


if __name__ == '__main__':
  absltest.main()
