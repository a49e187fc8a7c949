// The plot, drawn by uPlot: bands, marks behind it, names at the ends of lines, crosshair, zoom.
import uPlot from '../../vendor/uplot.js';
import { compact } from '../format.js';
import { paint } from './colours.js';

export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const DAY = 86400;
/** Distances of ticks, in days: nothing below a day, for there is one value per day. */
const DAYS = [1, 2, 3, 4, 7, 14, 28, 61, 92, 183, 365, 730, 1825];
/** Room for names at the right. */
const NAMES = 116;

/** Draws into `box`; `show` is told `{index, left, width}` of the cursor, or null. */
export function draw(box, { days, series, rule, marks, height, labels, steps, show }) {
  const scale = steps ? 1 : DAY;
  const columns = [days.map((d) => d * scale)];
  const lines = [{}];
  const bands = [];
  for (const s of series) {
    const stroke = () => (s.colour ? paint(s.colour) : css('--ink'));
    // The bands lie behind the line; where they overlap they are twice as dense.
    for (const { low, high } of s.bands || []) {
      for (const edge of [high, low]) {
        columns.push(edge);
        lines.push({ stroke: 'transparent', width: 0, points: { show: false } });
      }
      bands.push({ series: [columns.length - 2, columns.length - 1], fill: () => `color-mix(in srgb, ${stroke()} ${css('--band')}, transparent)` });
    }
    columns.push(s.values);
    lines.push({ label: s.label, stroke, width: s.thin ? 1 : 1.75, dash: s.dash, points: { show: days.length < 3 }, spanGaps: true });
  }
  const axis = { stroke: () => css('--quiet'), grid: { stroke: () => css('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui', gap: 6 };
  const plot = new uPlot({
    width: Math.max(box.clientWidth, 160), height, series: lines, bands,
    padding: [10, labels ? NAMES : 20, 0, 0],
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.06 || 1] } },
    axes: [
      { ...axis, size: 30, space: 64, incrs: steps ? DAYS : DAYS.map((d) => d * DAY), values: (_, at) => (steps ? at : dates(at)), ...(steps ? {} : { splits: (u, _, from, to, apart) => ticks(from, to, apart) }) },
      { ...axis, size: 48, space: 34, values: (_, at) => at.map(compact) },
    ],
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 6 } },
    legend: { show: false },
    hooks: {
      setCursor: [(u) => show(u.cursor.idx == null || u.cursor.left < 0 ? null : { index: u.cursor.idx, left: u.cursor.left + u.over.offsetLeft, width: u.width })],
      drawClear: [(u) => marks && shade(u, marks)],
      draw: [(u) => rule && vertical(u, rule * scale), (u) => labels && names(u, series, lines)],
      ready: [(u) => u.over.addEventListener('wheel', (event) => wheel(u, event), { passive: false })],
    },
  }, columns, box);
  return plot;
}

/** Days that are so far apart, from about a month on the first days of months. */
function ticks(from, to, apart) {
  const days = apart / DAY;
  if (days < 28) return Array.from({ length: Math.floor(to / apart) - Math.ceil(from / apart) + 1 }, (_, i) => (Math.ceil(from / apart) + i) * apart);
  const months = Math.round(days / 30.4);
  const first = new Date(from * 1000);
  const at = (i) => Date.UTC(first.getUTCFullYear(), i * months) / 1000;
  const all = [];
  for (let i = Math.floor(first.getUTCMonth() / months); at(i) <= to; i += 1) if (at(i) >= from) all.push(at(i));
  return all;
}

/** Days as people write them: the year where it begins, the month or the day otherwise. */
function dates(places) {
  const apart = places.length > 1 ? (places[1] - places[0]) / DAY : 1;
  let year = null;
  return places.map((tick) => {
    const date = new Date(tick * 1000);
    const part = (options) => date.toLocaleDateString('en-GB', { timeZone: 'UTC', ...options });
    const now = date.getUTCFullYear();
    const named = apart >= 300 ? String(now) : part(apart >= 28 ? { month: 'short' } : { day: 'numeric', month: 'short' });
    const text = apart < 300 && year !== null && year !== now ? `${named} ${now}` : named;
    year = now;
    return text;
  });
}

/** Holidays and promotions, behind everything: bands of a day's width. */
function shade(u, { holidays = [], promotions = [] }) {
  const width = Math.max(2, u.valToPos(DAY, 'x', true) - u.valToPos(0, 'x', true));
  const fill = (list, colour) => {
    u.ctx.fillStyle = colour;
    for (const day of list) {
      const x = u.valToPos(day * DAY, 'x', true) - width / 2;
      if (x + width < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
      u.ctx.fillRect(x, u.bbox.top, width, u.bbox.height);
    }
  };
  u.ctx.save();
  u.ctx.beginPath();
  u.ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
  u.ctx.clip();
  fill(promotions, css('--promotion'));
  fill(holidays, css('--holiday'));
  u.ctx.restore();
}

/** The forecast origin. */
function vertical(u, at) {
  const x = Math.round(u.valToPos(at, 'x', true));
  if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) return;
  u.ctx.save();
  u.ctx.strokeStyle = css('--quiet');
  u.ctx.lineWidth = uPlot.pxRatio;
  u.ctx.setLineDash([4 * uPlot.pxRatio, 4 * uPlot.pxRatio]);
  u.ctx.beginPath();
  u.ctx.moveTo(x, u.bbox.top);
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
  u.ctx.restore();
}

/** The name of each line at its end; names that would lie on each other move apart. */
function names(u, series, lines) {
  const ratio = uPlot.pxRatio;
  const ends = series.map((s) => {
    const last = s.values.findLastIndex((v) => v !== null && v !== undefined);
    const index = lines.findIndex((line) => line.label === s.label);
    if (last < 0 || index < 0) return null;
    return { text: s.label, colour: s.colour ? paint(s.colour) : css('--ink'), x: u.valToPos(u.data[0][last], 'x', true), y: u.valToPos(s.values[last], 'y', true), last };
  }).filter(Boolean).sort((a, b) => a.y - b.y);
  u.ctx.save();
  u.ctx.font = `${12 * ratio}px system-ui`;
  u.ctx.textBaseline = 'middle';
  const right = u.bbox.left + u.bbox.width;
  let above = -Infinity;
  for (const end of ends) {
    // A line that ends before the plot does has its name above its end.
    const inside = end.x < right - 4 * ratio;
    const y = inside ? u.bbox.top + 8 * ratio : Math.max(end.y, above + 15 * ratio);
    if (!inside) above = y;
    u.ctx.fillStyle = end.colour;
    u.ctx.textAlign = inside ? 'right' : 'left';
    u.ctx.fillText(end.text, inside ? end.x - 6 * ratio : right + 7 * ratio, y);
  }
  u.ctx.restore();
}

/** Nearer or farther, around the cursor. When everything is shown already, scrolling down scrolls the page. */
function wheel(u, event) {
  const all = [u.data[0][0], u.data[0].at(-1)];
  const { min, max } = u.scales.x;
  const out = event.deltaY > 0;
  if (out && min <= all[0] && max >= all[1]) return;
  event.preventDefault();
  const factor = out ? 1.25 : 0.8;
  const at = u.posToVal(event.clientX - u.over.getBoundingClientRect().left, 'x');
  const least = Math.min(all[1] - all[0], 5 * (u.data[0][1] - u.data[0][0]));
  const width = Math.min(all[1] - all[0], Math.max(least, (max - min) * factor));
  const from = Math.max(all[0], Math.min(all[1] - width, at - ((at - min) / (max - min)) * width));
  u.setScale('x', { min: from, max: from + width });
}
