//! Forecasts of all folds as rows: CSV or Parquet.

use std::io::Write;

use polars::prelude::{Column, DataFrame, DataType, ParquetWriter, PolarsError};

use super::PortfolioBacktest;

/// The columns; `window` counts from 0, `step` from 1. `actual` is missing where nothing is on record.
const COLUMNS: [&str; 9] =
    ["store_code", "sku", "model", "window", "train_end", "date", "step", "forecast", "actual"];

/// As CSV.
pub fn csv(backtest: &PortfolioBacktest, to: impl Write) -> csv::Result<()> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(COLUMNS)?;
    let mut result = Ok(());
    backtest.each_forecast(|model, series, window, forecast, actual| {
        if result.is_err() {
            return;
        }
        let key = &backtest.portfolio.series[series].key;
        let index = index_of(backtest, window.origin);
        let train_end = window.origin.to_string();
        result = forecast.points.iter().zip(actual).enumerate().try_for_each(|(step, (point, actual))| {
            let date = (window.test_start() + step as i32).to_string();
            let actual = if actual.is_nan() { String::new() } else { actual.to_string() };
            writer.write_record([
                &key.store_code,
                &key.sku,
                &model.entry.label,
                &index.to_string(),
                &train_end,
                &date,
                &(step + 1).to_string(),
                &point.to_string(),
                &actual,
            ])
        });
    });
    result?;
    writer.flush()?;
    Ok(())
}

/// As Parquet: dates as dates.
pub fn parquet(backtest: &PortfolioBacktest, to: impl Write) -> Result<(), PolarsError> {
    let (mut stores, mut skus, mut models) = (Vec::new(), Vec::new(), Vec::new());
    let (mut windows, mut steps) = (Vec::<u32>::new(), Vec::<u32>::new());
    let (mut train_ends, mut days) = (Vec::<i32>::new(), Vec::<i32>::new());
    let (mut points, mut actuals) = (Vec::<f64>::new(), Vec::<Option<f64>>::new());
    backtest.each_forecast(|model, series, window, forecast, actual| {
        let key = &backtest.portfolio.series[series].key;
        let index = index_of(backtest, window.origin) as u32;
        for (step, (point, actual)) in forecast.points.iter().zip(actual).enumerate() {
            stores.push(key.store_code.as_str());
            skus.push(key.sku.as_str());
            models.push(model.entry.label.as_str());
            windows.push(index);
            train_ends.push(window.origin.0);
            days.push((window.test_start() + step as i32).0);
            steps.push(step as u32 + 1);
            points.push(*point);
            actuals.push(Some(*actual).filter(|actual| !actual.is_nan()));
        }
    });
    let date = |name: &str, days: Vec<i32>| Column::new(name.into(), days).cast(&DataType::Date);
    let columns = vec![
        Column::new(COLUMNS[0].into(), stores),
        Column::new(COLUMNS[1].into(), skus),
        Column::new(COLUMNS[2].into(), models),
        Column::new(COLUMNS[3].into(), windows),
        date(COLUMNS[4], train_ends)?,
        date(COLUMNS[5], days)?,
        Column::new(COLUMNS[6].into(), steps),
        Column::new(COLUMNS[7].into(), points),
        Column::new(COLUMNS[8].into(), actuals),
    ];
    let rows = columns[0].len();
    ParquetWriter::new(to).finish(&mut DataFrame::new(rows, columns)?)?;
    Ok(())
}

fn index_of(backtest: &PortfolioBacktest, origin: retailcast_core::Day) -> usize {
    backtest.windows.partition_point(|window| window.origin < origin)
}
