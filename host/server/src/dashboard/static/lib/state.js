// State that can be linked: `#/place?store=1&product=2&from=…`. Everything that a view shows is read from here.
import { useCallback, useEffect, useState } from './html.js';
import { api, search } from './api.js';

/** What all places share; it stays when one goes to another place. */
const SHARED = ['store', 'product', 'from', 'to'];

function read() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { place: path || 'overview', params: Object.fromEntries(new URLSearchParams(query)) };
}

export function href(place, params = {}) {
  const { params: now } = read();
  const shared = Object.fromEntries(SHARED.filter((key) => now[key]).map((key) => [key, now[key]]));
  return `#/${place}${search({ ...shared, ...params })}`;
}

/** Changes members of the present address; null removes one. */
export function set(changes) {
  const { place, params } = read();
  location.hash = `/${place}${search({ ...params, ...changes })}`;
}

export function useAddress() {
  const [address, update] = useState(read);
  useEffect(() => {
    const changed = () => update(read());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return address;
}

/** `{data, problem, loading, reload}` of a request; the last answer stays until the next has come. */
export function useGet(path, query) {
  const [state, update] = useState({ loading: true });
  const [round, again] = useState(0);
  const key = path && path + search(query);
  useEffect(() => {
    if (!key) return undefined;
    const abort = new AbortController();
    update((before) => ({ ...before, loading: true }));
    api.get(key, {}, abort.signal).then(
      (data) => update({ data, loading: false }),
      (problem) => problem.name !== 'AbortError' && update({ problem, loading: false }),
    );
    return () => abort.abort();
  }, [key, round]);
  const reload = useCallback(() => again((n) => n + 1), []);
  return { ...state, reload };
}

/** An action with its state: `[run, {busy, problem, result}]`. */
export function useAction(action) {
  const [state, update] = useState({ busy: false });
  const run = async (...args) => {
    update({ busy: true });
    try {
      const result = await action(...args);
      update({ busy: false, result });
      return result;
    } catch (problem) {
      update({ busy: false, problem });
      return undefined;
    }
  };
  return [run, state];
}
