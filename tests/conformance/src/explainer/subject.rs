//! An explainer with forecasts to explain.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use retailcast_runtime::explain::{
    Explanation, FittedModel, PromotionSignal, Signals, StockSignal, Subject as Asked,
};
use retailcast_runtime::{Call, Explainer, ForecastModel, GuestErrorCode, Models, PluginError, panel};
use serde_json::Map;

use crate::any_kind::{Trouble, call_at, is_refusal};
use crate::check::{Applies, Outcome, Problem};
use crate::forecast_model::history::{ORIGIN, ordinary};

/// Days of ordinary history: more than any ordinary model needs.
const DAYS: usize = 400;

/// A forecast to explain.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) asked: Asked,
    /// Units sold up to the cutoff.
    pub(super) history: Vec<f64>,
    pub(super) fitted: Option<FittedModel>,
    /// What the model itself forecasts, when it is at hand.
    pub(super) forecast: Option<f64>,
}

impl Case {
    /// A sentence for reports.
    pub(super) fn words(&self, data: &str) -> String {
        format!("model type {}, configuration {}; {data}", self.asked.model_type, self.asked.config)
    }
}

/// What stands for the ordinary history in reports.
pub(super) const ORDINARY: &str = "400 days of an ordinary series";

/// A loaded explainer.
pub(crate) struct Subject {
    pub(super) explainer: Arc<dyn Explainer>,
    until: Option<Instant>,
    cases: Vec<Case>,
    /// A model at hand that does not forecast ordinary data.
    broken: Option<String>,
    trouble: OnceCell<Option<Trouble>>,
}

/// The rule speaks of an explanation, and there is a model to explain.
pub(super) const EXPLAINS: Applies<Subject> = Applies {
    when: "to explainers of a model type that needs no fitted model, or whose model is loaded beside it",
    to: |subject| !subject.cases.is_empty() || subject.broken.is_some(),
};

impl Subject {
    pub(super) fn new(explainer: Arc<dyn Explainer>, models: Models<'_>, until: Option<Instant>) -> Self {
        let mut cases = Vec::new();
        let mut broken = None;
        for model in explainer.models() {
            match models(&model.model_type) {
                Some(at_hand) => match fitted_case(&*at_hand, model.needs_fitted, &call(until)) {
                    Ok(case) => cases.push(case),
                    Err(e) => broken = Some(format!("the model {} fails: {e}", model.model_type)),
                },
                None if model.needs_fitted => {}
                None => cases.push(Case {
                    asked: asked(&model.model_type, "{}".to_owned()),
                    history: ordinary(1, DAYS).series.quantity,
                    fitted: None,
                    forecast: None,
                }),
            }
        }
        Self { explainer, until, cases, broken, trouble: OnceCell::new() }
    }

    /// The circumstances of a call: the present is the cutoff.
    pub(super) fn call(&self) -> Call {
        call(self.until)
    }

    /// The forecasts to explain. An error when ordinary ones are not explained: then nothing else is worth saying.
    pub(super) fn ready(&self) -> Result<&[Case], Problem> {
        self.broken()?;
        Trouble::none(self.trouble())?;
        Ok(&self.cases)
    }

    /// The body of a check that explanations of ordinary data must pass: fails when their trouble is its own.
    pub(super) fn judge(&self, own: &str, expected: &str) -> Outcome {
        self.broken()?;
        Trouble::judge(self.trouble(), own, expected)
    }

    fn broken(&self) -> Outcome {
        self.broken.as_ref().map_or(Ok(()), |reason| Err(Problem::NotRun(reason.clone())))
    }

    fn trouble(&self) -> Option<&Trouble> {
        let all = || self.cases.iter().flat_map(|case| [(case, quiet()), (case, busy())]);
        let find = || {
            all().find_map(|(case, signals)| {
                let error = self.explain(case, &signals).err()?;
                let words = if signals == quiet() { "no signals" } else { "every signal" };
                let owner = owner(&error);
                let case = case.words(&format!("{ORDINARY}; {words}"));
                Some(Trouble { case, error: Arc::new(error), owner })
            })
        };
        self.trouble.get_or_init(find).as_ref()
    }

    /// Explains in a fresh instance.
    pub(super) fn explain(&self, case: &Case, signals: &Signals) -> Result<Explanation, PluginError> {
        self.explain_in(case, signals, &self.call())
    }

    pub(super) fn explain_in(
        &self,
        case: &Case,
        signals: &Signals,
        call: &Call,
    ) -> Result<Explanation, PluginError> {
        self.explainer.explain(&case.asked, &case.history, signals, case.fitted.as_ref(), call)
    }
}

fn call(until: Option<Instant>) -> Call {
    call_at(Duration::from_hours(24) * ORIGIN.0.unsigned_abs(), until)
}

pub(super) fn asked(model_type: &str, config: String) -> Asked {
    Asked { store_id: 1, product_id: 101, model_type: model_type.to_owned(), config, as_of: ORIGIN.0 }
}

/// The forecast of a model with all defaults, and the fitted model when it is wanted.
fn fitted_case(model: &dyn ForecastModel, wanted: bool, call: &Call) -> Result<Case, String> {
    let history = ordinary(1, DAYS);
    let config = model
        .config_schema()
        .normalise(&Map::new(), "config")
        .map_err(|errors| format!("its defaults are no configuration: {errors:?}"))?
        .json();
    let fitted = panel::fitted(model, &config, &history, call).map_err(|e| e.to_string())?;
    Ok(Case {
        asked: asked(&model.description().name, config),
        history: history.series.quantity,
        forecast: Some(fitted.forecast),
        fitted: wanted.then_some(fitted),
    })
}

/// Nothing is recorded beside the series.
pub(super) fn quiet() -> Signals {
    Signals { window_days: 14, ..Signals::default() }
}

/// Everything is.
pub(super) fn busy() -> Signals {
    Signals {
        window_days: 14,
        stock: StockSignal { snapshots: 15, stockouts: 6 },
        promotions: PromotionSignal { touching: 3, running: 1 },
        days_since_launch: Some(20),
        holiday: Some(Some("Christmas Day".to_owned())),
    }
}

/// The check that an error on ordinary data belongs to.
fn owner(error: &PluginError) -> &'static str {
    match error {
        PluginError::BadResult { check, .. } => match *check {
            "finite numbers" => "explainer.finite",
            "drivers" => "explainer.drivers",
            "sum of contributions" => "explainer.sum",
            "reason codes" => "explainer.reasons",
            _ => "explainer.words",
        },
        PluginError::Timeout { .. } => "explainer.time",
        PluginError::MemoryLimit { .. } => "explainer.memory",
        PluginError::PayloadLimit { .. } => "explainer.payload",
        _ => "explainer.explains",
    }
}

/// Whether it may say no to data that no model could forecast from.
pub(super) fn is_honest_refusal(error: &PluginError) -> bool {
    [GuestErrorCode::NotEnoughHistory, GuestErrorCode::Numeric].iter().any(|code| is_refusal(error, *code))
}
