// The parts that pages are made of.
import { html, useState } from './html.js';
import { missing, signed, percent } from './format.js';

export const Card = ({ title, aside, children, wide }) => html`
  <section class=${`card${wide ? ' wide' : ''}`}>
    ${title && html`<header><h2>${title}</h2>${aside && html`<div class="aside">${aside}</div>`}</header>`}
    ${children}
  </section>`;

/** What was refused, by which request, and what to do. A path that is not there is said as what it is. */
export function Refused({ problem, retry, what }) {
  if (!problem) return null;
  if (problem.status === 404 && /There is nothing at/.test(problem.detail || '')) {
    return html`<${Empty} title="Not in this server" words=${`This server was built without ${what || 'this part'}.`} />`;
  }
  return html`
    <div class="refused" role="alert">
      <strong>${problem.title}</strong>
      <p>${problem.detail || problem.message}</p>
      ${problem.errors?.length > 0 && html`<ul>${problem.errors.slice(0, 10).map((e) => html`<li><code>${e.field}</code> ${e.message}</li>`)}</ul>`}
      ${problem.request_id && html`<p class="quiet">Request <code>${problem.request_id}</code>: the server's log has more.</p>`}
      ${retry && html`<button onClick=${retry}>Try again</button>`}
    </div>`;
}

export const Empty = ({ title, words, children }) => html`
  <div class="empty"><h2>${title}</h2><p>${words}</p>${children}</div>`;

export const Skeleton = ({ height = 240 }) => html`<div class="skeleton" style=${{ height: `${height}px` }} aria-hidden="true"></div>`;

/** Shows an answer: its refusal, its place while it comes, or itself. */
export function Answer({ of, what, height, children }) {
  if (of.problem) return html`<${Refused} problem=${of.problem} retry=${of.reload} what=${what} />`;
  if (!of.data) return html`<${Skeleton} height=${height} />`;
  return children(of.data);
}

/** A number with its change against the previous equal period, a sparkline and how it is computed. */
export function Kpi({ label, value, before, format, how, points }) {
  const change = before ? (value / before - 1) * 100 : null;
  const way = change === null ? '' : change >= 0 ? '▲' : '▼';
  return html`
    <div class="kpi" title=${how}>
      <span class="label">${label}</span>
      <strong>${value === null || value === undefined ? missing : format(Number(value))}</strong>
      <span class="change">${way} ${change === null ? 'no earlier period' : signed(change, percent)}</span>
      ${points?.length > 1 && html`<${Spark} points=${points} />`}
    </div>`;
}

function Spark({ points }) {
  const most = Math.max(...points, 1e-9);
  const path = points.map((y, i) => `${(i / (points.length - 1)) * 100},${24 - (y / most) * 22}`).join(' ');
  return html`<svg class="spark" viewBox="0 0 100 25" preserveAspectRatio="none" aria-hidden="true"><polyline points=${path} /></svg>`;
}

/** Columns are `{head, cell(row), number, bar(row) between 0 and 1}`. */
export function Table({ columns, rows, caption, onRow, empty = 'Nothing yet.' }) {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class="hidden">${caption}</caption>
        <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.number ? 'n' : ''}>${c.head}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`
          <tr>${columns.map((c, i) => html`
            <td class=${c.number ? 'n' : ''}>
              ${c.bar && html`<i class="cellbar" style=${{ width: `${Math.max(0, Math.min(1, c.bar(row))) * 100}%` }}></i>`}
              ${i === 0 && onRow ? html`<button class="link" onClick=${() => onRow(row)}>${c.cell(row)}</button>` : html`<span>${c.cell(row)}</span>`}
            </td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

export const Field = ({ label, hint, children }) => html`
  <label class="field"><span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;

export const Select = ({ label, value, options, onChange }) => html`
  <${Field} label=${label}>
    <select value=${value} onChange=${(e) => onChange(e.target.value)}>
      ${options.map((o) => html`<option value=${o.value ?? o} selected=${(o.value ?? o) === value}>${o.label ?? o}</option>`)}
    </select>
  <//>`;

const MARKS = { completed: '✓', success: '✓', pass: '✓', loaded: '✓', failed: '✕', fail: '✕', refused: '✕', running: '◐', pending: '○', cancelled: '–', skip: '–', warn: '!', disabled: '–', archived: '–' };
/** A state as a mark and a word: never by colour alone. */
export const Status = ({ of }) => html`<span class=${`status ${of}`}><i aria-hidden="true">${MARKS[of] || '•'}</i> ${of}</span>`;

export const Progress = ({ value, words }) => html`
  <div class="progress" aria-live="polite"><progress value=${value} max="1" aria-label=${words || 'progress'}></progress> <span>${Math.round(value * 100)} %</span> ${words && html`<span class="quiet">${words}</span>`}</div>`;

/** Horizontal bars around a zero line: `{label, value, note}`. */
export function Bars({ rows, format, caption }) {
  const most = Math.max(...rows.map((r) => Math.abs(r.value)), 1e-9);
  return html`<div class="bars" role="img" aria-label=${`${caption}: ${rows.map((r) => `${r.label} ${format(r.value)}`).join(', ')}`}>
    ${rows.map((r) => html`<div class="bar"><span title=${r.note}>${r.label}</span>
      <svg viewBox="0 0 100 10" preserveAspectRatio="none"><rect class=${r.value < 0 ? 'down' : 'up'} x="0" y="1" height="8" width=${(Math.abs(r.value) / most) * 100} /></svg>
      <b>${format(r.value)}</b></div>`)}
  </div>`;
}

export function Toggle({ label, children }) {
  const [open, show] = useState(false);
  return html`<div><button class="link" aria-expanded=${open} onClick=${() => show(!open)}>${open ? 'Hide' : 'Show'} ${label}</button>${open && children}</div>`;
}
