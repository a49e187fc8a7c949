//! What does not change about a series: who it is, and since when.

use sha2::{Digest, Sha256};

use crate::Day;

/// Static facts of a series. Codes name categories: they have no order and no distance. The same store, product or
/// category has the same code in every call, because a model that was saved sees the codes again when it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statics {
    /// The product's launch.
    pub launch: Option<Day>,
    /// Code of the store: its key in the database.
    pub store: Option<u32>,
    /// Code of the product: its key in the database.
    pub product: Option<u32>,
    /// Code of the product's category: [`category_code`] of its name.
    pub category: Option<u32>,
}

impl Statics {
    /// Of these keys of the database and this category, without a launch. Keys are positive; another has no code.
    pub fn of(store_id: i32, product_id: i32, category: Option<&str>) -> Self {
        Self {
            launch: None,
            store: u32::try_from(store_id).ok(),
            product: u32::try_from(product_id).ok(),
            category: category.map(category_code),
        }
    }
}

/// The first 24 bits of SHA-256 of the name: categories are names without a key of their own, and a number of 24 bits
/// is exact in single precision too. Of 100 categories two share a code in one database of 3,400.
pub fn category_code(name: &str) -> u32 {
    let digest = Sha256::digest(name.as_bytes());
    u32::from_be_bytes([0, digest[0], digest[1], digest[2]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAIRY: u32 = 0x0078_81ed;

    /// `printf dairy | sha256sum`
    #[test]
    fn codes_never_change() {
        assert_eq!(category_code("dairy"), DAIRY);
        let statics = Statics::of(3, 70_000, Some("dairy"));
        assert_eq!((statics.store, statics.product, statics.category), (Some(3), Some(70_000), Some(DAIRY)));
        assert_eq!(Statics::of(1, 2, None).category, None);
    }
}
