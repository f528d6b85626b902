// A training run as it goes on: curves from the rows that it writes.

import * as api from './api.js';
import {compact, duration, number, size, t} from './strings.js';

const BITS = 1 / Math.LN2;
const $ = (id) => document.getElementById(id);
const NS = 'http://www.w3.org/2000/svg';

function element(name, attributes, ...children) {
  const node = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

const last = (values) => values?.findLast((value) => value !== null);

// lines: [{name, class, x, y}]; a point whose y is null is a gap.
function chart(title, lines, width, {log = false, digits = 2, latest = ''} = {}) {
  const box = document.createElement('figure');
  const head = document.createElement('figcaption');
  const name = document.createElement('span'), value = document.createElement('b');
  name.textContent = title;
  const shown = last(lines[0].y);
  value.textContent = latest || (shown === undefined ? '–' : number(shown, digits));
  head.append(name, value);
  const [height, left, bottom] = [width > 600 ? 300 : 170, 46, 22];
  const points = lines.flatMap((line) => line.y.filter((y) => y !== null && (!log || y > 0)));
  const steps = lines.flatMap((line) => line.x);
  const svg = element('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': title});
  box.append(head, svg);
  if (!points.length) return box;
  const scale = log ? Math.log10 : (y) => y;
  const sorted = [...points].sort((a, b) => a - b);
  // The first steps would press all the rest into a line.
  const top = scale(sorted[Math.floor((sorted.length - 1) * 0.985)]);
  const low = scale(sorted[0]), high = top > low ? top : low + 1;
  const end = Math.max(...steps, 1);
  const px = (x) => left + (width - left - 8) * x / end;
  const py = (y) => 10 + (height - bottom - 14) * (1 - (Math.min(scale(y), high) - low) / (high - low));
  for (const part of [0, 0.5, 1]) {
    const at = low + (high - low) * part, y = 10 + (height - bottom - 14) * (1 - part);
    svg.append(element('line', {x1: left, x2: width - 8, y1: y, y2: y, class: 'grid'}));
    const value = log ? 10 ** at : at;
    const shownAt = Math.abs(value) >= 1000 ? compact(value) : number(value, digits);
    svg.append(element('text', {x: left - 8, y: y + 4, class: 'tick end'}, shownAt));
  }
  for (const part of [0, 0.5, 1]) {
    svg.append(element('text', {
      x: px(end * part), y: height - 4, class: `tick ${part === 1 ? 'end' : part ? 'mid' : ''}`},
    number(Math.round(end * part))));
  }
  for (const line of lines) {
    let path = '', pen = 'M';
    line.y.forEach((y, i) => {
      if (y === null || (log && y <= 0)) { pen = 'M'; return; }
      path += `${pen}${px(line.x[i]).toFixed(1)} ${py(y).toFixed(1)}`;
      pen = 'L';
    });
    svg.append(element('path', {d: path, class: `line ${line.class}`}));
    const dots = line.y.length <= 30 ? line.y.keys() : [];
    for (const i of dots) {
      if (line.y[i] !== null) svg.append(element('circle', {
        cx: px(line.x[i]), cy: py(line.y[i]), r: 2.4, class: line.class}));
    }
  }
  if (lines.length > 1) {
    const legend = document.createElement('div');
    legend.className = 'keys';
    for (const line of lines) {
      const key = document.createElement('span');
      key.className = line.class;
      key.textContent = line.name;
      legend.append(key);
    }
    box.append(legend);
  }
  return box;
}

const inBits = (values) => (values || []).map((value) => value === null ? null : value * BITS);

export class Training {
  constructor() {
    this.found = null;
  }

  // Whether there is a run to watch.
  async look() {
    this.found = await api.get('/v1/watch').catch((error) => {
      if (error.status !== 404) throw error;
      return null;
    });
    return this.found !== null;
  }

  async refresh() {
    await this.look();
    if (this.found) this.show();
  }

  show() {
    const {name, step, steps, bytes_left: left, curves} = this.found;
    const {train, heldout} = curves;
    const speed = last(train.tokens_per_second);
    $('run-name').textContent = name;
    $('run-progress').style.width = `${100 * step / Math.max(steps, 1)}%`;
    const facts = [
      [t('step'), `${number(step)} / ${number(steps)}`],
      [t('left'), left ? duration(left / speed) : t('done')],
      [t('speed'), speed ? `${size(speed)}/s` : '–'],
      [t('skipped'), number(last(train.skipped_steps) || 0)],
    ];
    $('run-readouts').replaceChildren(...facts.map(([key, value]) => {
      const box = document.createElement('div');
      const term = document.createElement('dt'), detail = document.createElement('dd');
      term.textContent = key;
      detail.textContent = value;
      box.append(term, detail);
      return box;
    }));
    $('charts').replaceChildren(...this._charts(train, heldout));
  }

  _charts(train, heldout) {
    if (!train.step.length) {
      const wait = document.createElement('p');
      wait.textContent = t('waiting');
      return [wait];
    }
    const sources = Object.keys(train).filter((name) => name.startsWith('loss/')).sort();
    const line = (name, y, from, kind) => ({name, x: from.step, y, class: kind});
    // An SVG as wide as its place: its letters keep their size.
    const whole = Math.max($('charts').clientWidth - (innerWidth > 860 ? 64 : 32), 280);
    const columns = Math.max(Math.floor((whole + 44) / 304), 1);
    const narrow = Math.floor((whole - 44 * (columns - 1)) / columns);
    const charts = [chart(t('loss'), [
      line(t('train'), inBits(train.loss), train, 'c0'),
      line(t('held'), inBits(heldout.loss), heldout, 'c1')], whole, {digits: 2})];
    if (sources.length > 1) {
      charts.push(chart(t('by_source'), sources.map((name, i) => line(
        name.slice(5), inBits(train[name]), train, `c${i % 6}`)), narrow));
    }
    return [...charts,
      chart(t('throughput'), [line('', train.tokens_per_second || [], train, 'c2')], narrow,
        {digits: 0}),
      chart(t('rate'), [line('', train.learning_rate || [], train, 'c3')], narrow,
        {digits: 4, latest: (last(train.learning_rate) ?? 0).toExponential(1)}),
      chart(t('norm'), [line('', train.gradient_norm || [], train, 'c4')], narrow,
        {log: true})];
  }
}
