//! JSON shapes of `/featuresets`.

use std::time::Duration;

use chrono::NaiveDate;
use indexmap::IndexMap;
use retailcast_core::Day;
use retailcast_core::config_schema::FieldError;
use retailcast_core::featureset::{Column, FeatureSet, FeatureSetConfig, NumberKind};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::config_body;
use super::config_shapes::FeatureSetBody;
use super::service::{Computed, FeatureRequest, FeatureSettings};
use crate::http::fields::{self, Fields, Reading};

/// The longest history that the contract knows, and the one where none is given, in days.
const LONGEST_LOOKBACK: u32 = 1_095;
const USUAL_LOOKBACK: u32 = 365;

/// Most rows of a preview.
const MOST_SAMPLES: i64 = 100;

/// What to compute.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 4, "product_id": 31, "cutoff_date": "2025-03-31", "lookback_days": 60,
    "config": {"name": "demo", "lag_config": {"lags": [1, 7]}}}))]
pub(super) struct ComputeBody {
    /// The series' store.
    #[schema(minimum = 1)]
    store_id: i32,
    /// The series' product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// Last day that is looked at.
    cutoff_date: NaiveDate,
    /// Days before it that are looked at, at most `features.max_lookback_days`: what is older does not exist.
    #[schema(default = 365, minimum = 1, maximum = 1095)]
    #[serde(default)]
    lookback_days: u32,
    /// What to compute.
    config: FeatureSetBody,
}

/// What to compute, and how much of it to show.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 4, "product_id": 31, "cutoff_date": "2025-03-31", "sample_rows": 2,
    "config": {"name": "demo", "lag_config": {"lags": [1, 7]}}}))]
pub(super) struct PreviewBody {
    /// The series' store.
    #[schema(minimum = 1)]
    store_id: i32,
    /// The series' product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// Last day that is looked at.
    cutoff_date: NaiveDate,
    /// The newest rows are shown.
    #[schema(default = 10, minimum = 1, maximum = 100)]
    #[serde(default)]
    sample_rows: u32,
    /// What to compute.
    config: FeatureSetBody,
}

/// Reads the body of compute.
pub fn read_compute(
    body: &Map<String, Value>,
    limits: &FeatureSettings,
) -> Result<FeatureRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let series = Series::read(&mut fields);
    let most = limits.max_lookback_days;
    let lookback_days = fields.optional("lookback_days", |value| lookback(value, most));
    let config = fields.nested("config", |value| config_body::read(value, limits));
    let lookback_days = lookback_days.unwrap_or(USUAL_LOOKBACK.min(most));
    fields.finish(series.zip(config).map(|(series, config)| series.request(lookback_days, config)))
}

/// Reads the body of preview; the number is that of the rows to show.
pub(super) fn read_preview(
    body: &Map<String, Value>,
    limits: &FeatureSettings,
) -> Result<(FeatureRequest, usize), Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let series = Series::read(&mut fields);
    let samples = fields.optional("sample_rows", fields::strict_int(1, MOST_SAMPLES)).unwrap_or(10);
    let config = fields.nested("config", |value| config_body::read(value, limits));
    let request = series.zip(config).map(|(series, config)| series.request(USUAL_LOOKBACK, config));
    fields.finish(request.map(|request| (request, samples as usize)))
}

/// The members that both bodies begin with.
struct Series {
    store_id: i32,
    product_id: i32,
    cutoff: Day,
}

impl Series {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let key = fields::strict_int(1, i64::from(i32::MAX));
        let store_id = fields.required("store_id", &key);
        let product_id = fields.required("product_id", &key);
        let cutoff = fields.required("cutoff_date", fields::date);
        Some(Self {
            store_id: i32::try_from(store_id?).ok()?,
            product_id: i32::try_from(product_id?).ok()?,
            cutoff: Day::from_date(cutoff?),
        })
    }

    fn request(self, lookback_days: u32, config: FeatureSetConfig) -> FeatureRequest {
        let Self { store_id, product_id, cutoff } = self;
        FeatureRequest { store_id, product_id, cutoff, lookback_days, config }
    }
}

fn lookback(value: &Value, most: u32) -> Reading<u32> {
    let days = fields::strict_int(1, i64::from(LONGEST_LOOKBACK))(value)?;
    if days > i64::from(most) {
        let message = format!("must be at most {most} (`features.max_lookback_days`), got {days}");
        return Err(("less_than_equal", message));
    }
    Ok(days as u32)
}

/// A feature set.
#[derive(Debug, serde::Serialize, ToSchema)]
#[schema(example = json!({"rows": [
    {"date": "2025-03-30", "store_id": 4, "product_id": 31, "features": {"lag_1": null, "lag_7": null}},
    {"date": "2025-03-31", "store_id": 4, "product_id": 31, "features": {"lag_1": 9.0, "lag_7": null}}],
    "feature_columns": ["lag_1", "lag_7"], "config_hash": "f0590d2c30c07fb9", "cutoff_date": "2025-03-31",
    "row_count": 2, "null_counts": {"lag_1": 1, "lag_7": 2}, "duration_ms": 3.12, "missing_days": "zero"}))]
pub(super) struct FeatureSetResult {
    /// Ascending by date.
    #[schema(value_type = Vec<FeatureRow>)]
    rows: Rows,
    /// Names of the features, by family.
    feature_columns: Vec<String>,
    /// Schema hash of the configuration without nulls, 16 hex digits.
    config_hash: String,
    /// As requested.
    cutoff_date: NaiveDate,
    /// Number of `rows`.
    row_count: usize,
    /// Nulls of each feature in the whole window.
    #[schema(value_type = std::collections::HashMap<String, usize>)]
    null_counts: IndexMap<String, usize>,
    duration_ms: f64,
    /// How days without a row were taken: `zero`, `skip` or `error`.
    missing_days: &'static str,
}

impl FeatureSetResult {
    /// The newest `most` rows.
    pub(super) fn new(
        series: (i32, i32),
        cutoff: Day,
        computed: Computed,
        most: usize,
        elapsed: Duration,
    ) -> Self {
        let Computed { set, config_hash, missing_days } = computed;
        let nulls = |column: &Column| (column.name.clone(), column.nulls());
        Self {
            feature_columns: set.columns.iter().map(|column| column.name.clone()).collect(),
            config_hash,
            cutoff_date: cutoff.date(),
            row_count: set.days.len().min(most),
            null_counts: set.columns.iter().map(nulls).collect(),
            rows: Rows { first: set.days.len().saturating_sub(most), series, set },
            duration_ms: (elapsed.as_secs_f64() * 1e5).round() / 1e2,
            missing_days: missing_days.name(),
        }
    }
}

/// The features of one day.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a row, which is written from columns")]
pub(super) struct FeatureRow {
    date: NaiveDate,
    store_id: i32,
    product_id: i32,
    /// One number or null for each of `feature_columns`. Counts, flags and calendar fields are integers.
    features: std::collections::HashMap<String, Option<f64>>,
}

/// The rows from `first` on, written from columns as they are: a wide feature set has a million cells.
#[derive(Debug)]
struct Rows {
    series: (i32, i32),
    set: FeatureSet,
    first: usize,
}

impl Serialize for Rows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.first..self.set.days.len()).map(|at| Row { rows: self, at }))
    }
}

struct Row<'a> {
    rows: &'a Rows,
    at: usize,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("FeatureRow", 4)?;
        row.serialize_field("date", &self.rows.set.days[self.at].date())?;
        row.serialize_field("store_id", &self.rows.series.0)?;
        row.serialize_field("product_id", &self.rows.series.1)?;
        row.serialize_field("features", &Features { columns: &self.rows.set.columns, at: self.at })?;
        row.end()
    }
}

struct Features<'a> {
    columns: &'a [Column],
    at: usize,
}

impl Serialize for Features<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cell = |column: &Column| Cell { kind: column.kind, value: column.values[self.at] };
        serializer.collect_map(self.columns.iter().map(|column| (&column.name, cell(column))))
    }
}

struct Cell {
    kind: NumberKind,
    value: f64,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            _ if self.value.is_nan() => serializer.serialize_none(),
            NumberKind::Float => serializer.serialize_f64(self.value),
            NumberKind::Integer => serializer.serialize_i64(self.value as i64),
        }
    }
}
