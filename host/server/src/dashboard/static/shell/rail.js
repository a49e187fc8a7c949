// The ten places.
import { html, useEffect, useRef } from '../lib/html.js';
import { href } from '../lib/state.js';

const icon = (path) => html`<svg viewBox="0 0 20 20" aria-hidden="true"><path d=${path} /></svg>`;
export const PLACES = [
  { id: 'overview', key: 'o', name: 'Overview', path: 'M3 11h6V3H3zM11 17h6V9h-6zM11 3v4h6V3zM3 17h6v-4H3z' },
  { id: 'forecast', key: 'f', name: 'Forecast', path: 'M2 15l5-6 4 3 3-5M14 7l4-3' },
  { id: 'scenarios', key: 's', name: 'Scenarios', path: 'M4 4v12M10 4v12M16 4v12M2 8h4M8 13h4M14 6h4' },
  { id: 'models', key: 'm', name: 'Models', path: 'M10 2l7 4v8l-7 4-7-4V6zM3 6l7 4 7-4M10 10v8' },
  { id: 'jobs', key: 'j', name: 'Jobs', path: 'M4 5h12M4 10h12M4 15h7' },
  { id: 'data', key: 'd', name: 'Data', path: 'M3 5c0-3 14-3 14 0v10c0 3-14 3-14 0zM3 5c0 3 14 3 14 0M3 10c0 3 14 3 14 0' },
  { id: 'knowledge', key: 'k', name: 'Knowledge', path: 'M4 3h9l3 3v11H4zM7 9h6M7 13h6' },
  { id: 'assistant', key: 'a', name: 'Assistant', path: 'M3 4h14v10H9l-4 3v-3H3z' },
  { id: 'showcase', key: 'w', name: 'Showcase', path: 'M6 3l10 7-10 7z' },
  { id: 'settings', key: 'e', name: 'Settings', path: 'M10 7a3 3 0 100 6 3 3 0 000-6zM10 2v3M10 15v3M2 10h3M15 10h3M4 4l2 2M14 14l2 2M16 4l-2 2M6 14l-2 2' },
];

export function Rail({ place }) {
  const rail = useRef();
  // On a phone it is a strip that scrolls sideways.
  useEffect(() => {
    const strip = rail.current;
    const here = strip.querySelector('[aria-current]');
    if (here) strip.scrollLeft = here.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
  }, [place]);
  return html`
  <nav class="rail" aria-label="Places"><div ref=${rail}>
    <a class="brand" href="#/overview"><img src="/dashboard/icon.svg" alt="" width="22" height="22" />RetailCast</a>
    ${PLACES.map((p) => html`<a href=${href(p.id)} aria-current=${p.id === place ? 'page' : undefined} title=${`Keys: g ${p.key}`}>${icon(p.path)}<span>${p.name}</span></a>`)}
    <a class="foot" href="/docs"><span>API reference</span></a>
  </div></nav>`;
}
