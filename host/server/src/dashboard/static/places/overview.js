// How sales go: key figures against the previous equal period, the series, drill-downs, stock.
import { Fragment, html, useMemo } from '../lib/html.js';
import { set, useGet } from '../lib/state.js';
import { addDays, compact, daysBetween, number, percent, toDay, units } from '../lib/format.js';
import { Answer, Card, Empty, Kpi, Refused, Select, Status, Table } from '../lib/parts.js';
import { Chart } from '../lib/chart.js';
import { productName, storeName, useNames } from '../lib/names.js';
import { EmptyServer } from '../lib/sample.js';

const DIMENSIONS = ['store', 'product', 'category', 'region'];

export default function Overview({ context, params, status }) {
  if (status.problem) return html`<${Refused} problem=${status.problem} retry=${status.reload} />`;
  if (!status.data.date_range_end) {
    return html`<${EmptyServer} status=${status} title="No sales yet" words="This place shows revenue, units and stock of all stores and products, against the period before." />`;
  }
  return html`<${Sales} context=${context} params=${params} />`;
}

function Sales({ context, params }) {
  const { from, to, store, product } = context;
  const names = useNames();
  const series = { store_id: store, product_id: product };
  const length = daysBetween(from, to) + 1;
  const now = useGet('/analytics/kpis', { start_date: from, end_date: to, ...series });
  const before = useGet('/analytics/kpis', { start_date: addDays(from, -length), end_date: addDays(from, -1), ...series });
  const granularity = params.by || (length > 200 ? 'week' : 'day');
  const points = useGet('/analytics/timeseries', { start_date: from, end_date: to, granularity, ...series });
  const dimension = params.dimension || (store ? 'product' : 'store');
  const drill = useGet('/analytics/drilldowns', { dimension, start_date: from, end_date: to, max_items: 12, ...series });
  const stock = useGet('/analytics/inventory-status', series);
  return html`<${Fragment}>
    ${now.problem ? html`<${Refused} problem=${now.problem} retry=${now.reload} />`
      : html`<${Kpis} now=${now.data?.metrics} before=${before.data?.metrics} points=${points.data?.points} />`}
    <div class="grid">
      <${Card} wide title="Sales over time" aside=${html`<${Select} inline label="Per" value=${granularity} options=${['day', 'week', 'month', 'quarter']} onChange=${(by) => set({ by })} />`}>
        <${Answer} of=${points} height=${482}>${(data) => html`<${Lines} points=${data.points} />`}<//>
      <//>
      <${Card} title="Where it comes from" aside=${html`<${Select} inline label="By" value=${dimension} options=${DIMENSIONS} onChange=${(d) => set({ dimension: d })} />`}>
        <${Answer} of=${drill} height=${380}>${(data) => html`<${Drill} data=${data} names=${names} />`}<//>
      <//>
      <${Card} title="Stock">
        <${Answer} of=${stock} height=${380}>${(data) => html`<${Stock} items=${data.items} names=${names} />`}<//>
      <//>
    </div>
  <//>`;
}

function Kpis({ now, before, points = [] }) {
  const of = (name, label, format, how) => html`
    <${Kpi} label=${label} value=${now?.[name]} before=${Number(before?.[name])} format=${format} how=${how} points=${points.map((p) => Number(p.metrics[name]) || 0)} />`;
  return html`<div class="kpis">
    ${of('total_revenue', 'Revenue', compact, 'sum of total_amount')}
    ${of('total_units', 'Units', compact, 'sum of quantity')}
    ${of('total_transactions', 'Sales rows', compact, 'days with a row, per store and product')}
    ${of('avg_unit_price', 'Price per unit', number, 'revenue divided by units')}
    ${of('avg_basket_value', 'Revenue per row', number, 'revenue divided by rows')}
  </div>`;
}

/** Revenue and units have an axis of their own each, one below the other. */
function Lines({ points }) {
  const days = useMemo(() => points.map((p) => toDay(p.period)), [points]);
  const line = (name, label, colour) => useMemo(() => [{ label, colour, values: points.map((p) => Number(p.metrics[name])) }], [points]);
  const [revenue, sold] = [line('total_revenue', 'Revenue'), line('total_units', 'Units')];
  if (points.length === 0) return html`<${Empty} title="No sales in these days" words="Choose other days, another store or product above." />`;
  return html`<${Fragment}>
    <${Chart} days=${days} series=${revenue} title="Revenue" unit="revenue" height=${230} name="revenue" />
    <${Chart} days=${days} series=${sold} title="Units" height=${180} name="units" />
  <//>`;
}

function Drill({ data, names }) {
  const pick = { store: 'store', product: 'product' }[data.dimension];
  const most = Number(data.items[0]?.revenue_share_pct) || 1;
  const named = { store: (r) => storeName(names, r.dimension_id), product: (r) => productName(names, r.dimension_id) }[data.dimension];
  const columns = [
    { head: data.dimension, cell: (r) => (named ? named(r) : r.dimension_value) },
    { head: 'Units', number: true, cell: (r) => units(r.metrics.total_units) },
    { head: 'Revenue', number: true, cell: (r) => units(r.metrics.total_revenue) },
    { head: 'Share', number: true, cell: (r) => percent(r.revenue_share_pct), bar: (r) => r.revenue_share_pct / most },
  ];
  return html`<${Table} caption=${`Sales by ${data.dimension}`} columns=${columns} rows=${data.items} onRow=${pick && ((r) => set({ [pick]: r.dimension_id }))} />
    <p class="quiet">${data.items.length} of ${data.total_items}, by revenue</p>`;
}

function Stock({ items, names }) {
  const out = items.filter((i) => i.is_stockout);
  const columns = [
    { head: 'Store', cell: (r) => storeName(names, r.store_id) },
    { head: 'Product', cell: (r) => productName(names, r.product_id) },
    { head: 'On hand', number: true, cell: (r) => units(r.on_hand_qty) },
    { head: 'On order', number: true, cell: (r) => units(r.on_order_qty) },
    { head: 'State', cell: (r) => html`<${Status} of=${r.is_stockout ? 'warn' : 'pass'} word=${r.is_stockout ? 'out of stock' : 'in stock'} />` },
  ];
  const rows = [...out, ...items.filter((i) => !i.is_stockout)].slice(0, 11);
  return html`<p><b>${units(out.length)}</b> of ${units(items.length)} series out of stock${rows.length < items.length ? `; the first ${rows.length}` : ''}</p>
    <${Table} caption="Stock" columns=${columns} rows=${rows} onRow=${(r) => set({ store: r.store_id, product: r.product_id })} empty="No snapshots of stock. POST /ingest/inventory loads them." />`;
}
