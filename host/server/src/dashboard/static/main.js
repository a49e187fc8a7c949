// The shell: rail, top bar, one place. A place is loaded when it is entered.
import { html, render, useEffect, useState } from './lib/html.js';
import { useAddress, useGet } from './lib/state.js';
import { Rail, PLACES } from './shell/rail.js';
import { TopBar } from './shell/topbar.js';
import { Palette } from './shell/palette.js';
import { Refused, Skeleton } from './lib/parts.js';

function App() {
  const { place, params } = useAddress();
  const status = useGet('/seeder/status');
  const [loaded, load] = useState({});
  const known = PLACES.find((p) => p.id === place) || PLACES[0];
  useEffect(() => {
    document.title = `${known.name} · RetailCast`;
    import(`./places/${known.id}.js`).then(
      (module) => load({ id: known.id, Page: module.default }),
      (problem) => load({ id: known.id, problem }),
    );
  }, [known.id]);
  // What the address leaves open is filled from the data: the newest year.
  const context = { ...params, from: params.from || firstDay(status.data), to: params.to || status.data?.date_range_end };
  const ready = loaded.id === known.id && (status.data || status.problem);
  return html`
    <a class="skiplink" href="#content" onClick=${(e) => { e.preventDefault(); document.getElementById('content').focus(); }}>Skip to the content</a>
    <${Rail} place=${known.id} />
    <${TopBar} context=${context} />
    <main id="content" tabindex="-1">
      <h1>${known.name}</h1>
      ${!ready ? html`<${Skeleton} height=${400} />`
        : loaded.problem ? html`<${Refused} problem=${loaded.problem} />`
        : html`<${loaded.Page} context=${context} params=${params} status=${status} />`}
    </main>
    <${Palette} />`;
}

function firstDay(status) {
  if (!status?.date_range_end) return undefined;
  const year = new Date(Date.parse(status.date_range_end) - 364 * 86400000).toISOString().slice(0, 10);
  return year > status.date_range_start ? year : status.date_range_start;
}

const theme = localStorage.getItem('theme');
if (theme) document.documentElement.dataset.theme = theme;
render(html`<${App} />`, document.getElementById('app'));
