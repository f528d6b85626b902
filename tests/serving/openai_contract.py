"""OpenAI's own client against the server: `make //tests/serving:openai_contract`."""

import math
import pathlib

import openai
from absl.testing import absltest

from tests.serving import running

TOKEN = 'a token of no use elsewhere'.replace(' ', '-')


def setUpModule():
  global SERVER, CLIENT
  folder = pathlib.Path(absltest.get_default_test_tmpdir())
  token = folder / 'token'
  token.write_text(TOKEN)
  SERVER = running.Running(running.make_run(folder / 'openai_run'), f'--token_file={token}')
  CLIENT = openai.OpenAI(base_url=f'{SERVER.url}v1', api_key=TOKEN, max_retries=0)


def tearDownModule():
  CLIENT.close()
  SERVER.kill()


class OpenAITest(absltest.TestCase):

  def test_models(self):
    names = [model.id for model in CLIENT.models.list()]
    self.assertEqual(names, ['openai_run'])
    self.assertEqual(CLIENT.models.retrieve('openai_run').id, 'openai_run')

  def complete(self, **fields):
    return CLIENT.completions.create(
        **{'model': 'openai_run', 'prompt': 'Merhaba', 'max_tokens': 60, 'seed': 1, **fields})

  def test_completion(self):
    found = self.complete()
    self.assertLen(found.choices, 1)
    self.assertEqual(found.usage.completion_tokens, 60)
    self.assertEqual(found.usage.prompt_tokens, 7)
    self.assertEqual(found.choices[0].finish_reason, 'length')

  def test_streaming(self):
    chunks = list(self.complete(stream=True, stream_options={'include_usage': True}))
    text = ''.join(choice.text for chunk in chunks for choice in chunk.choices)
    self.assertEqual(text, self.complete().choices[0].text)
    self.assertEqual(chunks[-1].usage.completion_tokens, 60)
    self.assertEqual([choice.finish_reason for chunk in chunks for choice in chunk.choices][-1],
                     'length')

  def test_several_choices(self):
    found = self.complete(n=3).choices
    self.assertLen({choice.text for choice in found}, 3)
    self.assertEqual(found[0].text, self.complete().choices[0].text)
    streamed = ['', '', '']
    for chunk in self.complete(n=3, stream=True):
      for choice in chunk.choices:
        streamed[choice.index] += choice.text
    self.assertEqual(streamed, [choice.text for choice in found])

  def test_stop(self):
    free = self.complete().choices[0].text
    stop = next(letter for letter in free[10:] if letter != '\ufffd')
    found = self.complete(stop=[stop]).choices[0]
    self.assertEqual(found.text, free[:free.index(stop)])
    self.assertEqual(found.finish_reason, 'stop')

  def test_log_probs(self):
    log = self.complete(logprobs=3).choices[0].logprobs
    self.assertLen(log.tokens, 60)
    self.assertLen(log.top_logprobs, 60)
    self.assertLen(log.text_offset, 60)
    for value, top in zip(log.token_logprobs, log.top_logprobs, strict=True):
      self.assertLessEqual(value, 0)
      self.assertLen(top, 3)
      self.assertLessEqual(sum(map(math.exp, top.values())), 1.0001)

  def test_echo(self):
    found = self.complete(echo=True, max_tokens=0, logprobs=0).choices[0]
    self.assertEqual(found.text, 'Merhaba')
    self.assertEqual(found.logprobs.tokens, list('Merhaba'))

  def test_chat(self):
    messages = [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Selam'}]
    body = {'model': 'openai_run', 'messages': messages, 'max_completion_tokens': 40, 'seed': 2}
    found = CLIENT.chat.completions.create(**body, logprobs=True, top_logprobs=2)
    self.assertEqual(found.choices[0].message.role, 'assistant')
    content = found.choices[0].logprobs.content
    self.assertEqual(bytes(each.bytes[0] for each in content).decode(errors='replace'),
                     found.choices[0].message.content)
    streamed = ''.join(
        choice.delta.content or '' for chunk in CLIENT.chat.completions.create(**body, stream=True)
        for choice in chunk.choices)
    self.assertEqual(streamed, found.choices[0].message.content)

  def test_sessions(self):
    created = CLIENT.post('/sessions', body={'id': 'talk'}, cast_to=object)
    self.assertEqual(created['id'], 'talk')
    # Greedy: a model of random parameters may end a document at any byte.
    fields = {'extra_body': {'session': 'talk'}, 'temperature': 0}
    one = self.complete(**fields).choices[0].text
    self.complete(prompt=' and', **fields)
    found = CLIENT.get('/sessions/talk', cast_to=object)
    self.assertEqual((found['turns'], found['size']), (2, 7 + 60 + 4 + 60))
    self.assertEqual(one, self.complete(temperature=0).choices[0].text)

  def test_errors_are_those_that_the_client_knows(self):
    with self.assertRaisesRegex(openai.BadRequestError, 'temperature=-1'):
      self.complete(temperature=-1)
    with self.assertRaises(openai.NotFoundError):
      CLIENT.models.retrieve('other')
    with self.assertRaises(openai.AuthenticationError):
      CLIENT.with_options(api_key='wrong').models.list()
    with self.assertRaises(openai.InternalServerError):  # 503: more than may wait.
      self.complete(n=16, prompt=['a'] * 16)

  def test_a_stream_that_is_closed(self):
    with self.complete(stream=True, max_tokens=60_000) as stream:
      next(iter(stream))
    while SERVER.ask('GET', '/v1/status', headers={'Authorization': f'Bearer {TOKEN}'})[1]['texts']:
      pass


if __name__ == '__main__':
  absltest.main()
