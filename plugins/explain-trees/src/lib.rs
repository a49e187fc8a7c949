//! `explain_trees`: explains `regression` and `lightgbm` by the Shapley values of their trees. Base and contributions add
//! up to the forecast.

mod drivers;
pub mod lightgbm;
pub mod regression;
pub mod shap;
pub mod tree;

use retailcast_sdk::explain::{
    Confidence, Driver, Explained, Explainer, FittedModel, Method, Signals, Subject, caveats, reason_codes,
    summary,
};
use retailcast_sdk::{Error, Info};

use shap::Contributions;

/// The explainer.
pub struct ExplainTrees;

/// Twice the least history of both models; below it there is little to trust.
const COMFORTABLE: usize = 60;

/// How far base and contributions may be from the forecast by rounding alone, relative to it (or absolute, below 1).
/// The host allows twice that.
const ROUNDING: f64 = 5e-10;

const BLIND_SPOTS: [&str; 2] = [
    "Trees do not forecast beyond the values that they were trained on, so that a trend is not followed.",
    "Contributions are Shapley values; columns that move together share what either of them could explain.",
];

impl Explainer for ExplainTrees {
    const INFO: Info = Info {
        name: "explain_trees",
        version: env!("CARGO_PKG_VERSION"),
        licence: "Apache-2.0",
        summary: "Explains regression and lightgbm by the Shapley values of their trees.",
    };
    const MODELS: &'static [&'static str] = &[regression::NAME, lightgbm::NAME];
    const NEEDS_FITTED: bool = true;

    fn explain(
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        fitted: Option<&FittedModel>,
    ) -> Result<Explained, Error> {
        let fitted =
            fitted.ok_or_else(|| Error::unsupported("trees are explained from a fitted model only"))?;
        let FittedModel { feature_names, features, forecast, .. } = fitted;
        if feature_names.len() != features.len() {
            return Err(Error::artifact_mismatch(format!(
                "{} columns have names and {} have values",
                feature_names.len(),
                features.len()
            )));
        }
        let (found, link) = contributions(&subject.model_type, fitted)?;
        let mut drivers = drivers::drivers(feature_names, features, &found);
        let after = after_the_trees(&found, *forecast, link.as_deref())?;
        let mut blind_spots = BLIND_SPOTS.to_vec();
        if let Some((driver, caveat)) = after {
            drivers.push(driver);
            blind_spots.push(caveat);
        }
        let confidence = if history.len() < COMFORTABLE { Confidence::Low } else { Confidence::Medium };
        let reason_codes = reason_codes(subject, signals, history.len(), COMFORTABLE);
        let caveats = caveats(&blind_spots, &reason_codes);
        let summary = summary(subject, *forecast, &drivers[0], confidence, &reason_codes);
        Ok(Explained {
            method: Method::Shap,
            forecast: *forecast,
            drivers,
            reason_codes,
            confidence,
            caveats,
            summary,
        })
    }
}

/// Takes the sum of the trees apart; the second is what the model makes of that sum, when it is not the forecast.
fn contributions(model_type: &str, fitted: &FittedModel) -> Result<(Contributions, Option<String>), Error> {
    let FittedModel { state, features, .. } = fitted;
    match model_type {
        regression::NAME => {
            let ensemble = regression::read(state, features.len())?;
            Ok((ensemble.contributions(features), ensemble.link))
        }
        lightgbm::NAME => {
            let saved = lightgbm::read(state, features.len())?;
            Ok((saved.ensemble.contributions(&saved.encode(features)), saved.ensemble.link))
        }
        other => Err(Error::unsupported(format!(
            "{other} is not explained here, only {}",
            ExplainTrees::MODELS.join(", ")
        ))),
    }
}

/// What the model did to the sum of its trees, as a driver of its own and a caveat: the sum of all drivers is the
/// forecast, whatever it is. Trees that do not lead to the forecast at all are not those that made it.
fn after_the_trees(
    found: &Contributions,
    forecast: f64,
    link: Option<&str>,
) -> Result<Option<(Driver, &'static str)>, Error> {
    let sum = found.base + found.features.iter().sum::<f64>();
    if (sum - forecast).abs() <= ROUNDING * forecast.abs().max(1.0) {
        return Ok(None);
    }
    if let Some(objective) = link {
        let description = format!(
            "The trees of the objective `{objective}` add up to {sum:.4}, of which the model makes the forecast."
        );
        let caveat = "The trees add up on another scale than units: read the contributions as directions; `link` is what the change of scale makes up.";
        return Ok(Some((drivers::link(sum, forecast, description), caveat)));
    }
    if sum < 0.0 && forecast == 0.0 {
        let description = format!("The trees add up to {sum:.4}, and the forecast was cut at 0.");
        let caveat = "The forecast was cut at 0; `link` is what was cut.";
        return Ok(Some((drivers::link(sum, forecast, description), caveat)));
    }
    Err(Error::artifact_mismatch(format!(
        "the trees add up to {sum} and the model forecasts {forecast}, so that they are not all of it"
    )))
}

/// The model of the one series that a state is about.
fn one_series<T>(name: &str, models: Vec<Result<T, Error>>) -> Result<T, Error> {
    let count = models.len();
    match models.into_iter().next() {
        Some(model) if count == 1 => model,
        _ => Err(Error::unsupported(format!(
            "the state of {name} holds {count} series, explained is a model of one"
        ))),
    }
}

retailcast_sdk::export!(ExplainTrees as Explainer);

#[cfg(test)]
mod tests;
