"""Sessions over HTTP: what was said is kept, whatever happens to the server, and nothing else."""

import base64
import json
import os
import pathlib
import shutil
import socket
import time
from unittest import mock

import jax
import numpy as np
from absl.testing import absltest, parameterized

from haiku_spectral import vocab
from haiku_spectral.decoding import context as context_lib
from haiku_spectral.decoding import prefill, sampling, session
from haiku_spectral.decoding.generation import Generation, Request
from haiku_spectral.serving import app, sessions, turns
from tests.decoding import tiny_model
from tests.serving import server as server_lib

DECODER = tiny_model.decoder()
LIMITS = sessions.Limits(sessions=1000, disk_bytes=1 << 30, in_memory=2)
TOKEN = {'Authorization': 'Bearer ' + 'x' * 20}


def shown(data):
  return data.decode(errors='replace')


class Library:
  """The same conversation without a server."""

  def __init__(self):
    self.context = prefill.begin(DECODER.model, DECODER.params)

  def say(self, prompt, num_bytes, seed, **rules):
    self._extend(vocab.encode(prompt))
    made = Generation(
        DECODER, self.context, Request(num_bytes, jax.random.key(seed)),
        sampling.SamplingConfig(end_of_document=True, **rules)).run()
    self._extend(made.rows[0].ids)
    return shown(made.texts[0])

  def _extend(self, ids):
    self.context = prefill.extend(DECODER.model, DECODER.params, self.context, ids[None])


class SessionsTest(parameterized.TestCase):

  def setUp(self):
    super().setUp()
    self.folder = pathlib.Path(self.create_tempdir().full_path) / 'sessions'
    self.servers = []
    self.server = self.start()

  def tearDown(self):
    for server in self.servers:
      server.close()
    super().tearDown()

  def start(self, folder=None, **settings):
    server = server_lib.Server(folder or self.folder, **{'limits': LIMITS, **settings})
    self.servers.append(server)
    return server

  def restart(self, **settings):
    self.servers.pop().close()
    return self.start(**settings)

  def create(self, name):
    status, found = self.server.ask('POST', '/v1/sessions', {'id': name})
    self.assertEqual((status, found['id']), (201, name))
    return name

  def say(self, prompt, seed, server=None, name='talk', **body):
    found = (server or self.server).complete(
        prompt=prompt, session=name, max_tokens=30, seed=seed, **body)
    return found['choices'][0]['text']

  def test_goes_on_across_turns_restarts_and_evictions(self):
    library = Library()
    self.create('talk')
    self.assertEqual(self.say('One day ', 1), library.say(b'One day ', 30, 1))
    self.assertEqual(self.say('', 2), library.say(b'', 30, 2))
    for name in ('a', 'b', 'c'):  # More than are kept in memory.
      self.create(name)
    self.assertEqual(self.say(' and ', 3), library.say(b' and ', 30, 3))
    self.server = self.restart()
    self.assertEqual(self.say('!', 4), library.say(b'!', 30, 4))
    status, found = self.server.ask('GET', '/v1/sessions/talk')
    self.assertEqual((status, found['turns'], found['size']), (200, 4, 8 + 5 + 1 + 4 * 30))
    self.assertEqual(found['title'][:7], 'One day')

  def test_the_latest_used_comes_first(self):
    for name in ('a', 'b'):
      self.create(name)
    self.say('x', 0, name='a')
    _, found = self.server.ask('GET', '/v1/sessions')
    self.assertEqual([each['id'] for each in found['data']], ['a', 'b'])

  def test_a_kill_loses_no_finished_turn(self):
    library = Library()
    self.create('talk')
    for seed in (1, 2):
      library.say(b'And then ', 30, seed)
      self.say('And then ', seed)
    image = self.folder.with_name('image')  # What a kill would leave: no state was saved yet.
    shutil.copytree(self.folder, image)
    self.assertFalse((image / 'talk' / 'state').exists())
    with (image / 'talk' / turns.FILE).open('ab') as file:
      file.write(b'{"prompt": "torn')
    other = self.start(image)
    self.assertEqual(self.say('!', 3, other), library.say(b'!', 30, 3))
    self.assertEqual(other.ask('GET', '/v1/sessions/talk')[1]['turns'], 3)

  def test_other_parameters_prefill_the_turns_again(self):
    self.create('talk')
    self.say('And then ', 1)
    self.server = self.restart(owner=session.Owner('1' * 16, '3' * 16))
    library = Library()
    library.say(b'And then ', 30, 1)
    self.assertEqual(self.say('!', 3), library.say(b'!', 30, 3))

  def test_fork(self):
    library = Library()
    self.create('talk')
    library.say(b'And then ', 30, 1)
    self.say('And then ', 1)
    status, found = self.server.ask('POST', '/v1/sessions/talk/fork', {'id': 'other'})
    self.assertEqual((status, found['id'], found['turns']), (201, 'other', 1))
    self.say('something else', 7)
    self.assertEqual(self.say('!', 3, name='other'), library.say(b'!', 30, 3))
    status, found = self.server.ask('POST', '/v1/sessions/talk/fork', {})
    self.assertEqual((status, found['turns']), (201, 2))

  def test_download_is_a_session_file(self):
    library = Library()
    self.create('talk')
    library.say(b'And then ', 30, 1)
    self.say('And then ', 1)
    status, headers, data = self.server.raw('GET', '/v1/sessions/talk/state')
    self.assertEqual(status, 200)
    self.assertIn('talk.session', headers['content-disposition'])
    path = pathlib.Path(self.create_tempfile('file').full_path)
    path.write_bytes(data)
    like = context_lib.empty(DECODER.model, 1)
    context = session.load(path, like, server_lib.OWNER)
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, atol=1e-4), context, library.context)

  def test_download_after_a_kill(self):
    self.create('talk')
    self.say('And then ', 1)
    image = self.folder.with_name('image')
    shutil.copytree(self.folder, image)
    other = self.start(image)
    one, two = (server.raw('GET', '/v1/sessions/talk/state')[2] for server in (self.server, other))
    self.assertEqual(one, two)

  def test_text_of_a_session(self):
    self.create('talk')
    found = self.server.complete(
        prompt='şşş', session='talk', max_tokens=30, seed=1, logprobs=0)['choices'][0]
    status, text = self.server.ask('GET', '/v1/sessions/talk/text')
    self.assertEqual((status, text['start'], text['parts']), (200, 0, [[6, 30, 'length']]))
    data = base64.b64decode(text['bytes'])
    self.assertEqual(shown(data), 'şşş' + found['text'])
    tenths = np.frombuffer(base64.b64decode(text['tenths']), np.uint8)[6:]
    wanted = -np.array(found['logprobs']['token_logprobs']) / np.log(2) * 10
    np.testing.assert_allclose(tenths, np.minimum(wanted, 255), atol=0.51)
    _, text = self.server.ask('GET', '/v1/sessions/talk/text?tail=10')
    self.assertEqual((text['start'], base64.b64decode(text['bytes'])), (26, data[-10:]))
    for tail in ('%C2%B2', '-1', ''):
      self.assertEqual(self.server.ask('GET', f'/v1/sessions/talk/text?tail={tail}')[0], 400)

  def test_chat_sends_only_what_is_new(self):
    self.create('talk')
    body = {'session': 'talk', 'max_tokens': 5, 'seed': 0, 'temperature': 0}
    for content in ('Selam', 'Nasılsın?'):
      status, _ = self.server.ask('POST', '/v1/chat/completions', {
          **body, 'messages': [{'role': 'user', 'content': content}]})
      self.assertEqual(status, 200)
    _, found = self.server.ask('GET', '/v1/sessions/talk/text')
    text = base64.b64decode(found['bytes'])
    self.assertStartsWith(text, b'User: Selam\nAssistant: ')
    self.assertIn('\nUser: Nasılsın?\nAssistant: '.encode(), text)

  def test_stopped_turn_is_kept_as_far_as_it_came(self):
    self.create('talk')
    # Greedy: a model of random parameters may end a document at any byte.
    body = json.dumps({'prompt': 'And ', 'session': 'talk', 'max_tokens': 4096, 'stream': True,
                       'temperature': 0}).encode()
    with socket.create_connection(('127.0.0.1', self.server.port)) as connection:
      connection.sendall(
          b'POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
          b'Content-Length: %d\r\n\r\n' % len(body) + body)
      seen = b''
      while b'"text"' not in seen:
        seen += connection.recv(1000)
      # A second turn at the same time.
      status, found = self.server.ask(
          'POST', '/v1/completions', {'prompt': 'x', 'session': 'talk'})
      self.assertEqual(status, 409, found)
      for method, path in (('DELETE', ''), ('POST', '/fork'), ('GET', '/state')):
        self.assertEqual(self.server.ask(method, f'/v1/sessions/talk{path}')[0], 409)
    while (found := self.server.ask('GET', '/v1/sessions/talk')[1])['busy']:
      time.sleep(0.01)
    self.assertEqual(found['turns'], 1)
    self.assertLess(found['size'], 4 + 4096)
    library = Library()
    library.say(b'And ', found['size'] - 4, 1, temperature=0)
    self.assertEqual(self.say('!', 3), library.say(b'!', 30, 3))

  def test_delete(self):
    self.create('talk')
    self.say('x', 0)
    self.assertEqual(self.server.raw('DELETE', '/v1/sessions/talk')[0], 204)
    self.assertEqual(self.server.ask('GET', '/v1/sessions/talk')[0], 404)
    self.assertEqual(os.listdir(self.folder), ['.lock'])
    self.create('talk')

  def test_a_full_disk_keeps_nobody_from_deleting(self):
    self.create('talk')
    self.say('x', 0)
    with mock.patch.object(sessions.Session, 'save', side_effect=OSError('no space left')):
      self.assertEqual(self.server.raw('DELETE', '/v1/sessions/talk')[0], 204)

  def test_a_copy_that_fails_leaves_nothing(self):
    self.create('talk')
    self.say('x', 0)
    with mock.patch.object(sessions.shutil, 'copy2', side_effect=OSError(28, 'No space left')):
      status, found = self.server.ask('POST', '/v1/sessions/talk/fork', {'id': 'other'})
    self.assertEqual(status, 507, found)
    self.assertEqual(self.server.ask('POST', '/v1/sessions/talk/fork', {'id': 'other'})[0], 201)

  def test_only_what_was_cut_short_is_removed(self):
    self.create('talk')
    for name in ('.git', '.talk.0123abcd'):
      (self.folder / name).mkdir()
    self.restart()
    self.assertSameElements(os.listdir(self.folder), ['.lock', '.git', 'talk'])

  @parameterized.parameters('..', '.', '', '.lock', 'a/b', '../../etc/passwd', 'a' * 65, 'ş', '-a',
                            'a\0', 'a b', 'a.part')
  def test_names_that_are_refused(self, name):
    status, found = self.server.ask('POST', '/v1/sessions', {'id': name})
    self.assertEqual(status, 400, found)
    self.assertIn('letters, digits', found['error']['message'])
    self.assertEqual(os.listdir(self.folder), ['.lock'])

  @parameterized.parameters('..%2f..%2fsecret', '%2e%2e', '..%5csecret', '....//secret')
  def test_paths_that_lead_out(self, name):
    secret = self.folder.parent / 'secret'
    secret.mkdir()
    (secret / turns.FILE).write_bytes(b'')
    for method, path in (('GET', ''), ('GET', '/text'), ('GET', '/state'), ('DELETE', ''),
                         ('POST', '/fork')):
      status, _, data = self.server.raw(method, f'/v1/sessions/{name}{path}')
      self.assertIn(status, (404, 405), data)
    self.assertTrue((secret / turns.FILE).exists())

  def test_a_name_that_is_taken(self):
    self.create('talk')
    self.assertEqual(self.server.ask('POST', '/v1/sessions', {'id': 'talk'})[0], 409)

  def test_limits(self):
    self.server = self.restart(limits=LIMITS._replace(sessions=1))
    self.create('talk')
    self.assertEqual(self.server.ask('POST', '/v1/sessions', {})[0], 507)
    self.assertEqual(self.server.ask('POST', '/v1/sessions/talk/fork', {})[0], 507)
    self.server = self.restart(limits=LIMITS._replace(disk_bytes=10))
    status, found = self.server.ask('POST', '/v1/sessions', {})
    self.assertEqual(status, 507)
    self.assertIn('delete one', found['error']['message'])

  def test_time_ends_a_text(self):
    self.server = self.restart(max_seconds=0.0)
    found = self.server.complete(prompt='a', max_tokens=4000)
    self.assertEqual(found['choices'][0]['finish_reason'], 'length')
    self.assertLess(found['usage']['completion_tokens'], 4000)

  def test_token(self):
    self.server = self.restart(access=app.Access(token='x' * 20))
    for headers in ({}, {'Authorization': 'Bearer y'}, {'Authorization': 'x' * 20}):
      self.assertEqual(self.server.ask('GET', '/v1/sessions', headers=headers)[0], 401)
    self.assertEqual(self.server.ask('GET', '/v1/sessions', headers=TOKEN)[0], 200)
    self.assertEqual(self.server.ask('GET', '/health')[0], 200)

  def test_a_body_that_does_not_arrive(self):
    self.server = self.restart(body_seconds=0.1)
    with socket.create_connection(('127.0.0.1', self.server.port)) as connection:
      connection.sendall(b'POST /v1/sessions HTTP/1.1\r\nHost: localhost\r\n'
                         b'Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{')
      self.assertStartsWith(connection.recv(1000), b'HTTP/1.1 408')

  def test_cross_origin(self):
    origin = {'Origin': 'https://example.org'}
    preflight = {**origin, 'Access-Control-Request-Method': 'POST'}
    _, headers, _ = self.server.raw('OPTIONS', '/v1/completions', headers=preflight)
    self.assertNotIn('access-control-allow-origin', headers)
    self.server = self.restart(
        access=app.Access(origins=['https://example.org'], token='x' * 20))
    status, headers, _ = self.server.raw('OPTIONS', '/v1/completions', headers=preflight)
    self.assertEqual((status, headers['access-control-allow-origin']), (200, origin['Origin']))

  def test_a_second_server_on_the_same_folder(self):
    with self.assertRaisesRegex(ValueError, 'another server uses .*: end it, or give another'):
      server_lib.Server(self.folder)

  def test_a_damaged_session_is_left_alone(self):
    self.create('talk')
    self.say('x', 0)
    self.servers.pop().close()
    path = self.folder / 'talk' / turns.FILE
    path.write_bytes(b'{}\n' + path.read_bytes())
    self.server = self.start()
    self.assertEqual(self.server.ask('GET', '/v1/sessions')[1]['data'], [])
    self.assertEqual(self.server.ask('POST', '/v1/sessions', {'id': 'talk'})[0], 409)


class WithoutModelTest(absltest.TestCase):

  def test_only_the_page_and_the_run(self):
    server = server_lib.Server(self.create_tempdir().full_path, with_model=False)
    try:
      self.assertEqual(server.ask('POST', '/v1/completions', {})[0], 503)
      self.assertEqual(server.ask('GET', '/v1/watch')[0], 404)
      self.assertEqual(server.ask('GET', '/v1/models')[1]['data'], [])
    finally:
      server.close()


if __name__ == '__main__':
  absltest.main()
