"""SpectralGPT in NumPy alone: the whole architecture, and each formula once, without haste.

  model = Model('a folder that binaries/export wrote')
  logits, state = model(b'Once upon')       # [9, 260]: after each byte, of the byte that follows
  logits, state = model(b' a time', state)  # goes on, as in one call; the old state is used up

Shapes: T time (bytes), D width, H heads, K width of a head, S taps, O orders, F followers.
"""
import json
import pathlib

import numpy as np

def read_safetensors(path):  # A length, as much JSON that says what lies where, and the numbers.
  data = path.read_bytes()
  start = 8 + int.from_bytes(data[:8], 'little')
  return {name: np.frombuffer(data, '<f4', (at['data_offsets'][1] - at['data_offsets'][0]) // 4,
                              start + at['data_offsets'][0]).reshape(at['shape'])
          for name, at in json.loads(data[8:start]).items() if name != '__metadata__'}

def below(weights, path):  # Those whose names begin with a path.
  return {name[len(path):]: w for name, w in weights.items() if name.startswith(path)}

def silu(x):
  return x / (1 + np.exp(-x))

def norm(x, scale=1, reduce=np.mean):  # [..., D]
  return x / np.sqrt(reduce(x**2, axis=-1, keepdims=True) + 1e-6) * scale

def convolve(x, taps, past):  # -> sums of taps[s] x[t - s] by FFT, and the last S - 1 inputs
  line = np.concatenate([np.zeros((len(taps) - 1, x.shape[1])) if past is None else past, x])
  size = len(line) + len(taps)
  y = np.fft.irfft(np.fft.rfft(line, size, 0) * np.fft.rfft(taps, size, 0), size, 0)
  return y[len(taps) - 1:len(line)], line[len(x):]

def make_taps(w, config):  # -> [S, D]: a sine network of the lag, decaying, of unit energy
  lags = np.arange(config['horizon'])[:, None]
  angles = 2 * np.pi * lags / np.geomspace(2, 65536, config['sinusoids'])
  x = np.concatenate([np.log2(1 + lags) / 16, np.cos(angles), np.sin(angles)], axis=1)
  x = np.sin(x @ w['hidden_0_w'] + w['hidden_0_b'])
  x = np.sin(x @ w['hidden_1_w'] + w['hidden_1_b']) @ w['out_w'] + w['out_b']
  x *= np.exp(-lags / np.geomspace(
      config['min_time_constant'], config['max_time_constant'], x.shape[1]))
  x *= (1 + np.cos(np.pi * np.clip(4 * lags / config['horizon'] - 3, 0, 1))) / 2
  return w['gain'] * x / np.sqrt(np.sum(x**2, axis=0) + 1e-12)

def hyena(x, w, config, state):  # [T, D] -> [T, D]: gates, and long convolutions
  short, *long = state or [None] * config['order']
  mixed, short = convolve(x @ w['in/w'], w['short/taps'], short)
  last_gate, *gates, z = np.split(mixed, config['order'] + 1, axis=1)
  for i, gate in enumerate(gates):
    taps = make_taps(below(w, f'filter_{i}/' if i else 'filter/'), config['filter'])
    y, long[i] = convolve(gate * z, taps, long[i])
    z = y + w['skip'][i] * gate * z
  return (last_gate * z) @ w['out/w'], [short, *long]

def memory(x, w, config, state):  # [T, D] -> [T, D]: associations, a matrix per head
  short, matrix = state or (None, 0)
  mixed, short = convolve(x @ w['in/w'], w['short/taps'], short)
  q, k, v = np.moveaxis(silu(mixed).reshape(len(x), 3, config['heads'], -1), 1, 0)
  q, k, read = norm(q, reduce=np.sum), norm(k, reduce=np.sum), np.empty(v.shape)
  decay = np.exp(-np.logaddexp(0, x @ w['decay/w'] + w['decay/b']))[..., None, None]  # [T, H, 1, 1]
  for t, (key, value) in enumerate(zip(k[..., None], v[:, :, None], strict=True)):
    matrix = decay[t] * matrix
    if config['rule'] == 'delta':  # What the key recalls is replaced, by as much as `strength`.
      value = (value - (key * matrix).sum(1, keepdims=True)) / (
          1 + np.exp(-x[t] @ w['strength/w'])[:, None, None])
    matrix = matrix + key * value
    read[t] = np.einsum('hk,hkv->hv', q[t], matrix)
  read = norm(read, w['norm/scale']).reshape(x.shape)
  return (silu(x @ w['gate/w']) * read) @ w['out/w'], (short, matrix)

def rotate(x, places):  # [T, H, K], [T]
  first, second = np.split(x, 2, axis=2)
  frequencies = 10_000.0 ** (-np.arange(first.shape[2]) / first.shape[2])
  turned = (first + 1j * second) * np.exp(1j * places[:, None, None] * frequencies)
  return np.concatenate([turned.real, turned.imag], axis=2)

def attention(x, w, config, state):  # [T, D] -> [T, D]: to the last bytes, itself included
  q, k, v = np.moveaxis((x @ w['in/w']).reshape(len(x), 3, config['heads'], -1), 1, 0)
  k, v = (np.concatenate(pair) for pair in zip(state or (k[:0], v[:0]), (k, v), strict=True))
  distance = (places := np.arange(len(k)))[-len(x):, None] - places
  scores = np.einsum('thk,jhk->htj', rotate(q, places[-len(x):]), rotate(k, places))
  scores = np.where((distance >= 0) & (distance < config['window']), scores, -np.inf)
  weights = np.exp((scores - scores.max(axis=2, keepdims=True)) / np.sqrt(q.shape[2]))
  read = np.einsum('htj,jhk->thk', weights / weights.sum(axis=2, keepdims=True), v)
  return read.reshape(x.shape) @ w['out/w'], (k[-config['window']:], v[-config['window']:])

def recall(ids, config, state):  # -> what followed the last n bytes before, [T, O, F]; [T, O] twice
  orders, bits = [int(n) for n in config['orders'].split(',')], config['slots'].bit_length() - 1
  tables, recent, places, streaks = state or ([{} for _ in orders], [], [], [0] * len(orders))
  followers = np.zeros((len(ids), len(orders), config['followers']), int)
  counts, trust = np.zeros((2, len(ids), len(orders)), int)
  for t, new in enumerate(ids):
    for o, (slot, bits_of, known) in enumerate(places):  # Of the contexts that `new` follows.
      streaks[o] = min(streaks[o] + 1, 15) if known[:1] == [min(new, 255)] else 0
      tables[o][slot] = bits_of, [min(new, 255), *known][:config['followers']]
    recent, places, total = [*recent, new][-orders[-1]:], [], 0
    for back, each in enumerate(reversed(recent), 1):
      total = (total * 0x9E3779B1 + each + 1) % 2**32
      if back in orders:  # The finaliser of MurmurHash3 gives a slot, and bits to check.
        x = (total ^ total >> 16) * 0x85EBCA6B % 2**32
        x = (x ^ x >> 13) * 0xC2B2AE35 % 2**32
        slot, o = (x ^ x >> 16) >> (32 - bits), len(places)
        bits_of, known = tables[o].get(slot, (0, []))
        known = known if bits_of == (x ^ x >> 16) & 63 else []
        places.append((slot, (x ^ x >> 16) & 63, known))
        followers[t, o, :len(known)], counts[t, o] = known, len(known)
        agree = 2**len(known) // 2 + sum(2**i for i, x in enumerate(known[:0:-1]) if x == known[0])
        trust[t, o] = 16 * agree + streaks[o]
  return followers, counts, trust, (tables, recent, places, streaks)

class Model:
  def __init__(self, folder):
    about = json.loads(pathlib.Path(folder, 'config.json').read_text(encoding='utf-8'))
    if about.get('version') != 1 or about['unknown_to_numpy_loader']:
      raise ValueError(f'this loader does not know {about.get("unknown_to_numpy_loader")}, or the '
                       f'version {about.get("version")} of {folder}: it reads version 1.')
    self.config, path = about['config']['model'], pathlib.Path(folder, 'model.safetensors')
    self.weights = below(read_safetensors(path), 'spectral_gpt/')

  def __call__(self, ids, state=None):  # T ids, of bytes 0 to 255 -> logits [T, 260], the state
    config, w, ids = self.config, self.weights, [*map(int, ids)]
    recalled, states = state or (None, {})
    x = w['embedding/table'][ids]
    if config['ngram']['orders']:
      followers, counts, trust, recalled = recall(ids, config['ngram'], recalled)
      order = np.arange(counts.shape[1])
      gate = w['ngram_input/gate'][order, trust] * (counts > 0)
      vectors = w['ngram_input/bytes'][followers[..., 0]] * gate[..., None]
      vectors += w['ngram_input/trust'][order, trust]
      x = x + vectors.reshape(len(x), -1) @ w['ngram_input/out/w']
    for layer in range(config['layers']):
      repeat, place = divmod(layer, len(config['pattern']))
      block = {name: each[repeat] for name, each in below(w, f'stack/block_{place}/').items()}
      mixer = {'H': hyena, 'M': memory, 'A': attention}[config['pattern'][place]]
      mixed, states[layer] = mixer(
          norm(x, block['norm_mixer/scale']), below(block, f'{mixer.__name__}/'),
          config[mixer.__name__], states.get(layer))
      x = x + mixed
      gate, value = np.split(norm(x, block['norm_mlp/scale']) @ block['mlp/in/w'], 2, axis=1)
      x = x + (silu(gate) * value) @ block['mlp/out/w']
    x = norm(x, w['norm/scale'])
    logits = x @ (w['head/table'] if 'head/table' in w else w['embedding/table'] / x.shape[1]).T
    if config['ngram']['orders']:
      gates = (x @ w['ngram_logits/hidden/w']).reshape(followers.shape)
      gates = gates + w['ngram_logits/gate'][order, trust]
      gates = gates * (np.arange(gates.shape[2]) < counts[..., None])
      np.add.at(logits, (np.arange(len(x))[:, None, None], followers), gates)
    return logits, (recalled, states)
