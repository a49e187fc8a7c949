//! The body of `POST /backtesting/portfolio`.

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::backtest::WindowConfig;
use retailcast_core::config_schema::FieldError;
use retailcast_runtime::Catalogue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::service::{Entry, PortfolioOrder};
use crate::http::fields::{self, Fields};
use crate::slices::forecasting::portfolio::Selection;
use crate::slices::forecasting::{ModelConfig, read_config};

/// Most entries of a list that selects.
const MOST_SELECTED: usize = 10_000;
/// Most models of one request.
const MOST_MODELS: usize = 20;
/// Most windows.
const MOST_WINDOWS: i64 = 100;
/// Longest horizon of the contract.
const LONGEST_HORIZON: i64 = 90;
/// Furthest that windows may reach back, in days: ten years.
const FURTHEST: i64 = 3653;

/// Which series, which models, which days. Unknown members are refused.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"categories": ["Tea"], "models": [{"model_type": "seasonal_naive"},
    {"model_type": "lightgbm", "n_estimators": 200}], "windows": {"n_windows": 4, "horizon": 14}}))]
pub(super) struct PortfolioBody {
    /// Store codes; none: all.
    #[schema(required = false, max_items = 10_000)]
    stores: Vec<String>,
    /// SKUs; none: all.
    #[schema(required = false, max_items = 10_000)]
    skus: Vec<String>,
    /// Product categories; none: all.
    #[schema(required = false, max_items = 10_000)]
    categories: Vec<String>,
    /// The models, each with its configuration; a configuration may stand once.
    #[schema(min_items = 1, max_items = 20)]
    models: Vec<ModelConfig>,
    /// The test windows.
    #[schema(required = false)]
    windows: WindowsBody,
    /// Last day of the last window; left out: the last day with any selected sale.
    end_date: Option<NaiveDate>,
    /// Levels of prediction intervals whose coverage is measured, in percent.
    #[schema(required = false, default = json!([80, 95]), max_items = 5)]
    levels: Vec<f64>,
    /// Whether the answer has the status and the errors of every series.
    #[schema(required = false, default = true)]
    include_series: bool,
}

/// Test windows, counted back from the last day; the same days for all series.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct WindowsBody {
    /// How many.
    #[schema(required = false, default = 4, minimum = 1, maximum = 100)]
    n_windows: u32,
    /// Days of each.
    #[schema(required = false, default = 14, minimum = 1, maximum = 90)]
    horizon: u32,
    /// Days from one to the next; left out: `horizon`, so that they do not overlap.
    #[schema(minimum = 1, maximum = 365)]
    step_days: Option<u32>,
    /// Days that models learn from before each window; left out: all there are.
    #[schema(minimum = 7, maximum = 3653)]
    train_days: Option<u32>,
}

/// A body that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct PortfolioRequest {
    /// What to backtest.
    pub order: PortfolioOrder,
    /// Whether the answer has the status and the errors of every series.
    pub include_series: bool,
}

/// Reads the body.
pub fn read(body: &Map<String, Value>, catalogue: &Catalogue) -> Result<PortfolioRequest, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let selection = read_selection(&mut fields);
    let models = fields.nested("models", |value| models(value, catalogue));
    let windows = fields.nullable_nested("windows", windows);
    let end = fields.nullable("end_date", fields::date);
    let levels = fields.nullable_nested("levels", levels);
    let include_series = fields.nullable("include_series", fields::lax_flag);
    fields.forbid_others(&[
        "stores",
        "skus",
        "categories",
        "models",
        "windows",
        "end_date",
        "levels",
        "include_series",
    ]);
    let request = models.map(|models| PortfolioRequest {
        order: PortfolioOrder {
            selection,
            models,
            windows: windows.unwrap_or_default(),
            end: end.map(Day::from_date),
            levels: levels.unwrap_or_else(|| vec![0.8, 0.95]),
            keep_forecasts: false,
        },
        include_series: include_series.unwrap_or(true),
    });
    fields.finish(request)
}

/// Which series: `stores`, `skus`, `categories`; those that are left out select everything.
pub fn read_selection(fields: &mut Fields<'_>) -> Selection {
    let stores = fields.nullable_nested("stores", |value| texts(value, "stores", 20));
    let skus = fields.nullable_nested("skus", |value| texts(value, "skus", 50));
    let categories = fields.nullable_nested("categories", |value| texts(value, "categories", 100));
    Selection {
        stores: stores.unwrap_or_default(),
        skus: skus.unwrap_or_default(),
        categories: categories.unwrap_or_default(),
    }
}

fn each<T>(
    value: &Value,
    name: &str,
    (least, most): (usize, usize),
    mut read: impl FnMut(&Value, &str) -> Result<T, Vec<FieldError>>,
) -> Result<Vec<T>, Vec<FieldError>> {
    let refuse = |(kind, message)| vec![FieldError::new(name, kind, message)];
    let items = fields::list(least, most)(value).map_err(refuse)?;
    let (mut found, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
    for (i, item) in items.iter().enumerate() {
        match read(item, &format!("{name}.{i}")) {
            Ok(item) => found.push(item),
            Err(more) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn texts(value: &Value, name: &str, longest: usize) -> Result<Vec<String>, Vec<FieldError>> {
    each(value, name, (0, MOST_SELECTED), |item, at| {
        let refuse = |(kind, message)| vec![FieldError::new(at, kind, message)];
        fields::text(1, longest)(item).map(str::to_owned).map_err(refuse)
    })
}

fn models(value: &Value, catalogue: &Catalogue) -> Result<Vec<Entry>, Vec<FieldError>> {
    let mut labels: Vec<String> = Vec::new();
    each(value, "models", (1, MOST_MODELS), |item, at| {
        let (model_type, config) = read_config(item, at, catalogue)?;
        let label = label(&model_type, item);
        if labels.contains(&label) {
            let message = format!("{label} stands here more than once");
            return Err(vec![FieldError::new(at, "value_error", message)]);
        }
        labels.push(label.clone());
        Ok(Entry { label, model_type, config })
    })
}

/// Type and given settings, as the command line takes them: `lightgbm,n_estimators=200`.
pub(crate) fn label(model_type: &str, config: &Value) -> String {
    let members = config.as_object().into_iter().flatten();
    let given = members.filter(|(name, _)| !["model_type", "schema_version"].contains(&name.as_str()));
    given.fold(model_type.to_owned(), |label, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{label},{name}={value}")
    })
}

fn windows(value: &Value) -> Result<WindowConfig, Vec<FieldError>> {
    let mut fields = Fields::inside("windows", value)?;
    let n_windows = fields.nullable("n_windows", fields::lax_int(1, MOST_WINDOWS)).unwrap_or(4);
    let horizon = fields.nullable("horizon", fields::lax_int(1, LONGEST_HORIZON)).unwrap_or(14);
    let step = fields.nullable("step_days", fields::lax_int(1, 365)).unwrap_or(horizon);
    let train_days = fields.nullable("train_days", fields::lax_int(7, FURTHEST));
    if n_windows * step > FURTHEST {
        let message = format!(
            "{n_windows} windows, {step} days apart, reach back {} days, at most {FURTHEST} are allowed",
            n_windows * step
        );
        fields.refuse("n_windows", message);
    }
    fields.forbid_others(&["n_windows", "horizon", "step_days", "train_days"]);
    fields.finish(Some(WindowConfig {
        n_windows: n_windows as usize,
        horizon: horizon as usize,
        step: step as usize,
        train_days: train_days.map(|days| days as usize),
    }))
}

fn levels(value: &Value) -> Result<Vec<f64>, Vec<FieldError>> {
    let mut seen = Vec::new();
    let mut levels = each(value, "levels", (0, 5), |item, at| {
        let refuse = |(kind, message)| vec![FieldError::new(at, kind, message)];
        let level = fields::lax_number(1.0, 99.9)(item).map_err(refuse)?;
        if seen.contains(&level.to_bits()) {
            return Err(vec![FieldError::new(at, "value_error", format!("{level} stands here twice"))]);
        }
        seen.push(level.to_bits());
        Ok(level / 100.0)
    })?;
    levels.sort_by(f64::total_cmp);
    Ok(levels)
}
