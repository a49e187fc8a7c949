//! Bulk loads by natural keys: sales, stock, prices, promotions, stores, products, calendar. Contract: `ingest.md`.
//!
//! [`upload`] receives a body as JSON or as a table in a file, [`records`] reads and resolves its rows, [`store`]
//! writes them, [`service`] makes one transaction of it.

mod deadline;
mod records;
mod routes;
mod service;
pub(crate) mod store;
mod table;
mod upload;
mod wire;

pub(crate) use records::{CalendarDay, MOST_AMOUNT, MOST_PRICE};
pub use routes::routes;
pub use service::{Ingest, IngestError, IngestSettings};
