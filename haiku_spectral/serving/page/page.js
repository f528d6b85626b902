// The page: sessions, the text, and what the server is asked for.

import * as api from './api.js';
import {listen} from './keys.js';
import {Pointer} from './pointer.js';
import {Readouts} from './readouts.js';
import {Sampling} from './sampling.js';
import {SessionList} from './session_list.js';
import {Strip} from './strip.js';
import {compact, number, switchLanguage, t, translate} from './strings.js';
import {Text} from './text.js';
import {Training} from './training.js';

const $ = (id) => document.getElementById(id);
const encoder = new TextEncoder();
const TAIL = 1 << 15;
const RETRY = 1500, WATCH = 3000;  // Milliseconds.

const text = new Text($('text'));
const strip = new Strip($('strip'), text);
const readouts = new Readouts(strip);
const sampling = new Sampling($('dials'));
const training = new Training();
const pointer = new Pointer(text, strip, $('scroll'), $('tip'));
const sessions = new SessionList($('sessions'), {
  open: (id) => open(id), changed: (id) => changed(id), failed: (error) => fail(error)});

let model = null;
let current = null;  // The session's name; null: one that is not made yet.
let running = null;  // The AbortController of the turn in work.
let loading = null;  // The promise of the session's text, before which no turn begins.
let mode = localStorage.getItem('mode') || 'continue';

// Notices.

function notice(message, action, run) {
  const box = $('notice'), button = $('notice-action');
  box.hidden = !message;
  box.firstElementChild.textContent = message || '';
  button.hidden = !action;
  button.textContent = action || '';
  button.onclick = run || null;
}

function fail(error) {
  if (error.status === 401) { askForToken(); return; }
  if (error.status === 0) { notice(t('offline'), t('retry'), () => start()); return; }
  notice(error.message);
}

function askForToken() {
  const dialog = $('token-dialog');
  if (dialog.open) return;
  dialog.onclose = () => {
    sessionStorage.setItem('token', $('token').value);
    $('token').value = '';
    start();
  };
  dialog.showModal();
}

// The text.

function atEnd() {
  const box = $('scroll');
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function follow(was) {
  if (was) $('scroll').scrollTop = $('scroll').scrollHeight;
}

function showTitle(name) {
  readouts.title(name, current ? 'untitled' : 'new_session');
}

async function open(id) {
  stop();
  current = id;
  localStorage.setItem('session', id || '');
  history.replaceState(null, '', id ? `#${id}` : location.pathname);
  sessions.select(id);
  $('app').classList.remove('show-side');
  showView('text');
  text.clear();
  notice('');
  readouts.clear();
  if (id) await (loading = load(id));
  else { showTitle(''); readouts.context(0); }
  strip.draw();
  compose();
}

async function load(id) {
  const found = await api.get(`/v1/sessions/${id}/text?tail=${TAIL}`);
  if (current !== id) return;
  text.clear();
  text.start = found.start;
  showParts(found);
  showTitle(found.title);
  readouts.context(found.size);
  strip.draw();
  follow(true);
}

// Turns of a session whose first bytes may be missing.
function showParts(found) {
  const data = api.bytes(found.bytes), tenths = api.bytes(found.tenths);
  const pieces = [];
  let at = -found.start;
  for (const [prompt, generated] of found.parts) {
    pieces.push(['prompt', at, at + prompt], ['text', at + prompt, at + prompt + generated]);
    at += prompt + generated;
  }
  for (const [kind, from, to] of pieces) {
    if (to <= 0 && !(to === from && from === 0)) continue;
    const start = Math.max(from, 0);
    if (kind === 'prompt' || !text.block) text.begin(data.subarray(start, Math.max(to, start)));
    if (kind === 'text') text.answer();
    const within = found.recalled.filter(([place]) => place >= start && place < to)
      .map(([place, ...rest]) => [place - start, ...rest]);
    text.append(data.subarray(start, to), tenths.subarray(start, to), within);
  }
  text.flush();
  if (found.start) {
    const note = document.createElement('p');
    note.className = 'earlier';
    note.textContent = t('earlier', number(found.start));
    text.root.prepend(note);
  }
}

// A turn.

async function send(onlyMeasure = false) {
  if (running || !model) return;
  const said = $('input').value;
  const talking = mode === 'talk' && !onlyMeasure;
  if (talking && !said.trim()) return;
  if (onlyMeasure && !said) return;
  running = new AbortController();
  const mine = running;
  notice('');
  compose();
  try {
    if (!current) await makeSession();
    await Promise.resolve(loading).catch(() => {});  // Whoever opened the session tells of it.
    await turn(said, talking, onlyMeasure, mine.signal);
  } catch (error) {
    await failedTurn(error, said);
  } finally {
    if (running === mine) running = null;
    compose();
  }
}

async function makeSession() {
  const made = await api.post('/v1/sessions', {});
  current = made.id;
  localStorage.setItem('session', current);
  history.replaceState(null, '', `#${current}`);
  await sessions.refresh();
  sessions.select(current);
}

async function turn(said, talking, onlyMeasure, signal) {
  const body = {
    ...sampling.values, session: current, stream: true, details: true,
    ...(onlyMeasure ? {max_tokens: 0} : {})};
  const first = text.end === 0;
  const prompt = talking ? `${first ? '' : '\n'}User: ${said}\nAssistant: ` : said;
  const path = talking ? '/v1/chat/completions' : '/v1/completions';
  if (talking) body.messages = [{role: 'user', content: said}];
  else body.prompt = prompt;
  let begun = false, answering = false;
  readouts.begin();
  const begin = () => {
    if (begun) return;
    begun = true;
    text.begin(encoder.encode(prompt));
    $('input').value = '';
    grow();
  };
  await api.stream(path, body, signal, (event) => {
    const was = atEnd();
    for (const choice of event.choices) {
      const given = choice.prompt_details, made = choice.details;
      begin();
      if (given) text.append(api.bytes(given.bytes), api.bytes(given.tenths), given.recalled);
      if (made) {
        if (!answering) { text.answer(); answering = true; }
        const data = api.bytes(made.bytes);
        text.append(data, api.bytes(made.tenths), made.recalled);
        readouts.came(data.length);
      }
    }
    if (event.session) {
      text.flush();
      if (event.ms_per_byte) readouts.speed(event.ms_per_byte);
      showTitle(event.session.title);
    }
    readouts.context(text.end);
    strip.draw();
    follow(was);
  });
  await sessions.refresh();
}

async function failedTurn(error, said) {
  const stopped = error.name === 'AbortError';
  if (!stopped) {
    if (error.begun) notice(t('broke'), t('retry'), () => start());
    else fail(error);
  }
  if (error.status === 0) return;
  const id = current;
  if (!id) return;
  await settled(id).catch(fail);
  if (current === id) await load(id).catch(fail);
  if (!stopped && !$('input').value && !text.size) $('input').value = said;
  await sessions.refresh().catch(fail);
}

// Waits until the server has taken in what was generated.
async function settled(id) {
  for (;;) {
    const found = await api.get(`/v1/sessions/${id}`);
    if (!found.busy) return;
    await new Promise((done) => { setTimeout(done, 60); });
  }
}

function stop() {
  if (running) running.abort();
  running = null;
}

// What stands around the text.

function compose() {
  const busy = running !== null, input = $('input');
  $('send').classList.toggle('busy', busy);
  $('send').disabled = !model;
  const name = busy ? t('stop') : t(mode === 'talk' ? 'answer' : 'write_on');
  $('send').lastElementChild.textContent = name;
  $('send').setAttribute('aria-label', name);
  $('measure').hidden = mode === 'talk';
  input.placeholder = mode === 'talk' ? t('hint_talk') : t(text.end ? 'hint_more' : 'hint_continue');
  for (const button of document.querySelectorAll('[data-mode]')) {
    button.setAttribute('aria-checked', String(button.dataset.mode === mode));
  }
}

function grow() {
  const input = $('input');
  input.style.height = 'auto';
  input.style.height = `${Math.min(input.scrollHeight, innerHeight * 0.35)}px`;
}

function showView(name) {
  $('text-view').hidden = name !== 'text';
  $('training-view').hidden = name !== 'training';
  for (const button of document.querySelectorAll('[data-view]')) {
    button.setAttribute('aria-pressed', String(button.dataset.view === name));
  }
  if (name === 'training') training.refresh().catch(fail);
  else strip.draw();
}

function changed(id) {
  if (id === current) open(null);
}

function relabel() {
  translate();
  $('language').textContent = t('language');
  const examples = t('examples').map((example) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = example.trim();
    button.onclick = () => { setMode('continue'); $('input').value = example; grow(); send(); };
    return button;
  });
  $('examples').replaceChildren(...examples);
  $('help-text').replaceChildren(...t('help_text').map(([key, what]) => {
    const line = document.createElement('p');
    if (key) {
      const name = document.createElement('kbd');
      name.textContent = key;
      line.append(name, what);
    } else line.textContent = what;
    return line;
  }));
  sampling.show();
  compose();
  sessions.show();
  if (!text.size) showTitle('');
  if (training.found) training.show();
}

function setMode(name) {
  mode = name;
  localStorage.setItem('mode', mode);
  compose();
}

function setTheme(name) {
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  strip.readColours();
  strip.draw();
}

// Begins, and begins again after an error.
async function start() {
  notice('');
  try {
    const models = await api.get('/v1/models');
    model = models.data[0] || null;
    readouts.stateBytes = model ? model.state_bytes : null;
    $('model').textContent = model ? `${model.id} · ${compact(model.parameters)}` : '';
    const watched = await training.look();
    $('tabs').hidden = !watched;
    if (!model) {
      notice(t('no_model'));
      if (watched) showView('training');
      return;
    }
    await sessions.refresh();
    const wanted = location.hash.slice(1) || localStorage.getItem('session');
    await open(sessions.has(wanted) ? wanted : null);
    if (wanted && !current) notice(t('gone'));
  } catch (error) {
    fail(error);
  }
}

// What the user does.

$('composer').onsubmit = (event) => {
  event.preventDefault();
  if (running) stop();
  else send();
};
$('input').oninput = grow;
$('input').onkeydown = (event) => {
  const plain = event.key === 'Enter' && !event.isComposing;
  if (plain && (event.ctrlKey || event.metaKey || (mode === 'talk' && !event.shiftKey))) {
    event.preventDefault();
    send();
  }
};
$('measure').onclick = () => send(true);
$('new').onclick = () => { open(null); $('input').focus(); };
for (const button of document.querySelectorAll('[data-mode]')) {
  button.onclick = () => { setMode(button.dataset.mode); $('input').focus(); };
}
for (const button of document.querySelectorAll('[data-view]')) {
  button.onclick = () => { showView(button.dataset.view); $('app').classList.remove('show-side'); };
}
for (const button of [$('menu'), document.querySelector('[data-menu]')]) {
  button.onclick = () => $('app').classList.add('show-side');
}
$('veil').onclick = () => $('app').classList.remove('show-side');
$('dial').onclick = () => {
  $('dials').hidden = !$('dials').hidden;
  $('dial').setAttribute('aria-expanded', String(!$('dials').hidden));
};
$('language').onclick = () => { switchLanguage(); relabel(); if (current) load(current).catch(fail); };
$('theme').onclick = () => {
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const now = document.documentElement.dataset.theme || (dark ? 'dark' : 'light');
  const next = now === 'dark' ? 'light' : 'dark';
  localStorage.setItem('theme', next);
  setTheme(next);
};
$('help').onclick = () => $('help-dialog').showModal();
matchMedia('(prefers-color-scheme: dark)').onchange = () => setTheme(localStorage.getItem('theme'));
window.onhashchange = () => {
  const wanted = location.hash.slice(1);
  if (wanted && wanted !== current && sessions.has(wanted)) open(wanted).catch(fail);
};
listen({
  running: () => running !== null,
  stop,
  compose: () => $('input').focus(),
  help: () => $('help').click(),
  create: () => $('new').click(),
  plain: () => $('app').classList.toggle('plain'),
  walk: (step) => pointer.walk(step),
  beside: (step) => {
    const next = sessions.beside(current, step);
    if (next) open(next).catch(fail);
  },
});
setInterval(() => {
  if (!$('training-view').hidden && !document.hidden) training.refresh().catch(() => {});
}, WATCH);
setInterval(() => {  // A server that went away may be there again.
  if ($('notice').hidden || $('notice').firstElementChild.textContent !== t('offline')) return;
  api.get('/health').then(() => start()).catch(() => {});
}, RETRY);

setTheme(localStorage.getItem('theme'));
relabel();
start();
