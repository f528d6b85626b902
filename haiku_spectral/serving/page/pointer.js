// What the pointer, or the arrows, point at: a byte, in the text and on the strip.

import {number, t} from './strings.js';

const marks = window.Highlight ? {byte: new Highlight(), source: new Highlight()} : null;
if (marks) {
  CSS.highlights.set('byte', marks.byte);
  CSS.highlights.set('source', marks.source);
}

export class Pointer {
  constructor(text, strip, scroll, tip) {
    Object.assign(this, {text, strip, scroll, tip});
    this.place = -1;
    text.root.addEventListener('pointermove', (event) => {
      this.show(text.at(event.clientX, event.clientY));
    });
    text.root.addEventListener('pointerleave', () => this.show(-1));
    text.root.addEventListener('blur', () => this.show(-1));
    const canvas = strip.canvas;
    const under = (event) => strip.at(event.clientX - canvas.getBoundingClientRect().left);
    canvas.addEventListener('pointermove', (event) => this.show(under(event), event));
    canvas.addEventListener('pointerleave', () => this.show(-1));
    canvas.addEventListener('click', (event) => this.reveal(under(event)));
    scroll.addEventListener('scroll', () => { tip.hidden = true; });
  }

  // Steps to the next character.
  walk(step) {
    const {text} = this;
    if (!text.size) return;
    const from = this.place < 0 ? (step > 0 ? -1 : text.size) : this.place;
    const [first, end] = from >= 0 && from < text.size ? text.character(from) : [from, from + 1];
    let next = step > 0 ? end : first - 1;
    if (next < 0 || next >= text.size) return;
    [next] = text.character(next);
    this.reveal(next);
    this.show(next);
  }

  reveal(place) {
    const range = place < 0 ? null : this.text.range(...this.text.character(place));
    if (!range) return;
    const box = range.getBoundingClientRect(), view = this.scroll.getBoundingClientRect();
    if (box.top < view.top + 40 || box.bottom > view.bottom - 40) {
      this.scroll.scrollTop += box.top - view.top - view.height / 2;
    }
  }

  show(place, event) {
    const {text, strip, tip} = this;
    this.place = place;
    marks?.byte.clear();
    marks?.source.clear();
    strip.mark = place;
    strip.source = -1;
    tip.hidden = place < 0;
    if (place >= 0) this._show(place, event);
    strip.draw();
  }

  _show(place, event) {
    const {text, strip, tip} = this;
    const [first, end] = text.character(place);
    const range = text.range(first, end);
    if (range) marks?.byte.add(range);
    const length = text.length[place], distance = text.distance[place];
    if (length) {
      strip.source = place - distance;
      const source = text.range(Math.max(place - distance - length, 0), place - distance + 1);
      if (source) marks?.source.add(source);
    }
    this._fill(place, first, end, length, distance);
    const box = event ? {left: event.clientX, right: event.clientX, top: 0,
      bottom: strip.canvas.getBoundingClientRect().bottom} : range?.getBoundingClientRect();
    if (!box) { tip.hidden = true; return; }
    const size = tip.getBoundingClientRect();
    const middle = (box.left + box.right) / 2 - size.width / 2;
    tip.style.left = `${Math.min(Math.max(middle, 8), innerWidth - size.width - 8)}px`;
    const above = box.top - size.height - 10;
    tip.style.top = `${!event && above > 8 ? above : box.bottom + 10}px`;
  }

  _fill(place, first, end, length, distance) {
    const {text, tip} = this;
    const line = (kind, value) => {
      const node = document.createElement('div');
      node.className = kind;
      node.textContent = value;
      return node;
    };
    let bits = 0;
    for (let i = first; i < end; i += 1) bits += text.tenths[i] / 10;
    const hex = [...text.data.subarray(first, end)].map((byte) => byte.toString(16).padStart(2, '0'));
    const chance = 2 ** -bits;
    const shown = chance >= 0.0005 ? `${number(100 * chance, chance < 0.1 ? 1 : 0)} %` : '< 0.05 %';
    const head = line('head', '');
    head.append(line('letter', text.letter(place)), line('hex', hex.join(' ')),
      line('kind', t(text.generated[place] ? 'tip_text' : 'tip_prompt')));
    tip.replaceChildren(head, line('bits', `${t('tip_bits', number(bits, 1))} · `
      + t('tip_chance', shown)));
    if (length) tip.append(line('recalled', t('tip_recalled', number(length), number(distance))));
  }
}
