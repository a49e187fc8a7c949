//! A model with its configurations, and the ways to run it.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::panel::{self, Ahead, History};
use retailcast_runtime::{
    Call, CancelToken, FittedId, ForecastModel, ForecastSession, Forecasts, GuestErrorCode, Input,
    PluginError, Requirements, Scope, Trace, TrainingSet,
};
use serde_json::{Map, Value};

use super::history::{ORIGIN, ordinary};
use crate::any_kind::{call_at, is_refusal};
use crate::check::{Failure, Level, Outcome, Problem};

/// A configuration, and what the model needs under it.
#[derive(Debug, Clone)]
pub(super) struct Variant {
    /// JSON, defaults filled in.
    pub(super) config: String,
    /// What the model needs.
    pub(super) needs: Requirements,
}

impl Variant {
    /// Rows of ordinary history under this configuration: a third of a year, or more when the model wants more.
    pub(super) fn rows(&self) -> usize {
        (self.needs.min_history + 40).max(120)
    }

    pub(super) fn is_local(&self) -> bool {
        self.needs.scope == Scope::Local
    }

    /// A sentence for reports.
    pub(super) fn case(&self, data: &str, horizon: usize) -> String {
        format!("{data}; horizon {horizon}; configuration {}", self.config)
    }

    /// Three ordinary series of different lengths.
    pub(super) fn three(&self) -> Vec<History> {
        (1..=3).map(|who| ordinary(who, self.rows() + 7 * (who as usize - 1))).collect()
    }
}

/// What stands for three series in reports.
pub(super) const THREE: &str = "3 ordinary series";

/// A configuration under which the model did not tell what it needs.
pub(super) struct Refused {
    pub(super) config: String,
    pub(super) error: Arc<PluginError>,
}

/// A loaded model, and what is known of it.
pub(crate) struct Subject {
    pub(super) model: Arc<dyn ForecastModel>,
    until: Option<Instant>,
    /// The default first; others at level full.
    variants: Vec<Variant>,
    pub(super) refused: Vec<Refused>,
    /// Why there is no configuration to begin with.
    pub(super) no_default: Option<String>,
    trouble: OnceCell<Option<(String, Arc<PluginError>)>>,
}

impl Subject {
    pub(super) fn new(model: Arc<dyn ForecastModel>, level: Level, until: Option<Instant>) -> Self {
        let mut subject = Self {
            model,
            until,
            variants: Vec::new(),
            refused: Vec::new(),
            no_default: None,
            trouble: OnceCell::new(),
        };
        match subject.default_config() {
            Err(reason) => subject.no_default = Some(reason),
            Ok(default) => {
                subject.add(Value::Object(default.clone()).to_string());
                if level == Level::Full {
                    let others = alternatives(&subject.model.description().config_schema);
                    for (field, value) in others {
                        let mut config = default.clone();
                        config.insert(field, value);
                        subject.add_alternative(&config);
                    }
                }
            }
        }
        subject
    }

    /// All defaults, or the first example of the schema when some fields have none.
    pub(super) fn default_config(&self) -> Result<Map<String, Value>, String> {
        let schema = self.model.config_schema();
        let example = || self.model.description().config_schema["examples"][0].as_object().cloned();
        let normalised = schema.normalise(&Map::new(), "config").or_else(|errors| match example() {
            Some(example) => schema.normalise(&example, "config"),
            None => Err(errors),
        });
        normalised.map(|config| config.own).map_err(|errors| {
            errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect::<Vec<_>>().join("; ")
        })
    }

    fn add(&mut self, config: String) {
        match self.needs(&config, &self.call()) {
            Ok(needs) => self.variants.push(Variant { config, needs }),
            Err(e) => self.refused.push(Refused { config, error: Arc::new(e) }),
        }
    }

    /// Values that do not go together may be refused, and are then no configuration to check with.
    fn add_alternative(&mut self, config: &Map<String, Value>) {
        let Ok(config) = self.model.config_schema().normalise(config, "config") else { return };
        let config = config.json();
        if self.variants.iter().all(|variant| variant.config != config) {
            self.add(config);
            if self
                .refused
                .last()
                .is_some_and(|refused| is_refusal(&refused.error, GuestErrorCode::InvalidConfig))
            {
                self.refused.pop();
            }
        }
    }

    /// What the model says it needs, asked in a fresh instance.
    pub(super) fn needs(&self, config: &str, call: &Call) -> Result<Requirements, PluginError> {
        self.model.session(call)?.requirements(config)
    }

    /// The circumstances of a call: the present is the origin.
    pub(super) fn call(&self) -> Call {
        call_at(Duration::from_hours(24) * ORIGIN.0.unsigned_abs(), self.until)
    }

    /// Whether any configuration declares this. When none is known, the check is for the plugin and finds out why.
    pub(super) fn declares(&self, what: impl Fn(&Requirements) -> bool) -> bool {
        self.variants.is_empty() || self.variants.iter().any(|variant| what(&variant.needs))
    }

    /// The configurations to check with. An error when ordinary data is not forecast: then nothing else is worth saying.
    pub(super) fn ready(&self) -> Result<&[Variant], Problem> {
        match self.trouble() {
            Some((_, error)) => Err(Problem::after(owner(error))),
            None if self.variants.is_empty() => Err(Problem::after("lifecycle.defaults")),
            None => Ok(&self.variants),
        }
    }

    /// What goes wrong with ordinary data, on the smallest input that shows it.
    pub(super) fn trouble(&self) -> Option<&(String, Arc<PluginError>)> {
        self.trouble
            .get_or_init(|| {
                if let Some(refused) = self.refused.first() {
                    return Some((format!("configuration {}", refused.config), Arc::clone(&refused.error)));
                }
                let found = self.variants.iter().find_map(|variant| self.first_trouble(variant));
                found.map(|(case, error)| (case, Arc::new(error)))
            })
            .as_ref()
    }

    fn first_trouble(&self, variant: &Variant) -> Option<(String, PluginError)> {
        let three = variant.three();
        let one = std::slice::from_ref(&three[0]);
        for (panel, words, horizon) in
            [(one, "1 ordinary series", 1), (one, "1 ordinary series", 14), (&three, THREE, 14)]
        {
            let case = variant.case(words, horizon);
            match self.forecast(variant, panel, horizon) {
                Ok(forecasts) => {
                    if let Some(failure) = forecasts.failures.into_iter().next() {
                        return Some((case, PluginError::Guest(failure)));
                    }
                }
                Err(error) => return Some((case, error)),
            }
        }
        // A fitted model that cannot be saved serves nobody.
        let mut run = match self.open(variant) {
            Ok(run) => run,
            Err(e) => return Some((variant.case("", 0), e)),
        };
        let saved = run.fit(one).and_then(|fitted| run.session.save(fitted));
        saved.err().map(|e| (variant.case("1 ordinary series, saved", 14), e))
    }

    /// A fresh instance under a configuration.
    pub(super) fn open<'a>(&self, variant: &'a Variant) -> Result<Run<'a>, PluginError> {
        self.open_with(variant, &self.call())
    }

    pub(super) fn open_with<'a>(&self, variant: &'a Variant, call: &Call) -> Result<Run<'a>, PluginError> {
        let mut session = self.model.session(call)?;
        // So that the host holds the forecasts against the promise about intervals.
        session.requirements(&variant.config)?;
        Ok(Run { session, variant })
    }

    /// Fits and forecasts in a fresh instance.
    pub(super) fn forecast(
        &self,
        variant: &Variant,
        panel: &[History],
        horizon: usize,
    ) -> Result<Forecasts, PluginError> {
        let mut run = self.open(variant)?;
        let fitted = run.fit(panel)?;
        run.predict(fitted, panel, horizon)
    }

    /// The same, with everything that crosses the boundary.
    pub(super) fn traced(
        &self,
        variant: &Variant,
        panel: &[History],
        horizon: usize,
    ) -> Result<Trace, PluginError> {
        let trace = Trace::default();
        let call = Call { trace: Some(trace.clone()), ..self.call() };
        let mut run = self.open_with(variant, &call)?;
        let fitted = run.fit(panel)?;
        run.predict(fitted, panel, horizon)?;
        Ok(trace)
    }
}

/// An instance under one configuration.
pub(super) struct Run<'a> {
    pub(super) session: Box<dyn ForecastSession>,
    variant: &'a Variant,
}

impl Run<'_> {
    pub(super) fn fit(&mut self, panel: &[History]) -> Result<FittedId, PluginError> {
        self.session.fit(&self.variant.config, Arc::new(training_set(&self.variant.needs.input, panel)?))
    }

    /// The days after the histories, nothing changes.
    pub(super) fn predict(
        &mut self,
        fitted: FittedId,
        panel: &[History],
        horizon: usize,
    ) -> Result<Forecasts, PluginError> {
        let ahead: Vec<Ahead> = panel.iter().map(|h| self.ahead(h, horizon)).collect();
        self.predict_days(fitted, &ahead, horizon)
    }

    /// What is known of the days after a history, when nothing changes.
    pub(super) fn ahead(&self, history: &History, horizon: usize) -> Ahead {
        match &self.variant.needs.input {
            Input::Series => Ahead::bare(ORIGIN + 1),
            Input::Table { features, .. } => {
                Ahead::unchanged(features, &history.series.quantity, ORIGIN + 1, horizon, &history.exogenous)
            }
        }
    }

    pub(super) fn predict_days(
        &mut self,
        fitted: FittedId,
        ahead: &[Ahead],
        horizon: usize,
    ) -> Result<Forecasts, PluginError> {
        panel::predict(&mut *self.session, fitted, &self.variant.needs.input, ahead, horizon)
    }
}

fn training_set(input: &Input, panel: &[History]) -> Result<TrainingSet, PluginError> {
    panel::training_set(input, &panel.iter().collect::<Vec<_>>(), &CancelToken::default())
}

/// The other values of enumerations and flags, one field at a time.
fn alternatives(schema: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (field, declared) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(values) = declared["enum"].as_array() {
            found.extend(values.iter().map(|value| (field.clone(), value.clone())));
        }
        let constants = ["oneOf", "anyOf"].iter().filter_map(|key| declared[*key].as_array()).flatten();
        found.extend(constants.filter_map(|branch| branch.get("const")).map(|c| (field.clone(), c.clone())));
        if declared["type"] == "boolean" {
            found.extend([true, false].map(|on| (field.clone(), Value::from(on))));
        }
    }
    found
}

/// The check that an error on ordinary data belongs to.
fn owner(error: &PluginError) -> &'static str {
    match error {
        PluginError::BadResult { check, .. } => match *check {
            "requirements" => "lifecycle.needs",
            "finite points" => "shape.finite",
            "failures" | "fallbacks" => "shape.positions",
            "promised intervals" => "flags.intervals",
            "interval levels" => "intervals.levels",
            "nested intervals" => "intervals.nested",
            _ => "shape.length",
        },
        PluginError::Timeout { .. } => "resources.time",
        PluginError::MemoryLimit { .. } => "resources.memory",
        PluginError::PayloadLimit { .. } => "resources.payload",
        PluginError::Guest(refusal) if refusal.code == GuestErrorCode::InvalidConfig => "lifecycle.defaults",
        _ => "lifecycle.forecast",
    }
}

/// The body of a check that forecasts of ordinary data must pass: fails when their trouble is its own.
pub(super) fn ordinary_data(subject: &Subject, own: &str, expected: &str) -> Outcome {
    match subject.trouble() {
        Some((case, error)) if owner(error) == own => Err(Problem::of(error, expected, case)),
        Some((_, error)) => Err(Problem::after(owner(error))),
        None if subject.no_default.is_some() => Err(Problem::after("lifecycle.defaults")),
        None => Ok(()),
    }
}

/// Fails when two forecasts are not the same, bit for bit.
pub(super) fn same(expected: &Forecasts, found: &Forecasts, words: &str, case: &str) -> Outcome {
    let columns = [
        ("point", &expected.points, &found.points),
        ("lower bound", &expected.lower, &found.lower),
        ("upper bound", &expected.upper, &found.upper),
    ];
    for (what, before, after) in columns {
        let differs = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan());
        if let Some(at) = before.iter().zip(after).position(differs) {
            let place = format!("{what} {at} (series after series)");
            return Failure::outcome(
                format!("{words}: {place} is {}", before[at]),
                format!("{}", after[at]),
                case,
            );
        }
        if before.len() != after.len() {
            return Failure::outcome(
                format!("{words}: {} numbers of {what}", before.len()),
                after.len().to_string(),
                case,
            );
        }
    }
    if expected.failures != found.failures {
        return Failure::outcome(
            format!("{words}: failures {:?}", expected.failures),
            format!("{:?}", found.failures),
            case,
        );
    }
    Ok(())
}
