// Work that outlives a request: submit, watch live, cancel. One stream for the job that is looked at, one slow poll for the list.
import { html, useEffect, useState } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { ms, shortId, time } from '../lib/format.js';
import { useModels } from '../lib/models.js';
import { Answer, Card, Empty, Refused, Select, Status, Table } from '../lib/parts.js';
import { Job, LIVE } from './jobs/job.js';

const STATES = ['', 'pending', 'running', 'completed', 'failed', 'cancelled'].map((s) => ({ value: s, label: s || 'all' }));

export default function Jobs({ context, params }) {
  const jobs = useGet('/jobs', { page_size: 50, status: params.state });
  const live = jobs.data?.jobs.some((j) => LIVE.includes(j.status));
  useEffect(() => {
    if (!live) return undefined;
    const timer = setInterval(() => document.visibilityState === 'visible' && jobs.reload(), 3000);
    return () => clearInterval(timer);
  }, [live]);
  return html`<div class="stack">
    <${Submit} context=${context} done=${jobs.reload} />
    ${params.job && html`<${Job} id=${params.job} key=${params.job} changed=${jobs.reload} />`}
    <${Card} title="Jobs" aside=${html`<${Select} inline label="State" value=${params.state || ''} options=${STATES} onChange=${(state) => set({ state })} />`}>
      <${Answer} of=${jobs} what="jobs">${(data) => html`<${List} jobs=${data.jobs} chosen=${params.job} />`}<//>
    <//>
  </div>`;
}

function List({ jobs }) {
  if (jobs.length === 0) return html`<${Empty} title="No jobs" words="Long work runs here, live and through restarts: training, backtests, forecasts of all series. Submit one above." />`;
  return html`<${Table} caption="Jobs" rows=${jobs} onRow=${(j) => set({ job: j.job_id })} columns=${[
    { head: 'Job', cell: (j) => shortId(j.job_id) },
    { head: 'What', cell: (j) => j.job_type.replaceAll('_', ' ') },
    { head: 'Model', cell: (j) => j.params.model_type || j.params.config?.model_type || j.result?.model_type || '' },
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
  const kinds = [{ value: 'backtest', label: 'Backtest a series' }, { value: 'train', label: 'Train on a series' }, { value: 'portfolio_forecast', label: 'Forecast all series' }];
  return html`<${Card} title="Submit a job">
    <div class="row">
      <${Select} label="What" value=${type} options=${kinds} onChange=${choose} />
      <${Select} label="Model" value=${model} options=${models} onChange=${pick} />
      <button class="main" disabled=${needs || state.busy} onClick=${submit}>Submit</button>
      ${needs && html`<span class="quiet">Pick a store and a product above.</span>`}
    </div>
    <${Refused} problem=${state.problem} />
  <//>`;
}
