//! A plugin as its operator set it up: configuration defaults over those of its schema, and every call counted.

use std::sync::Arc;
use std::time::Instant;

use retailcast_core::config_schema::ModelConfigSchema;
use serde_json::{Map, Value};

use crate::stats::Stats;
use crate::{
    Call, Description, FittedId, ForecastModel, ForecastSession, Forecasts, FutureSet, Phase, PluginError,
    Requirements, TrainingSet,
};

/// A model that serves requests.
pub(crate) struct ServedModel {
    model: Arc<dyn ForecastModel>,
    /// What the plugin says, with the operator's defaults.
    description: Description,
    config_schema: ModelConfigSchema,
    stats: Arc<Stats>,
}

impl ServedModel {
    /// `table` is the plugin's settings table, for messages.
    pub(crate) fn new(
        model: Arc<dyn ForecastModel>,
        defaults: &Map<String, Value>,
        table: &str,
    ) -> Result<Self, PluginError> {
        let mut description = model.description().clone();
        let own = description.config_schema.clone();
        set_defaults(&mut description.config_schema, defaults)
            .map_err(|reason| refused_defaults(reason, defaults, &own, table))?;
        let config_schema = ModelConfigSchema::compile(&description.name, &description.config_schema)
            .map_err(|e| refused_defaults(e.to_string(), defaults, &own, table))?;
        Ok(Self { model, description, config_schema, stats: Arc::default() })
    }

    /// Its counters.
    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }
}

/// Writes the operator's defaults over those that the schema declares.
fn set_defaults(schema: &mut Value, defaults: &Map<String, Value>) -> Result<(), String> {
    for (name, value) in defaults {
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut);
        let fields = fields.ok_or_else(|| format!("`{name}` is no field: the plugin has none"))?;
        let known = fields.keys().cloned().collect::<Vec<_>>().join(", ");
        match fields.get_mut(name).and_then(Value::as_object_mut) {
            Some(field) => field.insert("default".to_owned(), value.clone()),
            None => return Err(format!("`{name}` is not a field of the configuration, which has: {known}")),
        };
    }
    Ok(())
}

/// What would be right are the plugin's own defaults, as far as it has them.
fn refused_defaults(
    reason: String,
    defaults: &Map<String, Value>,
    schema: &Value,
    table: &str,
) -> PluginError {
    let own = defaults.keys().filter_map(|name| {
        let value = toml_value(schema["properties"][name].get("default")?)?;
        Some(format!("{} = {value}", toml_key(name)))
    });
    let own: Vec<String> = own.collect();
    let line = if own.is_empty() {
        "defaults = {}".to_owned()
    } else {
        format!("defaults = {{ {} }}", own.join(", "))
    };
    PluginError::Defaults { reason, lines: format!("[{table}]\n{line}") }
}

/// A key as TOML writes it.
pub(crate) fn toml_key(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    // TOML reads the escapes of JSON's strings.
    if bare { key.to_owned() } else { Value::from(key).to_string() }
}

/// A value as TOML writes it; TOML has no null.
fn toml_value(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            Some(format!("[{}]", items.iter().filter_map(toml_value).collect::<Vec<_>>().join(", ")))
        }
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                Some(format!("{} = {}", toml_key(name), toml_value(value)?))
            };
            Some(format!("{{ {} }}", members.iter().filter_map(member).collect::<Vec<_>>().join(", ")))
        }
        scalar => Some(scalar.to_string()),
    }
}

impl ForecastModel for ServedModel {
    fn description(&self) -> &Description {
        &self.description
    }

    /// What the plugin itself says, without the operator's defaults.
    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.model.describe(call)
    }

    fn config_schema(&self) -> &ModelConfigSchema {
        &self.config_schema
    }

    fn session(&self, call: &Call) -> Result<Box<dyn ForecastSession>, PluginError> {
        let started = Instant::now();
        let session = self.model.session(call);
        self.stats.observe(Phase::Instantiate, started, &session);
        Ok(Box::new(MeasuredSession { session: session?, stats: Arc::clone(&self.stats) }))
    }
}

/// Counts the calls of a session. The one place that measures: adapters of contracts know nothing of it.
struct MeasuredSession {
    session: Box<dyn ForecastSession>,
    stats: Arc<Stats>,
}

impl MeasuredSession {
    fn measure<T>(
        &mut self,
        phase: Phase,
        call: impl FnOnce(&mut dyn ForecastSession) -> Result<T, PluginError>,
    ) -> Result<T, PluginError> {
        let started = Instant::now();
        let result = call(&mut *self.session);
        self.stats.observe(phase, started, &result);
        result
    }
}

impl Drop for MeasuredSession {
    fn drop(&mut self) {
        self.stats.observe_memory(self.session.peak_memory());
    }
}

impl ForecastSession for MeasuredSession {
    fn requirements(&mut self, config: &str) -> Result<Requirements, PluginError> {
        self.measure(Phase::Needs, |session| session.requirements(config))
    }

    fn fit(&mut self, config: &str, data: Arc<TrainingSet>) -> Result<FittedId, PluginError> {
        self.measure(Phase::Fit, |session| session.fit(config, data))
    }

    fn load(&mut self, state: &[u8]) -> Result<FittedId, PluginError> {
        self.measure(Phase::Load, |session| session.load(state))
    }

    fn save(&mut self, fitted: FittedId) -> Result<Vec<u8>, PluginError> {
        self.measure(Phase::Save, |session| session.save(fitted))
    }

    fn predict(&mut self, fitted: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError> {
        self.measure(Phase::Predict, |session| session.predict(fitted, ahead))
    }

    fn release(&mut self, fitted: FittedId) -> Result<(), PluginError> {
        self.session.release(fitted)
    }

    fn peak_memory(&self) -> usize {
        self.session.peak_memory()
    }
}
