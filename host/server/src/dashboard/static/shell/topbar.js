// The context that all places share: store, product, days. And the theme.
import { html } from '../lib/html.js';
import { set } from '../lib/state.js';
import { useNames } from '../lib/names.js';

export function TopBar({ context }) {
  const names = useNames();
  const pick = (name, all, items, label) => html`
    <select aria-label=${name} value=${context[name] || ''} onChange=${(e) => set({ [name]: e.target.value || null })}>
      <option value="">${all}</option>
      ${items.map((item) => html`<option value=${item.id} selected=${String(item.id) === context[name]}>${label(item)}</option>`)}
    </select>`;
  const day = (name, label) => html`
    <input type="date" aria-label=${label} value=${context[name] || ''} onChange=${(e) => set({ [name]: e.target.value })} />`;
  return html`
    <header class="topbar">
      ${pick('store', 'All stores', withCurrent(names.stores, context.store), (s) => s.code || `Store ${s.id}`)}
      ${pick('product', 'All products', withCurrent(names.products, context.product), (p) => p.name || p.sku || `Product ${p.id}`)}
      <span class="days">${day('from', 'First day')}<span aria-hidden="true">–</span>${day('to', 'Last day')}</span>
      <button class="find" onClick=${() => dispatchEvent(new Event('palette'))}>Search <kbd>Ctrl K</kbd></button>
      <button class="icon" aria-label="Switch between light and dark" onClick=${switchTheme}>◐</button>
    </header>`;
}

/** A picked one that the first page does not list still shows. */
function withCurrent(items = [], id) {
  return !id || items.some((item) => String(item.id) === id) ? items : [{ id }, ...items];
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('theme', root.dataset.theme);
  dispatchEvent(new Event('theme'));
}
