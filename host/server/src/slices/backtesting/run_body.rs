//! The body of `POST /backtesting/run`.

use chrono::NaiveDate;
use retailcast_core::Day;
use retailcast_core::backtest::{SplitConfig, SplitStrategy};
use retailcast_core::config_schema::FieldError;
use retailcast_core::hash::schema_hash;
use retailcast_runtime::Catalogue;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::service::BacktestRequest;
use crate::http::fields::{self, Fields};
use crate::slices::forecasting::{ModelConfig, SeriesWindow, read_config};

const KEY: (i64, i64) = (1, i32::MAX as i64);

/// What to backtest.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"store_id": 4, "product_id": 31, "start_date": "2025-01-01", "end_date": "2025-03-31",
    "config": {"split_config": {"strategy": "sliding", "n_splits": 2, "min_train_size": 30, "horizon": 7},
               "model_config_main": {"model_type": "moving_average", "window_size": 7},
               "include_baselines": false, "store_fold_details": false}}))]
pub(super) struct BacktestBody {
    /// The series' store.
    #[schema(minimum = 1)]
    store_id: i32,
    /// The series' product.
    #[schema(minimum = 1)]
    product_id: i32,
    /// First day of the data, inclusive.
    start_date: NaiveDate,
    /// Last day, inclusive, after `start_date`.
    end_date: NaiveDate,
    /// How to backtest.
    config: BacktestConfig,
}

/// How to backtest.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct BacktestConfig {
    /// `digits.digits` or `digits.digits.digits`.
    #[schema(required = false, default = "1.0", pattern = r"^\d+\.\d+(\.\d+)?$")]
    schema_version: String,
    /// How the series is cut.
    #[schema(required = false)]
    split_config: SplitConfigBody,
    /// The model.
    model_config_main: ModelConfig,
    /// Whether `naive` and `seasonal_naive` with a season of 7 run on the same folds.
    #[schema(required = false, default = true)]
    include_baselines: bool,
    /// Whether dates, actuals and predictions of the folds are answered.
    #[schema(required = false, default = true)]
    store_fold_details: bool,
}

/// How a series is cut into training and test windows. All sizes count rows of the series.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct SplitConfigBody {
    /// `expanding` trains on everything before the test window, `sliding` on the last `min_train_size` rows.
    #[schema(required = false, default = "expanding", pattern = "^(expanding|sliding)$")]
    strategy: String,
    /// Wanted folds, at most `backtest.max_splits`; a short series gives fewer.
    #[schema(required = false, default = 5, minimum = 2, maximum = 20)]
    n_splits: u32,
    /// Rows of the first (expanding) or of every (sliding) training window.
    #[schema(required = false, default = 30, minimum = 7)]
    min_train_size: u64,
    /// Rows skipped between training and test, at most `backtest.max_gap`.
    #[schema(required = false, default = 0, minimum = 0, maximum = 30)]
    gap: u32,
    /// Rows of every test window, more than `gap`.
    #[schema(required = false, default = 14, minimum = 1, maximum = 90)]
    horizon: u32,
}

/// A body that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct BacktestOrder {
    /// What to do.
    pub request: BacktestRequest,
    /// Schema hash of the configuration.
    pub(super) config_hash: String,
    /// Whether dates, actuals and predictions of the folds are answered.
    pub(super) store_fold_details: bool,
}

/// Reads the body.
pub fn read(body: &Map<String, Value>, catalogue: &Catalogue) -> Result<BacktestOrder, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let store_id = fields.required("store_id", fields::lax_int(KEY.0, KEY.1));
    let product_id = fields.required("product_id", fields::lax_int(KEY.0, KEY.1));
    let start = fields.required("start_date", fields::date);
    let end = fields.required("end_date", fields::date);
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        fields.refuse("end_date", format!("must be after start_date {start}, is {end}"));
    }
    let config = fields.nested("config", |value| Config::read(value, catalogue));
    fields.forbid_others(&["store_id", "product_id", "start_date", "end_date", "config"]);
    let order = (|| {
        let window = SeriesWindow {
            store_id: i32::try_from(store_id?).ok()?,
            product_id: i32::try_from(product_id?).ok()?,
            start: Day::from_date(start?),
            end: Day::from_date(end?),
        };
        config.map(|config| config.order(window))
    })();
    fields.finish(order)
}

/// The configuration with its defaults filled in.
struct Config {
    schema_version: String,
    split: SplitConfig,
    model_type: String,
    model: retailcast_core::config_schema::NormalisedConfig,
    include_baselines: bool,
    store_fold_details: bool,
}

impl Config {
    fn read(value: &Value, catalogue: &Catalogue) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::inside("config", value)?;
        let schema_version = fields.optional("schema_version", fields::version).unwrap_or("1.0").to_owned();
        let split = fields.optional_nested("split_config", read_split).unwrap_or_default();
        let model = fields
            .nested("model_config_main", |value| read_config(value, "config.model_config_main", catalogue));
        let include_baselines = fields.optional("include_baselines", fields::lax_flag).unwrap_or(true);
        let store_fold_details = fields.optional("store_fold_details", fields::lax_flag).unwrap_or(true);
        fields.forbid_others(&[
            "schema_version",
            "split_config",
            "model_config_main",
            "include_baselines",
            "store_fold_details",
        ]);
        fields.finish(model.map(|(model_type, model)| Self {
            schema_version,
            split,
            model_type,
            model,
            include_baselines,
            store_fold_details,
        }))
    }

    fn order(self, window: SeriesWindow) -> BacktestOrder {
        BacktestOrder {
            config_hash: self.hash(),
            store_fold_details: self.store_fold_details,
            request: BacktestRequest {
                window,
                split: self.split,
                model_type: self.model_type,
                config: self.model,
                include_baselines: self.include_baselines,
            },
        }
    }

    /// The schema hash (contract `README.md` §8 A): members in declared order.
    fn hash(&self) -> String {
        let SplitConfig { strategy, n_splits, min_train_size, gap, horizon } = self.split;
        schema_hash(&json!({
            "schema_version": self.schema_version,
            "split_config": {
                "strategy": strategy.name(),
                "n_splits": n_splits,
                "min_train_size": min_train_size,
                "gap": gap,
                "horizon": horizon,
            },
            "model_config_main": self.model.full,
            "include_baselines": self.include_baselines,
            "store_fold_details": self.store_fold_details,
        }))
    }
}

/// Reads a split; errors stand below `config.split_config`.
pub fn read_split(value: &Value) -> Result<SplitConfig, Vec<FieldError>> {
    let mut fields = Fields::inside("config.split_config", value)?;
    let default = SplitConfig::default();
    let strategy = fields.optional("strategy", fields::one_of(&SplitStrategy::NAMES));
    let mut size = |name, least, most, default: usize| {
        let given = fields.optional(name, fields::lax_int(least, most));
        given.map_or(default, |size| size as usize)
    };
    let n_splits = size("n_splits", 2, 20, default.n_splits);
    let min_train_size = size("min_train_size", 7, i64::MAX, default.min_train_size);
    let gap = size("gap", 0, 30, default.gap);
    let horizon = size("horizon", 1, 90, default.horizon);
    if horizon <= gap {
        fields.refuse("horizon", format!("must be greater than gap {gap}, is {horizon}"));
    }
    fields.forbid_others(&["strategy", "n_splits", "min_train_size", "gap", "horizon"]);
    let strategy = strategy.and_then(SplitStrategy::named).unwrap_or_default();
    fields.finish(Some(SplitConfig { strategy, n_splits, min_train_size, gap, horizon }))
}
