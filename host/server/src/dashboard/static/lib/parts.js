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
  const change = before && value !== undefined ? (value / before - 1) * 100 : null;
  const way = change === null ? '' : change >= 0 ? '▲' : '▼';
  return html`
    <div class="kpi" title=${how && `${label}: ${how}`}>
      <span class="label">${label}</span>
      <strong>${value === null || value === undefined ? missing : format(Number(value))}</strong>
      <span class="change">${change === null ? 'no earlier period' : html`<i class=${change >= 0 ? 'rise' : 'fall'}>${way} ${signed(change, percent)}</i> against the period before`}</span>
      ${points?.length > 1 && html`<${Spark} points=${points} />`}
    </div>`;
}

function Spark({ points }) {
  const most = Math.max(...points, 1e-9);
  const path = points.map((y, i) => `${(i / (points.length - 1)) * 100},${24 - (y / most) * 22}`).join(' ');
  return html`<svg class="spark" viewBox="0 0 100 25" preserveAspectRatio="none" aria-hidden="true"><polygon points=${`0,25 ${path} 100,25`} /><polyline points=${path} /></svg>`;
}

/** Columns are `{head, cell(row), number, tight: on one line, bar(row) between 0 and 1}`. */
export function Table({ columns, rows, caption, onRow, empty = 'Nothing yet.' }) {
  if (rows.length === 0) return html`<p class="quiet">${empty}</p>`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <caption class="hidden">${caption}</caption>
        <thead><tr>${columns.map((c) => html`<th scope="col" class=${c.number ? 'n' : ''}>${c.head}</th>`)}</tr></thead>
        <tbody>${rows.map((row) => html`
          <tr>${columns.map((c, i) => html`
            <td class=${[c.number && 'n', c.bar && 'barred', c.tight && 'tight'].filter(Boolean).join(' ')}>
              ${c.bar && html`<i class="cellbar" style=${{ width: `${Math.max(0, Math.min(1, c.bar(row))) * 100}%` }}></i>`}
              ${i === 0 && onRow ? html`<button class="link" onClick=${() => onRow(row)}>${c.cell(row)}</button>` : html`<span>${c.cell(row)}</span>`}
            </td>`)}</tr>`)}
        </tbody>
      </table>
    </div>`;
}

export const Field = ({ label, hint, children, inline, wide }) => html`
  <label class=${`field${inline ? ' inline' : ''}${wide ? ' wide' : ''}`}><span>${label}</span>${children}${hint && html`<small>${hint}</small>`}</label>`;

export const Select = ({ label, value, options, onChange, inline }) => html`
  <${Field} label=${label} inline=${inline}>
    <select value=${value} onChange=${(e) => onChange(e.target.value)}>
      ${options.map((o) => html`<option value=${o.value ?? o} selected=${(o.value ?? o) === value}>${o.label ?? o}</option>`)}
    </select>
  <//>`;

const MARKS = { completed: '✓', success: '✓', pass: '✓', loaded: '✓', failed: '✕', fail: '✕', refused: '✕', running: '◐', pending: '○', cancelled: '–', skip: '–', warn: '!', disabled: '–', archived: '–' };
/** A state as a mark and a word: never by colour alone. */
export const Status = ({ of, word }) => html`<span class=${`status ${of}`}><i aria-hidden="true">${MARKS[of] || '•'}</i> ${word || of}</span>`;

export const Progress = ({ value, words }) => html`
  <div class="progress" aria-live="polite"><progress value=${value} max="1" aria-label=${words || 'progress'}></progress> <span>${Math.round(value * 100)} %</span> ${words && html`<span class="quiet">${words}</span>`}</div>`;

export function Toggle({ label, children }) {
  const [open, show] = useState(false);
  return html`<div><button class="link" aria-expanded=${open} onClick=${() => show(!open)}>${open ? 'Hide' : 'Show'} ${label}</button>${open && children}</div>`;
}
