//! What a portfolio forecast job forecast: pages of JSON, or everything as CSV or Parquet.

use std::io::Write;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use polars::prelude::{Column, DataFrame, DataType, ParquetWriter, PolarsError};
use retailcast_core::Day;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::http::listing::weight;
use crate::http::query::Paging;
use crate::http::{App, Code, Number, Problem, Query};
use crate::jobs::{Job, JobStatus, JobType, SeriesResult};

/// Which series.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "describes the query, which is read value by value")]
pub(super) struct ForecastsQuery {
    /// From 1. CSV and Parquet have everything and ignore it.
    #[param(default = 1, minimum = 1)]
    page: Option<i64>,
    /// Series of a page.
    #[param(default = 20, minimum = 1, maximum = 100)]
    page_size: Option<i64>,
}

/// A page of forecasts, by store code and SKU.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ForecastPage {
    forecasts: Vec<SeriesForecastResult>,
    /// Series of the job.
    total: i64,
    page: i64,
    page_size: i64,
}

/// The forecast of one series.
#[derive(Debug, Serialize, ToSchema)]
struct SeriesForecastResult {
    store_id: i32,
    product_id: i32,
    store_code: String,
    sku: String,
    /// Why there is no forecast; null when there is one.
    #[schema(required)]
    reason: Option<String>,
    /// The method that really answered, when the model says that it used another one.
    #[schema(required)]
    fallback: Option<String>,
    /// Ascending, from the day after the origin; empty without a forecast.
    points: Vec<DayForecast>,
}

/// The forecast of one day.
#[derive(Debug, Serialize, ToSchema)]
struct DayForecast {
    date: NaiveDate,
    /// Units; neither rounded nor cut at zero.
    forecast: Number,
}

/// One series with its forecasts, from the first day on.
struct OfSeries {
    series: SeriesResult,
    points: Vec<f64>,
}

/// What a finished job forecast.
struct Forecasts {
    start: Day,
    series: Vec<OfSeries>,
}

const CSV: &str = "text/csv";
const PARQUET: &str = "application/vnd.apache.parquet";
const COLUMNS: [&str; 5] = ["store_code", "sku", "date", "step", "forecast"];

/// The answer in the form that the client wants.
pub(super) async fn answer(
    app: &Arc<App>,
    job: &Job,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Response, Problem> {
    let mut fields = query.fields();
    let paging = Paging::read(&mut fields);
    let paging = fields.finish(paging)?;
    let forecasts = read(app, job).await?;
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let json = weight(accept, "application/json");
    let (csv, parquet) = (weight(accept, CSV), weight(accept, PARQUET));
    // A tie stays JSON, so that `*/*` does.
    if csv.max(parquet) <= json {
        return Ok(Json(forecasts.page(paging)).into_response());
    }
    // Millions of rows as text are no work for the reactor.
    let write = move || {
        let mut bytes = Vec::new();
        if parquet > csv {
            forecasts.parquet(&mut bytes).map_err(|e| Problem::internal(&e))?;
            return Ok(([(header::CONTENT_TYPE, PARQUET)], bytes).into_response());
        }
        forecasts.csv(&mut bytes).map_err(|e| Problem::internal(&e))?;
        Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], bytes).into_response())
    };
    tokio::task::spawn_blocking(write).await.map_err(|e| Problem::internal(&e))?
}

async fn read(app: &Arc<App>, job: &Job) -> Result<Forecasts, Problem> {
    let refuse = |why: String| Problem::new(Code::BadRequest, why);
    if job.job_type != JobType::PortfolioForecast.name() {
        return Err(refuse(format!(
            "Job {} is a {} job; only portfolio_forecast jobs have forecasts here.",
            job.job_id, job.job_type
        )));
    }
    let result = job.result.as_ref().filter(|_| job.is(JobStatus::Completed));
    let Some(result) = result else {
        return Err(refuse(format!(
            "Job {} is {}; its forecasts are complete when it is completed.",
            job.job_id, job.status
        )));
    };
    let broken = || Problem::internal(&format!("the result of job {} has no origin or horizon", job.job_id));
    let origin: Day = result["origin"].as_str().and_then(|day| day.parse().ok()).ok_or_else(broken)?;
    let horizon = result["horizon"].as_u64().ok_or_else(broken)? as usize;
    let chunks = app.jobs.chunks(job, 0, i64::MAX).await.map_err(|e| Problem::database(&e))?;
    let mut all = Vec::new();
    for (_, series, points) in chunks {
        let mut points = points.chunks(horizon.max(1));
        for series in series {
            let failed = series.failures.iter().any(Option::is_some);
            let points = if failed { Vec::new() } else { points.next().unwrap_or_default().to_vec() };
            all.push(OfSeries { series, points });
        }
    }
    Ok(Forecasts { start: origin + 1, series: all })
}

impl Forecasts {
    fn page(self, paging: Paging) -> ForecastPage {
        let total = self.series.len() as i64;
        let start = self.start;
        let skip = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
        let page = self.series.into_iter().skip(skip).take(paging.page_size as usize);
        let result = |OfSeries { series, points }: OfSeries| SeriesForecastResult {
            store_id: series.store_id,
            product_id: series.product_id,
            store_code: series.store_code,
            sku: series.sku,
            reason: series.failures.into_iter().flatten().next(),
            fallback: series.fallback,
            points: (0..)
                .zip(points)
                .map(|(step, point)| DayForecast { date: (start + step).date(), forecast: point.into() })
                .collect(),
        };
        ForecastPage {
            forecasts: page.map(result).collect(),
            total,
            page: paging.page,
            page_size: paging.page_size,
        }
    }

    fn rows(&self) -> impl Iterator<Item = (&SeriesResult, i32, f64)> {
        self.series
            .iter()
            .flat_map(|of| (0..).zip(&of.points).map(|(step, point)| (&of.series, step, *point)))
    }

    fn csv(&self, to: impl Write) -> csv::Result<()> {
        let mut writer = csv::Writer::from_writer(to);
        writer.write_record(COLUMNS)?;
        for (series, step, point) in self.rows() {
            let (date, number) = ((self.start + step).to_string(), (step + 1).to_string());
            writer.write_record([&series.store_code, &series.sku, &date, &number, &point.to_string()])?;
        }
        writer.flush()?;
        Ok(())
    }

    fn parquet(&self, to: impl Write) -> Result<(), PolarsError> {
        let (mut stores, mut skus) = (Vec::new(), Vec::new());
        let (mut days, mut steps, mut points) = (Vec::<i32>::new(), Vec::<u32>::new(), Vec::<f64>::new());
        for (series, step, point) in self.rows() {
            stores.push(series.store_code.as_str());
            skus.push(series.sku.as_str());
            days.push((self.start + step).0);
            steps.push(step as u32 + 1);
            points.push(point);
        }
        let columns = vec![
            Column::new(COLUMNS[0].into(), stores),
            Column::new(COLUMNS[1].into(), skus),
            Column::new(COLUMNS[2].into(), days).cast(&DataType::Date)?,
            Column::new(COLUMNS[3].into(), steps),
            Column::new(COLUMNS[4].into(), points),
        ];
        let rows = columns[0].len();
        ParquetWriter::new(to).finish(&mut DataFrame::new(rows, columns)?)?;
        Ok(())
    }
}
