//! An explainer: one forecast explained.

use comfy_table::Table;
use retailcast_runtime::explain::{ExplainedModel, Signals, Subject};
use retailcast_runtime::panel::{self, History};
use retailcast_runtime::{Call, Explainer, Models};

use super::{model, show};
use crate::cli::CliError;
use crate::cli::stdout::say;

/// Explains the forecast of the day after the history. The built-in model of the type makes it, when there is one and
/// the explainer wants it.
pub(super) fn run(
    explainer: &dyn Explainer,
    beside: Models<'_>,
    call: &Call,
    model_type: Option<&str>,
    config: &str,
    history: &History,
) -> Result<Table, CliError> {
    let wanted = pick(explainer.models(), model_type)?;
    let at_hand = beside(&wanted.model_type);
    let config =
        at_hand.as_deref().map_or_else(|| Ok(config.to_owned()), |m| model::configuration(m, config))?;
    let fitted = match (wanted.needs_fitted, &at_hand) {
        (false, _) => None,
        (true, Some(at_hand)) => {
            Some(panel::fitted(&**at_hand, &config, history, call).map_err(|e| CliError::refused(&e))?)
        }
        (true, None) => {
            return Err(CliError::Refused(format!(
                "it explains the fitted model, and no built-in plugin is a model of the type {}",
                wanted.model_type
            )));
        }
    };
    let subject = Subject {
        store_id: 1,
        product_id: 1,
        model_type: wanted.model_type.clone(),
        config,
        as_of: super::last_day(history).0,
    };
    let signals = Signals { window_days: 14, ..Signals::default() };
    let explanation = explainer
        .explain(&subject, &history.series.quantity, &signals, fitted.as_ref(), call)
        .map_err(|e| CliError::refused(&e))?;
    say!("{}", explanation.summary);
    for caveat in &explanation.caveats {
        say!("- {caveat}");
    }
    let mut table = show::table(["driver", "value", "contribution", "direction", "description"]);
    for driver in &explanation.drivers {
        table.add_row([
            driver.name.clone(),
            format!("{:.4}", driver.value),
            format!("{:.4}", driver.contribution),
            driver.direction.name().to_owned(),
            driver.description.clone(),
        ]);
    }
    Ok(table)
}

fn pick<'a>(models: &'a [ExplainedModel], wanted: Option<&str>) -> Result<&'a ExplainedModel, CliError> {
    let found = match wanted {
        None => models.first(),
        Some(wanted) => models.iter().find(|model| model.model_type == wanted),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = models.iter().map(|model| model.model_type.as_str()).collect();
        let wanted = wanted.unwrap_or_default();
        CliError::Refused(format!("--model {wanted}: it explains {}", names.join(", ")))
    })
}
