"""SpectralGPT in NumPy alone: the whole architecture, and each formula once, without haste.

  model = Model('a folder that binaries/export wrote')
  logits, state = model(b'Once upon')       # [9, 260]: after each byte, of the byte that follows
  logits, state = model(b' a time', state)  # goes on, as in one call; the old state is used up

Shapes: T time (bytes), D width, H heads, K width of a head, S taps, O contexts, F followers."""
import json
import pathlib
import re
import numpy as np

def read_safetensors(path):  # A length, as much JSON that says what lies where, and the numbers.
  data = memoryview(path.read_bytes())
  start = 8 + int.from_bytes(data[:8], 'little')
  return {name: np.frombuffer(data[start:][slice(*at['data_offsets'])], '<f4').reshape(at['shape'])
          for name, at in json.loads(bytes(data[8:start])).items() if name != '__metadata__'}

def below(weights, module):  # Those whose names begin with that of a module.
  return {name[len(module) + 1:]: w for name, w in weights.items() if name.startswith(f'{module}/')}
def sigmoid(x):
  return 1 / (1 + np.exp(-x))
def norm(x, scale=1, reduce=np.mean):  # [..., D]
  return x / np.sqrt(reduce(x**2, axis=-1, keepdims=True) + 1e-6) * scale

def convolve(x, taps, past):  # -> sums of taps[s] x[t - s] by FFT, and the last S - 1 inputs
  line = np.concatenate([np.zeros((len(taps) - 1, x.shape[1])) if past is None else past, x])
  size = len(line) + len(taps)
  y = np.fft.irfft(np.fft.rfft(line, size, 0) * np.fft.rfft(taps, size, 0), size, 0)
  return y[len(taps) - 1:len(line)], line[len(x):]

def make_taps(w, horizon, sinusoids, min_time_constant, max_time_constant, **_):  # -> [S, D]
  lags = np.arange(horizon)[:, None]  # A sine network of the lag, which decays, of unit energy.
  angles = 2 * np.pi * lags / (np.geomspace(2, 65536, sinusoids) if sinusoids > 1 else 2**8.5)
  x = np.concatenate([np.log2(1 + lags) / 16, np.cos(angles), np.sin(angles)], axis=1)
  x = np.sin(x @ w['hidden_0_w'] + w['hidden_0_b'])
  x = np.sin(x @ w['hidden_1_w'] + w['hidden_1_b']) @ w['out_w'] + w['out_b']
  x *= np.exp(-lags / np.geomspace(min_time_constant, max_time_constant, x.shape[1]))
  x *= (1 + np.cos(np.pi * np.clip(4 * lags / horizon - 3, 0, 1))) / 2
  return w['gain'] * x / np.sqrt(np.sum(x**2, axis=0) + 1e-12)

def hyena(x, w, config, state):  # [T, D] -> [T, D]: gates, and long convolutions
  short, *long = state or [None] * config['order']
  mixed, short = convolve(x @ w['in/w'], w['short/taps'], short)
  last_gate, *gates, z = np.split(mixed, config['order'] + 1, axis=1)
  for i, gate in enumerate(gates):
    taps = make_taps(below(w, f'filter_{i}' if i else 'filter'), **config['filter'])
    y, long[i] = convolve(gate * z, taps, long[i])
    z = y + w['skip'][i] * gate * z
  return (last_gate * z) @ w['out/w'], [short, *long]

def memory(x, w, config, state):  # [T, D] -> [T, D]: associations, a matrix per head
  short, matrix = state or (None, 0)
  mixed, short = convolve(x @ w['in/w'], w['short/taps'], short)
  q, k, v = np.moveaxis((mixed * sigmoid(mixed)).reshape(len(x), 3, config['heads'], -1), 1, 0)
  q, k, read = norm(q, reduce=np.sum), norm(k, reduce=np.sum), np.empty(v.shape)
  decay = sigmoid(-x @ w['decay/w'] - w['decay/b'])[..., None, None]  # [T, H, 1, 1]
  for t, (key, value) in enumerate(zip(k[..., None], v[:, :, None], strict=True)):
    matrix = decay[t] * matrix
    if config['rule'] == 'delta':  # What the key recalls is erased, or even turned around.
      erase, write = np.split(sigmoid(x[t] @ w['strength/w'])[:, None, None], 2)
      value = write * value - 2 * erase * (key * matrix).sum(1, keepdims=True)
    matrix = matrix + key * value
    read[t] = np.einsum('hk,hkv->hv', q[t], matrix)
  gate = sigmoid(x @ w['gate_in/w'] @ w['gate_out/w'] + w['gate_bias'])
  return (gate * norm(read, w['norm/scale']).reshape(x.shape)) @ w['out/w'], (short, matrix)

def attention(x, w, config, state):  # [T, D] -> [T, D]: to the last bytes, itself included
  q, k, v = np.moveaxis((x @ w['in/w']).reshape(len(x), 3, config['heads'], -1), 1, 0)
  q, k = norm(q, w['norm_queries/scale']), norm(k, w['norm_keys/scale'])
  k, v = (np.concatenate(pair) for pair in zip(state or (k[:0], v[:0]), (k, v), strict=True))
  places, half = np.arange(len(k)), q.shape[2] // 2
  turns = np.exp(1j * places[:, None, None] * 10_000.0 ** (-np.arange(half) / half))
  turned_q, turned_k = ((z[..., :half] + 1j * z[..., half:]) * turns[-len(z):] for z in (q, k))
  scores = np.einsum('thk,jhk->htj', turned_q, turned_k.conj()).real / np.sqrt(2 * half)
  weights = np.exp(np.clip(scores, -60, 60))
  distance = places[-len(x):, None] - places
  weights = np.where((distance >= 0) & (distance < config['window']), weights, 0)
  read = np.einsum('htj,jhk->thk', weights / weights.sum(axis=2, keepdims=True), v)
  return read.reshape(x.shape) @ w['out/w'], (k[-config['window']:], v[-config['window']:])

def hashed(key):  # Numbers -> 32 bits, all of which depend on all of the numbers (MurmurHash3)
  x = sum((each + 1) * 0x9E3779B1**i for i, each in enumerate(reversed(key))) % 2**32
  x = (x ^ x >> 16) * 0x85EBCA6B % 2**32
  x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
  return x ^ x >> 16

def recall(ids, shape, state, ngram, match, **_):  # -> [T, O, 1 + F]: trust, and followers or -1
  orders, words = ([*map(int, re.findall(r'\d+', ngram[of]))] for of in ('orders', 'words'))
  table, text, places, ends, back = state or ({}, [], [(None, 0, [], 0)] * shape[0], {}, 0)
  reads = np.full((len(ids), shape[0], 1 + shape[2]), -1)
  for t, (new, byte) in enumerate((each, min(each, 255)) for each in ids):
    table |= {slot: (check, [byte, *known][:shape[2]]) for slot, check, known, _ in places}
    streaks, places = [(streak + 1) * (known[:1] == [byte]) for *_, known, streak in places], []
    text.append(new)  # Keys are read backwards: of the last ids, and of words among the last 32.
    parts = re.split(rb'[^\w\x80-\xff]+', bytes(i % 256 for i in text[:-33:-1]).lower())
    keys = [text[:-n - 1:-1] * (n <= len(text)) for n in orders] + [
        [new] * (not parts[0]) + [each + 512 * i for i, part in enumerate(parts[:n + 1])
                                  for each in part] for n in words]
    for o, (key, x) in enumerate(zip(keys, map(hashed, keys), strict=True)):
      slot = o, x * ngram['slots'] >> 32 if key else -len(text)  # Too few ids: one of its own.
      check, known = table.get(slot, (0, []))
      places.append((slot, x % 64, known * (check == x % 64), streaks[o]))
    if match['length']:  # What followed `back` bytes ago, where the text last ended like this.
      x = hashed(key := [min(each, 255) for each in text[:-match['length'] - 1:-1]])
      back *= streaks[-1] > 0
      if len(text) >= match['length'] and not x >> 11 & 1:  # Every second one, to save slots.
        check, end = ends.get(x * match['slots'] >> 32, (None, 0))
        far = (len(text) - end) % match['ring']
        same = [min(each, 255) for each in text[-far - 1:-far - len(key) - 1:-1]] == key
        back = far if same and check == x % 1024 and 0 < far <= match['ring'] * 3 // 4 else back
        ends[x * match['slots'] >> 32] = x % 1024, len(text)
      places.append((None, 0, [min(text[-back], 255)] * (back > 0), streaks[-1]))
    for o, (*_, known, streak) in enumerate(places):
      bounds = range(1, 16) if o < len(keys) else (*range(1, 9), 12, 16, 24, 32, 64, 128, 512)
      agree = sum((known[0] == each) << bit for bit, each in enumerate(reversed(known)))
      reads[t, o, :1 + len(known)] = 16 * agree + sum(streak >= n for n in bounds), *known
  return reads, (table, text, places, ends, back)

def count(ids, state, orders, slots, followers):  # -> [T, O, K]: the last followers, -1: none
  orders, (table, text, places) = [*map(int, orders.split(','))], state or ({}, [], [])
  reads = np.full((len(ids), len(orders), followers), -1)
  for t, new in enumerate(ids):
    table |= {slot: (check, [min(new, 255), *known][:followers]) for slot, check, known in places}
    text.append(new)
    keys = ((o, hashed(text[:-n - 1:-1])) for o, n in enumerate(orders) if n <= len(text))
    found = [((o, x * slots >> 32), x % 2**24, o) for o, x in keys]
    places = [(slot, check, [f for c, known in [table.get(slot, (None, []))] if c == check
                             for f in known]) for slot, check, _ in found]
    for (*_, o), (*_, known) in zip(found, places, strict=True):
      reads[t, o, :len(known)] = known
  return reads, (table, text, places)

def mix(reads, x, w):  # -> [T, 260]: from the longest context to the shortest, as PPM
  there, learnt = reads >= 0, x @ w['hidden/w']
  recency, discount, table, weight = (
      10 * w[name] for name in ('recency', 'discount', 'escape', 'weight'))
  earlier = np.tril(np.ones(2 * reads.shape[2:]), -1) * (reads[..., None] == reads[..., None, :])
  first, number = there & ~earlier.any(-1), there.sum(-1)
  share = np.exp(recency) * (1 - sigmoid(np.log(3) + discount)[:, None] * first) * there
  share = share / np.maximum(share.sum(-1, keepdims=True), 1e-9)
  expected = (0.75 * first.sum(-1) + 0.3) / np.where(number, number + 0.3, 1.3)
  levels = ((n[..., None] > np.array(bounds)).sum(-1) for n, bounds in (
      (number, (1, 2, 4, 8, 16, 32)), (first.sum(-1), (1, 2, 4, 8))))
  escape = table[(np.arange(reads.shape[1]), *levels)] + learnt[:, :-1]
  escape = np.where(number, sigmoid(np.log(expected / (1 - expected)) + escape), 1)
  reaches = np.cumprod(np.pad(escape, ((0, 0), (0, 1)), constant_values=1)[:, ::-1], 1)[:, ::-1]
  mixed = np.repeat(reaches[:, :1], 260, axis=1) / 260
  given = (reaches[:, 1:] * (1 - escape))[..., None] * share
  np.add.at(mixed, (np.arange(len(x))[:, None, None], reads), given)
  longest = np.max(np.arange(1, reads.shape[1] + 1) * (number > 0), axis=1)
  return (0.15 + weight[longest] + learnt[:, -1])[:, None] * np.log(mixed)

class Model:
  def __init__(self, folder):
    about = json.loads(pathlib.Path(folder, 'config.json').read_text(encoding='utf-8'))
    if about.get('version') != 1 or about['unknown_to_numpy_loader']:
      raise ValueError(f'this loader does not know {about.get("unknown_to_numpy_loader")}, or the '
                       f'version {about.get("version")} of {folder}: it reads version 1.')
    self.config, path = about['config']['model'], pathlib.Path(folder, 'model.safetensors')
    self.weights = below(read_safetensors(path), 'spectral_gpt')

  def __call__(self, ids, state=None):  # T ids, of bytes 0 to 255 -> logits [T, 260], the state
    config, w, ids, states = self.config, self.weights, [*map(int, ids)], state or {}
    x = w['embedding/table'][ids]
    if 'ngram_input/gate' in w:
      reads, states['ids'] = recall(ids, w['ngram_logits/gate'].shape, states.get('ids'), **config)
      trust, after = (np.arange(reads.shape[1]), reads[..., 0]), reads[..., 1:]
      vectors = np.pad(w['ngram_input/bytes'], ((0, 1), (0, 0)))[after[..., 0]]  # -1: zeros.
      vectors = vectors * w['ngram_input/gate'][trust][..., None] + w['ngram_input/trust'][trust]
      x = x + vectors.reshape(len(x), -1) @ w['ngram_input/out/w']
    for layer in range(config['layers']):
      repeat, place = divmod(layer, len(config['pattern']))
      block = {name: each[repeat] for name, each in below(w, f'stack/block_{place}').items()}
      mixer = {'H': hyena, 'M': memory, 'A': attention}[config['pattern'][place]]
      mixed, states[layer] = mixer(norm(x, block['norm_mixer/scale']), below(block, mixer.__name__),
                                   config[mixer.__name__], states.get(layer))
      x = x + mixed
      gate, value = np.split(norm(x, block['norm_mlp/scale']) @ block['mlp/in/w'], 2, axis=1)
      x = x + (gate * sigmoid(gate) * value) @ block['mlp/out/w']
    x = norm(x, w['norm/scale'])
    logits = x @ (w['head/table'] if 'head/table' in w else w['embedding/table'] / x.shape[1]).T
    if 'ngram_input/gate' in w:
      gates = (x @ w['ngram_logits/hidden/w']).reshape(after.shape) + w['ngram_logits/gate'][trust]
      np.add.at(logits, (np.arange(len(x))[:, None, None], after), gates * (after >= 0))
    if 'count_logits/weight' in w:
      reads, states['counts'] = count(ids, states.get('counts'), **config['counts'])
      logits = logits + mix(reads, x, below(w, 'count_logits'))
    return logits, states
