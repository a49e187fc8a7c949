//! `my_model`: explains a moving average by the days in its window. Make it yours.

use retailcast_sdk::explain::{
    Confidence, Direction, Driver, Explained, Explainer, FittedModel, Method, Signals, Subject,
};
use retailcast_sdk::serde_json::{self, Value};
use retailcast_sdk::{Error, Info};

/// The explainer.
pub struct MyModel;

impl Explainer for MyModel {
    const INFO: Info = Info {
        name: "my_model",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Explains a moving average by the newest days and the days before.",
    };
    const MODELS: &'static [&'static str] = &["moving_average"];

    fn explain(
        subject: &Subject,
        history: &[f64],
        _: &Signals,
        _: Option<&FittedModel>,
    ) -> Result<Explained, Error> {
        if subject.model_type != Self::MODELS[0] {
            return Err(Error::unsupported(format!("{} is not explained here", subject.model_type)));
        }
        let window = window(&subject.config)?;
        if history.len() < window {
            return Err(Error::not_enough_history(window, history.len()));
        }
        let days = &history[history.len() - window..];
        let (before, newest) = days.split_at(window / 2);
        let share = |part: &[f64]| part.iter().sum::<f64>() / window as f64;
        let drivers = vec![
            driver("newest_days", share(newest), format!("The newest {} days of the window.", newest.len())),
            driver("days_before", share(before), format!("The {} days before them.", before.len())),
        ];
        // The contributions must add up to the forecast.
        let forecast = drivers.iter().map(|driver| driver.contribution).sum();
        let summary = format!("The forecast of {forecast:.1} units is the mean of the last {window} days.");
        Ok(Explained {
            method: Method::RuleBased,
            forecast,
            drivers,
            reason_codes: Vec::new(),
            confidence: Confidence::Medium,
            caveats: vec!["A moving average knows no seasons.".to_owned()],
            summary,
        })
    }
}

/// What the model is configured with; a week when it does not say.
fn window(config: &str) -> Result<usize, Error> {
    let config: serde_json::Map<String, Value> =
        serde_json::from_str(config).map_err(|e| Error::invalid_config(e.to_string()))?;
    match config.get("window_size").map_or(Some(7), Value::as_u64) {
        Some(window) if window > 0 => Ok(window as usize),
        _ => Err(Error::invalid_config("window_size must be a positive number of days")),
    }
}

fn driver(name: &str, contribution: f64, description: String) -> Driver {
    let direction = Direction::of(contribution);
    Driver { name: name.to_owned(), value: contribution, contribution, direction, description }
}

retailcast_sdk::export!(MyModel as Explainer);

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_sdk::testing::subject;

    #[test]
    fn the_contributions_add_up_to_the_mean() {
        let subject = subject("moving_average", r#"{"window_size": 4}"#);
        let explained =
            MyModel::explain(&subject, &[9.0, 1.0, 2.0, 3.0, 6.0], &Signals::default(), None).unwrap();
        assert_eq!(explained.forecast, 3.0);
        assert_eq!(explained.drivers[0].contribution, 2.25);
        assert!(MyModel::explain(&subject, &[1.0], &Signals::default(), None).is_err());
    }
}
