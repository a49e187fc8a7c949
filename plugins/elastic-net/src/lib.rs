//! `elastic_net`: a linear model of the logarithm of sales on past sales, calendar, price and promotion, one per series.
//! Being linear in logarithms, it answers for prices that were never seen. The regression is in [`linear`].

mod design;
pub mod linear;

use retailcast_sdk::{
    Error, ErrorCode, ForecastModel, Forecasts, FutureData, Info, Requirements, ShortLags, TrainingData,
    state,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use linear::{Linear, Penalty};

/// Rows: more than the regression has columns, and four weeks, so that a lag of 28 days has been seen.
const MIN_ROWS: u32 = 30;

/// Forecasts end at this multiple of the most that was sold on a day: predictions become the lags of the next day, and
/// what grows must not grow without end.
const MOST: f64 = 10.0;

/// The models of a panel, one per series, or why there is none.
#[derive(Debug)]
pub struct ElasticNet {
    models: Vec<Result<Model, Error>>,
}

/// The model of one series.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Model {
    logarithm: Linear,
    /// What was sold over what the exponentials of the fitted logarithms add up to: they alone would aim at the median
    /// and fall short of the mean.
    scale: f64,
    /// No forecast is larger.
    most: f64,
}

/// Configuration.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Config {
    /// Strength of the penalty.
    #[serde(default = "light")]
    #[schemars(range(min = 0.0001, max = 100.0))]
    alpha: f64,
    /// Share of absolute values in the penalty: near 0 it shrinks all weights (ridge), 1 drops most of them (lasso).
    #[serde(default = "half")]
    #[schemars(range(min = 0.01, max = 1.0))]
    l1_ratio: f64,
}

fn light() -> f64 {
    0.01
}

fn half() -> f64 {
    0.5
}

impl Model {
    /// `columns` are those of [`design`], as long as `sold`.
    fn fit(columns: &[Vec<f64>], sold: &[f64], penalty: Penalty) -> Result<Self, Error> {
        if sold.len() < MIN_ROWS as usize {
            return Err(Error::not_enough_history(MIN_ROWS as usize, sold.len()));
        }
        let target: Vec<f64> = sold.iter().map(|units| design::log_units(*units)).collect();
        let logarithm =
            Linear::fit(columns, &target, penalty).map_err(|e| Error::numeric(format!("no fit: {e}")))?;
        let fitted: f64 =
            (0..sold.len()).map(|row| units(logarithm.predict(|column| columns[column][row]))).sum();
        let total: f64 = sold.iter().map(|units| units.max(0.0)).sum();
        let scale = Some(total / fitted).filter(|scale| scale.is_finite()).unwrap_or(1.0);
        let most = MOST * sold.iter().copied().fold(0.0, f64::max);
        Ok(Self { logarithm, scale, most })
    }

    fn predict(&self, cell: impl Fn(usize) -> f64) -> f64 {
        (self.scale * units(self.logarithm.predict(cell))).min(self.most)
    }
}

/// Units of a logarithm, not below zero.
fn units(logarithm: f64) -> f64 {
    logarithm.exp_m1().max(0.0)
}

/// The columns of the regression for all rows of a data set.
fn columns(names: usize, column: impl Fn(usize) -> Vec<f64>) -> Result<Vec<Vec<f64>>, Error> {
    if names != design::FEATURE_COUNT {
        let message = format!("reads {} columns, given {names}", design::FEATURE_COUNT);
        return Err(Error::new(ErrorCode::MissingFeature, message));
    }
    Ok(design::columns(&(0..names).map(column).collect::<Vec<_>>()))
}

impl ForecastModel for ElasticNet {
    type Config = Config;
    const INFO: Info = Info {
        name: "elastic_net",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Linear model of the logarithm of sales on past sales, calendar, price and promotion.",
    };

    fn requirements(_: &Config) -> Result<Requirements, Error> {
        Ok(Requirements::table(MIN_ROWS, design::features(), ShortLags::Recursive))
    }

    fn fit(config: &Config, data: &dyn TrainingData) -> Result<Self, Error> {
        let penalty = Penalty { alpha: config.alpha, l1_ratio: config.l1_ratio };
        let columns = columns(data.feature_names().len(), |i| data.feature(i))?;
        let target = data.target();
        let models = data
            .offsets()
            .windows(2)
            .map(|rows| {
                let rows = rows[0] as usize..rows[1] as usize;
                let own: Vec<Vec<f64>> = columns.iter().map(|column| column[rows.clone()].to_vec()).collect();
                Model::fit(&own, &target[rows], penalty)
            })
            .collect::<Vec<_>>();
        match &models[..] {
            [Err(refusal)] => Err(refusal.clone()),
            _ => Ok(Self { models }),
        }
    }

    fn predict(&self, ahead: &dyn FutureData) -> Result<Forecasts, Error> {
        ahead.expect_series(self.models.len())?;
        let horizon = ahead.horizon();
        let columns = columns(ahead.feature_names().len(), |i| ahead.feature(i))?;
        let mut forecasts = Forecasts::new(self.models.len(), horizon);
        for (series, model) in self.models.iter().enumerate() {
            let points = model.as_ref().map_err(Clone::clone).map(|model| {
                let row = |step| series * horizon + step;
                (0..horizon).map(|step| model.predict(|column| columns[column][row(step)])).collect()
            });
            forecasts.push(points);
        }
        Ok(forecasts)
    }

    fn save(&self) -> Vec<u8> {
        state::encode::<Self>(&self.models)
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        let models: Vec<Result<Model, Error>> = state::decode::<Self, _>(bytes)?;
        match models.iter().flatten().find(|model| model.logarithm.width() != design::COLUMN_COUNT) {
            None => Ok(Self { models }),
            Some(model) => Err(Error::artifact_mismatch(format!(
                "a regression of {} columns, instead of {}",
                model.logarithm.width(),
                design::COLUMN_COUNT
            ))),
        }
    }
}

retailcast_sdk::export!(ElasticNet as ForecastModel);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use retailcast_sdk::testing::{Future, Panel, fit_predict};

    const WEEK: [f64; 7] = [5.0, 6.0, 7.0, 8.0, 12.0, 20.0, 0.0];

    /// Days of one week after the other, with a price that alternates between 1 and 0.8 and an elasticity of -2.
    fn sold(day: usize) -> f64 {
        WEEK[day % 7] * price(day).powi(-2)
    }

    fn price(day: usize) -> f64 {
        if day % 11 < 3 { 0.8 } else { 1.0 }
    }

    /// The cell of one feature: weekday and price; everything else is missing.
    fn cell(feature: usize, day: usize, price: f64) -> f64 {
        match feature {
            6 => (day % 7) as f64,
            10 => price,
            _ => f64::NAN,
        }
    }

    fn panel(series: &[&[f64]]) -> Panel {
        (0..design::FEATURE_COUNT).fold(Panel::of(series), |panel, feature| {
            let cells =
                series.iter().flat_map(|s| (0..s.len()).map(|day| cell(feature, day, price(day)))).collect();
            panel.with_column(&feature.to_string(), cells)
        })
    }

    fn ahead(panel: &Panel, series: usize, first: usize, horizon: usize, price: f64) -> Future {
        (0..design::FEATURE_COUNT).fold(panel.future(horizon), |future, feature| {
            let cells = (0..series)
                .flat_map(|_| (first..first + horizon).map(|day| cell(feature, day, price)))
                .collect();
            future.with_column(&feature.to_string(), cells)
        })
    }

    #[test]
    fn a_price_that_was_never_seen_changes_sales_by_the_elasticity() {
        let history: Vec<f64> = (0..280).map(|day| 100.0 * sold(day)).collect();
        let panel = panel(&[&history]);
        let at = |price: f64| {
            let config = r#"{"alpha": 0.0001}"#;
            fit_predict::<ElasticNet>(config, &panel, &ahead(&panel, 1, 280, 6, price)).unwrap().points
        };
        for (usual, cheap) in at(1.0).iter().zip(at(0.6)) {
            assert!((1.9..3.0).contains(&(cheap / usual)), "0.6^-2 is 2.78: {usual} became {cheap}");
        }
    }

    #[test]
    fn what_was_fitted_adds_up_to_what_was_sold() {
        let history: Vec<f64> =
            (0..140).map(|day| if day % 3 == 0 { f64::from(day % 13) } else { 0.0 }).collect();
        let panel = panel(&[&history]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let fitted = ElasticNet::fit(&config, &panel).unwrap();
        let columns = columns(design::FEATURE_COUNT, |i| panel.feature(i)).unwrap();
        let model = fitted.models[0].as_ref().unwrap();
        let total: f64 = (0..140).map(|row| model.predict(|column| columns[column][row])).sum();
        assert!((total - history.iter().sum::<f64>()).abs() < 1e-6);
    }

    #[test]
    fn degenerate_series_have_sensible_forecasts() {
        let mut spike = vec![0.0; 100];
        spike[50] = 1e6;
        let panel = panel(&[&[0.0; 40], &[3.0; 40], &spike, &[1.0; 29]]);
        let forecasts = fit_predict::<ElasticNet>("{}", &panel, &ahead(&panel, 4, 0, 7, 1.0)).unwrap();
        assert_eq!(forecasts.points[..7], [0.0; 7]);
        assert!(forecasts.points[7..14].iter().all(|point| (point - 3.0).abs() < 1e-9));
        assert!(forecasts.points[14..21].iter().all(|point| (0.0..1e6).contains(point)));
        assert_eq!(forecasts.failures.len(), 1);
        assert_eq!(forecasts.failures[0].message, "needs at least 30 values, found 29");
    }

    #[test]
    fn another_number_of_columns_is_refused() {
        let panel = Panel::of(&[&[1.0; 40]]).with_column("x", vec![1.0; 40]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let error = ElasticNet::fit(&config, &panel).unwrap_err();
        assert_eq!((error.code, &*error.message), (ErrorCode::MissingFeature, "reads 13 columns, given 1"));
    }

    #[test]
    fn refuses_damaged_state() {
        let panel = panel(&[&[1.0; 40]]);
        let config: Config = retailcast_sdk::testing::config("{}").unwrap();
        let state = ElasticNet::fit(&config, &panel).unwrap().save();
        for cut in 0..state.len() {
            assert!(ElasticNet::load(&state[..cut]).is_err(), "cut at {cut}");
        }
        let narrow = Linear::fit(&[vec![1.0; 2]], &[1.0; 2], Penalty { alpha: 1.0, l1_ratio: 0.5 }).unwrap();
        let model = Model { logarithm: narrow, scale: 1.0, most: 1.0 };
        let forged = ElasticNet { models: vec![Ok(model)] }.save();
        assert_eq!(ElasticNet::load(&forged).unwrap_err().code, ErrorCode::ArtifactMismatch);
    }
    proptest! {
        #[test]
        fn no_row_is_forecast_below_zero_or_beyond_the_limit(
            history in proptest::collection::vec(prop_oneof![2 => Just(0.0), 1 => 0.0..1e6], 30..120),
            row in proptest::collection::vec(prop_oneof![9 => -1e9..1e9, 1 => Just(f64::NAN)], design::COLUMN_COUNT),
        ) {
            let panel = panel(&[&history]);
            let config: Config = retailcast_sdk::testing::config("{}").unwrap();
            let fitted = ElasticNet::fit(&config, &panel).unwrap();
            let point = fitted.models[0].as_ref().unwrap().predict(|column| row[column]);
            prop_assert!((0.0..=1e7).contains(&point), "{point}");
        }
    }
}
