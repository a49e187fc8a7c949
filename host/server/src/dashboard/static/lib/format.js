// Numbers and days for people.
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const DAY = 86400000;

export const missing = '–';
const known = (value) => value !== null && value !== undefined && Number.isFinite(Number(value));
export const units = (value) => (known(value) ? whole.format(value) : missing);
export const compact = (value) => (known(value) ? short.format(value) : missing);
export const number = (value, digits = 2) =>
  known(value) ? Number(value).toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits }) : missing;
export const percent = (value, digits = 1) => (known(value) ? `${number(value, digits)} %` : missing);
export const signed = (value, format = units) => (known(value) ? `${Number(value) > 0 ? '+' : ''}${format(value)}` : missing);
export const ms = (value) => (known(value) ? (value < 1000 ? `${number(value, value < 10 ? 1 : 0)} ms` : `${number(value / 1000, 1)} s`) : missing);
export const time = (text) => (text ? new Date(text).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' }) : missing);

export const toDay = (text) => Date.parse(`${text}T00:00:00Z`) / DAY;
export const fromDay = (day) => new Date(day * DAY).toISOString().slice(0, 10);
export const weekday = (day) => new Date(day * DAY).toLocaleDateString('en-GB', { weekday: 'short', timeZone: 'UTC' });
export const addDays = (text, days) => fromDay(toDay(text) + days);
export const daysBetween = (from, to) => toDay(to) - toDay(from);
export const shortId = (id) => (id ? id.slice(0, 8) : missing);

/** A value that came from JSON, on one line. */
export const plain = (value) => (value === null || value === undefined ? missing : typeof value === 'object' ? JSON.stringify(value) : String(value));
