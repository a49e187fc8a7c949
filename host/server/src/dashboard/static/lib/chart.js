// A chart with its numbers: plot, one tooltip for all series, legend where labels do not fit, table, CSV, PNG.
import { html, useEffect, useRef, useState } from './html.js';
import { fromDay, missing, number, weekday } from './format.js';
import { colourOf, swatch } from './chart/colours.js';
import { draw } from './chart/plot.js';

export { colourOf, swatch };
export { draw };

/**
 * `days`: day numbers, or with `steps` numbers of steps; `series`: `{label, values, colour, dash, bands}` with one value (or
 * null) per day and bands `{level, low, high}`, the widest first; `rule`: a day to mark; `marks`: `{holidays, promotions}`, days
 * behind the plot; `unit`: what is counted; `labels`: whether lines carry their names.
 */
export function Chart({ days, series, rule, marks, unit = 'units', height = 280, name = 'chart', title, small, labels, steps }) {
  const box = useRef();
  const [cursor, point] = useState(null);
  const [table, toggle] = useState(false);
  const [took, say] = useState({});
  const [wide, measure] = useState(true);
  const labelled = Boolean(labels && wide);
  useEffect(() => {
    const plot = draw(box.current, { days, series, rule, marks, height, labels: labelled, steps, show: point });
    const resized = new ResizeObserver(() => {
      measure(box.current.clientWidth >= 560);
      plot.setSize({ width: box.current.clientWidth, height });
    });
    resized.observe(box.current);
    const themed = () => plot.redraw(false);
    addEventListener('theme', themed);
    return () => {
      removeEventListener('theme', themed);
      resized.disconnect();
      plot.destroy();
    };
  }, [days, series, rule, marks, height, labelled, steps]);
  const at = (i) => (steps ? `step ${days[i]}` : `${weekday(days[i])} ${fromDay(days[i])}`);
  const told = (what) => {
    say(what);
    setTimeout(() => say({}), 1500);
  };
  const copy = () => navigator.clipboard.writeText(csv(days, series, steps)).then(() => told({ csv: 'Copied' }));
  const take = () => picture(box.current, name).then((done) => told({ png: done }));
  const notes = [
    ...series.flatMap((s) => (s.bands || []).map((b, i) => ({ label: `${b.level} % interval`, colour: s.colour, share: i + 1 }))),
    ...(marks?.holidays?.length ? [{ label: 'holiday', mark: 'holiday' }] : []), ...(marks?.promotions?.length ? [{ label: 'promotion', mark: 'promotion' }] : []),
  ];
  return html`
    <figure class=${small ? 'chart small' : 'chart'}>
      ${!small && html`<figcaption>
        <span class="legend">
          ${title && html`<b>${title}</b>`}
          ${(!labelled || !title) && series.length + notes.length > 1 && series.map((s) => html`<span><i style=${{ background: swatch(s.colour) }}></i>${s.label}</span>`)}
          ${notes.map((n) => html`<span><i class=${n.mark ? `mark ${n.mark}` : 'band'} style=${n.colour ? { background: `color-mix(in srgb, ${swatch(n.colour)} calc(var(--band) * ${n.share}), transparent)` } : undefined}></i>${n.label}</span>`)}
        </span>
        <span class="tools">
          <button class="link" aria-expanded=${table} onClick=${() => toggle(!table)}>Table</button>
          <button class="link" onClick=${copy}>${took.csv || 'Copy CSV'}</button>
          <button class="link" onClick=${take}>${took.png || 'Copy PNG'}</button>
        </span>
      </figcaption>`}
      <div class="plot">
        <div ref=${box} style=${{ height: `${height}px` }} role="img" aria-label=${`${title || unit} by ${steps ? 'step' : 'day'}: ${series.map((s) => s.label).join(', ')}. ${small ? '' : 'The table has the numbers.'}`}></div>
        ${cursor && html`<${Tip} at=${at(cursor.index)} series=${series} marks=${marks} day=${days[cursor.index]} ...${cursor} />`}
      </div>
      ${table && html`<${Numbers} days=${days} series=${series} steps=${steps} name=${name} />`}
    </figure>`;
}

/** All series at the crosshair, on the side that has room. */
function Tip({ at, series, marks, day, index, left, width }) {
  const side = left > width / 2 ? { right: `${width - left + 14}px` } : { left: `${left + 14}px` };
  const what = [marks?.holidays?.includes(day) && 'holiday', marks?.promotions?.includes(day) && 'promotion'].filter(Boolean).join(', ');
  const rows = series.filter((s) => s.values[index] !== null && s.values[index] !== undefined);
  return html`<div class="tip" style=${side} aria-hidden="true">
    <div class="quiet">${at}${what && ` · ${what}`}</div>
    ${rows.length === 0 ? missing : rows.map((s) => html`<div><i style=${{ background: swatch(s.colour) }}></i><span>${s.label}</span><b>${number(s.values[index], 1)}</b></div>
      ${(s.bands || []).map((b) => html`<div class="quiet"><i></i><span>${b.level} %</span><b>${number(b.low[index], 0)} – ${number(b.high[index], 0)}</b></div>`)}`)}
  </div>`;
}

const Numbers = ({ days, series, steps, name }) => html`
  <div class="scroll tall" tabindex="0" role="region" aria-label=${`${name}: numbers`}><table>
    <thead><tr><th scope="col">${steps ? 'Step' : 'Day'}</th>${columns(series).map((c) => html`<th scope="col" class="n">${c.label}</th>`)}</tr></thead>
    <tbody>${days.map((d, i) => html`<tr><td>${steps ? d : fromDay(d)}</td>${columns(series).map((c) => html`<td class="n">${c.values[i] == null ? '' : number(c.values[i], 1)}</td>`)}</tr>`)}</tbody>
  </table></div>`;

/** Every column of numbers: a series, then the edges of its bands. */
function columns(series) {
  return series.flatMap((s) => [s, ...(s.bands || []).flatMap((b) => [
    { label: `${s.label} ${b.level} % low`, values: b.low }, { label: `${s.label} ${b.level} % high`, values: b.high }])]);
}

function csv(days, series, steps) {
  const all = columns(series);
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const head = [steps ? 'step' : 'day', ...all.map((c) => quoted(c.label))].join(',');
  return [head, ...days.map((d, i) => [steps ? d : fromDay(d), ...all.map((c) => c.values[i] ?? '')].join(','))].join('\n');
}

/** Copies the picture, or saves it where the browser lets nobody copy pictures. */
function picture(box, name) {
  return new Promise((resolve) => {
    box.querySelector('canvas').toBlob(async (blob) => {
      try {
        await navigator.clipboard.write([new ClipboardItem({ 'image/png': blob })]);
        resolve('Copied');
      } catch {
        const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${name}.png` });
        link.click();
        URL.revokeObjectURL(link.href);
        resolve('Saved');
      }
    });
  });
}
