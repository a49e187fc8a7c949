#!/usr/bin/env python3
"""Measures jobs with the real program: scripts/bench-jobs.py [PROGRAM], PostgreSQL as scripts/setup.sh installs it.

Prints the numbers of docs/scaling.md: a POST, the start of a job by an idle worker, trivial jobs per second, and portfolio
forecasts of 720 series with 1, 2 and 4 worker processes of one slot each. Standard library only.
"""

import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/retailcast").resolve()
PORT = 8311
TRIVIAL = {"job_type": "predict", "params": {"run_id": "0123456789ab"}}


class Api:
    """One connection."""

    def __init__(self):
        self.connection = http.client.HTTPConnection("127.0.0.1", PORT)

    def call(self, method, path, body=None, **headers):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"content-type": "application/json", **headers})
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status < 300, (answer.status, content)
        return content

    def submit(self, body, **headers):
        return self.call("POST", "/jobs", body, **headers)

    def finish(self, job):
        while job["status"] in ("pending", "running"):
            time.sleep(0.02)
            job = self.call("GET", f"/jobs/{job['job_id']}")
        return job


class Shop:
    """A folder with its own embedded database, and processes in it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="retailcast-bench-"))
        self.folder.chmod(0o755)
        self.environment = {**os.environ, "LOG_LEVEL": "WARNING", "JOBS_WORKERS": "0"}
        binaries = ROOT / ".retailcast/postgres/bin"
        if binaries.is_dir():
            self.environment["DATABASE_EMBEDDED_BIN_DIR"] = str(binaries)
        self.processes = []

    def run(self, *arguments):
        subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def start(self, *arguments, **variables):
        process = subprocess.Popen([PROGRAM, *arguments], cwd=self.folder, env={**self.environment, **variables}, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def stop(self, process):
        process.terminate()
        process.wait()
        self.processes.remove(process)

    def close(self):
        for process in list(reversed(self.processes)):
            self.stop(process)
        shutil.rmtree(self.folder)


def ready():
    for _ in range(200):
        try:
            return Api().call("GET", "/health/ready")
        except (OSError, AssertionError):
            time.sleep(0.05)
    raise SystemExit("the server does not answer")


def post(api):
    times = []
    for _ in range(300):
        begun = time.perf_counter()
        api.submit(TRIVIAL)
        times.append((time.perf_counter() - begun) * 1e3)
    return times


def starts(api):
    """queue_ms of jobs that an idle worker finds."""
    waits = []
    for _ in range(100):
        job = api.submit(TRIVIAL, prefer="wait=5")
        waits.append(job["queue_ms"])
        time.sleep(0.02)
    return waits


def throughput(jobs, connections):
    def send():
        api = Api()
        for _ in range(jobs // connections):
            api.submit(TRIVIAL)

    senders = [threading.Thread(target=send) for _ in range(connections)]
    begun = time.perf_counter()
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    submitted = time.perf_counter() - begun
    api = Api()
    while api.call("GET", "/jobs?status=pending&page_size=1")["total"] or api.call("GET", "/jobs?status=running&page_size=1")["total"]:
        time.sleep(0.02)
    return jobs / submitted, jobs / (time.perf_counter() - begun)


def portfolio(api, model):
    begun = time.perf_counter()
    job = api.finish(api.submit({"job_type": "portfolio_forecast", "params": {"config": model, "horizon": 28}}))
    assert job["status"] == "completed" and job["result"]["series_count"] == 720, job
    return time.perf_counter() - begun, job["result"]["compute_seconds"]


def spread(numbers):
    numbers = sorted(numbers)
    return f"median {statistics.median(numbers):.2f} ms, p95 {numbers[int(len(numbers) * 0.95)]:.2f} ms"


def main():
    shop = Shop()
    try:
        shop.run("seed", "generate", "--stores", "24", "--products", "30")
        shop.start("serve", "--port", str(PORT))
        ready()
        api = Api()
        worker = shop.start("worker", "--slots", "4")
        api.finish(api.submit(TRIVIAL))
        print("POST /jobs:", spread(post(api)))
        time.sleep(1)
        print("an idle worker begins after:", spread(starts(api)))
        submitted, done = throughput(4000, 16)
        print(f"4,000 trivial jobs from 16 connections, 4 slots: submitted {submitted:.0f}/s, done {done:.0f}/s")
        shop.stop(worker)
        for name, model in [("regression", {"model_type": "regression"}), ("lightgbm", {"model_type": "lightgbm"}), ("seasonal_naive", {"model_type": "seasonal_naive"})]:
            alone = None
            for count in (1, 2, 4):
                workers = [shop.start("worker", "--slots", "1") for _ in range(count)]
                # They are there when a first job is done.
                api.finish(api.submit(TRIVIAL))
                time.sleep(1)
                seconds, busy = portfolio(api, model)
                alone = alone or seconds
                print(f"portfolio of 720 series, {name}, {count} workers: {seconds:.2f} s ({alone / seconds:.2f} x), {busy / 720 * 1e3:.1f} ms of work per series")
                for worker in workers:
                    shop.stop(worker)
    finally:
        shop.close()


if __name__ == "__main__":
    main()
