// A server of its own for the tests: a port that is free, a folder that goes away, synthetic data.
import { spawn } from 'node:child_process';
import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Starts `program` with these variables; answers its address and how to stop it. */
export async function start(program, variables = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'retailcast-browser-'));
  // The embedded database runs as an unprivileged user, who must be able to enter.
  await chmod(folder, 0o755);
  const port = await freePort();
  // Compiled plugins, shared with the tests in Rust and kept from run to run.
  const cache = join(dirname(program), '..', 'tmp', 'plugin-code');
  const log = [];
  const server = spawn(program, ['serve', '--port', String(port)], { cwd: folder, env: { ...process.env, PLUGINS_CACHE_DIR: cache, ...variables } });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  for (const output of [server.stdout, server.stderr]) output.on('data', (text) => log.push(text));
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  for (let tries = 0; ; tries += 1) {
    if (await healthy(url)) break;
    if (tries > 300 || server.exitCode !== null) {
      await stop();
      throw new Error(`the server did not start:\n${log.join('')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, stop };
}

async function healthy(url) {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    return false; // nobody listens yet
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
