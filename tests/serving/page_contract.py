"""The page in a real browser: `make //tests/serving:page_contract`.

Needs Chromium (on Debian: apt-get install chromium) and is skipped without. `ARGS=--shots=FOLDER`
keeps pictures of it; with `--run_dir=RUN` these are of a model of your own.
"""

import os
import pathlib
import re
import shutil
import time

from absl import flags
from absl.testing import absltest
from playwright import sync_api

from tests.serving import running

SHOTS = flags.DEFINE_string('shots', '', 'Folder for pictures of the page.')
RUN_DIR = flags.DEFINE_string('run_dir', '', 'Run whose model is shown in the pictures.')
CHROMIUM = shutil.which('chromium') or shutil.which('google-chrome')
WAIT = 60_000  # Milliseconds.
MANY = '{"max_tokens": "4096", "temperature": "0"}'  # A text that can be stopped in the middle.


def setUpModule():
  global PLAY, BROWSER, RUN, SERVER
  if not CHROMIUM:
    raise absltest.SkipTest('there is no Chromium: apt-get install chromium')
  PLAY = sync_api.sync_playwright().start()
  # Without its sandbox where root runs it: it opens nothing but this server.
  BROWSER = PLAY.chromium.launch(
      executable_path=CHROMIUM, args=['--no-sandbox'] if os.getuid() == 0 else [])
  RUN = running.make_run(pathlib.Path(absltest.get_default_test_tmpdir()) / 'page_run', 40)
  SERVER = start()


def tearDownModule():
  SERVER.kill()
  BROWSER.close()
  PLAY.stop()


def start(*flags, port=0):
  return running.Running(RUN, f'--watch={RUN}', '--max_sessions=50', *flags, port=port)


class PageTest(absltest.TestCase):

  def setUp(self):
    super().setUp()
    self.errors, self.hosts = [], set()

  def tearDown(self):
    self.assertEmpty(self.errors)
    self.assertLessEqual(len(self.hosts), 1)
    super().tearDown()

  def open(self, path='', url=None, sampling='{"max_tokens": "96"}', **context):
    context = BROWSER.new_context(**{
        'locale': 'en-US', 'viewport': {'width': 1280, 'height': 800}, **context})
    self.addCleanup(context.close)
    context.add_init_script(f"localStorage.setItem('sampling', '{sampling}')")
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on('pageerror', lambda error: self.errors.append(str(error)))
    page.on('request', lambda request: self.hosts.add(request.url.split('/')[2]))
    page.goto((url or SERVER.url) + path)
    page.wait_for_selector('#send:enabled')
    return page

  def say(self, page, text):
    page.fill('#input', text)
    page.press('#input', 'Control+Enter')
    self.idle(page)

  def until(self, page, expression):
    """Waits in Python: the page's policy allows no evaluation of strings within it."""
    end = time.monotonic() + WAIT / 1000
    while not page.evaluate(expression):
      self.assertLess(time.monotonic(), end, expression)
      page.wait_for_timeout(20)

  def idle(self, page):
    page.wait_for_selector('#send.busy', state='detached')
    page.wait_for_selector('#text .block')

  def shown(self, page):
    return page.inner_text('#text')

  def context(self, page):
    return int(re.sub(r'\D', '', page.inner_text('#r-context')))

  def name(self, page):
    return page.evaluate('location.hash.slice(1)')

  def test_streams_shows_and_lists(self):
    page = self.open(sampling='{"max_tokens": "480", "temperature": "0"}')
    page.click('#new')
    page.wait_for_selector('#empty:visible')
    lengths = page.evaluate_handle('''() => {
      const seen = [];
      new MutationObserver(() => seen.push(document.querySelector('#text').textContent.length))
        .observe(document.querySelector('#text'), {subtree: true, childList: true,
                                                   characterData: true});
      return seen;
    }''')
    self.say(page, 'Bir varmış, bir yokmuş: ')
    self.assertGreater(len(set(lengths.json_value())), 4)  # It came in pieces.
    self.assertIn('Bir varmış, bir yokmuş:', self.shown(page))
    status, found = SERVER.ask('GET', f'/v1/sessions/{self.name(page)}')
    self.assertEqual((status, found['size']), (200, self.context(page)))
    self.assertRegex(page.inner_text('#r-speed'), r'^[\d.]+ ms$')
    self.assertRegex(page.inner_text('#r-state'), r'^[\d.,]+ (kB|MB)$')
    self.assertIn('Bir varmış', page.inner_text('.sessions .selected'))
    self.assertIn('Bir varmış', page.inner_text('#title'))

  def test_stop_and_go_on(self):
    page = self.open(sampling=MANY)
    page.click('#new')
    page.fill('#input', 'abc')
    page.click('#send')
    self.until(page, "document.querySelector('#text').textContent.length > 40")
    page.keyboard.press('Escape')
    self.idle(page)
    # What the server kept is what is shown.
    self.until(page, '''async () => {
      const found = await fetch(`/v1/sessions/${location.hash.slice(1)}`);
      const shown = document.querySelector('#r-context').textContent.replace(/\\D/g, '');
      return (await found.json()).size === Number(shown);
    }''')
    size = self.context(page)
    self.assertLess(size, 4096)
    page.evaluate("document.querySelector('[name=max_tokens]').value = 32")
    self.say(page, '')
    self.assertEqual(self.context(page), size + 32)

  def test_reload_and_go_on(self):
    page = self.open()
    page.click('#new')
    self.say(page, 'Once upon a time, once upon a time')
    before, size = self.shown(page), self.context(page)
    page.reload()
    page.wait_for_selector('#text span')
    self.assertEqual(self.shown(page), before)
    self.assertEqual(self.context(page), size)
    self.say(page, ' and')
    self.assertTrue(self.shown(page).startswith(before[:-1]))
    self.assertGreater(self.context(page), size)

  def test_restart_of_the_server(self):
    global SERVER
    page = self.open()
    page.click('#new')
    self.say(page, 'Before the restart ')
    before, port = self.shown(page), SERVER.port
    self.assertEqual(SERVER.end()[0], 0)
    page.fill('#input', 'nobody hears')
    page.click('#send')
    page.wait_for_selector('#notice:visible')
    self.assertIn('does not answer', page.inner_text('#notice'))
    self.assertEqual(self.shown(page), before)
    SERVER = start(port=port)
    page.wait_for_selector('#notice', state='hidden')  # It asks again by itself.
    page.wait_for_selector('#text span')
    self.assertEqual(self.shown(page), before)
    size = self.context(page)
    self.say(page, ' after')
    self.assertGreater(self.context(page), size)

  def test_a_stream_that_breaks_off(self):
    global SERVER
    page = self.open(sampling=MANY)
    page.click('#new')
    page.fill('#input', 'abc')
    page.click('#send')
    self.until(page, "document.querySelector('#text').textContent.length > 40")
    port = SERVER.port
    SERVER.kill()
    page.wait_for_selector('#notice:visible')
    self.assertIn('broke off', page.inner_text('#notice'))
    SERVER = start(port=port)
    page.click('#notice-action')
    page.wait_for_selector('#notice', state='hidden')
    self.say(page, 'once more')
    self.assertIn('once more', self.shown(page))

  def test_fork_and_delete(self):
    page = self.open()
    page.click('#new')
    self.say(page, 'The root ')
    root, size = self.name(page), self.context(page)
    page.hover('.sessions .selected')
    page.click('.sessions .selected [aria-label=Fork]')
    self.until(page, f"location.hash.length > 1 && location.hash.slice(1) !== '{root}'")
    page.wait_for_selector('#text span')
    self.say(page, ' branch')
    branch = self.name(page)
    self.assertEqual(SERVER.ask('GET', f'/v1/sessions/{root}')[1]['size'], size)
    page.hover('.sessions .selected')
    page.click('.sessions .selected [aria-label=Delete]')
    page.click('.sessions .danger')
    page.wait_for_selector('#empty:visible')
    self.assertEqual(SERVER.ask('GET', f'/v1/sessions/{branch}')[0], 404)
    self.assertEqual(SERVER.ask('GET', f'/v1/sessions/{root}')[0], 200)

  def test_talk(self):
    page = self.open()
    page.click('#new')
    page.click('[data-mode=talk]')
    page.fill('#input', 'Selam!')
    page.press('#input', 'Enter')
    self.idle(page)
    self.assertEqual(page.inner_text('.said').split(), ['you', 'Selam!'])
    self.assertEqual(page.inner_text('.answer .who'), 'model')
    page.reload()
    page.wait_for_selector('.said')
    self.assertEqual(page.inner_text('.said').split(), ['you', 'Selam!'])

  def test_each_byte_can_be_looked_at(self):
    page = self.open()
    page.click('#new')
    fact = 'the key is under the third stone'
    page.fill('#input', f'{fact}; {fact}')
    page.click('#measure')  # Nothing is generated.
    self.idle(page)
    self.assertEqual(self.context(page), 2 * len(fact) + 2)
    page.focus('#text')
    page.keyboard.press('ArrowLeft')
    tip = page.inner_text('#tip')
    self.assertIn('65', tip)  # The last 'e'.
    self.assertRegex(tip, r'[\d.]+ bits · .* expected')
    self.assertIn(f'recalled: 8 bytes of context, {len(fact) + 2} bytes back', tip)
    page.keyboard.press('ArrowLeft')
    self.assertIn('6e', page.inner_text('#tip'))
    box = page.query_selector('#text span').bounding_box()
    page.mouse.move(box['x'] + 3, box['y'] + box['height'] / 2)
    self.assertIn('74', page.inner_text('#tip'))
    strip = page.query_selector('#strip').bounding_box()
    page.mouse.move(strip['x'] + 1, strip['y'] + 9)
    self.assertIn('74', page.inner_text('#tip'))

  def test_a_session_that_is_gone(self):
    page = self.open('#nowhere')
    self.assertIn('gone', page.inner_text('#notice'))

  def test_refusals_are_shown(self):
    token = pathlib.Path(self.create_tempdir().full_path) / 'token'
    token.write_text('t' * 20)
    other = running.Running(
        RUN, f'--token_file={token}', '--nowarm_up', '--max_sessions=0',
        f'--sessions={token.parent / "sessions"}')
    self.addCleanup(other.kill)
    context = BROWSER.new_context(locale='en-US')
    self.addCleanup(context.close)
    page = context.new_page()
    page.goto(other.url)
    page.fill('#token', 't' * 20)
    page.press('#token', 'Enter')
    page.wait_for_selector('#send:enabled')
    page.fill('#input', 'x')
    page.click('#send')
    page.wait_for_selector('#notice:visible')
    self.assertIn('0 at most: delete one', page.inner_text('#notice'))
    self.assertEqual(page.input_value('#input'), 'x')  # What was typed is not lost.

  def test_training(self):
    page = self.open()
    page.click('[data-view=training]')
    page.wait_for_selector('#charts figure')
    self.assertIn('40 / ', page.inner_text('#run-readouts'))
    self.assertEqual(page.locator('#charts figure').count(), 5)
    self.assertIn('b', page.inner_text('#charts'))

  def test_turkish_dark_and_narrow(self):
    page = self.open(locale='tr-TR', color_scheme='dark',
                     viewport={'width': 360, 'height': 740}, is_mobile=True, has_touch=True)
    page.tap('#menu')
    self.assertIn('Yeni oturum', page.inner_text('#side'))
    page.tap('#new')
    page.fill('#input', 'şimdi ')
    page.tap('#send')
    self.idle(page)
    self.assertIn('şimdi', self.shown(page))
    self.assertEqual(page.evaluate('document.documentElement.lang'), 'tr')
    self.assertLessEqual(page.evaluate('document.documentElement.scrollWidth'), 360)
    dark = page.evaluate('getComputedStyle(document.body).backgroundColor')
    self.assertLess(sum(map(int, re.findall(r'\d+', dark))), 150)
    page.tap('#menu')
    page.tap('#language')
    self.assertIn('New session', page.inner_text('#side'))

  def test_pictures(self):
    if not SHOTS.value:
      self.skipTest('no --shots')
    server = SERVER
    if RUN_DIR.value:
      server = running.Running(RUN_DIR.value, f'--watch={RUN_DIR.value}')
      self.addCleanup(server.end)
    shots = pathlib.Path(SHOTS.value)
    page = self.open(url=server.url, sampling='{"max_tokens": "320", "seed": "1"}')
    page.click('#new')
    page.screenshot(path=shots / 'empty.png')
    self.say(page, "Shall I compare thee to a summer's day? Thou art more lovely and more "
                   'temperate. Shall I compare thee to a ')
    spans = page.locator('#text .r2, #text .r1')
    if spans.count():
      spans.last.hover()
    page.screenshot(path=shots / 'text.png')
    page.click('[data-mode=talk]')
    page.click('#dial')
    page.fill('#input', 'Who are you?')
    page.press('#input', 'Enter')
    self.idle(page)
    page.screenshot(path=shots / 'talk.png')
    page.click('[data-view=training]')
    page.wait_for_selector('#charts figure')
    page.screenshot(path=shots / 'training.png')
    url, name = server.url, f'#{self.name(page)}'
    dark = self.open(name, url=url, color_scheme='dark', locale='tr-TR')
    dark.wait_for_selector('#text span')
    dark.screenshot(path=shots / 'dark.png')
    phone = self.open(name, url=url, viewport={'width': 390, 'height': 844}, is_mobile=True,
                      has_touch=True, device_scale_factor=2)
    phone.wait_for_selector('#text span')
    phone.screenshot(path=shots / 'phone.png')


if __name__ == '__main__':
  absltest.main()
