//! Run a model natively, as `cargo test` does: the same trait, on data in memory.
//!
//! ```
//! # use retailcast_sdk::testing::Panel;
//! let panel = Panel::of(&[&[1.0, 2.0, 3.0], &[4.0, 5.0]]);
//! assert_eq!(panel.future(7).rows(), 14);
//! ```

#[cfg(feature = "proptest")]
pub mod panels;

use crate::explain::Subject;
use crate::scenario::Baseline;
use crate::{Error, ForecastModel, Forecasts, FutureData, TrainingData};

/// 2024-01-01, as days since 1970-01-01.
const START: i32 = 19_723;

/// The forecast of a model of this type and configuration (JSON), to be explained: of the day after 2024-01-01.
pub fn subject(model_type: &str, config: &str) -> Subject {
    Subject {
        store_id: 1,
        product_id: 1,
        model_type: model_type.to_owned(),
        config: config.to_owned(),
        as_of: START,
    }
}

/// A forecast from 2024-01-01 on, without intervals, to be adjusted.
pub fn baseline(points: &[f64]) -> Baseline {
    Baseline { start: START, points: points.to_vec(), intervals: Vec::new() }
}

/// Some series in memory.
#[derive(Debug, Clone, Default)]
pub struct Panel {
    offsets: Vec<u32>,
    starts: Vec<i32>,
    target: Vec<f64>,
    columns: Vec<(String, Vec<f64>)>,
    seed: u64,
}

impl Panel {
    /// Series of these values; all start on 2024-01-01.
    pub fn of(series: &[&[f64]]) -> Self {
        let mut offsets = vec![0];
        offsets.extend(series.iter().scan(0, |end, values| {
            *end += values.len() as u32;
            Some(*end)
        }));
        Self {
            offsets,
            starts: vec![START; series.len()],
            target: series.concat(),
            columns: Vec::new(),
            seed: 42,
        }
    }

    /// The same panel with one more feature column over all rows.
    #[must_use]
    pub fn with_column(mut self, name: &str, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), self.target.len(), "one value per row");
        self.columns.push((name.to_owned(), values));
        self
    }

    /// One of its series, as a panel of its own.
    ///
    /// # Panics
    /// When there is no such series.
    #[must_use]
    pub fn only(&self, series: usize) -> Self {
        let rows = self.offsets[series] as usize..self.offsets[series + 1] as usize;
        let column = |values: &[f64]| values[rows.clone()].to_vec();
        Self {
            offsets: vec![0, rows.len() as u32],
            starts: vec![self.starts[series]],
            target: column(&self.target),
            columns: self.columns.iter().map(|(name, values)| (name.clone(), column(values))).collect(),
            seed: self.seed,
        }
    }

    /// The days after the panel, without feature columns.
    pub fn future(&self, horizon: usize) -> Future {
        let starts = (0..self.starts.len())
            .map(|i| self.starts[i] + (self.offsets[i + 1] - self.offsets[i]) as i32)
            .collect();
        Future { starts, horizon, columns: Vec::new() }
    }
}

impl TrainingData for Panel {
    fn series_count(&self) -> usize {
        self.starts.len()
    }
    fn offsets(&self) -> Vec<u32> {
        self.offsets.clone()
    }
    fn starts(&self) -> Vec<i32> {
        self.starts.clone()
    }
    fn days(&self) -> Vec<i32> {
        (0..self.starts.len())
            .flat_map(|i| {
                (0..(self.offsets[i + 1] - self.offsets[i]) as i32).map(move |d| self.starts[i] + d)
            })
            .collect()
    }
    fn target(&self) -> Vec<f64> {
        self.target.clone()
    }
    fn target_of(&self, series: usize) -> Vec<f64> {
        self.target_tail(series, usize::MAX)
    }
    fn target_tail(&self, series: usize, count: usize) -> Vec<f64> {
        let (Some(from), Some(to)) = (self.offsets.get(series), self.offsets.get(series + 1)) else {
            return Vec::new();
        };
        let values = &self.target[*from as usize..*to as usize];
        values[values.len().saturating_sub(count)..].to_vec()
    }
    fn feature_names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }
    fn feature(&self, column: usize) -> Vec<f64> {
        self.columns.get(column).map(|(_, values)| values.clone()).unwrap_or_default()
    }
    fn seed(&self) -> u64 {
        self.seed
    }
}

/// Days to forecast, in memory.
#[derive(Debug, Clone)]
pub struct Future {
    starts: Vec<i32>,
    horizon: usize,
    columns: Vec<(String, Vec<f64>)>,
}

impl Future {
    /// The same with one more feature column.
    #[must_use]
    pub fn with_column(mut self, name: &str, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), self.rows(), "one value per series and step");
        self.columns.push((name.to_owned(), values));
        self
    }

    /// Series times steps.
    pub fn rows(&self) -> usize {
        self.starts.len() * self.horizon
    }
}

impl FutureData for Future {
    fn series_count(&self) -> usize {
        self.starts.len()
    }
    fn horizon(&self) -> usize {
        self.horizon
    }
    fn starts(&self) -> Vec<i32> {
        self.starts.clone()
    }
    fn feature_names(&self) -> Vec<String> {
        self.columns.iter().map(|(name, _)| name.clone()).collect()
    }
    fn feature(&self, column: usize) -> Vec<f64> {
        self.columns.get(column).map(|(_, values)| values.clone()).unwrap_or_default()
    }
}

/// Fits `config` (JSON) on the panel and forecasts, going through save and load on the way and demanding that
/// they change nothing.
///
/// # Panics
/// When the forecasts after `load` differ from those before.
pub fn fit_predict<M: ForecastModel>(
    config: &str,
    panel: &Panel,
    ahead: &Future,
) -> Result<Forecasts, Error> {
    let config = self::config(config)?;
    let fitted = M::fit(&config, panel)?;
    let forecasts = fitted.predict(ahead)?;
    let again = M::load(&fitted.save())?.predict(ahead)?;
    let bits = |f: &Forecasts| f.points.iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&forecasts), bits(&again), "save and load changed the forecasts");
    Ok(forecasts)
}

/// Reads a configuration from JSON, as the component does.
pub fn config<C: serde::de::DeserializeOwned>(json: &str) -> Result<C, Error> {
    serde_json::from_str(json).map_err(|e| Error::invalid_config(e.to_string()))
}
