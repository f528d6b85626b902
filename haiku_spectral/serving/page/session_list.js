// The sessions of the server, and what can be done with each.

import * as api from './api.js';
import {ago, size, t} from './strings.js';

const ICON = (name) => {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('class', 'icon');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
};

export class SessionList {
  constructor(root, {open, changed, failed}) {
    this.root = root;
    this.found = [];
    this.selected = null;
    this.doomed = null;  // The one whose end has to be confirmed.
    Object.assign(this, {open, changed, failed});
  }

  has(id) { return this.found.some((each) => each.id === id); }

  beside(id, step) {
    const at = this.found.findIndex((each) => each.id === id);
    return this.found[Math.min(Math.max(at + step, 0), this.found.length - 1)]?.id;
  }

  async refresh() {
    this.found = (await api.get('/v1/sessions')).data;
    this.show();
  }

  select(id) {
    this.selected = id;
    this.show();
  }

  show() {
    this.root.replaceChildren(...this.found.map((each) => this._item(each)));
  }

  _item(session) {
    const item = document.createElement('li');
    item.className = session.id === this.selected ? 'selected' : '';
    const button = document.createElement('button');
    button.className = 'session';
    const title = document.createElement('span'), facts = document.createElement('small');
    title.textContent = session.title || t('untitled');
    facts.textContent = `${size(session.size)} · ${ago(session.updated)}`;
    button.append(title, facts);
    if (session.id === this.selected) button.setAttribute('aria-current', 'true');
    button.onclick = () => this._try(() => this.open(session.id));
    item.append(button, this.doomed === session.id ? this._confirm(session) : this._acts(session));
    return item;
  }

  _acts(session) {
    const acts = document.createElement('span');
    acts.className = 'acts';
    acts.append(
      this._act('fork', 'fork', async () => {
        const made = await api.post(`/v1/sessions/${session.id}/fork`, {});
        await this.refresh();
        await this.open(made.id);
      }),
      this._act('save', 'save', () => api.download(
        `/v1/sessions/${session.id}/state`, `${session.id}.session`)),
      this._act('trash', 'remove', () => { this.doomed = session.id; this.show(); }));
    return acts;
  }

  _confirm(session) {
    const acts = document.createElement('span');
    acts.className = 'acts sure';
    const yes = document.createElement('button'), no = document.createElement('button');
    yes.textContent = t('yes');
    yes.className = 'danger';
    no.textContent = t('no');
    yes.onclick = () => this._try(async () => {
      await api.remove(`/v1/sessions/${session.id}`);
      this.doomed = null;
      await this.refresh();
      this.changed(session.id);
    });
    no.onclick = () => { this.doomed = null; this.show(); };
    acts.append(yes, no);
    return acts;
  }

  _act(icon, label, run) {
    const button = document.createElement('button');
    button.className = 'quiet square';
    button.title = t(label);
    button.setAttribute('aria-label', t(label));
    button.append(ICON(icon));
    button.onclick = () => this._try(run);
    return button;
  }

  async _try(run) {
    try {
      await run();
    } catch (error) {
      this.failed(error);
    }
  }
}
