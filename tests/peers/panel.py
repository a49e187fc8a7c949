"""Reads a data folder into the panel that every peer forecasts, and splits it into windows.

A panel is a long frame: `unique_id` (`store_code/sku`), `ds` (day), `y` (units sold), sorted, without gaps.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from utilsforecast.preprocessing import fill_gaps

MIN_TRAINING_ROWS = 30
"""A series with fewer days before a window is left out of that window."""


@dataclass(frozen=True)
class Panel:
    """The sales of a data folder, and what does not change about its series."""

    name: str
    sales: pd.DataFrame
    """`unique_id`, `ds`, `y`."""
    static: pd.DataFrame
    """One row a series: `unique_id`, `store`, `sku`, `category`."""

    @property
    def series(self) -> int:
        return len(self.static)


@dataclass(frozen=True)
class Window:
    """One split: all days up to a cutoff, and the `horizon` days after it, of the same series."""

    train: pd.DataFrame
    test: pd.DataFrame
    left_out: int
    """Number of series of the panel that are too short here."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which data and which horizon; all scripts take these."""
    parser.add_argument("data", type=Path, help="folder with sales_daily.csv.gz, stores.csv and products.csv")
    parser.add_argument("--end", type=pd.Timestamp, help="last covered day (default: the last day with a row)")
    parser.add_argument("--horizon", type=positive, default=14, help="days of a window (default: %(default)s)")


def add_windows_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--windows", type=positive, default=4, help="number of windows (default: %(default)s)")


def positive(text: str) -> int:
    """An argument that counts something."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too small: at least 1")
    return number


def read_panel(folder: Path, end: pd.Timestamp | None = None) -> Panel:
    """The panel of `folder` up to `end`.

    As the server has it: rows without a quantity or with a negative one are rejected, fractions are rounded half up,
    of two rows of one series and day the later one counts, and a day without a row between the first row of a series
    and `end` is zero sales.
    """
    rows = pd.read_csv(
        folder / "sales_daily.csv.gz",
        usecols=["date", "store_code", "sku", "quantity"],
        dtype={"store_code": str, "sku": str},
        parse_dates=["date"],
    )
    end = rows["date"].max() if end is None else end
    rows = rows[(rows["date"] <= end) & (rows["quantity"] >= 0)]
    rows = rows.drop_duplicates(["store_code", "sku", "date"], keep="last")
    if rows.empty:
        raise SystemExit(f"{folder} has no sales up to {end:%Y-%m-%d}; --end must be a later day")
    rows = rows.assign(unique_id=rows["store_code"] + "/" + rows["sku"])
    return Panel(folder.resolve().name, without_gaps(rows, end), static_features(folder, rows))


def without_gaps(rows: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Every day of each series from its first row to `end`; days without a row are zero."""
    sales = pd.DataFrame({"unique_id": rows["unique_id"], "ds": rows["date"], "y": np.floor(rows["quantity"] + 0.5)})
    filled = fill_gaps(sales, freq="D", start="per_serie", end=end)
    return filled.fillna({"y": 0.0}).sort_values(["unique_id", "ds"], ignore_index=True)


def static_features(folder: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """Store, product and category of each series that has a row."""
    stores = pd.read_csv(folder / "stores.csv", usecols=["store_code"], dtype=str)
    products = pd.read_csv(folder / "products.csv", usecols=["sku", "category"], dtype=str)
    for column, known, file in [("store_code", stores, "stores.csv"), ("sku", products, "products.csv")]:
        unknown = set(rows[column]) - set(known[column])
        if unknown:
            raise SystemExit(f"{column} {min(unknown)} is sold, but is not in {folder / file}; add it there")
    series = rows[["unique_id", "store_code", "sku"]].drop_duplicates().sort_values("unique_id")
    return series.merge(products, on="sku", how="left").rename(columns={"store_code": "store"})


def split(panel: Panel, count: int, horizon: int) -> Iterator[Window]:
    """The last `count` times `horizon` days as windows that follow each other, oldest first."""
    sales = panel.sales
    end = sales["ds"].max()
    for back in range(count, 0, -1):
        cutoff = end - pd.Timedelta(days=horizon * back)
        train = sales[sales["ds"] <= cutoff]
        test = sales[(sales["ds"] > cutoff) & (sales["ds"] <= cutoff + pd.Timedelta(days=horizon))]
        rows = train["unique_id"].value_counts()
        enough = rows.index[rows >= MIN_TRAINING_ROWS]
        if enough.empty:
            raise SystemExit(
                f"no series has {MIN_TRAINING_ROWS} days up to {cutoff:%Y-%m-%d}, before the first of {count} windows "
                f"of {horizon} days; ask for fewer windows or a shorter horizon"
            )
        yield Window(
            train[train["unique_id"].isin(enough)].reset_index(drop=True),
            test[test["unique_id"].isin(enough)].reset_index(drop=True),
            panel.series - len(enough),
        )


def tiny(window: Window) -> pd.DataFrame:
    """Training rows of two series, to warm up with: what is compiled or loaded at the first call is not timed."""
    train = window.train
    return train[train["unique_id"].isin(train["unique_id"].unique()[:2])]
