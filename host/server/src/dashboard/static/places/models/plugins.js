// The plugins: state, version, digest, limits, times and errors.
import { html } from '../../lib/html.js';
import { set, useAction, useAddress, useGet } from '../../lib/state.js';
import { api } from '../../lib/api.js';
import { ms, plain, shortId, units } from '../../lib/format.js';
import { Answer, Card, Refused, Status, Table } from '../../lib/parts.js';

const total = (errors) => Object.values(errors).reduce((sum, n) => sum + n, 0);
const main = (plugin) => plugin.phases.find((p) => p.phase === 'fit') || plugin.phases.at(-1);

export function Plugins() {
  const { params } = useAddress();
  const plugins = useGet('/plugins');
  const [reload, state] = useAction(async () => {
    const answer = await api.post('/plugins/reload');
    plugins.reload();
    return answer;
  });
  const columns = [
    { head: 'Plugin', cell: (p) => p.name || p.key },
    { head: 'State', cell: (p) => html`<${Status} of=${p.state} />` },
    { head: 'Kind', cell: (p) => plain(p.kind) },
    { head: 'Version', cell: (p) => plain(p.version) },
    { head: 'SHA-256', cell: (p) => html`<code title=${p.sha256}>${shortId(p.sha256)}</code>` },
    { head: 'Calls, 1 h', number: true, cell: (p) => units(p.calls_last_hour) },
    { head: 'Errors, 1 h', number: true, cell: (p) => units(p.errors_last_hour) },
    { head: 'p50', number: true, cell: (p) => ms(main(p)?.p50_ms) },
    { head: 'p95', number: true, cell: (p) => ms(main(p)?.p95_ms) },
  ];
  return html`<${Card} wide title="Plugins" aside=${html`<button disabled=${state.busy} onClick=${reload}>Read the folder again</button>`}>
    <${Refused} problem=${state.problem} what="the list of plugins" />
    ${state.result && html`<p class="done">${state.result.changes.length === 0 ? 'Nothing changed.' : state.result.changes.map((c) => `${c.key} ${c.change}`).join(', ')}</p>`}
    <${Answer} of=${plugins} what="the list of plugins">${(data) => html`
      <${Table} caption="Plugins" columns=${columns} rows=${data.plugins} onRow=${(p) => set({ plugin: p.key })} />
      <${Detail} plugin=${data.plugins.find((p) => p.key === params.plugin)} />`}<//>
  <//>`;
}

function Detail({ plugin }) {
  if (!plugin) return null;
  const { limits } = plugin;
  return html`<div class="ruled"><h3>${plugin.name || plugin.key}</h3>
    <p>${plugin.summary}</p>
    ${plugin.reason && html`<div class="refused"><strong>${plugin.code}</strong><pre>${plugin.reason}</pre></div>`}
    <dl>
      <dt>Limits</dt><dd>${limits.memory_mib} MiB memory, ${limits.fit_seconds} s to fit, ${limits.predict_seconds} s for other calls</dd>
      <dt>Granted</dt><dd>${plugin.grants.join(', ') || 'nothing'}</dd>
      <dt>SHA-256</dt><dd><code>${plain(plugin.sha256)}</code>${plugin.pinned ? ' (pinned)' : ''}</dd>
      <dt>Licence</dt><dd>${plain(plugin.licence)}</dd>
    </dl>
    <p class="quiet">Since it was loaded: ${units(plugin.calls)} calls, ${units(total(plugin.errors))} errors.</p>
    <${Table} caption="Calls by phase" rows=${plugin.phases} empty="Not called yet." columns=${[
      { head: 'Phase', cell: (p) => p.phase }, { head: 'Calls', number: true, cell: (p) => units(p.calls) },
      { head: 'p50', number: true, cell: (p) => ms(p.p50_ms) }, { head: 'p95', number: true, cell: (p) => ms(p.p95_ms) }]} />
    ${Object.entries(plugin.errors).map(([code, n]) => html`<p><code>${code}</code> ${units(n)} times</p>`)}</div>`;
}
