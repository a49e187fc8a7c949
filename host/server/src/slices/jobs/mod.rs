//! Jobs over HTTP: submit, watch, cancel, read what portfolio jobs forecast. The queue and the workers stand in
//! [`crate::jobs`]. Contract: `jobs.md`, `decisions.md` 5.

mod events;
mod forecasts;
mod prefer;
mod routes;
mod wire;

pub use routes::routes;
