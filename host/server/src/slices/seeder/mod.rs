//! Synthetic retail data: generate, append, delete, verify. Contract: `seeder.md`. What the data is like is decided in
//! [`retailcast_core::seeder`]; here it is written.

mod checks;
mod facts;
mod generate_body;
mod routes;
mod service;
mod store;
mod text;
mod wire;

pub use checks::{Check, CheckStatus};
pub use facts::Progress;
pub use generate_body::read as read_generate;
pub use routes::{problem, routes};
pub use service::{Counts, Created, Deleted, Scope, SeedError, SeedOrder, Seeder, SeederSettings, Status};
pub use wire::records;
