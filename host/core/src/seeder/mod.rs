//! Synthetic retail data, reproducible from a seed (contract: `seeder.md`). Everything here is a function of its
//! arguments: a seed, parameters and the stores and products that exist. Keys of the database are only passed through,
//! never drawn from: what is random depends on the position of a store or product in the order of the keys, so that
//! the same seed gives the same data in two databases that count their keys differently.
//!
//! Every generator draws from substreams of its own ([`Stream`]), one per store, product or pair. So the order in
//! which pairs are computed, and by how many threads, cannot change a value, and an optional feature that is switched
//! on takes no draw away from another table.

pub mod calendar;
pub mod channels;
pub mod demand;
pub mod dimensions;
pub mod inventory;
pub mod lifecycle;
pub mod parameters;
pub mod presets;
pub mod prices;
pub mod promotions;
pub mod replenishment;
pub mod returns;
pub mod sales;
pub mod signals;
pub mod sparsity;
pub mod stream;
pub mod window;

mod markdowns;
mod words;

pub use markdowns::markdowns;
pub use parameters::Parameters;
pub use presets::Scenario;
pub use sales::World;
pub use stream::Stream;
pub use window::Window;

use crate::Day;

/// An amount of money in cents. All prices are made in whole cents, so that no rounding is left to the database.
pub type Cents = i64;

/// A product that exists, as far as facts depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product {
    /// Key.
    pub id: i32,
    /// List price; imported products may have none. Such a product sells at 0 and has no prices of its own.
    pub base_price: Option<Cents>,
    /// First day on the shelf.
    pub launch: Option<Day>,
    /// First day no longer on the shelf.
    pub discontinue: Option<Day>,
}

/// What exists, each in ascending order of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// Keys of the stores.
    pub stores: Vec<i32>,
    /// The products.
    pub products: Vec<Product>,
}

impl Shop {
    /// Number of pairs of a store and a product.
    pub fn pairs(&self) -> usize {
        self.stores.len() * self.products.len()
    }

    /// Positions of store and product of a pair; pairs count through the products of one store after the other.
    pub fn pair(&self, index: usize) -> Pair {
        Pair { store: index / self.products.len(), product: index % self.products.len(), index }
    }
}

/// The positions of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Of the store.
    pub store: usize,
    /// Of the product.
    pub product: usize,
    /// Of the pair itself.
    pub index: usize,
}

impl Pair {
    /// What its substreams are called.
    pub(crate) fn place(self) -> [u64; 2] {
        [self.store as u64, self.product as u64]
    }
}

/// Parameters that a generator cannot work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Rejected(pub String);

/// `price` times `factor`, to the cent; never less than nothing and never more than the column holds.
pub(crate) fn scaled(price: Cents, factor: f64) -> Cents {
    (price as f64 * factor).round_ties_even().clamp(0.0, MOST_PRICE as f64) as Cents
}

/// Largest price: NUMERIC(10,2).
pub(crate) const MOST_PRICE: Cents = 9_999_999_999;
/// Largest amount: NUMERIC(12,2).
pub(crate) const MOST_AMOUNT: Cents = 999_999_999_999;
