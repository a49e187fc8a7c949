//! `explain_baseline`: explains `naive`, `seasonal_naive` and `moving_average` by their arithmetic (contract:
//! `explainability.md`, §4 to §7).

mod arithmetic;

use retailcast_sdk::explain::{
    Explained, Explainer, FittedModel, Method, Signals, Subject, caveats, reason_codes, summary,
};
use retailcast_sdk::{Error, Info};
use serde::Deserialize;

use arithmetic::Baseline;

/// The explainer.
pub struct ExplainBaseline;

/// What the three models have of a configuration between them. Each reads its own member and ignores the other.
#[derive(Deserialize)]
struct Config {
    season_length: Option<i64>,
    window_size: Option<i64>,
}

/// Season and window where none is given: a week.
const DEFAULT_LENGTH: i64 = 7;

impl Explainer for ExplainBaseline {
    const INFO: Info = Info {
        name: "explain_baseline",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Explains naive, seasonal naive and moving average by their arithmetic.",
    };
    const MODELS: &'static [&'static str] = &["naive", "seasonal_naive", "moving_average"];

    fn explain(
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        _: Option<&FittedModel>,
    ) -> Result<Explained, Error> {
        let baseline = baseline(subject)?;
        baseline.check_history(history)?;
        let (forecast, drivers) = baseline.forecast(history);
        let confidence = baseline.confidence(history);
        let reason_codes = reason_codes(subject, signals, history.len(), baseline.comfortable());
        let caveats = caveats(&[baseline.blind_spot()], &reason_codes);
        let summary = summary(subject, forecast, &drivers[0], confidence, &reason_codes);
        let method = Method::RuleBased;
        Ok(Explained { method, forecast, drivers, reason_codes, confidence, caveats, summary })
    }
}

fn baseline(subject: &Subject) -> Result<Baseline, Error> {
    let config: Config = serde_json::from_str(&subject.config)
        .map_err(|e| Error::invalid_config(format!("the configuration does not fit: {e}")))?;
    match subject.model_type.as_str() {
        "naive" => Ok(Baseline::Naive),
        "seasonal_naive" => length("season_length", config.season_length).map(Baseline::SeasonalNaive),
        "moving_average" => length("window_size", config.window_size).map(Baseline::MovingAverage),
        other => Err(Error::unsupported(format!(
            "{other} is not explained here, only {}",
            ExplainBaseline::MODELS.join(", ")
        ))),
    }
}

fn length(name: &str, given: Option<i64>) -> Result<usize, Error> {
    let length = given.unwrap_or(DEFAULT_LENGTH);
    match usize::try_from(length) {
        Ok(length) if length > 0 => Ok(length),
        _ => Err(Error::invalid_config(format!("{name} is {length}, it must be at least 1"))),
    }
}

retailcast_sdk::export!(ExplainBaseline as Explainer);

#[cfg(test)]
mod tests;
