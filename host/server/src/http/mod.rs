//! What all slices share on the wire: routing, problem bodies, request ids, reading JSON and fields, OpenAPI.

pub mod body;
pub mod cors;
pub mod fields;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod router;

pub use body::JsonBody;
pub use problem::{Code, Problem};
pub use request::RequestId;
pub use router::{App, router};
