// Names of stores and products, asked for once and shared by all parts of the page.
import { useEffect, useState } from './html.js';
import { api } from './api.js';

let asked = null;
let known = { stores: [], products: [] };
const listeners = new Set();

/** Asks again: the data have changed. */
export function refreshNames() {
  asked = Promise.all([api.get('/dimensions/stores', { page_size: 100 }), api.get('/dimensions/products', { page_size: 100 })]).then(
    ([{ stores }, { products }]) => { known = { stores, products }; listeners.forEach((tell) => tell(known)); },
    // Without names there are numbers, and the page's own requests tell what is wrong.
    () => { asked = null; },
  );
}

/** `{stores, products}`: the first hundred of each, which is what fits into a menu; the palette finds the others. */
export function useNames() {
  const [names, update] = useState(known);
  useEffect(() => {
    listeners.add(update);
    if (!asked) refreshNames();
    else update(known);
    return () => listeners.delete(update);
  }, []);
  return names;
}

export const storeName = (names, id) => names.stores.find((s) => s.id === id)?.code || `store ${id}`;
export const productName = (names, id) => names.products.find((p) => p.id === id)?.name || `product ${id}`;
