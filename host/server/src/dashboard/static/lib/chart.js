// Series over days, drawn by uPlot: crosshair with one tooltip, drag to zoom, double click to reset, table, CSV, PNG.
import uPlot from '../vendor/uplot.js';
import { html, useEffect, useRef, useState } from './html.js';
import { compact, fromDay, missing, number } from './format.js';

/** Okabe–Ito, one colour per model everywhere. */
const MODELS = {
  naive: '#999999', seasonal_naive: '#0072b2', moving_average: '#56b4e9', croston: '#cc79a7', theta: '#009e73',
  ets: '#e69f00', elastic_net: '#b8860b', lightgbm: '#d55e00', regression: '#7b4fa3',
};
const OTHERS = ['#0072b2', '#009e73', '#cc79a7', '#d55e00', '#56b4e9'];
export function colourOf(model) {
  const sum = [...model].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  return MODELS[model] || OTHERS[sum % OTHERS.length];
}
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * `days`: day numbers; `series`: `{label, values, colour, dash, low, high}` with one value (or null) per day;
 * `rule`: a day to mark; `unit`: what is counted.
 */
export function Chart({ days, series, rule, unit = 'units', height = 280, name = 'chart', small }) {
  const box = useRef();
  const [shown, show] = useState(null);
  const [table, toggle] = useState(false);
  useEffect(() => {
    const plot = draw(box.current, { days, series, rule, height, show });
    const resized = new ResizeObserver(() => plot.setSize({ width: box.current.clientWidth, height }));
    resized.observe(box.current);
    const themed = () => plot.redraw(false);
    addEventListener('theme', themed);
    return () => {
      removeEventListener('theme', themed);
      resized.disconnect();
      plot.destroy();
    };
  }, [days, series, rule, height]);
  return html`
    <figure class="chart">
      <div ref=${box} style=${{ minHeight: `${height}px` }} role="img" aria-label=${`${unit} by day: ${series.map((s) => s.label).join(', ')}. The table has the numbers.`}></div>
      ${!small && html`<figcaption>
        <span class="legend">${series.map((s) => html`<span><i style=${{ background: s.colour || css('--ink') }}></i>${s.label}${shown !== null && html` <b>${s.values[shown] == null ? missing : number(s.values[shown], 1)}</b>`}</span>`)}</span>
        <span class="quiet">${shown === null ? unit : fromDay(days[shown])}</span>
        <span class="tools">
          <button class="link" aria-expanded=${table} onClick=${() => toggle(!table)}>Table</button>
          <button class="link" onClick=${() => navigator.clipboard.writeText(csv(days, series))}>Copy CSV</button>
          <button class="link" onClick=${() => save(box.current, name)}>PNG</button>
        </span>
      </figcaption>`}
      ${table && html`<div class="scroll tall" tabindex="0" role="region" aria-label=${`${name}: numbers`}><table>
        <thead><tr><th scope="col">Day</th>${series.map((s) => html`<th scope="col" class="n">${s.label}</th>`)}</tr></thead>
        <tbody>${days.map((d, i) => html`<tr><td>${fromDay(d)}</td>${series.map((s) => html`<td class="n">${s.values[i] == null ? '' : number(s.values[i], 1)}</td>`)}</tr>`)}</tbody>
      </table></div>`}
    </figure>`;
}

/** Distances of ticks, in seconds: nothing below a day, for there is one value per day. */
const STEPS = [1, 2, 3, 4, 7, 14, 30, 60, 90, 120, 180, 365, 730, 1825].map((d) => d * 86400);

/** Draws into `box`; `show` is told the index under the cursor. */
export function draw(box, { days, series, rule, height, show }) {
  const columns = [days.map((d) => d * 86400)];
  const lines = [{}];
  const bands = [];
  for (const s of series) {
    const stroke = () => s.colour || css('--ink');
    columns.push(s.values);
    lines.push({ label: s.label, stroke, width: 1.75, dash: s.dash, points: { show: days.length < 3 }, spanGaps: true });
    if (!s.low) continue;
    for (const edge of [s.high, s.low]) {
      columns.push(edge);
      lines.push({ label: '', stroke: 'transparent', width: 0, points: { show: false } });
    }
    bands.push({ series: [columns.length - 2, columns.length - 1], fill: () => `color-mix(in srgb, ${stroke()} 20%, transparent)` });
  }
  const axis = { stroke: () => css('--quiet'), grid: { stroke: () => css('--line'), width: 1 }, ticks: { show: false }, font: '12px system-ui' };
  return new uPlot({
    width: Math.max(box.clientWidth, 200), height, series: lines, bands,
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 1) * 1.06 || 1] } },
    axes: [{ ...axis, incrs: STEPS }, { ...axis, size: 52, values: (_, ticks) => ticks.map(compact) }],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'UTC'),
    cursor: { y: false, drag: { x: true, y: false } },
    legend: { show: false },
    hooks: {
      setCursor: [(u) => show(u.cursor.idx ?? null)],
      draw: [(u) => rule && vertical(u, rule * 86400)],
    },
  }, columns, box);
}

/** The forecast origin. */
function vertical(u, at) {
  const x = Math.round(u.valToPos(at, 'x', true));
  u.ctx.save();
  u.ctx.strokeStyle = css('--quiet');
  u.ctx.setLineDash([4, 4]);
  u.ctx.beginPath();
  u.ctx.moveTo(x, u.bbox.top);
  u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
  u.ctx.stroke();
  u.ctx.restore();
}

function csv(days, series) {
  const head = ['day', ...series.map((s) => s.label)].join(',');
  return [head, ...days.map((d, i) => [fromDay(d), ...series.map((s) => s.values[i] ?? '')].join(','))].join('\n');
}

function save(box, name) {
  box.querySelector('canvas').toBlob((blob) => {
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${name}.png` });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}
