//! Explainers: what a forecast rests on.

mod signals;
mod words;

use crate::{Error, Info};

pub use self::signals::reason_codes;
pub use self::words::{caveats, summary};
pub use crate::explainer_bindings::exports::retailcast::plugin::explanation::{
    Confidence, Direction, Driver, Explained, ExplainedModel, FittedModel, Holiday, Method, PromotionSignal,
    Reason, ReasonCode, Severity, Signals, StockSignal, Subject,
};

/// An explainer, the general case.
pub trait Explainer: 'static {
    /// Name, version, licence.
    const INFO: Info;
    /// The model types that it explains, at least one.
    const MODELS: &'static [&'static str];
    /// Whether it wants the fitted model that made the forecast. The server may have to fit one for it.
    const NEEDS_FITTED: bool = false;

    /// Explains the forecast of the day after the cutoff; `history` are the units sold up to it, oldest first, possibly
    /// none; `fitted` is there when [`Explainer::NEEDS_FITTED`] says so. The contributions of the drivers must add up to
    /// the forecast.
    fn explain(
        subject: &Subject,
        history: &[f64],
        signals: &Signals,
        fitted: Option<&FittedModel>,
    ) -> Result<Explained, Error>;
}

impl Default for Signals {
    /// Nothing is recorded beside the series; the window is two weeks.
    fn default() -> Self {
        Self {
            window_days: 14,
            stock: StockSignal { snapshots: 0, stockouts: 0 },
            promotions: PromotionSignal { touching: 0, running: 0 },
            days_since_launch: None,
            holiday: None,
        }
    }
}

impl Direction {
    /// The sign of a number.
    pub fn of(value: f64) -> Self {
        if value > 0.0 {
            Self::Positive
        } else if value < 0.0 {
            Self::Negative
        } else {
            Self::Neutral
        }
    }
}

impl Reason {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::StockoutConstrained => "stockout_constrained",
            Self::PromotionOverlap => "promotion_overlap",
            Self::LifecycleDecay => "lifecycle_decay",
            Self::HolidayEffect => "holiday_effect",
            Self::TrendShift => "trend_shift",
            Self::InsufficientHistory => "insufficient_history",
        }
    }
}

impl Confidence {
    /// As clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// `models`.
#[doc(hidden)]
pub fn models<E: Explainer>() -> Vec<ExplainedModel> {
    let model =
        |name: &&str| ExplainedModel { model_type: (*name).to_owned(), needs_fitted: E::NEEDS_FITTED };
    E::MODELS.iter().map(model).collect()
}

/// What [`export!`](crate::export) asks of a type.
#[doc(hidden)]
pub fn is_an_explainer<E: Explainer>() {}

/// Exports an [`Explainer`] as a component. One per crate.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_explainer {
    ($explainer:ty) => {
        // Also natively, where there are no exports: what is wrong is said by the first `cargo check`.
        const _: fn() = $crate::explain::is_an_explainer::<$explainer>;

        // Only a component has exports; natively the explainer is tested through its trait.
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, clippy::all)]
        mod component_exports {
            use super::*;

            struct Component;

            impl $crate::description_bindings::exports::retailcast::plugin::plugin::Guest for Component {
                fn describe() -> $crate::component::WitDescription {
                    $crate::component::describe_unconfigured(
                        &<$explainer as $crate::explain::Explainer>::INFO,
                        $crate::component::WitKind::Explainer,
                    )
                }
            }

            impl $crate::explainer_bindings::exports::retailcast::plugin::explanation::Guest for Component {
                fn models() -> Vec<$crate::explain::ExplainedModel> {
                    $crate::explain::models::<$explainer>()
                }
                fn explain(
                    subject: $crate::explain::Subject,
                    history: Vec<f64>,
                    signals: $crate::explain::Signals,
                    fitted: Option<$crate::explain::FittedModel>,
                ) -> Result<$crate::explain::Explained, $crate::component::WitError> {
                    <$explainer as $crate::explain::Explainer>::explain(
                        &subject,
                        &history,
                        &signals,
                        fitted.as_ref(),
                    )
                    .map_err(Into::into)
                }
            }

            $crate::description_bindings::export_description!(Component with_types_in $crate::description_bindings);
            $crate::explainer_bindings::export_explanation!(Component with_types_in $crate::explainer_bindings);
        }
    };
}
