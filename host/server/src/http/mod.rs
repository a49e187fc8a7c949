//! What all slices share on the wire: routing, problem bodies, request ids, reading JSON and fields, OpenAPI.

pub mod body;
pub mod cors;
pub mod fields;
pub mod headers;
pub mod health;
pub mod listing;
pub mod metrics;
pub mod number;
pub mod openapi;
pub mod problem;
pub mod query;
pub mod request;
pub mod router;
pub mod sockets;
pub mod timestamp;

pub use body::JsonBody;
pub use number::Number;
pub use problem::{Code, Problem};
pub use query::Query;
pub use request::RequestId;
pub use router::{App, router};
pub use timestamp::Timestamp;
