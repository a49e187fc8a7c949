"""Times statsforecast's cross-validation of the seasonal naive forecast, with the data in memory and one process."""

import argparse

import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import SeasonalNaive

import panel
from metrics import SEASON
from timing import Stopwatch


def main() -> None:
    arguments = parse_arguments()
    data = panel.read_panel(arguments.data, arguments.end)
    windows = list(panel.split(data, arguments.folds, arguments.horizon))
    # Cross-validation wants series that are long enough for all folds.
    sales = data.sales[data.sales["unique_id"].isin(windows[0].train["unique_id"])]
    cross_validate(panel.tiny(windows[0]), folds=1, horizon=1)
    times = [timed(sales, arguments.folds, arguments.horizon) for _ in range(arguments.repeats)]
    best = min(times, key=lambda time: time.seconds)
    print(
        f"{data.name}: {data.series - windows[0].left_out} series ({windows[0].left_out} left out), "
        f"{arguments.folds} folds of {arguments.horizon} days: best of {arguments.repeats}: {best}"
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    panel.add_arguments(parser)
    parser.add_argument("--folds", type=panel.positive, default=5, help="default: %(default)s")
    parser.add_argument("--repeats", type=panel.positive, default=5, help="the best counts (default: %(default)s)")
    return parser.parse_args()


def timed(sales: pd.DataFrame, folds: int, horizon: int) -> Stopwatch:
    stopwatch = Stopwatch()
    with stopwatch.running():
        cross_validate(sales, folds, horizon)
    return stopwatch


def cross_validate(sales: pd.DataFrame, folds: int, horizon: int) -> pd.DataFrame:
    models = [SeasonalNaive(season_length=SEASON)]
    forecaster = StatsForecast(models, freq="D", n_jobs=1)
    return forecaster.cross_validation(df=sales, h=horizon, n_windows=folds, step_size=horizon)


if __name__ == "__main__":
    main()
