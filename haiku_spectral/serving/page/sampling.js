// How the next text is sampled: sliders, kept in the browser.

import {number, t} from './strings.js';

export class Sampling {
  constructor(root) {
    this.inputs = [...root.querySelectorAll('input')];
    const kept = JSON.parse(localStorage.getItem('sampling') || '{}');
    for (const input of this.inputs) {
      if (kept[input.name] !== undefined) input.value = kept[input.name];
      input.addEventListener('input', () => this.show());
    }
    this.show();
  }

  show() {
    const kept = {};
    for (const input of this.inputs) {
      kept[input.name] = input.value;
      const output = input.parentNode.querySelector('output');
      const digits = input.step.includes('.') ? input.step.split('.')[1].length : 0;
      if (output) output.textContent = number(Number(input.value), digits);
      else input.placeholder = t('any');
    }
    localStorage.setItem('sampling', JSON.stringify(kept));
  }

  // The fields of a request.
  get values() {
    const found = {};
    for (const {name, value} of this.inputs) {
      if (value !== '' && Number.isFinite(Number(value))) found[name] = Number(value);
    }
    return found;
  }
}
