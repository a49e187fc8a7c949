// The one client of the API. Every refusal is thrown as a `Problem`; a missing key is asked for.
import { askForKey, key } from './key.js';

/** A problem body (RFC 7807), or what stands for one when the server did not answer. */
export class Problem extends Error {
  constructor(body) {
    super(body.detail || body.title);
    Object.assign(this, { status: 0, title: 'No answer', errors: [] }, body);
  }
}

async function send(method, path, { body, query, headers, signal } = {}) {
  const url = path + search(query);
  const init = { method, signal, headers: { accept: 'application/json', ...headers } };
  if (body instanceof Blob || typeof body === 'string') init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers['content-type'] = 'application/json';
  }
  const answer = await admitted(url, init);
  const text = await answer.text();
  const json = /json/.test(answer.headers.get('content-type') || '') && text ? JSON.parse(text) : null;
  if (answer.ok) return json;
  throw new Problem(json || { status: answer.status, title: answer.statusText, detail: text });
}

/** Asks with the key, and again with another one as long as the server wants one and somebody has it. */
async function admitted(url, init) {
  for (;;) {
    const used = key();
    if (used) init.headers.authorization = `Bearer ${used}`;
    let answer;
    try {
      answer = await fetch(url, init);
    } catch (error) {
      if (error.name === 'AbortError') throw error;
      throw new Problem({ title: 'No answer', detail: 'The server cannot be reached. Is it still running?' });
    }
    if (answer.status !== 401) return answer;
    // Another request may have got a key meanwhile.
    const { detail } = await answer.clone().json();
    if (key() === used && !await askForKey(detail)) return answer;
  }
}

/** `?a=1&b=2` of the members that have a value. */
export function search(query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, value);
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

export const api = {
  get: (path, query, signal) => send('GET', path, { query, signal }),
  post: (path, body, headers) => send('POST', path, { body, headers }),
  patch: (path, body) => send('PATCH', path, { body }),
  delete: (path, body) => send('DELETE', path, { body }),
};

/** Server-sent events of one name, until `onEvent` answers false or the returned function is called. */
export function events(path, name, onEvent) {
  const stop = new AbortController();
  const read = async () => {
    const answer = await admitted(path, { signal: stop.signal, headers: { accept: 'text/event-stream' } });
    if (!answer.ok) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ''; ;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split('\n');
        const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5).trimStart());
        const go = !lines.includes(`event: ${name}`) && !lines.includes(`event:${name}`) || onEvent(JSON.parse(data.join('\n')));
        if (go === false) return stop.abort();
      }
    }
  };
  read().catch((error) => { if (error.name !== 'AbortError') console.warn(error.message); });
  return () => stop.abort();
}

/** A WebSocket of this server. `onFrame` gets every frame parsed, `onEnd` whether frames came at all. */
export function stream(path, { first, onFrame, onEnd }) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  // Browsers send no headers with a WebSocket: the key is a subprotocol.
  const protocols = key() ? ['retailcast', `key.${key()}`] : [];
  const socket = new WebSocket(`${scheme}://${location.host}${path}`, protocols);
  let frames = 0;
  socket.onopen = () => first && socket.send(JSON.stringify(first));
  socket.onmessage = ({ data }) => {
    frames += 1;
    onFrame(JSON.parse(data));
  };
  socket.onclose = () => onEnd?.(frames > 0);
  return socket;
}
