"""Scores mlforecast with one LightGBM across all series, refitted for each window."""

import argparse
from pathlib import Path

import pandas as pd
from lightgbm import LGBMRegressor
from mlforecast import MLForecast
from mlforecast.lag_transforms import RollingMean

import panel
from scoring import report, score
from timing import Stopwatch

NAME = "LightGBM"

LAGS = [1, 7, 14, 28]

LAG_TRANSFORMS = {1: [RollingMean(7), RollingMean(28)]}

DATE_FEATURES = ["dayofweek", "month"]

STATIC_FEATURES = ["store", "sku", "category"]


class GlobalLightGbm:
    """A forecaster that keeps the time inside LightGBM's training apart."""

    def __init__(self, static: pd.DataFrame, arguments: argparse.Namespace) -> None:
        self.static = static.astype({column: "category" for column in STATIC_FEATURES})
        self.model = LGBMRegressor(
            objective=arguments.objective,
            n_estimators=arguments.n_estimators,
            max_depth=arguments.max_depth,
            num_leaves=arguments.num_leaves,
            learning_rate=arguments.learning_rate,
            n_jobs=arguments.threads,
            verbosity=-1,
        )
        self.threads = arguments.threads
        self.fit_time = Stopwatch()

    def __call__(self, train: pd.DataFrame, horizon: int) -> pd.DataFrame:
        forecaster = MLForecast(
            models={NAME: self.model},
            freq="D",
            lags=LAGS,
            lag_transforms=LAG_TRANSFORMS,
            date_features=DATE_FEATURES,
            num_threads=self.threads,
        )
        rows = train.merge(self.static, on="unique_id")
        features, target = forecaster.preprocess(rows, static_features=STATIC_FEATURES, return_X_y=True)
        with self.fit_time.running():
            forecaster.fit_models(features, target)
        return forecaster.predict(horizon)


def main() -> None:
    arguments = parse_arguments()
    data = panel.read_panel(arguments.data, arguments.end)
    windows = list(panel.split(data, arguments.windows, arguments.horizon))
    GlobalLightGbm(data.static, arguments)(panel.tiny(windows[0]), arguments.horizon)
    forecaster = GlobalLightGbm(data.static, arguments)
    result = score(NAME, forecaster, windows, arguments.horizon)
    total, fit = result.time, forecaster.fit_time
    print(f"total {total}, of it LightGBM's fit {fit}, rest {total.without(fit)}; WAPE {result.metrics['wape']:.4f}")
    report(data, arguments.horizon, arguments.windows, {NAME: result}, arguments.out)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    panel.add_arguments(parser)
    panel.add_windows_argument(parser)
    parser.add_argument("--objective", default="l2", help="LightGBM's loss")
    parser.add_argument("--n-estimators", type=panel.positive, default=100, help="boosting rounds")
    parser.add_argument("--max-depth", type=int, default=-1, help="-1: no limit")
    parser.add_argument("--num-leaves", type=panel.positive, default=31)
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--threads", type=panel.positive, default=2, help="of LightGBM and of the features")
    parser.add_argument("--out", type=Path, help="result file (JSON)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
