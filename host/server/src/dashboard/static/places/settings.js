// The settings of language and embedding models, and whether their providers can be reached.
import { html, useState } from '../lib/html.js';
import { useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { Answer, Card, Field, Refused, Select, Status, Table } from '../lib/parts.js';

const AGENT = [
  ['agent_default_model', 'Model, provider:name'], ['agent_fallback_model', 'Model when the first one fails'],
  ['agent_temperature', 'Temperature, 0 to 2', 0.1], ['agent_max_tokens', 'Most tokens of an answer', 1], ['ollama_base_url', 'Address of Ollama'],
];
const EMBEDDING = [['rag_embedding_model', 'Model of OpenAI'], ['ollama_embedding_model', 'Model of Ollama'], ['rag_embedding_dimension', 'Length of a vector', 1]];

export default function Settings() {
  const config = useGet('/config/ai');
  const health = useGet('/config/providers/health');
  const done = () => {
    config.reload();
    health.reload();
  };
  return html`<div class="stack">
    <${Card} title="Providers" aside=${html`<button onClick=${health.reload}>Ask again</button>`}>
      <${Answer} of=${health} height=${190} what="the check of providers">${(list) => html`<${Table} caption="Providers" rows=${list} columns=${[
        { head: 'Provider', cell: (p) => p.provider }, { head: 'State', cell: (p) => html`<${Status} of=${p.reachable ? 'pass' : 'pending'} word=${p.reachable ? 'usable' : 'not usable'} />` },
        { head: 'Detail', cell: (p) => p.detail }, { head: 'Models', cell: (p) => p.models.join(', ') }]} />`}<//>
    <//>
    <${Answer} of=${config} height=${560} what="the settings">${(c) => html`<${Form} config=${c} key=${JSON.stringify(c)} models=${health.data?.[0].models || []} done=${done} />`}<//>
  </div>`;
}

function Form({ config, models, done }) {
  const [changes, change] = useState({});
  const [save, state] = useAction(async (force) => {
    await api.patch('/config/ai', force ? { ...changes, force: true } : changes);
    done();
  });
  const type = (name, value) => change((all) => ({ ...all, [name]: value }));
  const changed = (name) => (name in changes ? 'not saved yet' : config.overridden_keys.includes(name) ? 'changed here; otherwise as configured' : undefined);
  const field = ([name, label, step]) => html`<${Field} label=${label} hint=${changed(name)}>
    <input type=${step ? 'number' : 'text'} step=${step} list=${name.endsWith('_model') && name.startsWith('agent') ? 'models' : undefined} value=${changes[name] ?? config[name]}
      onInput=${(e) => type(name, step ? Number(e.target.value) : e.target.value)} /><//>`;
  const none = Object.keys(changes).length === 0;
  return html`<form class="stack" onSubmit=${(e) => { e.preventDefault(); save(false); }}>
    <datalist id="models">${models.map((m) => html`<option value=${`ollama:${m}`} />`)}</datalist>
    <div class="grid">
      <${Card} title="Agents"><div class="form">${AGENT.map(field)}</div>
        <p class="quiet">Per turn at most ${config.agent_max_tool_calls} tools and ${config.agent_timeout_seconds} s. A human approves: ${config.agent_require_approval.join(', ') || 'nothing'}.</p><//>
      <${Card} title="Embeddings"><div class="form">
        <${Select} label="Made by" value=${changes.rag_embedding_provider ?? config.rag_embedding_provider} options=${['openai', 'ollama', 'local']} onChange=${(v) => type('rag_embedding_provider', v)} />
        ${EMBEDDING.map(field)}</div>
        <p class="quiet">Another length of vectors needs the documents to be indexed again. <i>local</i> needs no provider.</p><//>
    </div>
    <${Card} title="Keys"><div class="row">
      ${config.api_keys.map((k) => html`<${Field} wide label=${k.provider} hint=${k.is_set ? `set: ${k.masked}` : 'not set'}><input type="password" autocomplete="off" aria-label=${`Key of ${k.provider}`} placeholder=${k.is_set ? 'leave as it is' : ''} onInput=${(e) => type(`${k.provider}_api_key`, e.target.value)} /><//>`)}</div>
      <p class="quiet">Keys are stored in the database of this server and never shown again.</p><//>
    <${Refused} problem=${state.problem} />
    <div class="row"><button class="main" disabled=${state.busy || none}>Save</button>
      ${!none && html`<button type="button" onClick=${() => change({})}>Discard</button>`}
      ${state.problem?.status === 409 && html`<button type="button" class="danger" onClick=${() => save(true)}>Save and remove the indexed chunks</button>`}</div>
  </form>`;
}
