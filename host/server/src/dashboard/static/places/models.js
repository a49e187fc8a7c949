// What was trained and is in use: runs, leaderboard, comparison, aliases, verification; and the plugins.
import { Fragment, html } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { number, percent, plain, shortId, signed, time } from '../lib/format.js';
import { Answer, Card, Empty, Field, Refused, Select, Status, Table } from '../lib/parts.js';
import { productName, storeName, useNames } from '../lib/names.js';
import { Explained } from '../lib/explain.js';
import { Plugins } from './models/plugins.js';

const STATES = ['', 'pending', 'running', 'success', 'failed', 'archived'].map((s) => ({ value: s, label: s || 'all' }));

export default function Models({ context, params }) {
  const page = Number(params.page) || 1;
  const runs = useGet('/registry/runs', { page, page_size: 20, status: params.state, store_id: context.store, product_id: context.product });
  return html`<div class="grid">
    <${Card} wide title="Runs" aside=${html`<${Select} inline label="State" value=${params.state || ''} options=${STATES} onChange=${(state) => set({ state, page: null })} />`}>
      <${Answer} of=${runs} what="the registry">${(data) => html`<${Runs} data=${data} page=${page} params=${params} />`}<//>
    <//>
    ${params.run && html`<${Run} id=${params.run} key=${params.run} />
      <${Explained} key=${`why ${params.run}`} label="Explain this run" ask=${() => api.get(`/explain/runs/${encodeURIComponent(params.run)}`)} words="What the forecast of this run's model is made of, on the day after its data end." />`}
    ${params.a && !params.b && html`<${Card} title="Compare"><p class="quiet">A is ${shortId(params.a)}. Choose another run as B.</p><//>`}
    ${params.a && params.b && html`<${Compare} a=${params.a} b=${params.b} />`}
    <${Aliases} run=${params.run} />
    <${Plugins} />
  </div>`;
}

const wape = (run) => run.metrics?.wape ?? run.metrics?.wape_mean;

function Runs({ data, page, params }) {
  const names = useNames();
  if (data.total === 0) {
    return html`<${Empty} title="No runs" words="The registry records trained models, their metrics and files. The Showcase trains three models, registers the best and verifies it.">
      <a href="#/showcase">Go to Showcase</a><//>`;
  }
  const worst = Math.max(...data.runs.map((r) => wape(r) || 0), 1e-9);
  const side = (r) => (r.run_id === params.a ? 'is A' : r.run_id === params.b ? 'is B' : params.a && !params.b ? 'as B' : 'as A');
  const choose = (r) => set(!params.a || params.b ? { a: r.run_id, b: null } : { b: r.run_id });
  const columns = [
    { head: 'Run', cell: (r) => shortId(r.run_id) },
    { head: 'Model', cell: (r) => r.model_type },
    { head: 'State', cell: (r) => html`<${Status} of=${r.status} />` },
    { head: 'Series', cell: (r) => `${productName(names, r.product_id)}, ${storeName(names, r.store_id)}` },
    { head: 'Data', tight: true, cell: (r) => `${r.data_window_start} – ${r.data_window_end}` },
    { head: 'WAPE', number: true, cell: (r) => percent(wape(r)), bar: (r) => (wape(r) || 0) / worst },
    { head: 'Created', tight: true, cell: (r) => time(r.created_at) },
    { head: 'Compare', cell: (r) => html`<button class="link" aria-label=${`Run ${shortId(r.run_id)} ${side(r)}`} onClick=${() => choose(r)}>${side(r)}</button>` },
  ];
  return html`<${Table} caption="Runs" columns=${columns} rows=${data.runs} onRow=${(r) => set({ run: r.run_id })} />
    ${data.total > 20 && html`<div class="row"><button disabled=${page <= 1} onClick=${() => set({ page: page - 1 })}>Newer</button>
      <button disabled=${page * 20 >= data.total} onClick=${() => set({ page: page + 1 })}>Older</button>
      <span class="quiet">${data.total} runs</span></div>`}`;
}

function Run({ id }) {
  const run = useGet(`/registry/runs/${encodeURIComponent(id)}`);
  const [verify, state] = useAction(() => api.get(`/registry/runs/${encodeURIComponent(id)}/verify`));
  return html`<${Card} title=${`Run ${shortId(id)}`} aside=${html`<button disabled=${state.busy} onClick=${verify}>Verify its file</button> <button class="link" onClick=${() => set({ run: null })}>Close</button>`}>
    <${Refused} problem=${state.problem} />
    ${state.result && html`<p class="done"><${Status} of=${state.result.verified ? 'pass' : 'fail'} word=${state.result.verified ? 'verified:' : 'not verified:'} /> ${state.result.verified ? 'the file is the one that was registered.' : state.result.error}</p>`}
    <${Answer} of=${run}>${(r) => html`<dl>
      ${[['Id', r.run_id], ['Model', r.model_type], ['Configuration', plain(r.model_config)], ...Object.entries(r.metrics || {}).map(([name, value]) => [name, number(value, 3)]), ['File', r.artifact_uri], ['SHA-256', r.artifact_hash], ['Error', r.error_message], ['Made by', Object.entries(r.runtime_info || {}).map(([name, value]) => `${name} ${plain(value)}`).join(', ')]]
        .map(([name, value]) => html`<${Fragment}><dt>${name}</dt><dd><code>${plain(value)}</code></dd><//>`)}
    </dl>`}<//>
  <//>`;
}

function Compare({ a, b }) {
  const answer = useGet(`/registry/compare/${encodeURIComponent(a)}/${encodeURIComponent(b)}`);
  const rows = (diff) => Object.entries(diff).map(([name, d]) => ({ name, ...d }));
  return html`<${Card} title=${`A ${shortId(a)} against B ${shortId(b)}`} aside=${html`<button class="link" onClick=${() => set({ a: null, b: null })}>Close</button>`}>
    <${Answer} of=${answer}>${(d) => html`
      <${Table} caption="Metrics" rows=${rows(d.metrics_diff)} empty="No metrics" columns=${[
        { head: 'Metric', cell: (r) => r.name }, { head: 'A', number: true, cell: (r) => number(r.a, 3) },
        { head: 'B', number: true, cell: (r) => number(r.b, 3) }, { head: 'B − A', number: true, cell: (r) => signed(r.diff, (v) => number(v, 3)) }]} />
      <${Table} caption="Configuration" rows=${rows(d.config_diff)} empty="The configurations are equal." columns=${[
        { head: 'Setting', cell: (r) => r.name }, { head: 'A', cell: (r) => plain(r.a) }, { head: 'B', cell: (r) => plain(r.b) }]} />`}<//>
  <//>`;
}

function Aliases({ run }) {
  const aliases = useGet('/registry/aliases');
  const [point, pointed] = useAction(async (event) => {
    event.preventDefault();
    await api.post('/registry/aliases', { alias_name: event.target.elements.name.value, run_id: run });
    aliases.reload();
  });
  const [remove, removed] = useAction(async (name) => {
    await api.delete(`/registry/aliases/${encodeURIComponent(name)}`);
    aliases.reload();
  });
  return html`<${Card} title="Aliases">
    <${Answer} of=${aliases} height=${80}>${(list) => html`<${Table} caption="Aliases" rows=${list} empty="An alias is a name for the run that is in use, for example production." onRow=${(r) => set({ run: r.run_id })} columns=${[
      { head: 'Alias', cell: (r) => r.alias_name }, { head: 'Model', cell: (r) => r.model_type }, { head: 'Run', cell: (r) => shortId(r.run_id) },
      { head: 'State', cell: (r) => html`<${Status} of=${r.run_status} />` },
      { head: 'Remove', cell: (r) => html`<button class="link" aria-label=${`Remove alias ${r.alias_name}`} onClick=${() => remove(r.alias_name)}>Remove</button>` }]} />`}<//>
    ${run && html`<form class="row" onSubmit=${point}><${Field} label=${`Name for run ${shortId(run)}`}><input name="name" required pattern="[a-z0-9][a-z0-9_\\-]*" /><//><button disabled=${pointed.busy}>Set</button></form>`}
    <${Refused} problem=${pointed.problem || removed.problem} />
  <//>`;
}
