// Okabe–Ito, one colour per model everywhere; on a dark ground a little lighter.
const MODELS = {
  naive: '#999999', seasonal_naive: '#0072b2', moving_average: '#56b4e9', croston: '#cc79a7', theta: '#009e73',
  ets: '#e69f00', elastic_net: '#b8860b', lightgbm: '#d55e00', regression: '#7b4fa3',
};
const OTHERS = ['#0072b2', '#009e73', '#cc79a7', '#d55e00', '#56b4e9'];

const lift = () => getComputedStyle(document.documentElement).getPropertyValue('--lift').trim();
/** A colour as CSS has it. */
export const swatch = (colour) => (colour ? `color-mix(in srgb, ${colour}, white var(--lift))` : 'var(--ink)');
/** The same for a canvas, which knows no variables. */
export const paint = (colour) => `color-mix(in srgb, ${colour}, white ${lift()})`;

export function colourOf(model) {
  const sum = [...model].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return MODELS[model] || OTHERS[sum % OTHERS.length];
}
