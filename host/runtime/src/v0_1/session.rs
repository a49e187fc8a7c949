//! One plugin of contract 0.1 behind the host's traits: instances, calls within limits, and telling what ended a
//! call.

use std::sync::Arc;
use std::time::Instant;

use retailcast_core::config_schema::ModelConfigSchema;
use retailcast_core::frame::Feature;
use retailcast_core::{Aggregation, CalendarField};
use wasmtime::component::{Component, HasSelf, Linker, Resource, ResourceAny};
use wasmtime::{Store, UpdateDeadline};

use super::bindings::exports::retailcast::plugin::forecaster as wit;
use super::bindings::retailcast::plugin::types as wit_types;
use super::bindings::{ForecastModel as Exports, ForecastModelPre};
use super::check;
use super::host::{FutureHandle, TrainingHandle};
use crate::engine::Engine;
use crate::model::FittedId;
use crate::output::without_source_paths;
use crate::sandbox::{self, Identity, Interruption, SandboxState};
use crate::trace::{Direction, TracedSession};
use crate::{
    Call, Description, Digest, ForecastModel, ForecastSession, Forecasts, FutureSet, GuestError,
    GuestErrorCode, Input, Limits, Phase, PluginError, Requirements, Scope, ShortLags, TimeLimit,
    TrainingSet,
};

/// A loaded plugin of kind forecast model.
pub(crate) struct Model {
    engine: Engine,
    pre: ForecastModelPre<SandboxState>,
    limits: Limits,
    settings_table: String,
    description: Description,
    config_schema: ModelConfigSchema,
}

impl Model {
    /// Links the component and asks its description. `key` is the name of its settings, and `settings_table` their
    /// table, for messages.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        digest: Digest,
        limits: Limits,
        key: &str,
        settings_table: &str,
    ) -> Result<Self, PluginError> {
        let link = |e: wasmtime::Error| PluginError::Instantiate { reason: format!("{e:#}") };
        let pre = linker(engine).and_then(|linker| linker.instantiate_pre(component)).map_err(link)?;
        let pre = ForecastModelPre::new(pre).map_err(|e| PluginError::Contract {
            needed: format!("{e:#}"),
            offered: format!("contract {} as in wit/v0.1", super::VERSION),
        })?;
        // Its name and version are what is asked here; until then it is called by its key.
        let unknown = Identity { name: key, version: "" };
        let description =
            open(engine, &pre, &limits, settings_table, unknown, &Call::default())?.describe(digest)?;
        let config_schema = ModelConfigSchema::compile(&description.name, &description.config_schema)
            .map_err(|e| PluginError::Description { reason: e.to_string() })?;
        Ok(Self {
            engine: engine.clone(),
            pre,
            limits,
            settings_table: settings_table.to_owned(),
            description,
            config_schema,
        })
    }
}

/// A fresh instance within its limits. `plugin` is what the log calls it.
fn open(
    engine: &Engine,
    pre: &ForecastModelPre<SandboxState>,
    limits: &Limits,
    settings_table: &str,
    plugin: Identity<'_>,
    call: &Call,
) -> Result<Session, PluginError> {
    let mut store = Store::new(engine.wasmtime(), SandboxState::new(plugin, call, limits));
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(limits.payload);
    if engine.settings().epochs {
        store.epoch_deadline_callback(|mut context| {
            Ok(match context.data_mut().check_interruption() {
                Some(_) => UpdateDeadline::Interrupt,
                None => UpdateDeadline::Continue(1),
            })
        });
    }
    let mut session = Session {
        store,
        exports: None,
        limits: limits.clone(),
        settings_table: settings_table.to_owned(),
        deadline: call.deadline,
        fitted: Vec::new(),
        asked: None,
        over: false,
        crashed: false,
    };
    let exports = session.run(Phase::Instantiate, |store, _| pre.instantiate(store))?;
    session.exports = Some(exports);
    Ok(session)
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<SandboxState>> {
    use super::bindings::retailcast::plugin::{data, gradient_boosting, log, types};
    let mut linker = Linker::new(engine.wasmtime());
    sandbox::add_to_linker(&mut linker)?;
    types::add_to_linker::<_, HasSelf<SandboxState>>(&mut linker, |state| state)?;
    log::add_to_linker::<_, HasSelf<SandboxState>>(&mut linker, |state| state)?;
    data::add_to_linker::<_, HasSelf<SandboxState>>(&mut linker, |state| state)?;
    // Whether the plugin may import it was checked before compiling; linking is the same for all.
    gradient_boosting::add_to_linker::<_, HasSelf<SandboxState>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl ForecastModel for Model {
    fn description(&self) -> &Description {
        &self.description
    }

    fn config_schema(&self) -> &ModelConfigSchema {
        &self.config_schema
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        let plugin = Identity { name: &self.description.name, version: &self.description.version };
        open(&self.engine, &self.pre, &self.limits, &self.settings_table, plugin, call)?
            .describe(self.description.digest)
    }

    fn session(&self, call: &Call) -> Result<Box<dyn ForecastSession>, PluginError> {
        let plugin = Identity { name: &self.description.name, version: &self.description.version };
        let started = Instant::now();
        let inner = open(&self.engine, &self.pre, &self.limits, &self.settings_table, plugin, call)?;
        Ok(match call.trace.clone() {
            None => Box::new(inner),
            Some(trace) => {
                trace.record(Direction::IntoPlugin, "instantiate", (0, 0), started);
                Box::new(TracedSession { inner, trace })
            }
        })
    }
}

/// A fitted model in the instance, and what is known of how it was fitted: nothing after `load`.
#[derive(Clone)]
struct Fitted {
    resource: ResourceAny,
    series: Option<usize>,
    config: Option<Arc<str>>,
}

/// What the plugin promised under a configuration.
struct Asked {
    config: Arc<str>,
    intervals: bool,
}

struct Session {
    store: Store<SandboxState>,
    /// Set once the instance exists.
    exports: Option<Exports>,
    limits: Limits,
    settings_table: String,
    deadline: Option<Instant>,
    fitted: Vec<Option<Fitted>>,
    /// The requirements that were asked last, if any were.
    asked: Option<Asked>,
    over: bool,
    /// A trap was reported, and with it what the plugin had written to standard error.
    crashed: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.crashed || !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let state = self.store.data();
        let stderr = state.stderr.text();
        if !stderr.is_empty() {
            let (plugin, version, request_id) = (&state.log.plugin, &state.log.version, &state.log.call);
            tracing::debug!(plugin, version, request_id, stderr, "a plugin wrote to standard error");
        }
    }
}

impl Session {
    /// Runs one call into the plugin within its limits and says what ended it.
    fn run<T>(
        &mut self,
        phase: Phase,
        call: impl FnOnce(&mut Store<SandboxState>, Option<&Exports>) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        if self.over {
            return Err(PluginError::SessionOver);
        }
        let limit = self.time_limit(phase);
        self.store.data_mut().deadline = Instant::now() + limit.effective;
        self.store.set_epoch_deadline(1);
        // Calls that end before a tick are never interrupted: a loop of many of them is ended here.
        let result = match self.store.data_mut().check_interruption() {
            Some(_) => Err(wasmtime::format_err!("interrupted before the call")),
            None => call(&mut self.store, self.exports.as_ref()),
        };
        result.map_err(|e| {
            self.over = true;
            self.explain(phase, limit, &e)
        })
    }

    fn exports(exports: Option<&Exports>) -> &Exports {
        exports.expect("a session is handed out only after its instance was made")
    }

    fn time_limit(&self, phase: Phase) -> TimeLimit {
        let plugin = if phase == Phase::Fit { self.limits.fit } else { self.limits.predict };
        let request = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        TimeLimit { effective: request.map_or(plugin, |left| left.min(plugin)), request, plugin }
    }

    fn explain(&mut self, phase: Phase, limit: TimeLimit, error: &wasmtime::Error) -> PluginError {
        let state = self.store.data();
        let key = |name: &str| format!("{}.limits.{name}", self.settings_table);
        match state.interruption {
            Some(Interruption::Cancelled) => return PluginError::Cancelled { phase },
            Some(Interruption::Deadline) => {
                let key = match limit.request {
                    Some(left) if left <= limit.plugin => None,
                    _ if phase == Phase::Fit => Some(key("fit_seconds")),
                    _ => Some(key("predict_seconds")),
                };
                return PluginError::Timeout { phase, limit, key };
            }
            None => {}
        }
        if let Some(asked) = state.memory.refused() {
            return PluginError::MemoryLimit {
                phase,
                // Rounded up: a limit that is exceeded by a byte must not look kept.
                asked_mib: asked.div_ceil(1 << 20) as u64,
                limit_mib: (state.memory.limit() >> 20) as u64,
                key: key("memory_mib"),
            };
        }
        // wasmtime keeps the type of this error to itself; a test holds its words (tests/it/bad_guests.rs).
        if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
            let limit_mib = (self.limits.payload >> 20) as u64;
            return PluginError::PayloadLimit { phase, limit_mib, key: key("payload_mib") };
        }
        let frames: Vec<String> = error
            .downcast_ref::<wasmtime::WasmBacktrace>()
            .map(|backtrace| {
                backtrace
                    .frames()
                    .iter()
                    .filter_map(|frame| frame.func_name())
                    .map(|name| format!("{:#}", rustc_demangle::demangle(name)))
                    .collect()
            })
            .unwrap_or_default();
        let (reason, stderr) = (error.root_cause().to_string(), state.stderr.text());
        // The only place that tells the functions, and the places of the panic in full: both are for the plugin's
        // author and the operator, not for whoever asked.
        tracing::warn!(
            plugin = state.log.plugin,
            version = state.log.version,
            request_id = state.log.call,
            %phase,
            reason,
            frames = frames.join(" < "),
            stderr,
            "plugin crashed"
        );
        self.crashed = true;
        PluginError::Trap { phase, reason, frames, stderr: without_source_paths(&stderr) }
    }

    fn describe(&mut self, digest: Digest) -> Result<Description, PluginError> {
        let said = self.run(Phase::Describe, |store, exports| {
            Self::exports(exports).retailcast_plugin_plugin().call_describe(store)
        })?;
        description(said, digest)
    }

    fn keep(&mut self, fitted: Fitted) -> FittedId {
        self.fitted.push(Some(fitted));
        FittedId(self.fitted.len() - 1)
    }

    fn get(&mut self, fitted: FittedId) -> Result<Fitted, PluginError> {
        match self.fitted.get(fitted.0) {
            Some(Some(fitted)) => Ok(fitted.clone()),
            _ => self.end(PluginError::SessionOver),
        }
    }

    /// Whether this model has promised intervals, or none; unknown when nobody asked. A loaded model does not say
    /// under which configuration it was fitted: it is taken to be the one that was asked about.
    fn promised_intervals(&self, fitted: &Fitted) -> Option<bool> {
        let asked = self.asked.as_ref()?;
        let same = fitted.config.as_ref().is_none_or(|config| *config == asked.config);
        same.then_some(asked.intervals)
    }

    /// After this error nothing more is asked of the instance.
    fn end<T>(&mut self, error: PluginError) -> Result<T, PluginError> {
        self.over = true;
        Err(error)
    }
}

impl ForecastSession for Session {
    fn requirements(&mut self, config: &str) -> Result<Requirements, PluginError> {
        let needs = self.run(Phase::Needs, |store, exports| {
            Self::exports(exports).retailcast_plugin_forecaster().call_needs(store, config)
        })?;
        let needs = requirements(needs.map_err(guest)?).or_else(|e| self.end(e))?;
        self.asked = Some(Asked { config: config.into(), intervals: needs.intervals });
        Ok(needs)
    }

    fn fit(&mut self, config: &str, data: Arc<TrainingSet>) -> Result<FittedId, PluginError> {
        let series = data.series_count();
        let fitted = self.run(Phase::Fit, |store, exports| {
            let handle = store.data_mut().table.push(TrainingHandle(data))?;
            let borrowed = Resource::new_borrow(handle.rep());
            let result =
                Self::exports(exports).retailcast_plugin_forecaster().call_fit(&mut *store, config, borrowed);
            store.data_mut().table.delete(handle)?;
            result
        })?;
        let resource = fitted.map_err(guest)?;
        Ok(self.keep(Fitted { resource, series: Some(series), config: Some(config.into()) }))
    }

    fn load(&mut self, state: &[u8]) -> Result<FittedId, PluginError> {
        let fitted = self.run(Phase::Load, |store, exports| {
            Self::exports(exports).retailcast_plugin_forecaster().call_load(store, state)
        })?;
        let resource = fitted.map_err(guest)?;
        Ok(self.keep(Fitted { resource, series: None, config: None }))
    }

    fn save(&mut self, fitted: FittedId) -> Result<Vec<u8>, PluginError> {
        let resource = self.get(fitted)?.resource;
        self.run(Phase::Save, |store, exports| {
            Self::exports(exports).retailcast_plugin_forecaster().fitted().call_save(store, resource)
        })
    }

    fn predict(&mut self, fitted: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError> {
        let fitted = self.get(fitted)?;
        let resource = fitted.resource;
        let (series, horizon) = (ahead.starts.len(), ahead.horizon);
        if let Some(trained) = fitted.series.filter(|trained| *trained != series) {
            return self.end(PluginError::Host {
                context: "predict".to_owned(),
                reason: format!("the model was fitted on {trained} series, the future has {series}"),
            });
        }
        let answer = self.run(Phase::Predict, |store, exports| {
            let handle = store.data_mut().table.push(FutureHandle(ahead))?;
            let borrowed = Resource::new_borrow(handle.rep());
            let result = Self::exports(exports).retailcast_plugin_forecaster().fitted().call_predict(
                &mut *store,
                resource,
                borrowed,
            );
            store.data_mut().table.delete(handle)?;
            result
        })?;
        let answer = answer.map_err(guest)?;
        let mut forecasts = Forecasts {
            horizon,
            points: answer.points,
            levels: answer.levels,
            lower: answer.lower,
            upper: answer.upper,
            failures: answer.failures.into_iter().map(guest_error).collect(),
            fallbacks: answer.fallbacks,
        };
        let promised = self.promised_intervals(&fitted);
        check::forecasts(&mut forecasts, series, horizon, promised).or_else(|e| self.end(e))?;
        Ok(forecasts)
    }

    fn release(&mut self, fitted: FittedId) -> Result<(), PluginError> {
        let Some(Fitted { resource, .. }) = self.fitted.get_mut(fitted.0).and_then(Option::take) else {
            return Ok(());
        };
        // The last slot is used again, so that a session which fits series after series does not grow.
        while matches!(self.fitted.last(), Some(None)) {
            self.fitted.pop();
        }
        self.run(Phase::Predict, |store, _| resource.resource_drop(store))
    }

    fn peak_memory(&self) -> usize {
        self.store.data().memory.peak()
    }
}

fn guest(e: wit_types::PluginError) -> PluginError {
    PluginError::Guest(guest_error(e))
}

fn guest_error(e: wit_types::PluginError) -> GuestError {
    use wit_types::ErrorCode as Code;
    let code = match e.code {
        Code::InvalidConfig => GuestErrorCode::InvalidConfig,
        Code::NotEnoughHistory => GuestErrorCode::NotEnoughHistory,
        Code::MissingFeature => GuestErrorCode::MissingFeature,
        Code::ArtifactMismatch => GuestErrorCode::ArtifactMismatch,
        Code::Numeric => GuestErrorCode::Numeric,
        Code::Unsupported => GuestErrorCode::Unsupported,
        Code::Upstream => GuestErrorCode::Upstream,
        Code::Other => GuestErrorCode::Other,
    };
    GuestError { code, message: e.message, series: e.series, details: e.details }
}

fn description(said: wit_types::Description, digest: Digest) -> Result<Description, PluginError> {
    let refuse = |reason: String| Err(PluginError::Description { reason });
    if said.kind != wit_types::PluginKind::ForecastModel {
        return refuse(format!("the world is forecast-model, the description says {:?}", said.kind));
    }
    let name_ok = said.name.len() <= 50
        && said.name.starts_with(|c: char| c.is_ascii_lowercase())
        && said.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !name_ok {
        return refuse(format!("the name `{}` is not [a-z][a-z0-9_]* of at most 50 characters", said.name));
    }
    let numbers: Vec<&str> = said.version.split('.').collect();
    if numbers.len() != 3 || numbers.iter().any(|n| n.parse::<u32>().is_err()) {
        return refuse(format!("the version `{}` is not major.minor.patch", said.version));
    }
    let config_schema = match serde_json::from_str::<serde_json::Value>(&said.config_schema) {
        Ok(schema) if schema.is_object() => schema,
        Ok(_) => return refuse("the JSON Schema of the configuration is not an object".to_owned()),
        Err(e) => return refuse(format!("the JSON Schema of the configuration is not JSON: {e}")),
    };
    Ok(Description {
        name: said.name,
        version: said.version,
        licence: said.licence,
        summary: said.summary,
        config_schema,
        digest,
        contract: super::VERSION,
    })
}

/// Largest lag or window: ten years of days, more than any history kept.
const LONGEST_LAG: u32 = 3_660;

fn requirements(needs: wit::Requirements) -> Result<Requirements, PluginError> {
    let broken = |expected: String, found: String| PluginError::BadResult {
        phase: Phase::Needs,
        check: "requirements",
        expected,
        found,
    };
    if needs.min_history == 0 {
        return Err(broken("min-history of at least 1".to_owned(), "0".to_owned()));
    }
    let input = match needs.input {
        wit::Input::Series => Input::Series,
        wit::Input::Table(table) => {
            let features: Vec<Feature> = table.features.into_iter().map(feature).collect();
            if let Some(long) = features.iter().find(|f| !(1..=LONGEST_LAG).contains(&reach(**f))) {
                return Err(broken(format!("lags and windows from 1 to {LONGEST_LAG}"), long.name()));
            }
            if features.is_empty() {
                return Err(broken("a table of at least one feature".to_owned(), "none".to_owned()));
            }
            let short_lags = match table.short_lags {
                wit::ShortLags::Direct => ShortLags::Direct,
                wit::ShortLags::Recursive => ShortLags::Recursive,
            };
            Input::Table { features, short_lags }
        }
    };
    let scope = match needs.scope {
        wit::Scope::Local => Scope::Local,
        wit::Scope::Global => Scope::Global,
    };
    Ok(Requirements {
        min_history: needs.min_history as usize,
        input,
        scope,
        intervals: needs.intervals,
        exogenous: needs.exogenous,
    })
}

/// How many rows back a feature looks; 1 for those that do not.
fn reach(feature: Feature) -> u32 {
    match feature {
        Feature::Lag(n) | Feature::Rolling(_, n) => n,
        _ => 1,
    }
}

fn feature(feature: wit::Feature) -> Feature {
    use wit::Feature as F;
    match feature {
        F::Lag(k) => Feature::Lag(k),
        F::RollingMean(w) => Feature::Rolling(Aggregation::Mean, w),
        F::RollingStd(w) => Feature::Rolling(Aggregation::Std, w),
        F::RollingMin(w) => Feature::Rolling(Aggregation::Min, w),
        F::RollingMax(w) => Feature::Rolling(Aggregation::Max, w),
        F::RollingSum(w) => Feature::Rolling(Aggregation::Sum, w),
        F::DayOfWeek => Feature::Calendar(CalendarField::DayOfWeek),
        F::DowSin => Feature::Calendar(CalendarField::DowSin),
        F::DowCos => Feature::Calendar(CalendarField::DowCos),
        F::Month => Feature::Calendar(CalendarField::Month),
        F::MonthSin => Feature::Calendar(CalendarField::MonthSin),
        F::MonthCos => Feature::Calendar(CalendarField::MonthCos),
        F::Quarter => Feature::Calendar(CalendarField::Quarter),
        F::Year => Feature::Calendar(CalendarField::Year),
        F::IsWeekend => Feature::Calendar(CalendarField::IsWeekend),
        F::IsMonthEnd => Feature::Calendar(CalendarField::IsMonthEnd),
        F::PriceFactor => Feature::PriceFactor,
        F::PromoActive => Feature::PromoActive,
        F::IsHoliday => Feature::IsHoliday,
        F::DaysSinceLaunch => Feature::DaysSinceLaunch,
        F::Store => Feature::Store,
        F::Product => Feature::Product,
        F::Category => Feature::Category,
    }
}
