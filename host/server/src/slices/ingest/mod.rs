//! Bulk loads of daily sales by natural keys. Contract: `ingest.md`.

mod routes;
mod service;
pub(crate) mod store;
mod wire;

pub use routes::routes;
pub(crate) use service::last_of_each_grain;
pub use service::{
    Deadline, Ingest, IngestError, IngestSettings, Outcome, Rejection, RejectionCode, SaleRow,
};
pub(crate) use wire::{MOST_AMOUNT, MOST_PRICE};
