// The dashboard in a real browser against a real server: every place, its main path, accessibility, pictures.
//   RETAILCAST=path/to/retailcast npm test        RETAILCAST_URL=http://… uses a server that runs already (and its data)
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { start } from './server.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const pictures = process.env.PICTURES || 'pictures';
let server;
let browser;
let series;

before(async () => {
  server = process.env.RETAILCAST_URL ? { url: process.env.RETAILCAST_URL, stop() {} } : await start(process.env.RETAILCAST);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ['--no-sandbox'] });
  await mkdir(pictures, { recursive: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
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

async function serious(page) {
  // Evaluated, not added as a script: the page's policy forbids inline scripts.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations.filter((v) => ['serious', 'critical'].includes(v.impact)).map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`);
}

test('an empty server says what to do, and data can be generated', { skip: Boolean(process.env.RETAILCAST_URL) }, async () => {
  const { page, complaints } = await open('/');
  await page.getByRole('link', { name: 'Go to Data' }).click();
  await page.getByRole('button', { name: 'Generate', exact: true }).click();
  await page.getByText('sales rows generated').waitFor();
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a link shows a forecast of two models', async () => {
  const [store, product] = await Promise.all([call('/dimensions/stores?page_size=1'), call('/dimensions/products?page_size=1')]);
  series = `store=${store.stores[0].id}&product=${product.products[0].id}`;
  const { page, complaints } = await open(`/#/forecast?${series}&models=seasonal_naive,theta`);
  await page.locator('.legend', { hasText: 'seasonal_naive' }).filter({ hasText: 'theta' }).first().waitFor();
  await page.getByRole('button', { name: 'Backtest these models' }).click();
  await page.getByRole('region', { name: 'Leaderboard' }).waitFor();
  await page.screenshot({ path: `${pictures}/forecast-backtest.png`, fullPage: true });
  assert.deepEqual(await serious(page), []);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a job is submitted and followed to its end', async () => {
  const { page, complaints } = await open(`/#/jobs?${series}`);
  await page.getByRole('button', { name: 'Submit' }).click();
  await page.waitForURL(/job=[0-9a-f]{32}/);
  const job = page.locator('.card', { has: page.getByRole('heading', { name: /^Job [0-9a-f]{8}$/ }) });
  await job.locator('.status.completed').waitFor({ timeout: 20000 });
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the palette picks a product', async () => {
  const { products: [{ id, sku }] } = await call('/dimensions/products?page_size=1');
  const { page } = await open('/');
  await settled(page);
  await page.keyboard.press('Control+k');
  await page.getByRole('searchbox').fill(sku);
  await page.getByRole('button', { name: sku }).click();
  await page.waitForURL(new RegExp(`product=${id}`));
  await page.close();
});

const PLACES = ['overview', 'forecast', 'scenarios', 'models', 'jobs', 'data', 'knowledge', 'assistant', 'showcase', 'settings'];
for (const place of PLACES) {
  test(`${place}: no complaint, nothing serious, no sideways scrolling`, async () => {
    await Promise.all([['light', 1600, 'light'], ['dark', 1600, 'dark'], ['phone', 360, 'light']].map(async ([name, width, colorScheme]) => {
      const { page, complaints } = await open(`/#/${place}?${series}`, { viewport: { width, height: 900 }, colorScheme });
      await settled(page);
      if (place === 'forecast') await page.locator('.legend', { hasText: 'seasonal_naive' }).waitFor();
      await page.screenshot({ path: `${pictures}/${place}-${name}.png`, fullPage: true });
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
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(server.url);
  await settled(page);
  const ready = await page.evaluate(() => Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd));
  console.log(`first page: ${Math.round(bytes / 1024)} KiB transferred, load event after ${ready} ms`);
  assert.ok(bytes <= 500 * 1024, `${bytes} bytes`);
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
