//! From the description to a first forecast.

use retailcast_runtime::GuestErrorCode;
use serde_json::{Map, Value, json};

use super::subject::{Subject, ordinary_data};
use crate::any_kind::{is_refusal, later, same_description};
use crate::check::{Applies, Check, Failure, Level, Outcome, Problem};

pub(super) const CHECKS: &[Check<Subject>] = &[
    Check {
        id: "lifecycle.describe",
        title: "It says the same of itself every time",
        rule: "`describe` gives the same answer in every instance, whatever the time.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Describe with constants. A schema built from a hash map has its fields in another order every time.",
        body: describe,
    },
    Check {
        id: "lifecycle.defaults",
        title: "Its defaults are a configuration",
        rule: "The configuration of all defaults, or the schema's first example when fields have none, is accepted.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "Give every field a default, or the JSON Schema an entry in `examples`; then let the values go together.",
        body: defaults,
    },
    Check {
        id: "lifecycle.needs",
        title: "Its requirements are possible",
        rule: "`needs` asks for at least 1 row, and for a table of at least one feature with lags and windows of 1 to 3660 rows.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "A model without features declares the input `series`.",
        body: |subject| ordinary_data(subject, "lifecycle.needs", "requirements within the contract"),
    },
    Check {
        id: "lifecycle.configurations",
        title: "It judges every configuration that its schema allows",
        rule: "Every configuration at an edge of the schema (least and greatest numbers, every enumerated value) is accepted or refused with `invalid-config`.",
        level: Level::Full,
        applies: Applies::ALWAYS,
        mend: "Check in `requirements` what the schema cannot say, and refuse with `Error::invalid_config`.",
        body: configurations,
    },
    Check {
        id: "lifecycle.forecast",
        title: "It forecasts ordinary data",
        rule: "Ordinary series are fitted, saved and forecast without a crash and without a refusal.",
        level: Level::Smoke,
        applies: Applies::ALWAYS,
        mend: "The message is the crash or the refusal. Run the same data natively with `retailcast_sdk::testing`, or with `retailcast plugin run FILE --trace`.",
        body: |subject| ordinary_data(subject, "lifecycle.forecast", "a forecast of every series"),
    },
];

fn describe(subject: &Subject) -> Outcome {
    same_description(subject.model.description(), subject.model.describe(&later(&subject.call())))
}

fn defaults(subject: &Subject) -> Outcome {
    if let Some(reason) = &subject.no_default {
        return Failure::outcome("defaults for all fields, or an example in the schema", reason, "{}");
    }
    ordinary_data(subject, "lifecycle.defaults", "the defaults to be accepted")
}

fn configurations(subject: &Subject) -> Outcome {
    subject.ready()?;
    let default = subject.default_config().map_err(Problem::NotRun)?;
    for (field, value) in edges(&subject.model.description().config_schema) {
        let mut config: Map<String, Value> = default.clone();
        config.insert(field, value);
        // What the schema refuses never reaches the plugin.
        let Ok(config) = subject.model.config_schema().normalise(&config, "config") else { continue };
        match subject.needs(&config.json(), &subject.call()) {
            Err(e) if !is_refusal(&e, GuestErrorCode::InvalidConfig) => {
                let case = format!("needs, configuration {}", config.json());
                return Err(Problem::of(&e, "requirements, or a refusal with `invalid-config`", &case));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Values at the edges of what each field may be.
fn edges(schema: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (field, declared) in schema["properties"].as_object().into_iter().flatten() {
        let bounds = ["minimum", "maximum"].iter().filter_map(|key| declared.get(*key));
        let values = declared["enum"].as_array().into_iter().flatten();
        found.extend(bounds.chain(values).map(|value| (field.clone(), value.clone())));
        if declared["type"] == "boolean" {
            found.extend([true, false].map(|on| (field.clone(), json!(on))));
        }
    }
    found
}
