// The dashboard in a real browser against a real server: every place, its main path, accessibility, pictures.
//   RETAILCAST=path/to/retailcast npm test        RETAILCAST_URL=http://… uses a server that runs already (and its data)
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startModel } from './model.mjs';
import { start } from './server.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.PICTURES || 'pictures';
let server;
let model;
let browser;
let series;

before(async () => {
  model = await startModel();
  const variables = { OLLAMA_BASE_URL: model.url, AGENT_DEFAULT_MODEL: 'ollama:scripted:8b', AGENT_FALLBACK_MODEL: '', RAG_EMBEDDING_PROVIDER: 'local', RAG_EMBEDDING_DIMENSION: '384' };
  server = process.env.RETAILCAST_URL ? { url: process.env.RETAILCAST_URL, stop() {} } : await start(process.env.RETAILCAST, variables);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  await mkdir(pictures, { recursive: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  model?.stop();
});

async function call(path, body) {
  const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(server.url + path, init);
  assert.ok(answer.ok, `${path}: ${answer.status}`);
  return answer.json();
}

/** A page on which everything that the browser complains about is kept. */
async function open(address, options = {}) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const complaints = [];
  // A refusal that the page shows is the page's business; a path that the server was built without is one, too.
  page.on('console', (m) => m.type() === 'error' && !/Failed to load resource|WebSocket connection/.test(m.text()) && complaints.push(m.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(server.url + address);
  return { page, complaints };
}

async function settled(page) {
  await page.waitForSelector('main h1');
  await page.waitForFunction(() => !document.querySelector('main .skeleton'), undefined, { timeout: 20000 });
}

/** Of the whole page, from its top: what sticks there is in its place. */
async function picture(page, name) {
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

async function serious(page) {
  // Evaluated, not added as a script: the page's policy forbids inline scripts.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

const own = { skip: Boolean(process.env.RETAILCAST_URL) && 'a server with data and models of its own' };

/** The card with this title. */
const card = (page, name) => page.locator('.card', { has: page.getByRole('heading', { name, exact: typeof name === 'string' }) });

async function finish(page, complaints) {
  assert.deepEqual(await serious(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
}

test('an empty server says what to do, and one button fills it', own, async () => {
  const { page, complaints } = await open('/');
  await page.getByRole('button', { name: 'Load sample data' }).click();
  await page.locator('.kpi', { hasText: 'Revenue' }).first().waitFor();
  await page.getByRole('region', { name: 'Sales by store' }).waitFor();
  await finish(page, complaints);
});

test('a table is uploaded: its first lines are shown, rows that do not fit are told', own, async () => {
  const { page, complaints } = await open('/#/data');
  const [{ stores: [store] }, { products: [product] }, { date_range_end: day }] = await Promise.all(['/dimensions/stores', '/dimensions/products', '/seeder/status'].map((path) => call(path)));
  const csv = `date,store_code,sku,quantity,unit_price,total_amount\n${day},${store.code},${product.sku},5,2,10\n${day},${store.code},NOPE,5,2,10\n`;
  await page.locator('input[type=file]').setInputFiles({ name: 'sales.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('region', { name: 'Preview' }).getByText('NOPE').waitFor();
  await page.getByRole('button', { name: 'Load', exact: true }).click();
  await page.getByText('1 rows loaded, 1 left out').waitFor();
  await page.getByRole('region', { name: 'Rows left out' }).waitFor();
  await page.getByRole('button', { name: 'Check the data' }).click();
  await page.locator('.status.pass').first().waitFor();
  await finish(page, complaints);
});

test('a link shows a forecast of two models with intervals, its numbers, a backtest and why', async () => {
  const { date_range_start: from, date_range_end: to } = await call('/seeder/status');
  const best = async (dimension) => (await call(`/analytics/drilldowns?dimension=${dimension}&start_date=${from}&end_date=${to}&max_items=1`)).items[0].dimension_id;
  series = `store=${await best('store')}&product=${await best('product')}`;
  const { page, complaints } = await open(`/#/forecast?${series}&models=seasonal_naive,theta`);
  for (const level of ['80 % interval', '95 % interval']) await page.getByText(level).waitFor();
  await page.getByText('computing').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Table' }).first().click();
  for (const name of ['actual', 'seasonal_naive', 'seasonal_naive 95 % low', 'theta']) await page.getByRole('columnheader', { name, exact: true }).waitFor();
  await page.getByRole('button', { name: 'Table' }).first().click();
  // The tooltip lists all series of a day; the wheel zooms, a double click shows everything again.
  const plot = await page.locator('.u-over').first().boundingBox();
  const at = async (share) => {
    await page.mouse.move(plot.x + plot.width * share, plot.y + plot.height / 2);
    return page.locator('.tip').first().innerText();
  };
  const last = await at(0.98);
  for (const word of ['seasonal_naive', 'theta', '95 %']) assert.ok(last.includes(word), last);
  const first = await at(0.02);
  await at(0.9);
  for (let i = 0; i < 4; i += 1) await page.mouse.wheel(0, -100);
  await page.waitForFunction((before) => document.querySelector('.tip')?.innerText !== before, first);
  const zoomed = await at(0.02);
  assert.ok(zoomed.slice(4, 14) > first.slice(4, 14), `${zoomed} is nearer than ${first}`);
  await page.mouse.dblclick(plot.x + plot.width / 2, plot.y + plot.height / 2);
  assert.equal((await at(0.02)).slice(4, 14), first.slice(4, 14));
  await page.mouse.move(0, 0);
  await page.getByRole('button', { name: 'Explain seasonal_naive' }).click();
  await page.getByText('season match').waitFor();
  await page.getByRole('button', { name: 'Backtest these models' }).click();
  await page.getByRole('region', { name: 'Leaderboard' }).waitFor();
  await picture(page, 'forecast-backtest');
  await finish(page, complaints);
});

test('scenarios are simulated, saved and ranked', own, async () => {
  const { page, complaints } = await open(`/#/scenarios?${series}&price=-10`);
  await page.getByRole('button', { name: 'Simulate', exact: true }).click();
  await page.locator('.facts', { hasText: 'Revenue' }).waitFor();
  for (const [name, price] of [['Cheap', '-20'], ['Dear', '15']]) {
    await page.getByRole('slider').fill(price);
    await page.getByLabel('Name of the plan').fill(name);
    await page.getByRole('button', { name: 'Simulate and save' }).click();
    await page.getByRole('button', { name, exact: true }).waitFor();
  }
  for (const name of ['Cheap', 'Dear']) await page.getByLabel(`Rank ${name}`).check();
  await page.getByRole('button', { name: 'Rank the chosen ones' }).click();
  await page.getByRole('region', { name: 'Ranking' }).waitFor();
  await picture(page, 'scenarios-ranked');
  await finish(page, complaints);
});

test('the demo runs, a card per step, the agent with it', own, async () => {
  const { page, complaints } = await open('/#/showcase');
  await page.getByRole('button', { name: 'Run the demo' }).click();
  await page.getByText('The best model is').waitFor({ timeout: 30000 });
  assert.equal(await page.locator('.step .status.pass').count(), 9);
  await card(page, '10. agent').getByText('answered').waitFor();
  await picture(page, 'showcase-done');
  await page.getByRole('link', { name: 'See the run' }).click();
  await card(page, /^Run [0-9a-f]{8}$/).waitFor();
  await finish(page, complaints);
});

test('a registered run is verified, explained and compared', own, async () => {
  await call('/demo/run', {});
  const { page, complaints } = await open('/#/models');
  const runs = page.getByRole('region', { name: 'Runs', exact: true });
  await runs.getByRole('button').first().click();
  await page.getByRole('button', { name: 'Verify its file' }).click();
  await page.getByText('the file is the one that was registered.').waitFor();
  await page.getByRole('button', { name: 'Explain this run' }).click();
  await card(page, 'Why this forecast').getByText('Confidence').last().waitFor();
  await runs.getByRole('button', { name: /as A$/ }).first().click();
  await runs.getByRole('button', { name: /as B$/ }).first().click();
  await page.getByRole('region', { name: 'Metrics' }).waitFor();
  await page.getByRole('button', { name: 'seasonal_naive', exact: true }).click();
  await page.getByText('MiB memory').waitFor();
  await picture(page, 'models-run');
  await finish(page, complaints);
});

test('a job is followed to its end, its model forecasts, the forecast is explained', async () => {
  const { page, complaints } = await open(`/#/jobs?${series}`);
  const submit = card(page, 'Submit a job');
  await submit.getByLabel('What').selectOption('train');
  await submit.getByRole('button', { name: 'Submit' }).click();
  await page.waitForURL(/job=[0-9a-f]{32}/);
  await card(page, /^Job [0-9a-f]{8}$/).locator('.status.completed').waitFor({ timeout: 20000 });
  await page.getByRole('button', { name: 'Forecast 14 days with it' }).click();
  await page.getByRole('region', { name: 'Forecast' }).waitFor({ timeout: 20000 });
  await page.getByRole('button', { name: 'Explain this forecast' }).click();
  await page.getByText('season match').waitFor();
  await finish(page, complaints);
});

test('a document is indexed and found, the words that hit are marked', own, async () => {
  const { page, complaints } = await open('/#/knowledge');
  await page.getByLabel('Name, for example').fill('handbook/returns.md');
  await page.getByLabel('Markdown or OpenAPI').fill('# Returns\n\nGoods can be returned for 30 days.\n');
  await page.getByRole('button', { name: 'Index', exact: true }).click();
  await page.getByRole('cell', { name: 'handbook/returns.md', exact: true }).waitFor();
  await page.getByLabel('Question').fill('How long can goods be returned?');
  await page.getByRole('button', { name: 'Search', exact: true }).last().click();
  await page.locator('.hit mark', { hasText: 'returned' }).first().waitFor();
  await picture(page, 'knowledge-found');
  await finish(page, complaints);
});

test('an agent answers word by word, and what it wants to change waits for a click', own, async () => {
  const { page, complaints } = await open('/#/assistant');
  await page.getByRole('button', { name: 'Experiments' }).click();
  await page.getByRole('button', { name: 'Which runs are there?' }).click();
  await page.locator('.said.assistant', { hasText: 'runs; the newest' }).waitFor();
  // The turn has ended when its tokens are told.
  await page.locator('.said.assistant', { hasText: 'tokens' }).waitFor();
  await page.locator('.said.tool', { hasText: 'list runs' }).waitFor();
  await page.getByRole('textbox', { name: 'Message' }).fill('Deploy the newest run');
  await page.keyboard.press('Enter');
  await page.getByText('Waits for your approval:').waitFor();
  assert.ok(!(await call('/registry/aliases')).some((a) => a.alias_name === 'best'), 'nothing has changed yet');
  await picture(page, 'assistant-approval');
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.locator('.said.tool', { hasText: 'executed' }).waitFor();
  assert.ok((await call('/registry/aliases')).some((a) => a.alias_name === 'best'));
  // The page can be left and found again.
  await page.reload();
  await page.locator('.said.user', { hasText: 'Deploy the newest run' }).waitFor();
  await finish(page, complaints);
});

test('settings are changed and told where they come from; a key is not shown', own, async () => {
  const { page, complaints } = await open('/#/settings');
  await page.getByRole('cell', { name: 'scripted:8b' }).waitFor();
  await page.getByLabel('Temperature').fill('0.3');
  await page.getByLabel('Key of anthropic').fill('sk-ant-canary-0123456789');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('changed here').first().waitFor();
  await page.getByText('set: sk-ant-…6789').waitFor();
  assert.equal((await call('/config/ai')).agent_temperature, 0.3);
  assert.ok(!(await page.content()).includes('canary'));
  await page.getByLabel('Address of Ollama').fill('http://elsewhere.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('is not among the hosts').waitFor();
  await finish(page, complaints);
});

test('a server that wants a key is opened with one', own, async () => {
  const create = ['key', 'create', '--scope', 'admin'];
  const guarded = await start(process.env.RETAILCAST, { ACCESS_REQUIRE_KEYS: 'true' }, [create]);
  const page = await browser.newPage();
  try {
    await page.goto(`${guarded.url}/#/showcase`);
    await page.getByText('This server wants an API key').waitFor();
    await page.getByPlaceholder('rc_…').fill(`rc_${'0'.repeat(12)}_${'0'.repeat(64)}`);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('The key is refused').waitFor();
    await page.getByPlaceholder('rc_…').fill(guarded.printed[0]);
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('This server wants an API key').waitFor({ state: 'detached' });
    // A WebSocket and a stream of events bring it along, too.
    await page.reload();
    await page.getByRole('button', { name: 'Run the demo' }).click();
    await page.getByText('The best model is').waitFor({ timeout: 30000 });
  } finally {
    await page.close();
    await guarded.stop();
  }
});

test('the keyboard goes anywhere', async () => {
  const { products: [{ id, sku }] } = await call('/dimensions/products?page_size=1');
  const { page, complaints } = await open('/');
  await settled(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox').fill(sku);
  await page.getByRole('button', { name: sku }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`product=${id}`));
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.waitForURL(/#\/jobs/);
  // Down from the first place to the second one.
  await page.keyboard.press('Control+k');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/forecast/);
  assert.deepEqual(complaints, []);
  await page.close();
});

const PLACES = ['overview', 'forecast', 'scenarios', 'models', 'jobs', 'data', 'knowledge', 'assistant', 'showcase', 'settings'];
for (const place of PLACES) {
  test(`${place}: no complaint, nothing serious, no sideways scrolling`, async () => {
    await Promise.all([['light', 1600, 'light'], ['dark', 1600, 'dark'], ['phone', 360, 'light']].map(async ([name, width, colorScheme]) => {
      const { page, complaints } = await open(`/#/${place}?${series}`, { viewport: { width, height: 900 }, colorScheme });
      await settled(page);
      if (place === 'forecast') await page.getByText('95 % interval').waitFor();
      await picture(page, `${place}-${name}`);
      assert.deepEqual(await page.locator('main .refused').allTextContents(), [], name);
      assert.deepEqual(await serious(page), [], name);
      assert.deepEqual(complaints, [], name);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name}: ${wide} px too wide`);
      await page.close();
    }));
  });
}

test('the first page is small', async () => {
  const page = await browser.newPage();
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  let bytes = 0;
  const asked = [];
  page.on('request', (request) => new URL(request.url()).pathname.startsWith('/dashboard/') || asked.push(request.url()));
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(server.url);
  await settled(page);
  const ready = await page.evaluate(() => Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd));
  console.log(`first page: ${Math.round(bytes / 1024)} KiB transferred, load event after ${ready} ms`);
  assert.ok(bytes <= 500 * 1024, `${bytes} bytes`);
  // The page itself and what it shows; nothing twice.
  assert.ok(asked.length <= 10 && new Set(asked).size === asked.length, asked.join('\n'));
  await page.close();
});

test('five years of five models are drawn at once', async () => {
  const { page } = await open('/');
  const times = await page.evaluate(async () => {
    const { draw } = await import('/dashboard/lib/chart.js');
    const days = Array.from({ length: 5 * 365 }, (_, i) => 18000 + i);
    const series = Array.from({ length: 6 }, (_, k) => ({ label: `model ${k}`, values: days.map((d) => 100 + 30 * Math.sin(d / 7 + k)) }));
    const box = document.body.appendChild(document.createElement('div'));
    const plot = draw(box, { days, series, height: 360, show() {} });
    await new Promise(requestAnimationFrame);
    const times = [];
    for (let i = 0; i < 15; i += 1) {
      const begin = performance.now();
      plot.redraw();
      // uPlot draws in a microtask.
      await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)));
      // Reading a point waits for the pixels.
      plot.ctx.getImageData(0, 0, 1, 1);
      times.push(performance.now() - begin);
    }
    return times.sort((a, b) => a - b);
  });
  console.log(`redraw of 5 years x 5 models: quickest ${times[0].toFixed(1)} ms, median ${times[7].toFixed(1)} ms`);
  // The quickest: what the machine does beside it is not the chart's.
  assert.ok(times[0] <= 50, `${times}`);
  await page.close();
});
