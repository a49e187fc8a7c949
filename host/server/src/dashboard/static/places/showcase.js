// The demo, live: a card per step.
import { html, useEffect, useRef, useState } from '../lib/html.js';
import { href, set } from '../lib/state.js';
import { stream } from '../lib/api.js';
import { ms, number, percent, plain } from '../lib/format.js';
import { Card, Field, Progress, Refused, Status } from '../lib/parts.js';

const STEPS = ['precheck', 'reset', 'seed', 'status', 'features', 'train', 'backtest', 'register', 'verify', 'agent', 'cleanup'];

export default function Showcase({ params, status }) {
  const [frames, collect] = useState([]);
  const [problem, refuse] = useState(null);
  const [running, run] = useState(false);
  const socket = useRef();
  useEffect(() => () => socket.current?.close(), []);
  const empty = status.data && !status.data.date_range_end;
  const start = () => {
    collect([]);
    refuse(null);
    run(true);
    socket.current = stream('/demo/stream', {
      first: { seed: Number(params.seed) || 42, reset: false, skip_seed: !(empty || params.generate) },
      onFrame: (frame) => (frame.event_type === 'error' ? refuse({ title: 'Not started', detail: frame.detail }) : collect((all) => [...all, frame])),
      onEnd: (any) => {
        run(false);
        status.reload();
        if (!any) refuse({ status: 404, title: 'Not Found', detail: 'There is nothing at /demo/stream.' });
      },
    });
  };
  const done = Object.fromEntries(frames.filter((f) => f.event_type === 'step_complete').map((f) => [f.step_name, f]));
  const begun = new Set(frames.map((f) => f.step_name));
  const end = frames.find((f) => f.event_type === 'pipeline_complete');
  const finished = Object.keys(done).length;
  return html`
    <${Card} title="The whole product in one run"><p class="quiet">Eleven steps: data, features, three models, their backtests, the best one registered and its file verified, and an agent when a provider is configured.</p>
    <div class="row">
      <button class="main" disabled=${running} onClick=${start}>${running ? 'Running' : 'Run the demo'}</button>
      ${running && html`<button onClick=${() => socket.current.close()}>Stop after this step</button>`}
      <label class="field check"><input type="checkbox" checked=${empty || Boolean(params.generate)} disabled=${empty} onChange=${(e) => set({ generate: e.target.checked ? 1 : null })} /><span>generate data first</span></label>
      <${Field} label="Seed"><input type="number" min="0" value=${params.seed || 42} onChange=${(e) => set({ seed: e.target.value })} /><//>
    </div>
    ${frames.length > 0 && html`<${Progress} value=${finished / STEPS.length} words=${end ? `${number(end.data.wall_clock_s, 1)} s` : STEPS[finished]} />`}
    <${Refused} problem=${problem} what="the demo pipeline" />
    ${end && html`<p class="done" role="status"><${Status} of=${end.status} word=${end.status === 'pass' ? 'passed' : 'failed'} />. ${end.data.winner_model_type ? `The best model is ${end.data.winner_model_type} with a WAPE of ${percent(end.data.winner_wape)}.` : `${end.detail}.`}
      ${end.data.winning_run_id && html` <a href=${href('models', { run: end.data.winning_run_id })}>See the run</a>`}</p>`}
    <//>
    <div class="cards" aria-live="polite">
      ${STEPS.map((name, i) => html`<${Step} name=${name} index=${i + 1} frame=${done[name]} begun=${begun.has(name)} />`)}
    </div>`;
}

const Step = ({ name, index, frame, begun }) => html`
  <${Card} title=${`${index}. ${name}`} aside=${html`<span class="quiet">${frame ? ms(frame.duration_ms) : ''}</span>`}>
    <div class="step"><${Status} of=${frame?.status || (begun ? 'running' : 'pending')} />
      <p>${frame?.detail}</p>
      ${frame?.data.per_model && html`<ul class="plain">${Object.entries(frame.data.per_model).map(([model, m]) => html`<li class="between"><span>${model}</span><b>${percent(m.wape)}</b></li>`)}</ul>`}
      ${frame?.data.run_id && html`<p><a href=${href('models', { run: frame.data.run_id })}>${plain(frame.data.alias)}</a></p>`}
    </div>
  <//>`;
