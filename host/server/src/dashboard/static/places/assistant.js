// Talk with an agent: text as it comes, tool calls, actions that wait for approval.
import { Fragment, html, useEffect, useRef, useState } from '../lib/html.js';
import { set, useAction, useGet } from '../lib/state.js';
import { api, stream } from '../lib/api.js';
import { ms, plain, units } from '../lib/format.js';
import { Card, Empty, Refused, Skeleton } from '../lib/parts.js';

/** What one can begin with. */
const IDEAS = {
  experiment: ['Which runs are there?', 'Which registered model is best?', 'Propose a scenario to sell more'],
  rag_assistant: ['What does the knowledge base contain?', 'How are intervals calibrated?'],
};

export default function Assistant({ params }) {
  return params.session ? html`<${Talk} id=${params.session} key=${params.session} />` : html`<${Begin} />`;
}

function Begin() {
  const [open, state] = useAction(async (kind) => {
    const session = await api.post('/agents/sessions', { agent_type: kind });
    set({ session: session.session_id });
  });
  return html`<${Card}><${Empty} title="Ask an agent" words="The experiment agent looks at runs, backtests models and proposes scenarios; what changes something waits for your approval. The knowledge agent answers from the indexed documents and cites them.">
    <p><button class="main" disabled=${state.busy} onClick=${() => open('experiment')}>Experiments</button> <button disabled=${state.busy} onClick=${() => open('rag_assistant')}>Knowledge</button></p>
  <//>
  <${Refused} problem=${state.problem} what="the assistant" />
  ${state.problem?.status === 400 && html`<p><a href="#/settings">Set the key of a provider in Settings</a></p>`}<//>`;
}

function Talk({ id }) {
  const session = useGet(`/agents/sessions/${encodeURIComponent(id)}`);
  const [said, say] = useState([]);
  const [action, wait] = useState(null);
  const [busy, work] = useState(false);
  const [problem, refuse] = useState(null);
  const socket = useRef();
  useEffect(() => {
    if (!session.data) return;
    say(session.data.message_history.filter((m) => m.content).map((m) => (/^The operator's decision on /.test(m.content) && m.role === 'user' ? { role: 'note', text: m.content } : { role: m.role, text: m.content, name: m.tool_name })));
    wait(session.data.pending_action);
  }, [session.data]);
  useEffect(() => () => socket.current?.close(), []);

  const take = ({ event_type: type, data }) => {
    if (type === 'text_delta') say((all) => (all.at(-1)?.open ? [...all.slice(0, -1), { ...all.at(-1), text: all.at(-1).text + data.delta }] : [...all, { role: 'assistant', text: data.delta, open: true }]));
    if (type === 'tool_call_start') say((all) => [...all, { role: 'tool', id: data.tool_call_id, name: data.tool_name, text: plain(data.arguments) }]);
    if (type === 'tool_call_end') say((all) => all.map((m) => (m.id === data.tool_call_id ? { ...m, result: data.result, took: data.duration_ms } : m)));
    if (type === 'approval_required') wait(data.action);
    if (type === 'complete') {
      say((all) => [...all.filter((m) => !m.open), { role: 'assistant', text: data.message, tokens: data.tokens_used }]);
      work(false);
    }
    if (type === 'error') {
      refuse({ title: data.error_type, detail: data.error });
      work(false);
    }
  };
  const ask = (event) => {
    event.preventDefault();
    const field = event.target.elements.message;
    const message = field.value.trim();
    if (!message || busy) return;
    field.value = '';
    send(message);
  };
  const send = (message) => {
    say((all) => [...all, { role: 'user', text: message }]);
    refuse(null);
    work(true);
    const frame = { session_id: id, message };
    if (socket.current?.readyState === WebSocket.OPEN) return void socket.current.send(JSON.stringify(frame));
    socket.current = stream('/agents/stream', { first: frame, onFrame: take, onEnd: () => work(false) });
  };
  const [decide, deciding] = useAction(async (approved) => {
    const answer = await api.post(`/agents/sessions/${encodeURIComponent(id)}/approve`, { action_id: action.action_id, approved });
    wait(null);
    say((all) => [...all, { role: 'tool', name: `${answer.status}: ${action.description}`, text: plain(action.arguments), result: answer.result ?? undefined }]);
  });
  if (session.problem) return html`<${Refused} problem=${session.problem} what="the assistant" /><p><button onClick=${() => set({ session: null })}>Begin anew</button></p>`;
  if (!session.data) return html`<${Skeleton} />`;
  const kind = session.data.agent_type;
  return html`<div class="chat"><${Card} title=${{ experiment: 'Experiments', rag_assistant: 'Knowledge' }[kind]} aside=${html`<button class="link" onClick=${() => set({ session: null })}>Begin anew</button>`}>
    <div class="talk" aria-live="polite">
      ${said.length === 0 && !busy && html`<div class="chips">${IDEAS[kind].map((idea) => html`<button onClick=${() => send(idea)}>${idea}</button>`)}</div>`}
      ${said.map((m) => html`<${Said} of=${m} />`)}${busy && html`<p class="quiet">Working</p>`}</div>
    ${action && html`<div class="asked" role="alert"><p><b>Waits for your approval:</b> ${action.description}</p><dl>${Object.entries(action.arguments).map(([name, value]) => html`<${Fragment}><dt>${name.replaceAll('_', ' ')}</dt><dd><code>${plain(value)}</code></dd><//>`)}</dl>
      <p class="row"><button class="main" disabled=${deciding.busy} onClick=${() => decide(true)}>Approve</button><button disabled=${deciding.busy} onClick=${() => decide(false)}>Reject</button></p></div>`}
    <${Refused} problem=${problem || deciding.problem} />
    <form class="compose" onSubmit=${ask}><textarea name="message" aria-label="Message" maxlength="10000" rows="2" placeholder="Ask; Enter sends, Shift Enter begins a new line" onKeyDown=${(e) => { if (e.key === 'Enter' && !e.shiftKey) { e.preventDefault(); e.target.form.requestSubmit(); } }}></textarea>
      <button class="main" disabled=${busy}>Send</button></form>
  <//></div>`;
}

const Said = ({ of: m }) => (m.role === 'tool'
  ? html`<details class="said tool"><summary>${m.name.replace(/^tool_/, '').replaceAll('_', ' ')} ${m.took !== undefined && html`<span class="quiet">${ms(m.took)}</span>`}</summary><pre>${m.text}</pre>${m.result !== undefined && html`<pre>${JSON.stringify(m.result, null, 1)}</pre>`}</details>`
  : m.role === 'note' ? html`<p class="quiet">${m.text}</p>` : html`<div class=${`said ${m.role}`}>${m.text}${m.tokens > 0 && html`<div class="quiet">${units(m.tokens)} tokens</div>`}</div>`);
