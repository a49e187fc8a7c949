//! Discovery of stores and products. Contract: `dimensions.md`.

mod routes;
mod service;
mod store;
mod wire;

pub use routes::routes;
pub use service::{Dimensions, Listing, Page, Product, Store};
pub use store::{Order, PRODUCT_ORDERS, STORE_ORDERS};
