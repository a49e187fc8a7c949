// Why a forecast is what it is: contributions from the base to the forecast, reasons, caveats.
import { Fragment, html } from './html.js';
import { useAction } from './state.js';
import { number, signed } from './format.js';
import { Card, Refused, Status } from './parts.js';

/** A card that explains when it is asked to; `ask` gives the explanation. */
export function Explained({ title = 'Why this forecast', label, words, ask, aside }) {
  const [run, state] = useAction(ask);
  return html`<${Card} title=${title} aside=${html`<${Fragment}><button disabled=${state.busy} onClick=${run}>${state.busy ? 'Explaining' : label}</button>${aside}<//>`}>
    <${Refused} problem=${state.problem} what="explanations" />
    ${state.result ? html`<${Explanation} of=${state.result} />` : !state.problem && html`<p class="quiet">${words}</p>`}
  <//>`;
}

const MARKS = { info: 'pass', warn: 'warn' };

function Explanation({ of: e }) {
  return html`<p>${e.agent_summary}</p>
    <${Waterfall} drivers=${e.drivers} forecast=${e.forecast_value} />
    ${e.reason_codes.length > 0 && html`<ul class="plain">${e.reason_codes.map((r) => html`<li><${Status} of=${MARKS[r.severity] || r.severity} word=${r.code.replaceAll('_', ' ')} /> <span class="quiet">${r.detail}</span></li>`)}</ul>`}
    <p class="quiet">Confidence: ${e.confidence}. ${e.caveats.join(' ')}</p>`;
}

/** Each contribution begins where the one before ends; what no driver explains is the base. */
function Waterfall({ drivers, forecast }) {
  const base = forecast - drivers.reduce((sum, d) => sum + d.contribution, 0);
  const steps = [...(Math.abs(base) > 1e-6 * Math.max(1, Math.abs(forecast)) ? [{ name: 'base', contribution: base }] : []), ...drivers];
  let reached = 0;
  const rows = steps.map((d) => {
    const row = { ...d, from: reached, to: reached + d.contribution };
    reached = row.to;
    return row;
  });
  rows.push({ name: 'forecast', from: 0, to: forecast, contribution: forecast, whole: true });
  const low = Math.min(0, ...rows.map((r) => Math.min(r.from, r.to)));
  const high = Math.max(1e-9, ...rows.map((r) => Math.max(r.from, r.to)));
  const place = (value) => ((value - low) / (high - low)) * 100;
  return html`<div class="bars" role="img" aria-label=${`Contributions: ${rows.map((r) => `${r.name} ${number(r.contribution, 1)}`).join(', ')}`}>
    ${rows.map((r) => html`<div class=${r.whole ? 'bar whole' : 'bar'}><span title=${r.description}>${r.name.replaceAll('_', ' ')}</span>
      <svg viewBox="0 0 100 14" preserveAspectRatio="none">
        <line class="zero" x1=${place(0)} x2=${place(0)} y1="0" y2="14" />
        <rect class=${r.whole ? 'all' : r.contribution < 0 ? 'down' : 'up'} x=${place(Math.min(r.from, r.to))} y="2" height="10" width=${Math.max(0.4, Math.abs(place(r.to) - place(r.from)))} />
      </svg>
      <b>${r.whole ? number(r.contribution, 1) : signed(r.contribution, (v) => number(v, 1))}</b></div>`)}
  </div>`;
}
