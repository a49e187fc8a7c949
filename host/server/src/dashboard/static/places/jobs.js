// Work that outlives a request: submit, watch live, cancel. One stream for the job that is looked at, one slow poll for the list.
import { Fragment, html, useEffect, useState } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { ms, plain, shortId, time } from '../lib/format.js';
import { useModels } from '../lib/models.js';
import { Answer, Card, Empty, Progress, Refused, Select, Status, Table } from '../lib/parts.js';

const STATES = ['', 'pending', 'running', 'completed', 'failed', 'cancelled'].map((s) => ({ value: s, label: s || 'all' }));
const LIVE = ['pending', 'running'];

export default function Jobs({ context, params }) {
  const jobs = useGet('/jobs', { page_size: 50, status: params.state });
  const live = jobs.data?.jobs.some((j) => LIVE.includes(j.status));
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && jobs.reload(), 3000);
    return () => clearInterval(timer);
  }, [live]);
  return html`<div class="grid">
    <${Submit} context=${context} done=${jobs.reload} />
    ${params.job && html`<${Job} id=${params.job} key=${params.job} changed=${jobs.reload} />`}
    <${Card} wide title="Jobs" aside=${html`<${Select} label="State" value=${params.state || ''} options=${STATES} onChange=${(state) => set({ state })} />`}>
      <${Answer} of=${jobs} what="jobs">${(data) => html`<${List} jobs=${data.jobs} />`}<//>
    <//>
  </div>`;
}

function List({ jobs }) {
  if (jobs.length === 0) return html`<${Empty} title="No jobs" words="Long work runs here, live and through restarts: training, backtests, forecasts of all series. Submit one above." />`;
  return html`<${Table} caption="Jobs" rows=${jobs} onRow=${(j) => set({ job: j.job_id })} columns=${[
    { head: 'Job', cell: (j) => shortId(j.job_id) },
    { head: 'What', cell: (j) => j.job_type },
    { head: 'State', cell: (j) => html`<${Status} of=${j.status} />` },
    { head: 'Progress', number: true, cell: (j) => `${Math.round(j.progress * 100)} %`, bar: (j) => j.progress },
    { head: 'Submitted', cell: (j) => time(j.created_at) },
    { head: 'Took', number: true, cell: (j) => ms(j.completed_at && j.started_at ? Date.parse(j.completed_at) - Date.parse(j.started_at) : null) },
  ]} />`;
}

function Submit({ context, done }) {
  const models = useModels();
  const [type, choose] = useState('backtest');
  const [model, pick] = useState('seasonal_naive');
  const window = { store_id: Number(context.store), product_id: Number(context.product), start_date: context.from, end_date: context.to, model_type: model };
  const body = {
    train: window, backtest: window,
    portfolio_forecast: { config: { model_type: model }, horizon: 28 },
  }[type];
  const needs = type !== 'portfolio_forecast' && !(context.store && context.product);
  const [submit, state] = useAction(async () => {
    const job = await api.post('/jobs', { job_type: type, params: body });
    set({ job: job.job_id });
    done();
  });
  return html`<${Card} title="Submit">
    <div class="row">
      <${Select} label="What" value=${type} options=${['backtest', 'train', 'portfolio_forecast']} onChange=${choose} />
      <${Select} label="Model" value=${model} options=${models} onChange=${pick} />
      <button class="main" disabled=${needs || state.busy} onClick=${submit}>Submit</button>
    </div>
    ${needs && html`<p class="quiet">Pick a store and a product above.</p>`}
    <${Refused} problem=${state.problem} />
  <//>`;
}

/** Follows one job by server-sent events until its end. */
function Job({ id, changed }) {
  const [job, update] = useState(null);
  const first = useGet(`/jobs/${encodeURIComponent(id)}`);
  useEffect(() => {
    const events = new EventSource(`/jobs/${encodeURIComponent(id)}/events`);
    events.addEventListener('job', ({ data }) => {
      const now = JSON.parse(data);
      update(now);
      if (LIVE.includes(now.status)) return;
      events.close();
      changed();
    });
    return () => events.close();
  }, [id]);
  const [cancel, cancelling] = useAction(() => api.delete(`/jobs/${encodeURIComponent(id)}`).then(update));
  const live = job && LIVE.includes(job.status);
  return html`<${Card} title=${`Job ${shortId(id)}`} aside=${html`<${Fragment}>${live && html`<button disabled=${cancelling.busy} onClick=${cancel}>Cancel</button>`}<button class="link" onClick=${() => set({ job: null })}>Close</button><//>`}>
    <${Refused} problem=${first.problem || cancelling.problem} />
    ${job && html`<p><${Status} of=${job.status} /> ${job.job_type} ${job.cancel_requested_at && live ? '(stopping)' : ''}</p>
      ${live && html`<${Progress} value=${job.progress} words=${timing(job)} />`}
      ${job.error_message && html`<div class="refused"><strong>${job.error_type}</strong><p>${job.error_message}</p></div>`}
      <dl><dt>Parameters</dt><dd><code>${plain(job.params)}</code></dd>
        <dt>Tries</dt><dd>${job.attempts}</dd><dt>Waited</dt><dd>${ms(job.queue_ms)}</dd></dl>
      ${job.result && html`<pre class="scroll tall" tabindex="0" role="region" aria-label="Result">${JSON.stringify(job.result, null, 1)}</pre>`}
      ${job.status === 'completed' && job.job_type === 'portfolio_forecast' && html`<p><a href=${`/jobs/${id}/forecasts`}>All forecasts</a></p>`}`}
  <//>`;
}

function timing(job) {
  if (!job.started_at) return 'waiting for a worker';
  const passed = Date.now() - Date.parse(job.started_at);
  const left = job.progress > 0.02 ? `, about ${ms((passed / job.progress) * (1 - job.progress))} left` : '';
  return `${job.progress_message || 'running'}, ${ms(passed)}${left}`;
}
