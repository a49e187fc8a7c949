//! What the three models compute, and how far to trust it.

use retailcast_sdk::explain::{Confidence, Direction, Driver};
use retailcast_sdk::{Error, ErrorCode};

/// A model with its one parameter.
pub(crate) enum Baseline {
    /// The last value.
    Naive,
    /// The value of one season ago.
    SeasonalNaive(usize),
    /// The mean of the last values.
    MovingAverage(usize),
}

/// Two weeks: what a trend is read from, and what a naive forecast is comfortable with.
const TWO_WEEKS: usize = 14;
const WEEK: usize = 7;
/// Below this ratio of spread to mean, a moving average stands on steady ground.
const STEADY: f64 = 0.5;

impl Baseline {
    /// Refuses a history that the model could not forecast from.
    pub(crate) fn check_history(&self, history: &[f64]) -> Result<(), Error> {
        let (needed, found) = (self.needs(), history.len());
        if found >= needed {
            return Ok(());
        }
        let message = match self {
            Self::Naive => "the series is empty; naive needs at least 1 observation".to_owned(),
            Self::SeasonalNaive(_) => {
                format!("seasonal_naive needs at least {needed} observations, found {found}")
            }
            Self::MovingAverage(_) => {
                format!("moving_average needs at least {needed} observations, found {found}")
            }
        };
        Err(Error::new(ErrorCode::NotEnoughHistory, message))
    }

    fn needs(&self) -> usize {
        match self {
            Self::Naive => 1,
            Self::SeasonalNaive(length) | Self::MovingAverage(length) => *length,
        }
    }

    /// Fewer observations than this are worth a warning.
    pub(crate) fn comfortable(&self) -> usize {
        match self {
            Self::Naive => TWO_WEEKS,
            Self::SeasonalNaive(length) | Self::MovingAverage(length) => length.saturating_mul(2),
        }
    }

    /// What it does not see.
    pub(crate) fn blind_spot(&self) -> &'static str {
        match self {
            Self::Naive => "A naive forecast knows neither trend nor season.",
            Self::SeasonalNaive(_) => "A seasonal naive forecast assumes that the last cycle repeats.",
            Self::MovingAverage(_) => "A moving average reacts slowly to a recent change of level.",
        }
    }

    /// The forecast and what it is made of, the main driver first. The history was checked.
    pub(crate) fn forecast(&self, history: &[f64]) -> (f64, Vec<Driver>) {
        match self {
            Self::Naive => {
                let last = history[history.len() - 1];
                let main = main_driver("last_observation", last, "The newest observation.".to_owned());
                (last, [Some(main), recent_trend(history)].into_iter().flatten().collect())
            }
            Self::SeasonalNaive(season) => {
                let matched = history[history.len() - season];
                let said = format!("The observation one season ({season} observations) before the forecast.");
                (matched, vec![main_driver("season_match", matched, said)])
            }
            Self::MovingAverage(window) => {
                let newest = &history[history.len() - window..];
                let mean = mean(newest);
                let said = format!("Average of the newest {window} observations.");
                (mean, vec![main_driver("window_mean", mean, said), dispersion(newest)])
            }
        }
    }

    /// How far to trust the forecast. A naive one never far; a moving average is, when its window is steady.
    pub(crate) fn confidence(&self, history: &[f64]) -> Confidence {
        match self {
            Self::Naive | Self::SeasonalNaive(_) if history.len() < self.comfortable() => Confidence::Low,
            Self::Naive | Self::SeasonalNaive(_) => Confidence::Medium,
            Self::MovingAverage(window) => {
                let newest = &history[history.len() - window..];
                let mean = mean(newest);
                let variation = if mean <= 0.0 { 0.0 } else { deviation(newest) / mean };
                if variation < STEADY { Confidence::High } else { Confidence::Medium }
            }
        }
    }
}

/// The driver that carries the forecast; it pushes up even when it is 0.
fn main_driver(name: &str, value: f64, description: String) -> Driver {
    let (name, direction) = (name.to_owned(), Direction::Positive);
    Driver { name, value, contribution: value, direction, description }
}

/// The last week against the week before, for context; none without two weeks.
fn recent_trend(history: &[f64]) -> Option<Driver> {
    let two_weeks = &history[history.len().checked_sub(TWO_WEEKS)?..];
    let change = mean(&two_weeks[WEEK..]) - mean(&two_weeks[..WEEK]);
    Some(Driver {
        name: "recent_trend".to_owned(),
        value: change,
        contribution: 0.0,
        direction: Direction::of(change),
        description: "Average of the newest 7 observations less that of the 7 before, shown for context."
            .to_owned(),
    })
}

fn dispersion(window: &[f64]) -> Driver {
    Driver {
        name: "window_dispersion".to_owned(),
        value: deviation(window),
        contribution: 0.0,
        direction: Direction::Neutral,
        description: "Spread inside the window, shown for context.".to_owned(),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation of a population.
fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}
