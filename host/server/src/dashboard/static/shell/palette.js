// The keyboard: the command palette (Ctrl/⌘ K) goes to a place or picks a store or a product; g and a letter go to a place.
import { html, useEffect, useRef, useState } from '../lib/html.js';
import { href, set, useGet } from '../lib/state.js';
import { PLACES } from './rail.js';

export function Palette() {
  const dialog = useRef();
  const [text, type] = useState('');
  const [chosen, choose] = useState(0);
  const asked = useSettled(text, 150);
  const search = asked.length > 1 ? asked : null;
  const stores = useGet(search && '/dimensions/stores', { search, page_size: 5 });
  const products = useGet(search && '/dimensions/products', { search, page_size: 8 });
  useEffect(() => {
    const open = () => !dialog.current.open && dialog.current.showModal();
    let leader = false;
    const key = (e) => {
      if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === 'k') {
        e.preventDefault();
        return open();
      }
      // For a moment after it has closed, the palette's field still has the focus.
      const typing = dialog.current.open || (e.target.closest?.('input, textarea, select') && !dialog.current.contains(e.target));
      if (e.ctrlKey || e.metaKey || e.altKey || typing) return undefined;
      const place = leader && PLACES.find((p) => p.key === e.key);
      leader = e.key === 'g';
      if (place) location.hash = href(place.id);
      return undefined;
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
    choose(0);
    action();
  };
  const fits = (name) => name.toLowerCase().includes(text.toLowerCase());
  const found = [
    ...PLACES.filter((p) => fits(p.name)).map((p) => ({ name: p.name, kind: 'Place', run: () => { location.hash = href(p.id); } })),
    ...(search && stores.data ? stores.data.stores : []).map((s) => ({ name: `${s.code} ${s.name}`, kind: 'Store', run: () => set({ store: s.id }) })),
    ...(search && products.data ? products.data.products : []).map((p) => ({ name: `${p.sku} ${p.name}`, kind: 'Product', run: () => set({ product: p.id }) })),
  ];
  const at = Math.min(chosen, found.length - 1);
  const move = (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    e.preventDefault();
    choose((at + step + found.length) % Math.max(1, found.length));
  };
  return html`
    <dialog class="palette" ref=${dialog} aria-label="Go to a place or pick a series">
      <form onSubmit=${(e) => { e.preventDefault(); if (found[at]) go(found[at].run); }}>
        <input type="search" aria-label="Place, store or product" placeholder="Place, store or product" value=${text} onKeyDown=${move} onInput=${(e) => { type(e.target.value); choose(0); }} />
      </form>
      <ul>${found.map((f, i) => html`<li><button type="button" class=${i === at ? 'chosen' : ''} onClick=${() => go(f.run)}>${f.name}<small>${f.kind}</small></button></li>`)}</ul>
      <p class="quiet"><kbd>↑</kbd> <kbd>↓</kbd> choose, <kbd>Enter</kbd> goes there, <kbd>Esc</kbd> closes. Without the palette: <kbd>g</kbd> and <kbd>f</kbd> go to Forecast.</p>
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
