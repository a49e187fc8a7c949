//! A good forecast model with one fault.
//!
//! The good form forecasts the mean of the last days, with intervals, one model per series. `good-table` reads columns,
//! and `good-global` is one model across all series. Faults whose name begins with `table-` build on the former.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

use retailcast_guest_fault::{clock, fault, has, hoard, overdo};
use retailcast_sdk::{
    Error, Feature, ForecastModel, Forecasts, FutureData, Info, Requirements, ShortLags, TrainingData, state,
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

fn reads_table() -> bool {
    fault().starts_with("table-") || has("good-table")
}

/// What the schema says of the configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Fields {
    /// Days of the mean.
    #[serde(default = "week")]
    #[schemars(range(min = 1, max = 28))]
    window: u32,
}

fn week() -> u32 {
    7
}

/// Configuration.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Config(Fields);

impl JsonSchema for Config {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Fields::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        assert!(!has("panic-in-describe"), "the label fell off");
        let mut schema = Fields::json_schema(generator);
        if has("describe-by-clock") {
            schema.insert("title".to_owned(), format!("At {}", clock()).into());
        }
        schema
    }
}

/// Means of series, each with a NaN-free number; or why there is none.
#[derive(Debug, Serialize, Deserialize)]
pub struct Means {
    means: Vec<Result<f64, Error>>,
    #[serde(skip)]
    calls: Cell<u32>,
}

static FITS: AtomicU32 = AtomicU32::new(0);

/// Crashes on data of the kind that the fault names.
#[allow(clippy::float_cmp, reason = "the series are made of exactly these numbers")]
fn crash_on(values: &[f64], data: &dyn TrainingData) {
    let zero = values.iter().filter(|v| **v == 0.0).count();
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let hit = match fault() {
        "panic-on-constant" => values.iter().all(|v| *v == values[0]) && largest > 0.0,
        "panic-on-zeros" => zero == values.len(),
        "panic-on-intermittent" => zero * 10 > values.len() * 8 && largest == 1.0,
        "panic-on-spike" => largest == 1e6 && zero + 1 == values.len(),
        "panic-on-large" => largest > 1e11 && largest < 1e20,
        "panic-on-small" => largest > 0.0 && largest < 1e-3,
        "panic-on-negative" => values.iter().any(|v| *v < 0.0) && largest < 1e20,
        "panic-on-gaps" => data.days().windows(2).any(|pair| pair[1] - pair[0] == 2),
        "panic-on-many" => data.series_count() > 50,
        "table-panic-on-unknown" => data.feature(1).iter().all(|v| v.is_nan()),
        _ => false,
    };
    assert!(!hit, "{} on {} values", fault(), values.len());
}

impl ForecastModel for Means {
    type Config = Config;
    const INFO: Info = Info {
        name: "mutant_of_the_suite",
        version: "7.7.7",
        licence: "LicenseRef-Mutant",
        summary: "The mean of the last days, with one fault.",
    };

    fn requirements(Config(fields): &Config) -> Result<Requirements, Error> {
        assert!(!(has("panic-at-edge") && fields.window == 28), "the window is stuck");
        if has("refuse-defaults") && fields.window == week() {
            return Err(Error::invalid_config("7 days are not a mean"));
        }
        let rows = if has("short-min-history") { 5 } else { fields.window };
        let mut needs = Requirements::series(rows);
        if reads_table() {
            let columns = vec![Feature::PriceFactor, Feature::DaysSinceLaunch, Feature::DayOfWeek];
            needs = Requirements::table(rows, columns, ShortLags::Direct);
            needs.exogenous = !has("table-undeclared-exogenous");
        }
        if has("good-global") {
            needs = needs.across_series();
        }
        if has("needs-nothing") {
            needs.min_history = 0;
        }
        if has("needs-by-clock") {
            needs.min_history = 7 + (clock() % 86_400 % 2) as u32;
        }
        needs.intervals = !has("no-intervals");
        Ok(needs)
    }

    fn fit(Config(fields): &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let fits = FITS.fetch_add(1, Ordering::Relaxed);
        overdo();
        if has("leak") {
            hoard(1 << 18);
        }
        let window = fields.window as usize;
        let all = data.target();
        let whole = all.iter().sum::<f64>() / all.len() as f64;
        let one = |series| {
            let values = data.target_of(series);
            crash_on(&values, data);
            if has("short-min-history") && values.len() < 20 {
                return Err(Error::not_enough_history(20, values.len()));
            }
            let last = &values[values.len().saturating_sub(window)..];
            let mean = last.iter().sum::<f64>() / last.len() as f64;
            let mean = match fault() {
                "fit-by-clock" => mean + (clock() % 86_400_000) as f64,
                "fit-counts" => mean + f64::from(fits),
                "mean-of-panel" => whole,
                _ => mean,
            };
            let largest = last.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
            if largest > 1e300 {
                let words = if has("no-reason") { "" } else { "the sum of the last days overflows" };
                return Err(Error::numeric(words));
            }
            Ok(mean)
        };
        let means: Vec<Result<f64, Error>> = (0..data.series_count()).map(one).collect();
        if has("all-or-nothing") {
            means.iter().cloned().collect::<Result<Vec<f64>, Error>>()?;
        }
        Ok(Self { means, calls: Cell::new(0) })
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        ahead.expect_series(self.means.len())?;
        let horizon = ahead.horizon();
        assert!(!has("panic-in-predict"), "the ball is broken");
        assert!(!(has("panic-on-horizon") && horizon > 60), "too far");
        self.calls.set(self.calls.get() + 1);
        let prices = ahead.feature(0);
        let mut forecasts = Forecasts::new(self.means.len(), horizon);
        for (series, mean) in self.means.iter().enumerate() {
            forecasts.push(mean.clone().map(|mean| {
                let point = |step: usize| match prices.get(series * horizon + step) {
                    Some(price) if !has("table-deaf") && price.is_finite() => mean * (2.0 - price),
                    _ => mean,
                };
                let mut points: Vec<f64> = (0..horizon).map(point).collect();
                if has("predict-counts") {
                    points[0] += f64::from(self.calls.get());
                }
                points
            }));
        }
        if has("sorted") {
            forecasts.points.sort_by(f64::total_cmp);
        }
        if has("nan") {
            forecasts.points[0] = f64::NAN;
        }
        add_intervals(&mut forecasts);
        match fault() {
            "short" => {
                forecasts.points.pop();
            }
            "strange-failure" => forecasts.failures.push(Error::numeric("?").for_series(77)),
            _ => {}
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        match fault() {
            "huge-state" => vec![7; 8 << 20],
            "rounds" => {
                let rounded = self.means.iter().map(|mean| mean.clone().map(|m| f64::from(m as f32) + 0.25));
                state::encode::<Self>(&Self { means: rounded.collect(), calls: Cell::new(0) })
            }
            _ => state::encode::<Self>(self),
        }
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        match state::decode::<Self, _>(bytes) {
            Err(_) if has("takes-anything") => Ok(Self { means: vec![Ok(1.0)], calls: Cell::new(0) }),
            read => read,
        }
    }
}

/// Two levels around every point.
fn add_intervals(forecasts: &mut Forecasts) {
    if has("no-intervals-given") || has("no-intervals") {
        return;
    }
    let around = |width: f64| -> (Vec<f64>, Vec<f64>) {
        forecasts.points.iter().map(|p| (p - width * p.abs(), p + width * p.abs())).unzip()
    };
    let (inner, outer) = (around(0.1), around(0.3));
    forecasts.levels = if has("levels-descend") { vec![0.95, 0.8] } else { vec![0.8, 0.95] };
    forecasts.lower = [inner.0, outer.0].concat();
    forecasts.upper = [inner.1, outer.1].concat();
    if has("crossing") {
        std::mem::swap(&mut forecasts.lower, &mut forecasts.upper);
    }
}

retailcast_sdk::export!(Means as ForecastModel);
