"""Scores statsforecast's models, one model a series."""

import argparse
from functools import partial
from pathlib import Path

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import AutoETS, CrostonSBA, SeasonalNaive, WindowAverage

import panel
from metrics import LEVELS, SEASON
from scoring import report, score

MODELS = {
    "AutoETS": AutoETS(season_length=SEASON),
    "SeasonalNaive": SeasonalNaive(season_length=SEASON),
    "WindowAverage": WindowAverage(window_size=SEASON),
    "CrostonSBA": CrostonSBA(),
}

WITH_INTERVALS = {"AutoETS", "SeasonalNaive"}
"""Models with intervals of their own; the others have none without conformal prediction around them."""


def main() -> None:
    arguments = parse_arguments()
    data = panel.read_panel(arguments.data, arguments.end)
    windows = list(panel.split(data, arguments.windows, arguments.horizon))
    results = {}
    for name in arguments.models:
        forecaster = partial(forecast, name, arguments.n_jobs)
        forecaster(panel.tiny(windows[0]), arguments.horizon)
        results[name] = score(name, forecaster, windows, arguments.horizon)
        print(f"{name}: {results[name].time}", flush=True)
    print(f"all models: {sum(result.time.seconds for result in results.values()):.2f} s")
    report(data, arguments.horizon, arguments.windows, results, arguments.out)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    panel.add_arguments(parser)
    panel.add_windows_argument(parser)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS), help="default: all")
    parser.add_argument("--n-jobs", type=panel.positive, default=1, help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="result file (JSON)")
    return parser.parse_args()


def forecast(name: str, n_jobs: int, train: pd.DataFrame, horizon: int) -> pd.DataFrame:
    levels = list(LEVELS) if name in WITH_INTERVALS else None
    return StatsForecast([MODELS[name]], freq="D", n_jobs=n_jobs).forecast(df=train, h=horizon, level=levels)


if __name__ == "__main__":
    main()
