// One series: history with holidays and promotions, forecasts of several models with intervals, backtest, explanation.
import { html, useEffect, useMemo, useState } from '../lib/html.js';
import { set, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { addDays, fromDay, toDay } from '../lib/format.js';
import { Answer, Card, Field, Refused } from '../lib/parts.js';
import { Chart, colourOf, swatch } from '../lib/chart.js';
import { useModels } from '../lib/models.js';
import { productName, storeName, useNames } from '../lib/names.js';
import { Explained } from '../lib/explain.js';
import { EmptyServer } from '../lib/sample.js';
import { Backtest } from './forecast/backtest.js';
import { useMarks } from './forecast/marks.js';

const BASELINES = ['seasonal_naive', 'naive', 'moving_average'];

export default function Forecast({ context, params, status }) {
  if (status.data && !status.data.date_range_end) {
    return html`<${EmptyServer} status=${status} title="No history yet" words="This place forecasts the daily sales of one store and product by several models, tests them on the past and explains them." />`;
  }
  if (!context.store || !context.product) return html`<${Pick} context=${context} />`;
  return html`<${Series} context=${context} params=${params} />`;
}

/** The series that sell most are the ones to begin with. */
function Pick({ context }) {
  const names = useNames();
  const query = { start_date: context.from, end_date: context.to, max_items: 8 };
  const stores = useGet('/analytics/drilldowns', { ...query, dimension: 'store' });
  const products = useGet('/analytics/drilldowns', { ...query, dimension: 'product', store_id: context.store });
  const choice = (answer, kind, named) => html`<${Answer} of=${answer} height=${60}>${(data) => html`<div class="chips">${data.items.map((i) => html`
    <button aria-pressed=${String(i.dimension_id) === context[kind]} onClick=${() => set({ [kind]: i.dimension_id })}>${named(names, i.dimension_id)}</button>`)}</div>`}<//>`;
  return html`<${Card} title="Which series?">
    <p class="quiet">Pick a store and a product: here are those that sell most. All others are above and behind <kbd>Ctrl K</kbd>.</p>
    <h3>Store</h3>${choice(stores, 'store', storeName)}
    <h3>Product</h3>${choice(products, 'product', productName)}
  <//>`;
}

function Series({ context, params }) {
  const { store, product, from, to } = context;
  const names = useNames();
  const models = useModels();
  const chosen = (params.models || 'seasonal_naive').split(',').filter(Boolean);
  const horizon = Math.max(1, Math.min(90, Number(params.horizon) || 28));
  const history = useGet('/analytics/timeseries', { start_date: from, end_date: to, granularity: 'day', store_id: store, product_id: product });
  const marks = useMarks(context);
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
  // The explainer that comes with the program knows the baselines; of another model the server says who could explain it.
  const told = chosen.find((m) => BASELINES.includes(m)) || chosen[0];
  const asked = { store_id: Number(store), product_id: Number(product), model_type: told, as_of_date: to };
  return html`<div class="stack">
    <${Card} title=${`${productName(names, Number(product))} in ${storeName(names, Number(store))}`}
      aside=${html`<span class="quiet" aria-live="polite">${waiting.length > 0 ? `computing ${waiting.join(', ')}` : `from ${to}`}</span>
        <${Field} inline label="Days ahead"><input type="number" min="1" max="90" value=${horizon} onChange=${(e) => set({ horizon: e.target.value })} /><//>`}>
      <div class="row"><div class="chips" role="group" aria-label="Models">${models.map((m) => html`<button aria-pressed=${chosen.includes(m)} onClick=${() => toggle(m)}><i style=${{ background: swatch(colourOf(m)) }}></i>${m}</button>`)}</div></div>
      <${Answer} of=${history} height=${408}>${() => html`<${Chart} days=${plot.days} series=${plot.series} rule=${toDay(to)} marks=${marks} height=${380} labels title="Units per day" name=${`forecast-${store}-${product}`} />`}<//>
      ${chosen.filter((m) => problems[m]).map((m) => html`<p><b>${m}</b></p><${Refused} problem=${problems[m].problem} />`)}
    <//>
    <${Explained} key=${`${key}|${told}`} label=${`Explain ${told}`} ask=${() => api.post('/explain/forecast', asked)}
      words=${`What the forecast of ${told} for ${addDays(to, 1)} is made of, and what may disturb it.`} />
    <${Backtest} context=${context} models=${chosen} />
  </div>`;
}

async function forecast(model, { store, product, from, to, horizon }) {
  const ids = { store_id: Number(store), product_id: Number(product) };
  const trained = await api.post('/forecasting/train', {
    ...ids, train_start_date: from, train_end_date: to, config: { model_type: model }, calibration: { levels: [80, 95], horizon, n_windows: 20 },
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
    const at = (read) => days.map((d) => { const point = answer[d - origin - 1]; return point ? read(point) ?? null : null; });
    // Bands of one model alone: on each other they could not be told apart.
    const levels = model === models[0] ? (answer[0]?.intervals || []).map((i) => i.level).sort((a, b) => b - a) : [];
    const edge = (level, side) => at((p) => p.intervals.find((i) => i.level === level)?.[side]);
    series.push({ label: model, colour: colourOf(model), values: at((p) => p.forecast), bands: levels.map((level) => ({ level, low: edge(level, 'lower'), high: edge(level, 'upper') })) });
  }
  return { days, series };
}
