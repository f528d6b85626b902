// The whole text as a strip: a bar per byte, as high as the byte was surprising.

import {level} from './text.js';

const FULL = 80;  // Tenths of a bit: as high as the strip.

export class Strip {
  constructor(canvas, text) {
    this.canvas = canvas;
    this.text = text;
    this.mark = -1;
    this.source = -1;
    this.pending = false;
    this.readColours();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  readColours() {
    // A canvas knows no variables: an element says what they are now, in light or dark.
    const colour = (name) => {
      this.canvas.style.color = `var(${name})`;
      return getComputedStyle(this.canvas).color;
    };
    this.levels = Array.from({length: 10}, (_, i) => colour(`--s${i}`));
    this.recalled = colour('--recall');
    this.band = colour('--band');
    this.ink = colour('--ink');
    this.hot = colour('--hot');
  }

  // Several calls in a frame are one.
  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      this._draw();
    });
  }

  get step() {  // Pixels per byte.
    return Math.min(6, this.canvas.clientWidth / Math.max(this.text.size, 1));
  }

  at(x) {
    const place = Math.floor(x / this.step);
    return place >= 0 && place < this.text.size ? place : -1;
  }

  _draw() {
    const {canvas, text} = this, scale = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.scale(scale, scale);
    const base = height - 9, step = this.step;
    this._bands(pen, base, step);
    const columns = step >= 1 ? text.size : Math.floor(width);
    const wide = step >= 1 ? step : 1;
    for (let column = 0; column < columns; column += 1) {
      const from = step >= 1 ? column : Math.floor(column / step);
      const to = step >= 1 ? column + 1 : Math.max(Math.floor((column + 1) / step), from + 1);
      let sum = 0, most = 0, recalled = 0;
      for (let i = from; i < to && i < text.size; i += 1) {
        sum += text.tenths[i];
        most = Math.max(most, text.tenths[i]);
        recalled += text.length[i] > 0;
      }
      const count = Math.max(Math.min(to, text.size) - from, 1), x = column * wide;
      const mean = sum / count;
      if (count > 1) this._bar(pen, x, wide, base, most, 0.28);
      this._bar(pen, x, wide, base, mean, 1);
      if (recalled * 2 >= count && recalled) {
        pen.fillStyle = this.recalled;
        pen.fillRect(x, base + 4, wide + 0.5, 2);
      }
    }
    this._marks(pen, base, height);
  }

  // What was given stands on a shade.
  _bands(pen, base, step) {
    pen.fillStyle = this.band;
    for (let from = 0; from < this.text.size;) {
      const kind = this.text.generated[from];
      let to = this.text.generated.indexOf(1 - kind, from);
      if (to < 0 || to > this.text.size) to = this.text.size;
      if (!kind) pen.fillRect(from * step, 0, (to - from) * step, base);
      from = to;
    }
  }

  _bar(pen, x, wide, base, tenths, alpha) {
    const high = Math.max(Math.min(tenths / FULL, 1) * (base - 4), 1.5);
    pen.globalAlpha = alpha;
    pen.fillStyle = this.levels[level(tenths)];
    pen.beginPath();
    const gap = wide >= 3 ? 1 : 0;
    pen.roundRect(x, base - high, wide - gap, high, wide >= 3 ? [1.5, 1.5, 0, 0] : 0);
    pen.fill();
    pen.globalAlpha = 1;
  }

  _marks(pen, base, height) {
    if (this.mark < 0) return;
    const centre = (place) => (place + 0.5) * this.step;
    pen.strokeStyle = this.ink;
    pen.beginPath();
    pen.moveTo(centre(this.mark), 0);
    pen.lineTo(centre(this.mark), height);
    pen.stroke();
    if (this.source < 0) return;
    const from = centre(this.source), to = centre(this.mark);
    pen.strokeStyle = this.recalled;
    pen.lineWidth = 1.5;
    pen.beginPath();
    pen.moveTo(from, base);
    pen.bezierCurveTo(from, 2, to, 2, to, base);
    pen.stroke();
  }
}
