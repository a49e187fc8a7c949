// The one client of the API. Every refusal is thrown as a `Problem`.

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
  let answer;
  try {
    answer = await fetch(url, init);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem({ title: 'No answer', detail: 'The server cannot be reached. Is it still running?' });
  }
  const text = await answer.text();
  const json = /json/.test(answer.headers.get('content-type') || '') && text ? JSON.parse(text) : null;
  if (answer.ok) return json;
  throw new Problem(json || { status: answer.status, title: answer.statusText, detail: text });
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

/** A WebSocket of this server. `onFrame` gets every frame parsed, `onEnd` whether frames came at all. */
export function stream(path, { first, onFrame, onEnd }) {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}${path}`);
  let frames = 0;
  socket.onopen = () => first && socket.send(JSON.stringify(first));
  socket.onmessage = ({ data }) => {
    frames += 1;
    onFrame(JSON.parse(data));
  };
  socket.onclose = () => onEnd?.(frames > 0);
  return socket;
}
