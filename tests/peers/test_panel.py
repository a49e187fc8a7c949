"""The panel and its windows on small folders."""

from pathlib import Path

import pandas as pd
import pytest

import panel

ROWS = [
    ("2024-01-01", "01", "007", "2.5"),
    ("2024-01-03", "01", "007", "0.4"),
    ("2024-01-03", "02", "007", "8"),
    ("2024-01-03", "02", "007", "9"),
]


def folder(path: Path, rows: list[tuple[str, str, str, str]]) -> Path:
    sales = pd.DataFrame(rows, columns=["date", "store_code", "sku", "quantity"])
    sales.to_csv(path / "sales_daily.csv.gz", index=False)
    (path / "stores.csv").write_text("store_code,name\n01,One\n02,Two\n")
    (path / "products.csv").write_text("sku,name,category\n007,Bond,films\n")
    return path


def days(sales: pd.DataFrame, unique_id: str) -> dict[str, float]:
    series = sales[sales["unique_id"] == unique_id]
    return dict(zip(series["ds"].dt.strftime("%m-%d"), series["y"], strict=True))


def test_missing_days_are_zero_from_the_first_row_to_the_end(tmp_path: Path) -> None:
    sales = panel.read_panel(folder(tmp_path, ROWS), pd.Timestamp("2024-01-04")).sales
    assert days(sales, "01/007") == {"01-01": 3, "01-02": 0, "01-03": 0, "01-04": 0}
    assert days(sales, "02/007") == {"01-03": 9, "01-04": 0}


def test_the_last_day_with_a_row_is_the_default_end(tmp_path: Path) -> None:
    data = panel.read_panel(folder(tmp_path, ROWS))
    assert data.sales["ds"].max() == pd.Timestamp("2024-01-03")
    assert data.static.to_dict("records")[0] == {
        "unique_id": "01/007", "store": "01", "sku": "007", "category": "films"
    }  # fmt: skip


def test_rows_after_the_end_are_not_read(tmp_path: Path) -> None:
    data = panel.read_panel(folder(tmp_path, ROWS), pd.Timestamp("2024-01-02"))
    assert data.series == 1
    assert days(data.sales, "01/007") == {"01-01": 3, "01-02": 0}


def test_rows_that_an_import_would_reject_do_not_count(tmp_path: Path) -> None:
    rows = [*ROWS, ("2024-01-01", "01", "007", "-1"), ("2023-12-31", "01", "007", "")]
    sales = panel.read_panel(folder(tmp_path, rows)).sales
    assert days(sales, "01/007") == {"01-01": 3, "01-02": 0, "01-03": 0}


def test_unknown_products_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="sku 008 is sold, but is not in .*products.csv"):
        panel.read_panel(folder(tmp_path, [*ROWS, ("2024-01-03", "01", "008", "1")]))


def test_windows_follow_each_other_up_to_the_end(tmp_path: Path) -> None:
    # 40 days end on 2024-02-09. Series 02 begins on 2024-01-07 and has 30 days on 2024-02-05 for the first time.
    rows = [("2024-01-01", "01", "007", "1"), ("2024-01-07", "02", "007", "1"), ("2024-02-09", "01", "007", "5")]
    windows = list(panel.split(panel.read_panel(folder(tmp_path, rows)), count=3, horizon=2))
    spans = [(days(window.train, "01/007"), days(window.test, "01/007")) for window in windows]
    assert [(max(train), list(test)) for train, test in spans] == [
        ("02-03", ["02-04", "02-05"]),
        ("02-05", ["02-06", "02-07"]),
        ("02-07", ["02-08", "02-09"]),
    ]
    assert spans[2][1] == {"02-08": 0, "02-09": 5}
    assert [window.left_out for window in windows] == [1, 0, 0]
    assert days(windows[0].test, "02/007") == {}
    assert len(days(windows[1].train, "02/007")) == panel.MIN_TRAINING_ROWS


def test_windows_without_training_days_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no series has 30 days up to 2024-01-01"):
        list(panel.split(panel.read_panel(folder(tmp_path, ROWS)), count=1, horizon=2))
