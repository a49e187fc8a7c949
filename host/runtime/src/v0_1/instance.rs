//! An instance of a plugin, whatever its world: made within limits, called within limits, and what ended a call told.

use std::time::Instant;

use retailcast_core::config_schema::ModelConfigSchema;
use wasmtime::component::{Component, HasSelf, InstancePre, Linker};
use wasmtime::{Store, UpdateDeadline};

use super::bindings::retailcast::plugin::types as wit_types;
use crate::engine::Engine;
use crate::output::without_source_paths;
use crate::plugin::Checked;
use crate::sandbox::{self, Identity, Interruption, Outside, SandboxState};
use crate::{
    Call, Description, Digest, GuestError, GuestErrorCode, Kind, Limits, Phase, PluginError, TimeLimit,
};

/// What the generated types of every world can do, under one name.
pub(crate) trait World: Sized + Send + 'static {
    /// The kind of plugin that has this world.
    const KIND: Kind;
    /// A component whose exports were found.
    type Pre: Send + Sync;

    /// Finds the exports.
    fn prepare(linked: InstancePre<SandboxState>) -> wasmtime::Result<Self::Pre>;
    /// Makes an instance.
    fn instantiate(pre: &Self::Pre, store: &mut Store<SandboxState>) -> wasmtime::Result<Self>;
    /// Asks the plugin's description.
    fn describe(&self, store: &mut Store<SandboxState>) -> wasmtime::Result<wit_types::Description>;
}

/// A loaded plugin of a world.
pub(crate) struct Adapter<W: World> {
    engine: Engine,
    pre: W::Pre,
    limits: Limits,
    outside: Outside,
    settings_table: String,
    description: Description,
    config_schema: ModelConfigSchema,
}

impl<W: World> Adapter<W> {
    /// Links the component and asks its description. `key` is the name of its settings, and `settings_table` their
    /// table, for messages.
    pub(crate) fn new(
        engine: &Engine,
        checked: &Checked,
        limits: Limits,
        key: &str,
        settings_table: &str,
    ) -> Result<Self, PluginError> {
        let pre = link(engine, &checked.component)?;
        let pre = W::prepare(pre).map_err(|e| PluginError::Contract {
            needed: format!("{e:#}"),
            offered: format!("contract {} as in wit/v0.1", super::VERSION),
        })?;
        // Its name and version are what is asked here; until then it is called by its key.
        let unknown = Identity { name: key, version: "" };
        let mut instance = Instance::<W>::open(
            engine,
            &pre,
            &limits,
            &checked.outside,
            settings_table,
            unknown,
            &Call::default(),
        )?;
        let description = instance.describe(checked.digest)?;
        let config_schema = ModelConfigSchema::compile(&description.name, &description.config_schema)
            .map_err(|e| PluginError::Description { reason: e.to_string() })?;
        Ok(Self {
            engine: engine.clone(),
            pre,
            limits,
            outside: checked.outside.clone(),
            settings_table: settings_table.to_owned(),
            description,
            config_schema,
        })
    }

    /// A fresh instance for one request.
    pub(super) fn open(&self, call: &Call) -> Result<Instance<W>, PluginError> {
        let (limits, table) = (&self.limits, &self.settings_table);
        Instance::open(&self.engine, &self.pre, limits, &self.outside, table, self.identity(), call)
    }

    /// Whether its instances have something that is worth keeping: what they read of a folder.
    pub(super) fn reads_a_folder(&self) -> bool {
        self.outside.folder.is_some()
    }

    /// Makes a kept instance that of another request.
    pub(super) fn renew(&self, instance: &mut Instance<W>, call: &Call) {
        instance.store.data_mut().renew(self.identity(), call, &self.outside);
        instance.deadline = call.deadline;
    }

    fn identity(&self) -> Identity<'_> {
        Identity { name: &self.description.name, version: &self.description.version }
    }

    /// Asks a fresh instance for its description again.
    pub(super) fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.open(call)?.describe(self.description.digest)
    }

    /// What it says of itself.
    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// The schema of its configuration, compiled.
    pub(super) fn config_schema(&self) -> &ModelConfigSchema {
        &self.config_schema
    }
}

fn link(engine: &Engine, component: &Component) -> Result<InstancePre<SandboxState>, PluginError> {
    let failed = |e: wasmtime::Error| PluginError::Instantiate { reason: format!("{e:#}") };
    linker(engine).and_then(|linker| linker.instantiate_pre(component)).map_err(failed)
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
    wasmtime_wasi_http::p2::add_only_http_to_linker_sync(&mut linker)?;
    Ok(linker)
}

/// One instance. After a call that did not come to its end it is over.
pub(super) struct Instance<W> {
    store: Store<SandboxState>,
    /// Set once the instance exists.
    world: Option<W>,
    limits: Limits,
    settings_table: String,
    deadline: Option<Instant>,
    over: bool,
    /// A trap was reported, and with it what the plugin had written to standard error.
    crashed: bool,
}

impl<W> Drop for Instance<W> {
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

impl<W: World> Instance<W> {
    /// A fresh instance within its limits. `plugin` is what the log calls it.
    fn open(
        engine: &Engine,
        pre: &W::Pre,
        limits: &Limits,
        outside: &Outside,
        settings_table: &str,
        plugin: Identity<'_>,
        call: &Call,
    ) -> Result<Self, PluginError> {
        let mut store = Store::new(engine.wasmtime(), SandboxState::new(plugin, call, limits, outside)?);
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
        let mut instance = Self {
            store,
            world: None,
            limits: limits.clone(),
            settings_table: settings_table.to_owned(),
            deadline: call.deadline,
            over: false,
            crashed: false,
        };
        let world = instance.within(Phase::Instantiate, |store, _| W::instantiate(pre, store))?;
        instance.world = Some(world);
        Ok(instance)
    }

    fn describe(&mut self, digest: Digest) -> Result<Description, PluginError> {
        let said = self.run(Phase::Describe, |store, world| world.describe(store))?;
        description(said, W::KIND, digest)
    }

    /// Runs one call into the plugin within its limits and says what ended it.
    pub(super) fn run<T>(
        &mut self,
        phase: Phase,
        call: impl FnOnce(&mut Store<SandboxState>, &W) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        self.within(phase, |store, world| {
            call(store, world.expect("an instance is handed out only after its world was found"))
        })
    }

    /// The same, also before there is an instance.
    fn within<T>(
        &mut self,
        phase: Phase,
        call: impl FnOnce(&mut Store<SandboxState>, Option<&W>) -> wasmtime::Result<T>,
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
            None => call(&mut self.store, self.world.as_ref()),
        };
        result.map_err(|e| {
            self.over = true;
            self.explain(phase, limit, &e)
        })
    }

    fn time_limit(&self, phase: Phase) -> TimeLimit {
        let plugin = match phase {
            Phase::Fit => self.limits.fit,
            Phase::Embed => self.limits.embed,
            _ => self.limits.predict,
        };
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
                    _ if phase == Phase::Embed => Some(key("embed_seconds")),
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

    /// After this error nothing more is asked of the instance.
    pub(super) fn end<T>(&mut self, error: PluginError) -> Result<T, PluginError> {
        self.over = true;
        Err(error)
    }

    /// Most memory that it used, in bytes.
    pub(super) fn peak_memory(&self) -> usize {
        self.store.data().memory.peak()
    }
}

/// A refusal as the host's error.
pub(super) fn guest(e: wit_types::PluginError) -> PluginError {
    PluginError::Guest(guest_error(e))
}

/// A refusal.
pub(super) fn guest_error(e: wit_types::PluginError) -> GuestError {
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

fn description(said: wit_types::Description, kind: Kind, digest: Digest) -> Result<Description, PluginError> {
    let refuse = |reason: String| Err(PluginError::Description { reason });
    let said_kind = match said.kind {
        wit_types::PluginKind::ForecastModel => Kind::ForecastModel,
        wit_types::PluginKind::Explainer => Kind::Explainer,
        wit_types::PluginKind::ScenarioAdjuster => Kind::ScenarioAdjuster,
        wit_types::PluginKind::EmbeddingProvider => Kind::EmbeddingProvider,
    };
    if said_kind != kind {
        return refuse(format!("the world is {kind}, the description says {:?}", said.kind));
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
        kind,
        digest,
        contract: super::VERSION,
    })
}
