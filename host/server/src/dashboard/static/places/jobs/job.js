// One job, followed by server-sent events until its end, and what came of it.
import { Fragment, html, useEffect, useState } from '../../lib/html.js';
import { set, useAction, useGet } from '../../lib/state.js';
import { api } from '../../lib/api.js';
import { ms, number, percent, plain, shortId } from '../../lib/format.js';
import { Card, Progress, Refused, Skeleton, Status, Table, Toggle } from '../../lib/parts.js';
import { Explained } from '../../lib/explain.js';

export const LIVE = ['pending', 'running'];

export function Job({ id, changed }) {
  const [job, update] = useState(null);
  const path = `/jobs/${encodeURIComponent(id)}`;
  const first = useGet(path);
  useEffect(() => {
    const events = new EventSource(`${path}/events`);
    events.addEventListener('job', ({ data }) => {
      const now = JSON.parse(data);
      update(now);
      if (LIVE.includes(now.status)) return;
      events.close();
      changed();
    });
    return () => events.close();
  }, [id]);
  const [cancel, cancelling] = useAction(() => api.delete(path).then(update));
  const live = job && LIVE.includes(job.status);
  return html`<${Card} title=${`Job ${shortId(id)}`} aside=${html`<${Fragment}>${live && html`<button disabled=${cancelling.busy} onClick=${cancel}>Cancel</button>`}<button class="link" onClick=${() => set({ job: null })}>Close</button><//>`}>
    <${Refused} problem=${first.problem || cancelling.problem} />
    ${!job && !first.problem && html`<${Skeleton} height=${120} />`}
    ${job && html`<p><${Status} of=${job.status} /> ${job.job_type.replaceAll('_', ' ')} ${job.cancel_requested_at && live ? '(stopping)' : ''}</p>
      ${live && html`<${Progress} value=${job.progress} words=${timing(job)} />`}
      ${job.error_message && html`<div class="refused"><strong>${job.error_type}</strong><p>${job.error_message}</p></div>`}
      <dl>${Object.entries(job.params).map(([name, value]) => html`<${Fragment}><dt>${name.replaceAll('_', ' ')}</dt><dd>${plain(value)}</dd><//>`)}
        <dt>waited</dt><dd>${ms(job.queue_ms)}${job.attempts > 1 ? `, ${job.attempts} tries` : ''}</dd></dl>
      ${job.status === 'completed' && html`<${Outcome} job=${job} changed=${changed} />`}`}
  <//>
  ${job?.status === 'completed' && job.job_type === 'predict' && html`<${Explained} label="Explain this forecast" ask=${() => api.get(`/explain/jobs/${encodeURIComponent(id)}`)} words="What the first day of this forecast is made of." />`}`;
}

function timing(job) {
  if (!job.started_at) return 'waiting for a worker';
  const passed = Date.now() - Date.parse(job.started_at);
  const left = job.progress > 0.02 ? `, about ${ms((passed / job.progress) * (1 - job.progress))} left` : '';
  return `${job.progress_message || 'running'}, ${ms(passed)}${left}`;
}

/** What people want to see of a result; the toggle has all of it. */
function Outcome({ job, changed }) {
  const { result } = job;
  return html`
    ${result.fold_metrics && html`<h3>Folds</h3><${Table} caption="Folds" rows=${result.fold_metrics} columns=${[
      { head: 'Fold', cell: (f) => f.fold }, { head: 'WAPE', number: true, cell: (f) => percent(f.wape), bar: (f) => (f.wape || 0) / Math.max(...result.fold_metrics.map((o) => o.wape || 0), 1e-9) },
      { head: 'MAE', number: true, cell: (f) => number(f.mae) }, { head: 'Bias', number: true, cell: (f) => number(f.bias) }]} />`}
    ${job.job_type === 'train' && html`<${Next} job=${job} changed=${changed} />`}
    ${result.forecasts && html`<h3>Forecast</h3><${Table} caption="Forecast" rows=${result.forecasts} columns=${[
      { head: 'Day', cell: (f) => f.date }, { head: 'Units', number: true, cell: (f) => number(f.forecast, 1), bar: (f) => f.forecast / Math.max(...result.forecasts.map((o) => o.forecast), 1e-9) }]} />`}
    ${job.job_type === 'portfolio_forecast' && html`<p><a href=${`/jobs/${job.job_id}/forecasts`}>All forecasts</a></p>`}
    <${Toggle} label="the whole result"><pre class="scroll tall" tabindex="0" role="region" aria-label="Result">${JSON.stringify(result, null, 1)}</pre><//>`;
}

/** A trained model is there to forecast with. */
function Next({ job, changed }) {
  const { store_id, product_id } = job.params;
  const [predict, state] = useAction(async () => {
    const next = await api.post('/jobs', { job_type: 'predict', params: { store_id, product_id, run_id: job.run_id, horizon: 14 } });
    set({ job: next.job_id });
    changed();
  });
  return html`<p>The model is <code>${job.result.run_id}</code>, trained on ${number(job.result.n_observations, 0)} days. <button disabled=${state.busy} onClick=${predict}>Forecast 14 days with it</button></p>
    <${Refused} problem=${state.problem} />`;
}
