// Cross-validation of the chosen models: leaderboard, error by step, folds as small multiples.
import { html, useMemo } from '../../lib/html.js';
import { useAction } from '../../lib/state.js';
import { api } from '../../lib/api.js';
import { number, percent, toDay } from '../../lib/format.js';
import { Card, Refused, Table } from '../../lib/parts.js';
import { Chart, colourOf, swatch } from '../../lib/chart.js';

export function Backtest({ context, models }) {
  const [run, state] = useAction(async () => {
    const results = [];
    for (const model of models) {
      const answer = await api.post('/backtesting/run', {
        store_id: Number(context.store), product_id: Number(context.product), start_date: context.from, end_date: context.to,
        config: { split_config: { n_splits: 4, horizon: 14, min_train_size: 30 }, model_config_main: { model_type: model }, include_baselines: results.length === 0 },
      });
      results.push(answer.main_model_results, ...(answer.baseline_results || []));
    }
    const unique = new Map(results.map((r) => [r.model_type, r]));
    return [...unique.values()].sort((a, b) => (a.aggregated_metrics.wape ?? Infinity) - (b.aggregated_metrics.wape ?? Infinity));
  });
  const { result } = state;
  return html`<${Card} title="Backtest" aside=${html`<button class="main" disabled=${state.busy} onClick=${run}>${state.busy ? 'Running' : 'Backtest these models'}</button>`}>
    <${Refused} problem=${state.problem} retry=${run} />
    ${!result && !state.problem && html`<p class="quiet">How well the chosen models would have forecast the past: 4 folds of 14 days, beside the baselines naive and seasonal_naive.</p>`}
    ${result && html`
      <div class="split"><div><${Leaderboard} results=${result} /></div><div><${Steps} results=${result} /></div></div>
      <${Folds} result=${result[0]} />`}
  <//>`;
}

function Leaderboard({ results }) {
  const worst = Math.max(...results.map((r) => r.aggregated_metrics.wape || 0), 1e-9);
  return html`<${Table} caption="Leaderboard" rows=${results} columns=${[
    { head: 'Model', cell: (r) => html`<span class="cell"><i style=${{ background: swatch(colourOf(r.model_type)) }}></i>${r.model_type}</span>` },
    { head: 'WAPE', number: true, cell: (r) => percent(r.aggregated_metrics.wape), bar: (r) => (r.aggregated_metrics.wape || 0) / worst },
    { head: 'MAE', number: true, cell: (r) => number(r.aggregated_metrics.mae) },
    { head: 'Bias', number: true, cell: (r) => number(r.aggregated_metrics.bias) },
    { head: 'Spread', number: true, cell: (r) => percent(r.metric_std.wape_stability, 0) },
  ]} /><p class="quiet">Means over the folds; the lowest WAPE stands first. Spread: standard deviation of the folds' WAPE in percent of its mean.</p>`;
}

/** Mean absolute error of each step ahead, over the folds. */
function Steps({ results }) {
  const { steps, series } = useMemo(() => {
    const length = results[0].fold_results[0]?.dates.length || 0;
    const mean = (r, j) => r.fold_results.reduce((sum, f) => sum + Math.abs(f.actuals[j] - f.predictions[j]), 0) / r.fold_results.length;
    const all = Array.from({ length }, (_, j) => j);
    return { steps: all.map((j) => j + 1), series: results.map((r) => ({ label: r.model_type, colour: colourOf(r.model_type), values: all.map((j) => mean(r, j)) })) };
  }, [results]);
  return html`<${Chart} steps labels days=${steps} series=${series} title="Mean absolute error by days ahead" unit="units" height=${220} name="error-by-step" />`;
}

function Folds({ result }) {
  return html`<h3>Folds of ${result.model_type}</h3><div class="multiples">${result.fold_results.map((f) => html`<${Fold} fold=${f} model=${result.model_type} />`)}</div>`;
}

function Fold({ fold, model }) {
  const days = useMemo(() => fold.dates.map(toDay), [fold]);
  const series = useMemo(() => [{ label: 'actual', values: fold.actuals }, { label: model, colour: colourOf(model), values: fold.predictions }], [fold, model]);
  return html`<div><span class="quiet">from ${fold.split.test_start}, WAPE ${percent(fold.metrics.wape)}</span><${Chart} days=${days} series=${series} height=${130} small name=${`fold-${fold.fold_index}`} /></div>`;
}
