// Where data come from: what is there, synthetic data, upload of tables.
import { html, useState } from '../lib/html.js';
import { useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { number, time, units } from '../lib/format.js';
import { refreshNames } from '../lib/names.js';
import { Answer, Card, Field, Refused, Select, Status, Table } from '../lib/parts.js';

const TABLES = ['stores', 'products', 'calendar', 'sales-daily', 'inventory', 'prices', 'promotions'];

export default function Data({ status }) {
  const done = () => {
    refreshNames();
    status.reload();
  };
  return html`<div class="grid">
    <div class="stack"><${Generate} done=${done} /><${Upload} done=${done} /></div>
    <${Card} title="What is there">
      <${Answer} of=${status}>${(s) => html`<${Table} caption="Rows" rows=${Object.entries(s).filter(([, n]) => Number.isInteger(n))} columns=${[
        { head: 'Table', cell: ([name]) => name.replaceAll('_', ' ') }, { head: 'Rows', number: true, cell: ([, n]) => units(n) }]} />
        <p class="quiet">${s.date_range_end ? `Sales from ${s.date_range_start} to ${s.date_range_end}, changed ${time(s.last_updated)}` : 'No sales yet.'}</p>`}<//>
      <${Verify} />
    <//>
  </div>`;
}

function Verify() {
  const [run, state] = useAction(() => api.post('/seeder/verify'));
  return html`<button disabled=${state.busy} onClick=${run}>Check the data</button>
    <${Refused} problem=${state.problem} />
    ${state.result && html`<ul>${state.result.checks.map((c) => html`<li><${Status} of=${{ passed: 'pass', failed: 'fail', warning: 'warn' }[c.status]} /> ${c.name}: ${c.message}</li>`)}</ul>`}`;
}

function Generate({ done }) {
  const scenarios = useGet('/seeder/scenarios');
  const [scenario, choose] = useState('demo_minimal');
  const [seed, sow] = useState(42);
  const [run, state] = useAction(async () => {
    const answer = await api.post('/seeder/generate', { scenario, seed: Number(seed) });
    done();
    return answer;
  });
  const [remove, removed] = useAction(async () => {
    const answer = await api.delete('/seeder/data', { scope: 'all', dry_run: false });
    done();
    return answer;
  });
  const known = scenarios.data?.find((s) => s.name === scenario);
  return html`<${Card} title="Synthetic data">
    <${Answer} of=${scenarios} height=${90}>${(all) => html`<div class="row">
      <${Select} label="Scenario" value=${scenario} options=${all.map((s) => s.name)} onChange=${choose} />
      <${Field} label="Seed"><input type="number" min="0" value=${seed} onInput=${(e) => sow(e.target.value)} /><//>
      <button class="main" disabled=${state.busy} onClick=${run}>${state.busy ? 'Generating' : 'Generate'}</button>
    </div>
    <p class="quiet">${known && `${known.description}. ${known.stores} stores, ${known.products} products, ${known.start_date} – ${known.end_date}.`}</p>`}<//>
    <${Refused} problem=${state.problem} />
    ${state.result && html`<p class="done">${state.result.message} in ${number(state.result.duration_seconds)} s.</p>`}
    <p class="ruled"><button class="danger" disabled=${removed.busy} onClick=${() => confirm('Delete all stores, products and sales? This cannot be undone.') && remove()}>Delete all data</button></p>
    <${Refused} problem=${removed.problem} />
    ${removed.result && html`<p class="done">${removed.result.message}</p>`}
  <//>`;
}

function Upload({ done }) {
  const [table, choose] = useState('sales-daily');
  const [file, pick] = useState(null);
  const [send, state] = useAction(async () => {
    const answer = await api.post(`/ingest/${table}`, file.blob, { 'content-type': file.blob.name.endsWith('.parquet') ? 'application/vnd.apache.parquet' : 'text/csv' });
    done();
    return answer;
  });
  const read = async (blob) => pick(blob && { blob, lines: /\.csv$/.test(blob.name) ? (await blob.slice(0, 4000).text()).split(/\r?\n/).slice(0, 6) : [] });
  const answer = state.result;
  return html`<${Card} title="Upload a table">
    <div class="row">
      <${Select} label="Table" value=${table} options=${TABLES} onChange=${choose} />
      <${Field} label="CSV, CSV.gz or Parquet"><input type="file" accept=".csv,.gz,.parquet" onChange=${(e) => read(e.target.files[0])} /><//>
      <button class="main" disabled=${!file || state.busy} onClick=${send}>${state.busy ? 'Loading' : 'Load'}</button>
    </div>
    ${file?.lines.length > 0 && html`<div class="scroll" tabindex="0" role="region" aria-label="Preview"><table>
      <caption class="hidden">First lines of the file</caption>
      <thead><tr>${file.lines[0].split(',').map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>
      <tbody>${file.lines.slice(1).filter(Boolean).map((l) => html`<tr>${l.split(',').map((c) => html`<td>${c}</td>`)}</tr>`)}</tbody></table></div>`}
    <${Refused} problem=${state.problem} />
    ${answer && html`<p class="done">${units(answer.processed_count)} rows loaded, ${units(answer.rejected_count)} left out, ${number(answer.duration_ms / 1000)} s.</p>
      ${answer.errors.length > 0 && html`<${Table} caption="Rows left out" rows=${answer.errors.slice(0, 100)} columns=${[
        { head: 'Row', number: true, cell: (e) => e.row_index + 1 }, { head: 'Why', cell: (e) => e.error_code }, { head: 'Detail', cell: (e) => e.error_message }]} />`}`}
  <//>`;
}
