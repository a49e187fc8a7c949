// Cross-validation of the chosen models: leaderboard, error by step, folds as small multiples.
import { html, useMemo } from '../../lib/html.js';
import { useAction } from '../../lib/state.js';
import { api } from '../../lib/api.js';
import { number, percent, toDay } from '../../lib/format.js';
import { Card, Refused, Table } from '../../lib/parts.js';
import { Chart, colourOf } from '../../lib/chart.js';

export function Backtest({ context, models }) {
  const [run, state] = useAction(async () => {
    const results = [];
    for (const model of models) {
      const answer = await api.post('/backtesting/run', {
        store_id: Number(context.store), product_id: Number(context.product), start_date: context.from, end_date: context.to,
        config: { split_config: { n_splits: 4, horizon: 14, min_train_size: 60 }, model_config_main: { model_type: model }, include_baselines: results.length === 0 },
      });
      results.push(answer.main_model_results, ...(answer.baseline_results || []));
    }
    const unique = new Map(results.map((r) => [r.model_type, r]));
    return [...unique.values()].sort((a, b) => (a.aggregated_metrics.wape ?? Infinity) - (b.aggregated_metrics.wape ?? Infinity));
  });
  return html`<${Card} wide=${Boolean(state.result)} title="Backtest" aside=${html`<button class="main" disabled=${state.busy} onClick=${run}>${state.busy ? 'Running' : 'Backtest these models'}</button>`}>
    ${state.problem && html`<${Refused} problem=${state.problem} retry=${run} />`}
    ${!state.result && !state.problem && html`<p class="quiet">4 folds of 14 days, beside the baselines naive and seasonal_naive.</p>`}
    ${state.result && html`<${Leaderboard} results=${state.result} /><${Steps} results=${state.result} /><${Folds} result=${state.result[0]} />`}
  <//>`;
}

function Leaderboard({ results }) {
  const worst = Math.max(...results.map((r) => r.aggregated_metrics.wape || 0), 1e-9);
  return html`<${Table} caption="Leaderboard" rows=${results} columns=${[
    { head: 'Model', cell: (r) => r.model_type },
    { head: 'WAPE', number: true, cell: (r) => percent(r.aggregated_metrics.wape), bar: (r) => r.aggregated_metrics.wape / worst },
    { head: 'MAE', number: true, cell: (r) => number(r.aggregated_metrics.mae) },
    { head: 'Bias', number: true, cell: (r) => number(r.aggregated_metrics.bias) },
    { head: 'Unsteadiness', number: true, cell: (r) => percent(r.metric_std.wape_stability, 0) },
  ]} />`;
}

/** Mean absolute error of each step ahead, over the folds. */
function Steps({ results }) {
  const { steps, series } = useMemo(() => {
    const length = results[0].fold_results[0]?.dates.length || 0;
    const mean = (r, j) => r.fold_results.reduce((sum, f) => sum + Math.abs(f.actuals[j] - f.predictions[j]), 0) / r.fold_results.length;
    const all = Array.from({ length }, (_, j) => j);
    return { steps: all, series: results.map((r) => ({ label: r.model_type, colour: colourOf(r.model_type), values: all.map((j) => mean(r, j)) })) };
  }, [results]);
  const most = Math.max(...series.flatMap((s) => s.values), 1e-9);
  const point = (value, j) => `${(j / Math.max(1, steps.length - 1)) * 300},${100 - (value / most) * 95}`;
  return html`<h2>Error by step ahead</h2>
    <svg viewBox="0 0 300 102" class="steps" preserveAspectRatio="none" role="img" aria-label=${`Mean absolute error per step ahead, at most ${number(most, 1)}`}>
      ${series.map((s) => html`<polyline fill="none" stroke=${s.colour} stroke-width="1.75" vector-effect="non-scaling-stroke" points=${s.values.map(point).join(' ')} />`)}
    </svg>
    <p class="legend">${series.map((s) => html`<span><i style=${{ background: s.colour }}></i>${s.label}</span>`)}</p>
    <p class="quiet">Steps 1 to ${steps.length}; top is ${number(most, 1)} units.</p>`;
}

function Folds({ result }) {
  return html`<h2>Folds of ${result.model_type}</h2><div class="cards">${result.fold_results.map((f) => html`<${Fold} fold=${f} model=${result.model_type} />`)}</div>`;
}

function Fold({ fold, model }) {
  const days = useMemo(() => fold.dates.map(toDay), [fold]);
  const series = useMemo(() => [{ label: 'actual', values: fold.actuals }, { label: model, colour: colourOf(model), values: fold.predictions }], [fold, model]);
  return html`<div><p class="quiet">${fold.split.test_start} · WAPE ${percent(fold.metrics.wape)}</p><${Chart} days=${days} series=${series} height=${110} small name=${`fold-${fold.fold_index}`} /></div>`;
}
