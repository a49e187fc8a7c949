//! A forecast model of contract 0.1 behind the host's traits.

use std::sync::Arc;
use std::time::Instant;

use retailcast_core::config_schema::ModelConfigSchema;
use retailcast_core::frame::Feature;
use retailcast_core::{Aggregation, CalendarField};
use wasmtime::Store;
use wasmtime::component::{InstancePre, Resource, ResourceAny};

use super::bindings::exports::retailcast::plugin::forecaster as wit;
use super::bindings::retailcast::plugin::types as wit_types;
use super::bindings::{ForecastModel as Exports, ForecastModelPre};
use super::check;
use super::host::{FutureHandle, TrainingHandle};
use super::instance::{Adapter, Instance, World, guest, guest_error};
use crate::model::FittedId;
use crate::sandbox::SandboxState;
use crate::trace::{Direction, TracedSession};
use crate::{
    Call, Description, ForecastModel, ForecastSession, Forecasts, FutureSet, Input, Kind, Phase, PluginError,
    Requirements, Scope, ShortLags, TrainingSet,
};

impl World for Exports {
    const KIND: Kind = Kind::ForecastModel;
    type Pre = ForecastModelPre<SandboxState>;

    fn prepare(linked: InstancePre<SandboxState>) -> wasmtime::Result<Self::Pre> {
        ForecastModelPre::new(linked)
    }

    fn instantiate(pre: &Self::Pre, store: &mut Store<SandboxState>) -> wasmtime::Result<Self> {
        pre.instantiate(store)
    }

    fn describe(&self, store: &mut Store<SandboxState>) -> wasmtime::Result<wit_types::Description> {
        self.retailcast_plugin_plugin().call_describe(store)
    }
}

/// A loaded plugin of kind forecast model.
pub(crate) type Model = Adapter<Exports>;

impl ForecastModel for Model {
    fn description(&self) -> &Description {
        self.description()
    }

    fn config_schema(&self) -> &ModelConfigSchema {
        self.config_schema()
    }

    fn describe(&self, call: &Call) -> Result<Description, PluginError> {
        self.describe(call)
    }

    fn session(&self, call: &Call) -> Result<Box<dyn ForecastSession>, PluginError> {
        let started = Instant::now();
        let inner = Session { instance: self.open(call)?, fitted: Vec::new(), asked: None };
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
    instance: Instance<Exports>,
    fitted: Vec<Option<Fitted>>,
    /// The requirements that were asked last, if any were.
    asked: Option<Asked>,
}

impl Session {
    fn keep(&mut self, fitted: Fitted) -> FittedId {
        self.fitted.push(Some(fitted));
        FittedId(self.fitted.len() - 1)
    }

    fn get(&mut self, fitted: FittedId) -> Result<Fitted, PluginError> {
        match self.fitted.get(fitted.0) {
            Some(Some(fitted)) => Ok(fitted.clone()),
            _ => self.instance.end(PluginError::SessionOver),
        }
    }

    /// Whether this model has promised intervals, or none; unknown when nobody asked. A loaded model does not say
    /// under which configuration it was fitted: it is taken to be the one that was asked about.
    fn promised_intervals(&self, fitted: &Fitted) -> Option<bool> {
        let asked = self.asked.as_ref()?;
        let same = fitted.config.as_ref().is_none_or(|config| *config == asked.config);
        same.then_some(asked.intervals)
    }
}

impl ForecastSession for Session {
    fn requirements(&mut self, config: &str) -> Result<Requirements, PluginError> {
        let needs = self.instance.run(Phase::Needs, |store, world| {
            world.retailcast_plugin_forecaster().call_needs(store, config)
        })?;
        let needs = requirements(needs.map_err(guest)?).or_else(|e| self.instance.end(e))?;
        self.asked = Some(Asked { config: config.into(), intervals: needs.intervals });
        Ok(needs)
    }

    fn fit(&mut self, config: &str, data: Arc<TrainingSet>) -> Result<FittedId, PluginError> {
        let series = data.series_count();
        let fitted = self.instance.run(Phase::Fit, |store, world| {
            let handle = store.data_mut().table.push(TrainingHandle(data))?;
            let borrowed = Resource::new_borrow(handle.rep());
            let result = world.retailcast_plugin_forecaster().call_fit(&mut *store, config, borrowed);
            store.data_mut().table.delete(handle)?;
            result
        })?;
        let resource = fitted.map_err(guest)?;
        Ok(self.keep(Fitted { resource, series: Some(series), config: Some(config.into()) }))
    }

    fn load(&mut self, state: &[u8]) -> Result<FittedId, PluginError> {
        let fitted = self
            .instance
            .run(Phase::Load, |store, world| world.retailcast_plugin_forecaster().call_load(store, state))?;
        let resource = fitted.map_err(guest)?;
        Ok(self.keep(Fitted { resource, series: None, config: None }))
    }

    fn save(&mut self, fitted: FittedId) -> Result<Vec<u8>, PluginError> {
        let resource = self.get(fitted)?.resource;
        self.instance.run(Phase::Save, |store, world| {
            world.retailcast_plugin_forecaster().fitted().call_save(store, resource)
        })
    }

    fn predict(&mut self, fitted: FittedId, ahead: Arc<FutureSet>) -> Result<Forecasts, PluginError> {
        let fitted = self.get(fitted)?;
        let resource = fitted.resource;
        let (series, horizon) = (ahead.starts.len(), ahead.horizon);
        if let Some(trained) = fitted.series.filter(|trained| *trained != series) {
            return self.instance.end(PluginError::Host {
                context: "predict".to_owned(),
                reason: format!("the model was fitted on {trained} series, the future has {series}"),
            });
        }
        let answer = self.instance.run(Phase::Predict, |store, world| {
            let handle = store.data_mut().table.push(FutureHandle(ahead))?;
            let borrowed = Resource::new_borrow(handle.rep());
            let result =
                world.retailcast_plugin_forecaster().fitted().call_predict(&mut *store, resource, borrowed);
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
        check::forecasts(&mut forecasts, series, horizon, promised).or_else(|e| self.instance.end(e))?;
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
        self.instance.run(Phase::Predict, |store, _| resource.resource_drop(store))
    }

    fn peak_memory(&self) -> usize {
        self.instance.peak_memory()
    }
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
