// The numbers over the text: its length, the size of the state, the time per byte.

import {number, size, t} from './strings.js';

const $ = (id) => document.getElementById(id);
const RECENT = 12;  // Pieces from which the time per byte is told.
const BARS = 48;

export class Readouts {
  constructor(strip) {
    this.strip = strip;
    this.stateBytes = null;
    this.clear();
  }

  clear() {
    this.speeds = [];
    this.begin();
    this.speed(0);
  }

  context(bytes) {
    $('r-context').textContent = `${number(bytes)} B`;
    $('r-state').textContent = this.stateBytes === null ? '–' : size(this.stateBytes);
    $('empty').hidden = bytes > 0;
    $('text').hidden = bytes === 0;
    $('app').classList.toggle('is-empty', bytes === 0);
  }

  title(name, otherwise) {
    $('title').textContent = name || t(otherwise);
    document.title = name ? `${name} – haiku spectral` : 'haiku spectral';
  }

  // A text begins.
  begin() {
    this.clock = 0;
    this.seen = [];
  }

  // So many bytes have come just now.
  came(count) {
    const now = performance.now();
    if (this.clock && count) this.seen.push([count, now - this.clock]);
    this.clock = now;
    const recent = this.seen.slice(-RECENT);
    const bytes = recent.reduce((sum, [some]) => sum + some, 0);
    if (!bytes) return;
    this.speeds.push(recent.reduce((sum, [, milliseconds]) => sum + milliseconds, 0) / bytes);
    this.speed(this.speeds.at(-1));
  }

  speed(milliseconds) {
    $('r-speed').textContent = milliseconds ? `${number(milliseconds, 2)} ms` : '–';
    const canvas = $('spark'), pen = canvas.getContext('2d');
    canvas.hidden = !this.speeds.length;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    const shown = this.speeds.slice(-BARS), most = Math.max(...shown, 0.01) * 1.25;
    pen.fillStyle = this.strip.hot;
    shown.forEach((value, i) => {
      const high = Math.max(value / most * canvas.height, 2);
      pen.fillRect(i * 3, canvas.height - high, 2, high);
    });
  }
}
