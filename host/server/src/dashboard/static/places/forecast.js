// One series: history, forecasts of several models with intervals, backtest, explanation.
import { html, useEffect, useMemo, useState } from '../lib/html.js';
import { href, set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { addDays, fromDay, number, toDay } from '../lib/format.js';
import { Answer, Bars, Card, Empty, Field, Refused } from '../lib/parts.js';
import { Chart, colourOf } from '../lib/chart.js';
import { useModels } from '../lib/models.js';
import { Backtest } from './forecast/backtest.js';

export default function Forecast({ context, params, status }) {
  if (status.data && !status.data.date_range_end) {
    return html`<${Empty} title="No history yet" words="A forecast needs daily sales of a store and a product."><a href=${href('data')}>Load data</a><//>`;
  }
  if (!context.store || !context.product) return html`<${Pick} context=${context} />`;
  return html`<${Series} context=${context} params=${params} />`;
}

/** The series that sell most are the ones to begin with. */
function Pick({ context }) {
  const query = { start_date: context.from, end_date: context.to, max_items: 8 };
  const stores = useGet('/analytics/drilldowns', { ...query, dimension: 'store' });
  const products = useGet('/analytics/drilldowns', { ...query, dimension: 'product', store_id: context.store });
  const choice = (answer, name) => html`<${Answer} of=${answer} height=${60}>${(data) => html`<div class="chips">${data.items.map((i) => html`
    <button aria-pressed=${String(i.dimension_id) === context[name]} onClick=${() => set({ [name]: i.dimension_id })}>${i.dimension_value}</button>`)}</div>`}<//>`;
  return html`<${Card} title="Which series?">
    <p class="quiet">Pick a store and a product here, above, or with Ctrl K.</p>
    <h2>Stores</h2>${choice(stores, 'store')}
    <h2>Products</h2>${choice(products, 'product')}
  <//>`;
}

function Series({ context, params }) {
  const { store, product, from, to } = context;
  const models = useModels();
  const chosen = (params.models || 'seasonal_naive').split(',').filter(Boolean);
  const horizon = Math.max(1, Math.min(90, Number(params.horizon) || 28));
  const history = useGet('/analytics/timeseries', { start_date: from, end_date: to, granularity: 'day', store_id: store, product_id: product });
  const [forecasts, fill] = useState({});
  const [problems, refuse] = useState({});
  const key = [store, product, from, to, horizon].join('|');
  useEffect(() => { fill({}); refuse({}); }, [key]);
  useEffect(() => {
    let gone = false;
    (async () => {
      // One after the other: the server keeps threads for others.
      for (const model of chosen) {
        if (gone || forecasts[model]?.key === key || problems[model]?.key === key) continue;
        try {
          const points = await forecast(model, { store, product, from, to, horizon });
          if (!gone) fill((all) => ({ ...all, [model]: { key, points } }));
        } catch (problem) {
          if (!gone) refuse((all) => ({ ...all, [model]: { key, problem } }));
        }
      }
    })();
    return () => { gone = true; };
  }, [key, params.models]);
  const toggle = (model) => set({ models: chosen.includes(model) ? chosen.filter((m) => m !== model).join(',') || 'naive' : [...chosen, model].join(',') });
  const plot = useMemo(() => history.data && lines(history.data.points, chosen, forecasts, { from, to, horizon }), [history.data, forecasts, params.models, key]);
  const waiting = chosen.filter((m) => !forecasts[m] && !problems[m]);
  return html`<div class="stack">
    <div class="row">
      <div class="chips" role="group" aria-label="Models">${models.map((m) => html`<button aria-pressed=${chosen.includes(m)} onClick=${() => toggle(m)}>${m}</button>`)}</div>
      <${Field} label="Days ahead"><input type="number" min="1" max="90" value=${horizon} onChange=${(e) => set({ horizon: e.target.value })} /><//>
    </div>
    <${Card} title="History and forecast" aside=${html`<span class="quiet" aria-live="polite">${waiting.length > 0 ? `computing ${waiting.join(', ')}` : `origin ${to}`}</span>`}>
      <${Answer} of=${history} height=${380}>${() => html`<${Chart} days=${plot.days} series=${plot.series} rule=${toDay(to)} height=${360} name=${`forecast-${store}-${product}`} />`}<//>
      ${chosen.filter((m) => problems[m]).map((m) => html`<p><b>${m}</b></p><${Refused} problem=${problems[m].problem} />`)}
    <//>
    <div class="grid">
      <${Backtest} context=${context} models=${chosen} />
      <${Explanation} context=${context} models=${chosen} />
    </div>
  </div>`;
}

async function forecast(model, { store, product, from, to, horizon }) {
  const ids = { store_id: Number(store), product_id: Number(product) };
  const trained = await api.post('/forecasting/train', {
    ...ids, train_start_date: from, train_end_date: to, config: { model_type: model }, calibration: { levels: [80], horizon, n_windows: 20 },
  });
  const answer = await api.post('/forecasting/predict', { ...ids, horizon, model_path: trained.model_path });
  return answer.forecasts;
}

/** All series on the same days: the actual one with zero where nothing was sold, each forecast behind the origin. */
function lines(points, models, forecasts, { from, to, horizon }) {
  const [first, origin] = [toDay(from), toDay(to)];
  const days = Array.from({ length: origin - first + 1 + horizon }, (_, i) => first + i);
  const sold = new Map(points.map((p) => [p.period, p.metrics.total_units]));
  const begin = points.length > 0 ? toDay(points[0].period) : origin;
  const series = [{ label: 'actual', values: days.map((d) => (d < begin || d > origin ? null : sold.get(fromDay(d)) ?? 0)) }];
  for (const model of models) {
    const answer = forecasts[model]?.points;
    if (!answer) continue;
    const at = (name) => days.map((d) => answer[d - origin - 1]?.[name] ?? null);
    const band = answer[0]?.lower_bound !== null;
    series.push({ label: model, colour: colourOf(model), values: at('forecast'), low: band && at('lower_bound'), high: band && at('upper_bound') });
  }
  return { days, series };
}

function Explanation({ context, models }) {
  const model = models[0];
  const [run, state] = useAction(() => api.post('/explain/forecast', {
    store_id: Number(context.store), product_id: Number(context.product), model_type: model, as_of_date: context.to,
  }));
  const e = state.result;
  return html`<${Card} title="Why this forecast" aside=${html`<button disabled=${state.busy} onClick=${run}>Explain ${model}</button>`}>
    ${state.problem && html`<${Refused} problem=${state.problem} what="explanations" />`}
    ${!e && !state.problem && html`<p class="quiet">What the model's forecast for ${addDays(context.to, 1)} is made of, and what may disturb it.</p>`}
    ${e && html`<p>${e.agent_summary}</p>
      <${Bars} caption="Contributions" format=${(v) => number(v, 1)} rows=${[...e.drivers.map((d) => ({ label: d.name, value: d.contribution, note: d.description })), { label: 'forecast', value: e.forecast_value }]} />
      <ul>${e.reason_codes.map((r) => html`<li><b>${r.severity === 'warn' ? '! ' : ''}${r.code}</b> ${r.detail}</li>`)}</ul>
      <p class="quiet">Confidence: ${e.confidence}. ${e.caveats.join(' ')}</p>`}
  <//>`;
}
