"""The program that serves, in a process: ended by SIGTERM in the middle of streams."""

import http.client
import json
import pathlib
import threading
import time

from absl.testing import absltest

from tests.serving import running


def setUpModule():
  global RUN
  RUN = running.make_run(pathlib.Path(absltest.get_default_test_tmpdir()) / 'serve_run')


class ServeTest(absltest.TestCase):

  def start(self, *args):
    server = running.Running(*args)
    self.addCleanup(server.kill)
    return server

  def test_sigterm_finishes_streams_and_saves_sessions(self):
    server = self.start(RUN, '--rows=2')
    self.assertEqual(server.ask('POST', '/v1/sessions', {'id': 'talk'})[0], 201)
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=120)
    connection.request('POST', '/v1/completions', json.dumps({
        'session': 'talk', 'prompt': 'a', 'max_tokens': 3000, 'stream': True, 'temperature': 0}),
        {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    first = answer.readline()
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(server.end()))
    waiting.start()
    rest = answer.read()
    waiting.join()
    connection.close()
    self.assertStartsWith(first, b'data: {')
    self.assertEndsWith(rest, b'data: [DONE]\n\n')
    code, said = ended[0]
    self.assertEqual(code, 0, said)
    self.assertIn('finishing the texts in work', said)
    self.assertIn('the sessions are saved', said)
    self.assertTrue((RUN / 'sessions' / 'talk' / 'state').exists())

    server = self.start(RUN, '--nowarm_up')
    status, found = server.ask('GET', '/v1/sessions/talk')
    self.assertEqual((status, found['turns'], found['size']), (200, 1, 3001))
    status, _ = server.ask('POST', '/v1/completions', {'session': 'talk', 'max_tokens': 3})
    self.assertEqual(status, 200)
    self.assertEqual(server.end()[0], 0)

  def test_grace_ends_texts_where_they_are(self):
    server = self.start(RUN, '--grace=1', '--max_bytes=1000000000', '--nowarm_up')
    self.assertEqual(server.ask('POST', '/v1/sessions', {'id': 'long'})[0], 201)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(server.ask(
        'POST', '/v1/completions', {
            'session': 'long', 'prompt': 'a', 'max_tokens': 1_000_000_000, 'temperature': 0})))
    asking.start()
    while not server.ask('GET', '/v1/status')[1]['bytes_generated']:
      time.sleep(0.05)
    code, said = server.end()
    asking.join()
    self.assertEqual(code, 0, said)
    status, found = answers[0]
    self.assertEqual((status, found['choices'][0]['finish_reason']), (200, 'length'))
    self.assertTrue((RUN / 'sessions' / 'long' / 'state').exists())

  def test_watching_alone_needs_no_model(self):
    folder = pathlib.Path(self.create_tempdir().full_path) / 'watched'
    running.make_run(folder, 20)
    server = self.start('', f'--watch={folder}')
    status, found = server.ask('GET', '/v1/watch')
    self.assertEqual((status, found['step']), (200, 20))
    self.assertEqual(server.end()[0], 0)


if __name__ == '__main__':
  absltest.main()
