// A text as bytes: what each cost the model, what was recalled, and where it stands on the page.

import {t} from './strings.js';

const BOUNDS = [4, 9, 15, 22, 30, 40, 51, 64, 80];  // Tenths of a bit, where levels 1 to 9 begin.
const TALK = /^\n?User: ([\s\S]*)\nAssistant: $/;
const encoder = new TextEncoder(), decoder = new TextDecoder();

export const level = (tenths) => {
  let found = 0;
  while (found < 9 && tenths >= BOUNDS[found]) found += 1;
  return found;
};

// The number of bytes of the character that begins at `at`; 0: not complete; -1: none.
function characterSize(data, at, end) {
  const first = data[at];
  const size = first < 0x80 ? 1 : first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0
    ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : -1;
  for (let i = at + 1; i < at + size; i += 1) {
    if (i >= end) return 0;
    if ((data[i] & 0xc0) !== 0x80) return -1;
  }
  if (size > 2) {  // Overlong forms and surrogates.
    const second = data[at + 1];
    if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)
        || (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return -1;
  }
  return size;
}

export class Text {
  constructor(root) {
    this.root = root;
    this.clear();
  }

  clear() {
    this.start = 0;  // Bytes before the first one that is here.
    this.size = 0;
    this.data = new Uint8Array(1 << 12);
    this.tenths = new Uint8Array(1 << 12);
    this.length = new Uint8Array(1 << 12);  // Of the context that recurs; 0: none.
    this.distance = new Uint32Array(1 << 12);
    this.generated = new Uint8Array(1 << 12);
    this.shown = 0;  // Bytes that are on the page; the others wait for the rest of a character.
    this.spans = [];  // {node, start, end}
    this.block = null;
    this.root.replaceChildren();
  }

  get end() { return this.start + this.size; }

  // A turn begins: its prompt, then its text.
  begin(prompt) {
    const talk = TALK.exec(decoder.decode(prompt));
    this.flush();
    this.talk = talk ? {before: prompt[0] === 10 ? 7 : 6, after: 12, size: prompt.length} : null;
    this.part = 'prompt';
    this.turnStart = this.size;
    if (talk) this._block('said', t('you'));
    else if (!this.block || this.block.dataset.kind !== 'flow') this._block('flow', '');
  }

  // The model's part begins.
  answer() {
    this.flush();
    this.part = 'text';
    if (this.talk) this._block('answer', t('model'));
  }

  _block(kind, name) {
    this.block = document.createElement('div');
    this.block.className = `block ${kind}`;
    this.block.dataset.kind = kind;
    if (name) {
      const label = document.createElement('span');
      label.className = 'who';
      label.textContent = name;
      this.block.append(label);
    }
    this.body = document.createElement('p');
    this.block.append(this.body);
    this.root.append(this.block);
    this.open = null;
  }

  append(data, tenths, recalled) {
    this._reserve(this.size + data.length);
    this.data.set(data, this.size);
    this.tenths.set(tenths, this.size);
    for (const [place, length, distance] of recalled) {
      this.length[this.size + place] = length;
      this.distance[this.size + place] = distance;
    }
    if (this.part === 'text') this.generated.fill(1, this.size, this.size + data.length);
    this.size += data.length;
    this._show(false);
  }

  // Shows what is left of a character that did not come to its end.
  flush() { this._show(true); }

  _reserve(size) {
    if (size <= this.data.length) return;
    const grown = Math.max(size, 2 * this.data.length);
    for (const name of ['data', 'tenths', 'length', 'distance', 'generated']) {
      const next = new this[name].constructor(grown);
      next.set(this[name]);
      this[name] = next;
    }
  }

  _show(all) {
    while (this.shown < this.size) {
      let size = characterSize(this.data, this.shown, this.size);
      if (size === 0) {
        if (!all) return;
        size = -1;
      }
      this._character(this.shown, Math.max(size, 1), size > 0);
      this.shown += Math.max(size, 1);
    }
  }

  _isTemplate(at) {
    if (!this.talk || this.part !== 'prompt') return false;
    const place = at - this.turnStart;
    return place < this.talk.before || place >= this.talk.size - this.talk.after;
  }

  _character(at, size, valid) {
    if (this._isTemplate(at)) return;
    let tenths = 0, recalled = 0;
    for (let i = at; i < at + size; i += 1) {
      tenths += this.tenths[i];
      recalled = Math.max(recalled, this.length[i]);
    }
    const first = this.data[at];
    const chip = !valid || (first < 32 && first !== 10 && first !== 9) || first === 127;
    const style = `l${level(tenths)}${recalled ? recalled > 10 ? ' r2' : ' r1' : ''}`
      + `${this.part === 'prompt' ? ' given' : ''}${chip ? ' chip' : ''}`;
    const letter = chip ? first.toString(16).padStart(2, '0')
      : decoder.decode(this.data.subarray(at, at + size));
    if (this.open && this.open.style === style && !chip && this.open.end === at) {
      this.open.node.firstChild.appendData(letter);
      this.open.end = at + size;
      return;
    }
    const node = document.createElement('span');
    node.className = style;
    node.append(letter);
    this.body.append(node);
    this.open = {node, start: at, end: at + size, style, chip};
    this.spans.push(this.open);
    node.place = this.spans.length - 1;
  }

  // The byte at a point of the page; -1: none.
  at(x, y) {
    let node, offset;
    if (document.caretPositionFromPoint) {
      const found = document.caretPositionFromPoint(x, y);
      [node, offset] = [found?.offsetNode, found?.offset];
    } else {
      const found = document.caretRangeFromPoint(x, y);
      [node, offset] = [found?.startContainer, found?.startOffset];
    }
    if (node?.nodeType !== Node.TEXT_NODE || node.parentNode.place === undefined) return -1;
    const range = document.createRange();
    range.selectNodeContents(node);
    const near = [...range.getClientRects()].some((box) => x >= box.left - 2 && x <= box.right + 2
      && y >= box.top - 2 && y <= box.bottom + 2);
    if (!near) return -1;
    const span = this.spans[node.parentNode.place];
    if (span.chip) return span.start;
    if (offset > 0) {  // The caret is at the nearest edge: the character may be before it.
      range.setStart(node, Math.max(offset - 1, 0));
      range.setEnd(node, offset);
      const box = range.getBoundingClientRect();
      if (x < box.right && x >= box.left && y <= box.bottom) offset -= 1;
    }
    return span.start + encoder.encode(node.data.slice(0, Math.min(offset, node.length - 1))).length;
  }

  _span(at) {
    let low = 0, high = this.spans.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1, span = this.spans[middle];
      if (at < span.start) high = middle - 1;
      else if (at >= span.end) low = middle + 1;
      else return span;
    }
    return null;
  }

  // Bytes of the character that a byte belongs to: [first, behind the last].
  character(at) {
    const span = this._span(at);
    if (!span || span.chip) return [at, at + 1];
    let first = span.start;
    for (const letter of span.node.firstChild.data) {
      const size = encoder.encode(letter).length;
      if (at < first + size) return [first, first + size];
      first += size;
    }
    return [at, at + 1];
  }

  // A range of the page with the bytes from `from` to before `to`; null: they are not there.
  range(from, to) {
    const first = this._span(from), last = this._span(to - 1);
    if (!first || !last) return null;
    const range = document.createRange();
    const place = (span, bytes) => span.chip ? (bytes > 0 ? span.node.firstChild.length : 0)
      : decoder.decode(encoder.encode(span.node.firstChild.data).subarray(0, bytes)).length;
    range.setStart(first.node.firstChild, place(first, from - first.start));
    range.setEnd(last.node.firstChild, place(last, to - last.start));
    return range;
  }

  letter(at) {
    const [first, end] = this.character(at);
    if (end - first === 1) {
      const byte = this.data[first];
      if (byte === 10) return '↵';
      if (byte === 32) return '␣';
      if (byte === 9) return '⇥';
      if (byte < 32 || byte === 127) return '·';
      if (byte > 127) return '�';
    }
    return decoder.decode(this.data.subarray(first, end));
  }
}
