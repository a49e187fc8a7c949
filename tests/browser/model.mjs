// A model by script that speaks Ollama's dialect of OpenAI's protocol: what it does depends on what it is told last.
import { createServer } from 'node:http';

const chunk = (delta, reason = null) => `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The conversation of the tests: it lists runs, and points an alias at the newest one when it is asked to deploy. */
function next(messages) {
  const last = messages.at(-1);
  const result = last.role === 'tool' ? JSON.parse(last.content) : null;
  const asked = messages.findLast((m) => m.role === 'user').content;
  if (result?.status === 'approval_required') return { say: 'It waits for your approval.' };
  if (/deploy/i.test(asked) && result?.runs?.[0]) return { call: 'tool_create_alias', with: { alias_name: 'best', run_id: result.runs[0].run_id } };
  if (result?.runs) return { say: `There are ${result.total} runs; the newest is a ${result.runs[0]?.model_type} model.` };
  if (result?.results) return { say: `The documents have ${result.results.length} passages on it.`, knowledge: true };
  if (messages[0].content.includes('retrieve_context') || /knowledge base/.test(messages[0].content)) return { call: 'tool_retrieve_context', with: { query: asked, similarity_threshold: 0.1 } };
  return { call: 'tool_list_runs', with: { page_size: 5 } };
}

/** Starts it on `port` (0: any); its address and how to stop it. */
export async function startModel(port = 0) {
  const server = createServer(async (request, response) => {
    if (request.url === '/api/tags') {
      response.end(JSON.stringify({ models: [{ name: 'scripted:8b', size: 4661224676, details: { family: 'script' } }] }));
      return;
    }
    let body = '';
    for await (const piece of request) body += piece;
    const { messages, stream } = JSON.parse(body);
    const { call, with: given, say, knowledge } = next(messages);
    const message = call
      ? { role: 'assistant', content: '', tool_calls: [{ index: 0, id: `call_${messages.length}`, type: 'function', function: { name: call, arguments: JSON.stringify(given) } }] }
      : { role: 'assistant', content: JSON.stringify(knowledge ? { confidence: 'medium', sources: [], answer: say } : { summary: say }) };
    const usage = { prompt_tokens: 40, completion_tokens: 12, total_tokens: 52 };
    if (!stream) {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ choices: [{ index: 0, message, finish_reason: call ? 'tool_calls' : 'stop' }], usage }));
      return;
    }
    response.setHeader('content-type', 'text/event-stream');
    if (call) response.write(chunk(message));
    for (const piece of call ? [] : message.content.match(/.{1,7}/gs)) {
      response.write(chunk({ role: 'assistant', content: piece }));
      await pause(15);
    }
    response.write(chunk({}, call ? 'tool_calls' : 'stop'));
    response.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}
