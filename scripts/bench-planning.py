#!/usr/bin/env python3
"""Measures planners' calls with the real program: scripts/bench-planning.py [PROGRAM], PostgreSQL as scripts/setup.sh installs it.

Medians over one connection of scenarios at horizon 90, explanations (of trees too) and the comparison of five plans; how long the demo
takes on an empty database; and which sign the price elasticity has that a model's re-forecast implies, over series whose
demand was made with a known one. Standard library only.
"""

import http.client
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/retailcast").resolve()
PORT = 8312
SERIES, DAYS, ELASTICITY = 40, 730, -1.5
FIRST = date(2024, 1, 1)


class Server:
    """A folder with its own embedded database, and the program in it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="retailcast-bench-"))
        self.folder.chmod(0o755)
        (self.folder / "retailcast.toml").write_text("[plugins.settings.explain_trees]\nenabled = true\n")
        environment = {**os.environ, "LOG_LEVEL": "WARNING"}
        binaries = ROOT / ".retailcast/postgres/bin"
        if binaries.is_dir():
            environment["DATABASE_EMBEDDED_BIN_DIR"] = str(binaries)
        arguments = [PROGRAM, "serve", "--port", str(PORT)]
        self.process = subprocess.Popen(arguments, cwd=self.folder, env=environment, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", PORT)
                self.call("GET", "/health/ready")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server does not answer")

    def call(self, method, path, body=None, kind="application/json"):
        text = body if isinstance(body, (str, type(None))) else json.dumps(body)
        self.connection.request(method, path, text, {"content-type": kind})
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status < 300, (answer.status, content)
        return content

    def median(self, method, path, body=None, rounds=200):
        times = []
        for _ in range(rounds):
            started = time.perf_counter()
            self.call(method, path, body)
            times.append((time.perf_counter() - started) * 1e3)
        return statistics.median(times)

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def tell(what, asked, measured):
    print(f"{what:<66} {asked:>12} {measured:>14}")


def demand(server):
    """Series whose price changes every two weeks and whose demand follows it with a known elasticity."""
    days = [FIRST + timedelta(i) for i in range(DAYS)]
    server.call("POST", "/ingest/stores", "code,name\nS1,One\n", "text/csv")
    server.call("POST", "/ingest/products", "sku,name\n" + "".join(f"P{p},{p}\n" for p in range(SERIES)), "text/csv")
    server.call("POST", "/ingest/calendar", "date\n" + "\n".join(map(str, days)), "text/csv")
    rows = ["date,store_code,sku,quantity,unit_price,total_amount"]
    for p in range(SERIES):
        dice = random.Random(p)
        level = dice.uniform(30, 120)
        for i, day in enumerate(days):
            if i % 14 == 0:
                factor = dice.choice([0.8, 0.9, 1.0, 1.0, 1.0, 1.1, 1.2])
            mean = level * factor**ELASTICITY * (1.4 if day.weekday() >= 5 else 1.0)
            quantity = max(0, round(dice.gauss(mean, math.sqrt(mean))))
            rows.append(f"{day},S1,P{p},{quantity},{10 * factor:.2f},{quantity * 10 * factor:.2f}")
    server.call("POST", "/ingest/sales-daily", "\n".join(rows), "text/csv")


def train(server, store, product, model):
    path = server.call("POST", "/forecasting/train", {
        "store_id": store, "product_id": product, "train_start_date": str(FIRST),
        "train_end_date": str(FIRST + timedelta(DAYS - 1)), "config": {"model_type": model}})["model_path"]
    return path.rsplit("model_", 1)[1].removesuffix(".rcm")


def predicted(server, run_id):
    """A completed job that forecast a week from a trained model."""
    job = server.call("POST", "/jobs", {"job_type": "predict", "params": {"run_id": run_id, "horizon": 7}})
    while job["status"] in ("pending", "running"):
        time.sleep(0.05)
        job = server.call("GET", f"/jobs/{job['job_id']}")
    assert job["status"] == "completed", job
    return job["job_id"]


def cheaper(run_id, horizon, change=-0.1):
    start = FIRST + timedelta(DAYS)
    price = {"change_pct": change, "start_date": str(start), "end_date": str(start + timedelta(horizon - 1))}
    return {"run_id": run_id, "horizon": horizon, "assumptions": {"price": price}}


def elasticity_signs(server, store, products, model):
    """Series on which a tenth cheaper sells more than a tenth dearer: the slope has the sign that demand was made with."""
    right = 0
    for product in products:
        run_id = train(server, store, product, model)
        down = server.call("POST", "/scenarios/simulate", cheaper(run_id, 28, -0.1))["units_delta"]
        up = server.call("POST", "/scenarios/simulate", cheaper(run_id, 28, 0.1))["units_delta"]
        right += down > up
    return right


def main():
    server = Server()
    try:
        started = time.perf_counter()
        ran = server.call("POST", "/demo/run", {"skip_seed": False})
        assert ran["overall_status"] == "pass", ran
        tell("POST /demo/run with seeding, empty database, no provider", "6 s", f"{time.perf_counter() - started:.2f} s")
        server.call("DELETE", "/seeder/data", {"scope": "all"})
        demand(server)
        store = server.call("GET", "/dimensions/stores")["stores"][0]["id"]
        products, page = [], 1
        while len(products) < SERIES:
            products += [p["id"] for p in server.call("GET", f"/dimensions/products?page={page}&page_size=100")["products"]]
            page += 1
        heuristic, asked = train(server, store, products[0], "naive"), train(server, store, products[0], "regression")
        tell("POST /scenarios/simulate, heuristic, horizon 90", "2 ms", f"{server.median('POST', '/scenarios/simulate', cheaper(heuristic, 90)):.2f} ms")
        tell("the same, model-driven (regression)", "6 ms", f"{server.median('POST', '/scenarios/simulate', cheaper(asked, 90)):.2f} ms")
        explain = {"store_id": store, "product_id": products[0], "model_type": "moving_average", "as_of_date": str(FIRST + timedelta(DAYS - 1))}
        tell("POST /explain/forecast, two years of days", "2 ms", f"{server.median('POST', '/explain/forecast', explain):.2f} ms")
        for model, run_id in (("regression", asked), ("lightgbm", train(server, store, products[0], "lightgbm"))):
            tell(f"the same, {model}, fit included", "", f"{server.median('POST', '/explain/forecast', {**explain, 'model_type': model}, 30):.1f} ms")
            job = predicted(server, run_id)
            tell(f"GET /explain/jobs, {model}, from the model file", "", f"{server.median('GET', f'/explain/jobs/{job}'):.2f} ms")
        plans = [server.call("POST", "/scenarios", {"name": f"plan {i}", **cheaper(heuristic, 90, -0.05 * i)})["scenario_id"] for i in range(1, 6)]
        tell("POST /scenarios/compare, five plans of 90 days", "5 ms", f"{server.median('POST', '/scenarios/compare', {'scenario_ids': plans}):.2f} ms")
        for model in ("regression", "lightgbm"):
            right = elasticity_signs(server, store, products, model)
            tell(f"sign of the price elasticity, {model}, {SERIES} series", "95 %", f"{100 * right / SERIES:.0f} %")
    finally:
        server.close()


main()
