//! Tests over the whole. `api`: the real router in process, on a PostgreSQL of its own. `process`: the program.

mod api;
mod process;
mod support;
