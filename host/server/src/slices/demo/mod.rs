//! The showcase: one run through the whole product, step by step, with a frame for each. Contract: `demo.md`. Every step
//! calls the service that the API calls; nothing is kept here.

mod agent;
mod call;
mod data;
mod models;
mod pipeline;
mod routes;
mod stream;
mod wire;

pub use pipeline::{Demo, tell};
pub use routes::routes;
pub use wire::DemoRequest;
