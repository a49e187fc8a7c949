// Which models there are: those that are loaded, of whoever made them.
import { useGet } from './state.js';

/** The ones that come with the program, in the order of the documentation; shown until the list is there. */
const BUNDLED = ['seasonal_naive', 'naive', 'moving_average', 'theta', 'ets', 'croston', 'elastic_net', 'lightgbm', 'regression'];

export function useModels() {
  const { data } = useGet('/plugins');
  if (!data) return BUNDLED;
  const loaded = data.plugins.filter((p) => p.state === 'loaded' && p.kind === 'forecast-model').map((p) => p.name);
  return [...BUNDLED.filter((m) => loaded.includes(m)), ...loaded.filter((m) => !BUNDLED.includes(m))];
}
