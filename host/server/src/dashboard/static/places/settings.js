// The settings of language and embedding models, and whether their providers can be reached.
import { html, useState } from '../lib/html.js';
import { useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { missing } from '../lib/format.js';
import { Answer, Card, Field, Refused, Status, Table } from '../lib/parts.js';

const TEXT = [
  ['agent_default_model', 'Agent model, provider:name'], ['agent_fallback_model', 'When it fails'], ['rag_embedding_provider', 'Embeddings by (openai or ollama)'],
  ['rag_embedding_model', 'OpenAI embedding model'], ['ollama_base_url', 'Ollama address'], ['ollama_embedding_model', 'Ollama embedding model'],
];
const NUMBERS = [['agent_temperature', 'Temperature', 0.1], ['agent_max_tokens', 'Longest answer, tokens', 1], ['rag_embedding_dimension', 'Embedding dimension', 1]];

export default function Settings() {
  const config = useGet('/config/ai');
  const health = useGet('/config/providers/health');
  return html`<div class="grid">
    <${Card} title="Models"><${Answer} of=${config} what="the settings">${(c) => html`<${Form} config=${c} key=${JSON.stringify(c)} done=${() => { config.reload(); health.reload(); }} />`}<//><//>
    <${Card} title="Providers" aside=${html`<button onClick=${health.reload}>Ask again</button>`}>
      <${Answer} of=${health} what="the check of providers">${(list) => html`<${Table} caption="Providers" rows=${list} columns=${[
        { head: 'Provider', cell: (p) => p.provider }, { head: 'Usable', cell: (p) => html`<${Status} of=${p.reachable ? 'pass' : 'fail'} />` }, { head: 'Detail', cell: (p) => `${p.detail} ${p.models.join(', ')}` }]} />`}<//>
    <//>
  </div>`;
}

function Form({ config, done }) {
  const [changes, change] = useState({});
  const [save, state] = useAction(async (force) => {
    await api.patch('/config/ai', force ? { ...changes, force: true } : changes);
    done();
  });
  const type = (name, value) => change((all) => ({ ...all, [name]: value }));
  const source = (name) => (config.overridden_keys.includes(name) ? 'changed here' : undefined);
  return html`<form class="form" onSubmit=${(e) => { e.preventDefault(); save(false); }}>
    ${TEXT.map(([name, label]) => html`<${Field} label=${label} hint=${source(name)}><input value=${changes[name] ?? config[name]} onInput=${(e) => type(name, e.target.value)} /><//>`)}
    ${NUMBERS.map(([name, label, step]) => html`<${Field} label=${label} hint=${source(name)}><input type="number" step=${step} value=${changes[name] ?? config[name]} onInput=${(e) => type(name, Number(e.target.value))} /><//>`)}
    ${config.api_keys.map((k) => html`<${Field} label=${`Key of ${k.provider}`} hint=${k.is_set ? `set: ${k.masked}` : `not set ${missing}`}><input type="password" autocomplete="off" onInput=${(e) => type(`${k.provider}_api_key`, e.target.value)} /><//>`)}
    <${Refused} problem=${state.problem} />
    <div class="row"><button class="main" disabled=${state.busy || Object.keys(changes).length === 0}>Save</button>
      ${state.problem?.status === 409 && html`<button type="button" onClick=${() => save(true)}>Save and remove the indexed chunks</button>`}</div>
  </form>`;
}
