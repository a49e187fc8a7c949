// The knowledge base: index documents, search with the words that hit.
import { html, useState } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api } from '../lib/api.js';
import { ms, number, time, units } from '../lib/format.js';
import { Answer, Card, Field, Refused, Table } from '../lib/parts.js';

export default function Knowledge({ params }) {
  const sources = useGet('/rag/sources');
  return html`<div class="grid">
    <${Search} params=${params} />
    <${Index} done=${sources.reload} />
    <${Card} title="Sources"><${Answer} of=${sources} what="the knowledge base">${(data) => html`<${Sources} data=${data} reload=${sources.reload} />`}<//><//>
  </div>`;
}

function Search({ params }) {
  const [run, state] = useAction(async (event) => {
    event.preventDefault();
    const { query, least } = event.target.elements;
    set({ q: query.value, least: least.value });
    return { words: query.value, ...(await api.post('/rag/retrieve', { query: query.value, top_k: 8, similarity_threshold: Number(least.value) })) };
  });
  const found = state.result;
  return html`<${Card} wide title="Search">
    <form class="row" onSubmit=${run}>
      <${Field} wide label="Question"><input type="search" name="query" required maxlength="2000" defaultValue=${params.q || ''} /><//>
      <${Field} label="Least similarity"><input type="number" name="least" min="0" max="1" step="0.05" defaultValue=${params.least || 0.3} /><//>
      <button class="main" disabled=${state.busy}>Search</button>
    </form>
    <${Refused} problem=${state.problem} what="the knowledge base" />
    ${found && html`<p class="quiet">${found.results.length} of ${units(found.total_chunks_searched)} chunks, ${ms(found.query_embedding_time_ms + found.search_time_ms)}</p>
      ${found.results.length === 0 && html`<p>Nothing is that similar. Lower the least similarity, or index more documents.</p>`}
      ${found.results.map((r) => html`<article class="hit"><b>${r.source_path}</b> <span class="quiet">${number(r.relevance_score, 3)} ${(r.metadata?.section_path || []).join(' › ')}</span>
        <p><${Marked} text=${r.content.slice(0, 600)} words=${found.words} /></p></article>`)}`}
  <//>`;
}

/** The words of the question where words begin, marked; short ones are everywhere. */
function Marked({ text, words }) {
  const list = words.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter((w) => w.length > 3);
  if (list.length === 0) return text;
  return text.split(new RegExp(`(?<![\\p{L}\\p{N}])(${list.join('|')})`, 'giu')).map((part, i) => (i % 2 ? html`<mark>${part}</mark>` : part));
}

function Index({ done }) {
  const [path, name] = useState('');
  const [content, write] = useState('');
  const [one, state] = useAction(async (event) => {
    event.preventDefault();
    const answer = await api.post('/rag/index', { source_type: /\.(json|ya?ml)$/.test(path) ? 'openapi' : 'markdown', source_path: path, content });
    done();
    return answer;
  });
  const [docs, indexing] = useAction(async () => {
    const answer = await api.post('/rag/index/project-docs', {});
    done();
    return answer;
  });
  return html`<${Card} title="Index">
    <form class="form" onSubmit=${one}>
      <${Field} label="Name, for example handbook/returns.md"><input required maxlength="500" value=${path} onInput=${(e) => name(e.target.value)} /><//>
      <${Field} label="Markdown or OpenAPI"><textarea value=${content} required onInput=${(e) => write(e.target.value)}></textarea><//>
      <div class="row"><button class="main" disabled=${state.busy}>Index</button>
        <button type="button" disabled=${indexing.busy} onClick=${docs}>${indexing.busy ? 'Indexing' : 'Index the product’s documentation'}</button></div>
    </form>
    <${Refused} problem=${state.problem || indexing.problem} what="the knowledge base" />
    ${state.result && html`<p class="done">${state.result.status}: ${state.result.chunks_created} chunks, ${units(state.result.tokens_processed)} tokens</p>`}
    ${indexing.result && html`<p class="done">${indexing.result.total_files} files, ${indexing.result.failed} failed, ${indexing.result.total_chunks} chunks</p>`}
  <//>`;
}

function Sources({ data, reload }) {
  const [remove, state] = useAction(async (source) => {
    await api.delete(`/rag/sources/${source.source_id}`);
    reload();
  });
  return html`<${Refused} problem=${state.problem} />
    <${Table} caption="Sources" rows=${data.sources} empty="Nothing is indexed yet. The assistant answers from what stands here: index a document beside, or the product's documentation." columns=${[
      { head: 'Document', cell: (s) => s.source_path }, { head: 'Type', cell: (s) => s.source_type }, { head: 'Chunks', number: true, cell: (s) => units(s.chunk_count) },
      { head: 'Indexed', cell: (s) => time(s.indexed_at) }, { head: 'Remove', cell: (s) => html`<button class="link" aria-label=${`Remove ${s.source_path}`} onClick=${() => remove(s)}>Remove</button>` }]} />`;
}
