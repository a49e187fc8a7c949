// The command palette: go to a place, pick a store or a product. Ctrl/⌘ K.
import { html, useEffect, useRef, useState } from '../lib/html.js';
import { href, set, useGet } from '../lib/state.js';
import { PLACES } from './rail.js';

export function Palette() {
  const dialog = useRef();
  const [text, type] = useState('');
  const asked = useSettled(text, 150);
  const search = asked.length > 1 ? asked : null;
  const stores = useGet(search && '/dimensions/stores', { search, page_size: 5 });
  const products = useGet(search && '/dimensions/products', { search, page_size: 8 });
  useEffect(() => {
    const open = () => !dialog.current.open && dialog.current.showModal();
    const key = (e) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault();
        open();
      }
    };
    addEventListener('palette', open);
    addEventListener('keydown', key);
    return () => {
      removeEventListener('palette', open);
      removeEventListener('keydown', key);
    };
  }, []);
  const go = (action) => {
    dialog.current.close();
    type('');
    action();
  };
  const fits = (name) => name.toLowerCase().includes(text.toLowerCase());
  const found = [
    ...PLACES.filter((p) => fits(p.name)).map((p) => ({ name: p.name, kind: 'Place', run: () => { location.hash = href(p.id); } })),
    ...(search && stores.data ? stores.data.stores : []).map((s) => ({ name: `${s.code} ${s.name}`, kind: 'Store', run: () => set({ store: s.id }) })),
    ...(search && products.data ? products.data.products : []).map((p) => ({ name: `${p.sku} ${p.name}`, kind: 'Product', run: () => set({ product: p.id }) })),
  ];
  return html`
    <dialog class="palette" ref=${dialog} aria-label="Go to a place or pick a series">
      <form onSubmit=${(e) => { e.preventDefault(); if (found[0]) go(found[0].run); }}>
        <input type="search" aria-label="Place, store or product" placeholder="Place, store or product" value=${text} onInput=${(e) => type(e.target.value)} />
      </form>
      <ul>${found.map((f) => html`<li><button type="button" onClick=${() => go(f.run)}>${f.name}<small>${f.kind}</small></button></li>`)}</ul>
    </dialog>`;
}

/** A value that has not changed for a while: no request per key. */
export function useSettled(value, wait) {
  const [settled, settle] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => settle(value), wait);
    return () => clearTimeout(timer);
  }, [value, wait]);
  return settled;
}
