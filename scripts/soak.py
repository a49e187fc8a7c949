#!/usr/bin/env python3
"""Mixed traffic for a long time, and what it does to the program: scripts/soak.py PROGRAM MINUTES [FOLDER].

Clients ingest, read analytics, train, forecast, run jobs, simulate, search, talk over WebSockets and reload plugins, all at
once. Every five seconds the program's memory, file descriptors and threads are read, and the slowest hundredth of the
answers. At the end: no answer but those that were asked for, memory after warm-up flat within 5 percent, file descriptors
flat, and `retailcast doctor` finds nothing. FOLDER gets soak.csv and soak.svg. Standard library only; PostgreSQL as
scripts/setup.sh installs it.
"""

import base64
import csv
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.argv[1]).resolve()
MINUTES = float(sys.argv[2])
OUT = Path(sys.argv[3] if len(sys.argv) > 3 else ".").resolve()
PORT = 8315
FIRST, DAYS = date(2024, 1, 1), 400
CONFIGURATION = '[rag]\nembedding_provider = "local"\nembedding_dimension = 384\n'


class Client:
    """One connection. Everything that is not as asked is kept."""

    def __init__(self, name, soak):
        self.name, self.soak = name, soak
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        self.dice = random.Random(name)

    def call(self, method, path, body=None, kind="application/json", allowed=(200, 201, 202, 204)):
        text = body if isinstance(body, (str, type(None))) else json.dumps(body)
        started = time.perf_counter()
        self.connection.request(method, path, text, {"content-type": kind})
        answer = self.connection.getresponse()
        content = answer.read()
        self.soak.answered(path, time.perf_counter() - started)
        if answer.status not in allowed:
            raise AssertionError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content) if content else None


class Soak:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="retailcast-soak-"))
        self.folder.chmod(0o755)
        (self.folder / "retailcast.toml").write_text(CONFIGURATION)
        self.environment = {**os.environ, "LOG_LEVEL": "ERROR"}
        binaries = ROOT / ".retailcast/postgres/bin"
        if binaries.is_dir():
            self.environment["DATABASE_EMBEDDED_BIN_DIR"] = str(binaries)
        self.log = open(self.folder / "log", "wb")
        command = [PROGRAM, "serve", "--port", str(PORT)]
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stderr=self.log)
        self.lock, self.times, self.counts, self.failures = threading.Lock(), [], {}, []
        self.end = None

    def answered(self, path, seconds):
        kind = path.split("?")[0].strip("/").split("/")[0]
        with self.lock:
            # Jobs that are waited for, training and reloads take their time; the percentile is of what answers at once.
            if kind in ("analytics", "dimensions", "scenarios", "rag", "registry"):
                self.times.append(seconds * 1e3)
            self.counts[kind] = self.counts.get(kind, 0) + 1

    def run(self, name, work):
        client = Client(name, self)
        while time.monotonic() < self.end:
            try:
                work(client)
            except Exception as error:  # every one is a finding
                with self.lock:
                    self.failures.append(f"{name}: {type(error).__name__}: {error}")
                client = Client(name, self)
                time.sleep(1)

    def sample(self):
        proc = Path("/proc") / str(self.process.pid)
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        with self.lock:
            times, self.times = self.times, []
        p99 = statistics.quantiles(times, n=100)[98] if len(times) > 100 else None
        return {
            "memory_mib": int(status["VmRSS"].split()[0]) / 1024,
            "files": len(list((proc / "fd").iterdir())),
            "threads": int(status["Threads"]),
            "answers": len(times),
            "p99_ms": p99,
        }


def prepare(client):
    for _ in range(600):
        try:
            client.call("GET", "/health/ready")
            break
        except OSError:
            client.connection.close()
            time.sleep(0.1)
    days = [FIRST + timedelta(i) for i in range(DAYS)]
    client.call("POST", "/ingest/stores", "code,name\n" + "".join(f"S{s},{s}\n" for s in range(4)), "text/csv")
    client.call("POST", "/ingest/products", "sku,name\n" + "".join(f"P{p},{p}\n" for p in range(10)), "text/csv")
    client.call("POST", "/ingest/calendar", "date\n" + "\n".join(map(str, days)), "text/csv")
    rows = [row(client.dice, s, p, day) for s in range(4) for p in range(10) for day in days]
    client.call("POST", "/ingest/sales-daily", HEADER + "\n".join(rows), "text/csv")
    client.call("POST", "/rag/index/project-docs", {}, allowed=(200, 201, 404))


HEADER = "date,store_code,sku,quantity,unit_price,total_amount\n"


def row(dice, store, product, day):
    quantity = max(0, round(dice.gauss(20 + 3 * product, 5)))
    return f"{day},S{store},P{product},{quantity},2.50,{quantity * 2.5:.2f}"


def ingest(client):
    days = [FIRST + timedelta(client.dice.randrange(DAYS)) for _ in range(1)]
    rows = [row(client.dice, s, p, day) for s in range(4) for p in range(10) for day in days]
    client.call("POST", "/ingest/sales-daily", HEADER + "\n".join(rows), "text/csv")
    time.sleep(0.05)


def analytics(client):
    span = f"start_date={FIRST}&end_date={FIRST + timedelta(DAYS - 1)}"
    client.call("GET", f"/analytics/kpis?{span}")
    client.call("GET", f"/analytics/drilldowns?dimension=product&{span}")
    client.call("GET", f"/dimensions/stores?page_size={client.dice.randint(1, 50)}")
    time.sleep(0.01)


def forecast(client):
    model = client.dice.choice(["naive", "seasonal_naive", "theta", "regression", "lightgbm"])
    window = {"train_start_date": str(FIRST), "train_end_date": str(FIRST + timedelta(DAYS - 1))}
    series = {"store_id": client.dice.randint(1, 4), "product_id": client.dice.randint(1, 10)}
    path = client.call("POST", "/forecasting/train", {**series, **window, "config": {"model_type": model}})["model_path"]
    client.call("POST", "/forecasting/predict", {**series, "model_path": path, "horizon": 14})
    price = {"change_pct": -0.1, "start_date": str(FIRST + timedelta(DAYS)), "end_date": str(FIRST + timedelta(DAYS + 5))}
    run_id = path.rsplit("model_", 1)[1].removesuffix(".rcm")
    client.call("POST", "/scenarios/simulate", {"run_id": run_id, "horizon": 14, "assumptions": {"price": price}})
    # The disk is not what is soaked.
    for file in sorted((client.soak.folder / "artifacts/models").glob("*.rcm"), key=os.path.getmtime)[:-200]:
        file.unlink(missing_ok=True)


def jobs(client):
    params = {"model_type": "seasonal_naive", "store_id": client.dice.randint(1, 4), "product_id": client.dice.randint(1, 10),
              "start_date": str(FIRST), "end_date": str(FIRST + timedelta(DAYS - 1))}
    job = client.call("POST", "/jobs", {"job_type": "train", "params": params})
    while job["status"] in ("pending", "running"):
        time.sleep(0.05)
        job = client.call("GET", f"/jobs/{job['job_id']}")
    assert job["status"] == "completed", job


def search(client):
    mode = client.dice.choice(["semantic", "keyword", "hybrid"])
    query = client.dice.choice(["what is a fold?", "price of tea", "how are keys kept?", "memory limit"])
    client.call("POST", "/rag/retrieve", {"query": query, "mode": mode, "similarity_threshold": 0.0})
    document = {"source_type": "markdown", "source_path": f"soak/{client.dice.randrange(20)}.md",
                "content": f"# Notes\n\nTea sold {client.dice.randrange(1000)} times.\n"}
    client.call("POST", "/rag/index", document)
    time.sleep(0.02)


def reload_plugins(client):
    client.call("POST", "/plugins/reload")
    client.call("GET", "/plugins")
    time.sleep(1)


def web_socket(client):
    """A conversation with a session that is not there: a final error, and the connection goes on until it is closed."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=30) as stream:
        key = base64.b64encode(os.urandom(16)).decode()
        stream.sendall((f"GET /agents/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        head = stream.recv(4096)
        assert b" 101 " in head.split(b"\r\n")[0], head
        text = json.dumps({"session_id": "0" * 32, "message": "?"}).encode()
        mask = os.urandom(4)
        masked = bytes(b ^ mask[i % 4] for i, b in enumerate(text))
        stream.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
        answer = stream.recv(4096)
        assert b'"recoverable":false' in answer.replace(b" ", b""), answer
        client.soak.answered("/agents/stream", 0)
    time.sleep(0.1)


WORK = {"ingest": ingest, "analytics 1": analytics, "analytics 2": analytics, "forecast": forecast, "jobs": jobs,
        "search": search, "plugins": reload_plugins, "sockets": web_socket}


def plot(samples, file):
    """Memory, file descriptors and the slowest hundredth over time, each between zero and its largest."""
    width, height, pad = 760, 120, 34
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * pad}" height="{3 * (height + pad) + pad}" '
             'font-family="sans-serif" font-size="12">']
    last = samples[-1]["minute"] or 1
    for i, (name, words) in enumerate([("memory_mib", "memory, MiB"), ("files", "file descriptors"), ("p99_ms", "p99, ms")]):
        known = [(s["minute"], s[name]) for s in samples if s[name] is not None]
        most = max(value for _, value in known)
        top = pad + i * (height + pad)
        points = " ".join(f"{pad + width * x / last:.1f},{top + height * (1 - y / most):.1f}" for x, y in known)
        parts.append(f'<text x="{pad}" y="{top - 6}">{words}: 0 to {most:.0f}</text>'
                     f'<rect x="{pad}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#bbb"/>'
                     f'<polyline points="{points}" fill="none" stroke="#2a6fbb" stroke-width="1.5"/>')
    parts.append(f'<text x="{pad}" y="{3 * (height + pad) + pad - 8}">{last:.0f} minutes</text></svg>')
    file.write_text("\n".join(parts))


def flat(values, within):
    """The mean of the last quarter against that of the quarter after warm-up (the first fifth)."""
    rest = values[len(values) // 5:]
    quarter = max(1, len(rest) // 4)
    before, after = statistics.mean(rest[:quarter]), statistics.mean(rest[-quarter:])
    return after <= before * (1 + within), before, after


def main():
    soak = Soak()
    try:
        prepare(Client("prepare", soak))
        soak.end = time.monotonic() + MINUTES * 60
        begin = time.monotonic()
        clients = [threading.Thread(target=soak.run, args=pair) for pair in WORK.items()]
        for client in clients:
            client.start()
        samples = []
        while time.monotonic() < soak.end:
            time.sleep(5)
            samples.append({"minute": (time.monotonic() - begin) / 60, **soak.sample()})
        for client in clients:
            client.join()
        # What was under way has ended: open files are those of the program itself.
        time.sleep(3)
        doctor = subprocess.run([PROGRAM, "doctor"], cwd=soak.folder, env=soak.environment, capture_output=True, text=True)
    finally:
        soak.process.terminate()
        code = soak.process.wait()
        soak.log.close()
    OUT.mkdir(parents=True, exist_ok=True)
    with open(OUT / "soak.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(samples[0]))
        writer.writeheader()
        writer.writerows(samples)
    plot(samples, OUT / "soak.svg")
    memory, files = flat([s["memory_mib"] for s in samples], 0.05), flat([s["files"] for s in samples], 0.05)
    p99 = [s["p99_ms"] for s in samples if s["p99_ms"] is not None]
    print(f"{sum(soak.counts.values())} answers in {MINUTES:g} minutes: " + ", ".join(f"{k} {n}" for k, n in sorted(soak.counts.items())))
    print(f"memory {memory[1]:.1f} to {memory[2]:.1f} MiB, file descriptors {files[1]:.0f} to {files[2]:.0f}")
    print(f"p99 median {statistics.median(p99):.1f} ms, largest {max(p99):.1f} ms")
    print(f"{len(soak.failures)} failures, exit code {code}, doctor {doctor.returncode}")
    for failure in soak.failures[:10]:
        print("  " + failure)
    if doctor.returncode:
        print(doctor.stdout)
    errors = (soak.folder / "log").read_text().splitlines()
    print(f"{len(errors)} lines of errors in the log" + (": " + errors[0][:300] if errors else ""))
    shutil.rmtree(soak.folder)
    if soak.failures or code or doctor.returncode or not memory[0] or not files[0]:
        raise SystemExit(1)


main()
