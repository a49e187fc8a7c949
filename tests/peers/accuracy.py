"""Writes docs/accuracy.md from the reports of `retailcast backtest` and the result files of the peers."""

import argparse
import json
from pathlib import Path

HEAD = """# Accuracy on real data

Made by `make accuracy` (`tests/peers/accuracy.sh`). Every model forecasts the last {windows} windows of {horizon} days of
every series, fitted anew before each on all days before it; a day without a row is zero sales. *WAPE*: sum of absolute
errors / sum of sales over all series and days. *MASE*, *RMSSE*: mean over series and windows of the error relative to the
in-sample error of last week's value. *Bias*: sum of forecasts less sales / sum of sales. *In 80 %*, *in 95 %*: share of
days inside the interval; ours are made of the errors of earlier windows (so the first window is not tested), those of
the peers are their models' own. Intervals of days on which a model was never wrong are single points and hold more often
than they say ([intervals](intervals.md)). Models whose name begins with `statsforecast` or `mlforecast` are the peers, on the
same days of the same series.

RetailCast's models see the prices, promotions and holidays that are on record for the test days if they read any; the
peers see none. `lightgbm,scope=global` reads neither, and has the same columns as mlforecast's.

*Seconds* are no comparison of speed: AutoETS and some runs of mlforecast shared the machine with builds, and small models
pay for the peers' two processes. [Performance](performance.md) has times of both sides from an idle machine.
"""

COLUMNS = ["model", "WAPE %", "MASE", "RMSSE", "bias %", "in 80 %", "in 95 %", "seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="holds NAME.ours.json and NAME.*.peer.json")
    parser.add_argument("--out", type=Path, default=Path("docs/accuracy.md"))
    arguments = parser.parse_args()
    reports = sorted(arguments.folder.glob("*.ours.json"))
    first = json.loads(reports[0].read_text())
    horizon = len(first["by_horizon"]) and days(first["windows"][0])
    text = HEAD.format(windows=len(first["windows"]), horizon=horizon)
    for report in reports:
        text += section(report)
    arguments.out.write_text(text)


def days(window: dict) -> int:
    from datetime import date

    return (date.fromisoformat(window["test_end"]) - date.fromisoformat(window["train_end"])).days


def section(report: Path) -> str:
    name = report.name.removesuffix(".ours.json")
    ours = json.loads(report.read_text())
    rows = [our_row(model) for model in ours["leaderboard"]]
    for peer in sorted(report.parent.glob(f"{name}.*.peer.json")):
        library = "mlforecast" if ".global." in peer.name else "statsforecast"
        models = json.loads(peer.read_text())["models"]
        rows += [peer_row(f"{library} {model}", values) for model, values in models.items()]
    rows.sort(key=lambda row: row[1])
    span = f"{ours['windows'][0]['test_start']} to {ours['windows'][-1]['test_end']}"
    lines = [f"\n## {name}\n", f"{ours['series_count']} series, tests from {span}.\n"]
    lines += [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    return "\n".join(lines + [line(row) for row in rows]) + "\n"


def our_row(model: dict) -> list:
    metrics = model["metrics"]
    coverage = {entry["level"]: entry["covered"] for entry in model["coverage"]}
    # Ours is actual less forecast, in units a day; sales a day are MAE / WAPE.
    bias = -100 * metrics["bias"] / (metrics["mae"] / (metrics["wape"] / 100))
    return [
        f"`{model['model']}`", metrics["wape"], metrics["mase"], metrics["rmsse"], bias,
        coverage.get(80.0), coverage.get(95.0), model["seconds"],
    ]


def peer_row(name: str, values: dict) -> list:
    percent = lambda key: None if values.get(key) is None else 100 * values[key]
    return [
        name, percent("wape"), values["mase"], values["rmsse"], percent("bias"),
        percent("coverage_80"), percent("coverage_95"), values["seconds"],
    ]


def line(row: list) -> str:
    places = [None, 2, 3, 3, 1, 1, 1, 2]
    cells = [
        value if place is None else "–" if value is None else f"{value:.{place}f}"
        for value, place in zip(row, places)
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
