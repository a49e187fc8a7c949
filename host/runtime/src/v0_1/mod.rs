//! The adapter of contract 0.1: generated types on one side, the host's traits and data on the other. A later
//! contract gets a module of its own beside this one.

mod adjuster;
mod boosting;
mod check;
mod embedder;
mod explainer;
mod host;
mod instance;
mod session;

pub(crate) use adjuster::Adjuster;
pub(crate) use embedder::Embedder;
pub(crate) use explainer::Explaining;
pub(crate) use session::Model;

/// The version of the contract.
pub(crate) const VERSION: &str = "0.1.0";

/// Whether a component built for `version` can run here: the same 0.1, any patch.
pub(crate) fn speaks(version: &str) -> bool {
    version.strip_prefix("0.1.").is_some_and(|patch| patch.parse::<u32>().is_ok())
}

/// What wasmtime makes of `wit/v0.1`.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        world: "forecast-model",
        with: {
            "retailcast:plugin/data.training-data": crate::v0_1::host::TrainingHandle,
            "retailcast:plugin/data.future-data": crate::v0_1::host::FutureHandle,
            "retailcast:plugin/gradient-boosting.booster": crate::boosting::Booster,
        },
        imports: { default: trappable },
    });
}

/// The world of scenario adjusters; what all worlds share are the types above.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub(crate) mod scenario_bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        world: "scenario-adjuster",
        with: {
            "retailcast:plugin/types": crate::v0_1::bindings::retailcast::plugin::types,
            "retailcast:plugin/log": crate::v0_1::bindings::retailcast::plugin::log,
        },
        imports: { default: trappable },
    });
}

/// The world of explainers.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub(crate) mod explainer_bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        world: "explainer",
        with: {
            "retailcast:plugin/types": crate::v0_1::bindings::retailcast::plugin::types,
            "retailcast:plugin/log": crate::v0_1::bindings::retailcast::plugin::log,
        },
        imports: { default: trappable },
    });
}

/// The world of embedding providers.
#[allow(missing_docs, clippy::all, clippy::pedantic, unreachable_pub)]
pub(crate) mod embedding_bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        world: "embedding-provider",
        with: {
            "retailcast:plugin/types": crate::v0_1::bindings::retailcast::plugin::types,
            "retailcast:plugin/log": crate::v0_1::bindings::retailcast::plugin::log,
        },
        imports: { default: trappable },
    });
}
