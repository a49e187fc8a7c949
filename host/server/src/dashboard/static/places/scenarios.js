// What if: assumptions on price, promotion, holidays and stock, baseline against scenario, saved plans and their ranking.
import { html, useEffect, useMemo, useState } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { addDays, number, percent, signed, time, toDay, units } from '../lib/format.js';
import { useModels } from '../lib/models.js';
import { Answer, Card, Empty, Field, Refused, Select, Status, Table } from '../lib/parts.js';
import { Chart } from '../lib/chart.js';
import { EmptyServer } from '../lib/sample.js';
import { productName, storeName, useNames } from '../lib/names.js';

export default function Scenarios({ context, params, status }) {
  if (status.data && !status.data.date_range_end) {
    return html`<${EmptyServer} status=${status} title="Nothing to plan with yet" words="This place asks what another price, a promotion, a holiday or the stock would do to a forecast, and keeps and ranks the plans." />`;
  }
  return html`<${Planning} context=${context} params=${params} />`;
}

function Planning({ context, params }) {
  const [result, show] = useState(null);
  const plans = useGet('/scenarios', { limit: 50 });
  return html`<div class="grid">
    <${Assumptions} context=${context} params=${params} shown=${show} saved=${plans.reload} />
    ${result ? html`<${Outcome} result=${result} />` : html`<${Card} title="Baseline against scenario"><${Empty} title="Nothing simulated yet" words="Pick a store and a product, set what would be different, and simulate." /><//>`}
    <${Card} wide title="Saved plans"><${Answer} of=${plans} what="scenarios">${(data) => html`<${Plans} plans=${data.scenarios} params=${params} show=${show} reload=${plans.reload} />`}<//><//>
  </div>`;
}

/** The address holds the assumptions, so that a link shows the same scenario. */
function assumptionsOf({ price, promo, kind, holidays, stock }, first, last) {
  const days = (holidays || '').split(/[\s,]+/).filter(Boolean);
  return {
    price: Number(price) ? { change_pct: Number(price) / 100, start_date: first, end_date: last } : null,
    promotion: promo ? { kind: kind || 'pct_off', start_date: promo, end_date: last } : null,
    holiday: days.length > 0 ? { dates: days } : null,
    inventory: stock ? { on_hand_units: Number(stock) } : null,
  };
}

function Assumptions({ context, params, shown, saved }) {
  const { store, product, from, to } = context;
  const models = useModels();
  const model = params.model || 'seasonal_naive';
  const horizon = Number(params.horizon) || 28;
  const [first, last] = to ? [addDays(to, 1), addDays(to, horizon)] : [];
  const [price, slide] = useState(params.price || 0);
  useEffect(() => slide(params.price || 0), [params.price]);
  const baseline = async () => {
    const job = await api.post('/forecasting/train', { store_id: Number(store), product_id: Number(product), train_start_date: from, train_end_date: to, config: { model_type: model } });
    return job.model_path.match(/model_([^./]+)\.[^.]+$/)[1];
  };
  const body = async () => ({ run_id: await baseline(), horizon, assumptions: assumptionsOf(params, first, last) });
  const [simulate, state] = useAction(async () => shown(await api.post('/scenarios/simulate', await body())));
  const [save, saving] = useAction(async (event) => {
    event.preventDefault();
    const plan = await api.post('/scenarios', { ...(await body()), name: event.target.elements.name.value });
    shown(plan.comparison);
    saved();
  });
  const field = (name, label, attributes, wide) => html`<${Field} label=${label} wide=${wide}><input ...${attributes} value=${params[name] || ''} onChange=${(e) => set({ [name]: e.target.value })} /><//>`;
  const ready = store && product && to;
  return html`<${Card} title="What would be different">
    <div class="form">
      <div class="row">
        <${Select} label="Model" value=${model} options=${models} onChange=${(m) => set({ model: m })} />
        ${field('horizon', 'Days ahead', { type: 'number', min: 1, max: 90, placeholder: 28 })}
      </div>
      <${Field} label=${html`Price <b>${signed(price, (v) => percent(v, 0))}</b>`}>
        <input type="range" min="-50" max="50" step="1" value=${price} onInput=${(e) => slide(e.target.value)} onChange=${(e) => set({ price: e.target.value })} />
      <//>
      <div class="row">
        ${field('promo', 'Promotion from', { type: 'date', min: first, max: last })}
        <${Select} label="Mechanic" value=${params.kind || 'pct_off'} options=${['pct_off', 'bogo', 'bundle', 'markdown']} onChange=${(kind) => set({ kind })} />
      </div>
      <div class="row">
        ${field('holidays', 'Holidays, days with commas', { placeholder: first, pattern: '[0-9, \\-]*' }, true)}
        ${field('stock', 'Units on hand', { type: 'number', min: 0, placeholder: 'unknown' })}
      </div>
      <div class="row"><button class="main" disabled=${!ready || state.busy} onClick=${simulate}>${state.busy ? 'Simulating' : 'Simulate'}</button></div>
      <form class="row ruled" onSubmit=${save}><${Field} label="Name of the plan"><input name="name" required maxlength="200" /><//><button disabled=${!ready || saving.busy}>Simulate and save</button></form>
    </div>
    ${!ready && html`<p class="quiet">Pick a store and a product above.</p>`}
    <${Refused} problem=${state.problem || saving.problem} what="scenarios" />
  <//>`;
}

const VERDICTS = { covered: 'pass', at_risk: 'warn', stockout: 'fail' };

function Outcome({ result }) {
  const days = useMemo(() => result.points.map((p) => toDay(p.date)), [result]);
  const series = useMemo(() => [
    { label: 'baseline', dash: [5, 4], values: result.points.map((p) => p.baseline) },
    { label: 'scenario', colour: '#e69f00', values: result.points.map((p) => p.scenario) },
  ], [result]);
  const whole = (value) => number(value, 0);
  const fact = (label, value, note) => html`<div><span class="quiet">${label}</span><strong>${value}</strong><span class="quiet">${note}</span></div>`;
  return html`<${Card} title="Baseline against scenario">
    <div class="facts">
      ${fact('Units', signed(result.units_delta, whole), `${signed(result.units_delta_pct, percent)}, ${whole(result.baseline_total_units)} without`)}
      ${fact('Revenue', signed(result.revenue_delta, whole), `${whole(result.baseline_revenue)} without, at ${number(result.unit_price_used)} a unit`)}
      <div><span class="quiet">Stock</span><strong><${Status} of=${VERDICTS[result.coverage_verdict] || 'pending'} word=${result.coverage_verdict.replace('_', ' ')} /></strong><span class="quiet">${result.coverage_verdict === 'unknown' ? 'say how many units are on hand' : 'for the whole horizon'}</span></div>
    </div>
    <${Chart} days=${days} series=${series} height=${280} labels title="Units per day" name="scenario" />
    <p class="quiet">${result.model_type}, ${result.method}. ${result.disclaimer}</p>
  <//>`;
}

function Plans({ plans, params, show, reload }) {
  const names = useNames();
  const chosen = (params.plans || '').split(',').filter(Boolean);
  const [compare, state] = useAction(() => api.post('/scenarios/compare', { scenario_ids: chosen }));
  const [open, opening] = useAction(async (plan) => show((await api.get(`/scenarios/${plan.scenario_id}`)).comparison));
  const [remove, removing] = useAction(async (plan) => {
    await api.delete(`/scenarios/${plan.scenario_id}`);
    set({ plans: chosen.filter((id) => id !== plan.scenario_id).join(',') || null });
    reload();
  });
  const toggle = (id) => set({ plans: (chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id].slice(-5)).join(',') || null });
  return html`<${Table} caption="Plans" rows=${plans} empty="Saved plans stand here; two to five of them can be ranked." onRow=${open} columns=${[
    { head: 'Plan', cell: (p) => p.name }, { head: 'Series', cell: (p) => `${productName(names, p.product_id)}, ${storeName(names, p.store_id)}` },
    { head: 'Days', number: true, cell: (p) => p.horizon }, { head: 'Units', number: true, cell: (p) => signed(p.units_delta) },
    { head: 'Revenue', number: true, cell: (p) => signed(p.revenue_delta) }, { head: 'Saved', cell: (p) => time(p.created_at) },
    { head: 'Rank', cell: (p) => html`<input type="checkbox" aria-label=${`Rank ${p.name}`} checked=${chosen.includes(p.scenario_id)} onChange=${() => toggle(p.scenario_id)} />` },
    { head: 'Delete', cell: (p) => html`<button class="link" aria-label=${`Delete ${p.name}`} onClick=${() => remove(p)}>Delete</button>` }]} />
    ${plans.length > 1 && html`<p><button disabled=${chosen.length < 2 || state.busy} onClick=${compare}>Rank the chosen ones</button></p>`}
    <${Refused} problem=${state.problem || opening.problem || removing.problem} />
    ${state.result && html`<${Table} caption="Ranking" rows=${state.result.scenarios} columns=${[
      { head: 'Rank', cell: (r) => r.rank }, { head: 'Plan', cell: (r) => r.name }, { head: 'Units', number: true, cell: (r) => signed(r.units_delta, units) },
      { head: 'Revenue', number: true, cell: (r) => signed(r.revenue_delta) }, { head: 'Stock', cell: (r) => r.coverage_verdict }]} />`}`;
}
