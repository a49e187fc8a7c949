// The one button of an empty server.
import { html } from './html.js';
import { href, useAction } from './state.js';
import { api } from './api.js';
import { refreshNames } from './names.js';
import { Empty, Refused } from './parts.js';

/** Says what a place is for, and fills it with a small chain's synthetic sales. */
export function EmptyServer({ title, words, status }) {
  const [load, state] = useAction(async () => {
    await api.post('/seeder/generate', { scenario: 'demo_minimal', seed: 42 });
    refreshNames();
    status.reload();
  });
  return html`<${Empty} title=${title} words=${words}>
    <p><button class="main" disabled=${state.busy} onClick=${load}>${state.busy ? 'Loading' : 'Load sample data'}</button></p>
    <p class="quiet">Three stores, ten products, a quarter of a year. Or <a href=${href('data')}>load your own</a>; <code>retailcast demo</code> imports real sales of a bakery chain.</p>
    <${Refused} problem=${state.problem} />
  <//>`;
}
