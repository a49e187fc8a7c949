//! Price windows (`seeder.md` §7.3) and the price that is valid on a day.

use std::collections::BTreeMap;

use super::window::Window;
use super::{Cents, Product, Shop, Stream, scaled};
use crate::Day;

/// A price and the days it is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceWindow {
    /// Key.
    pub product: i32,
    /// Key; none: every store.
    pub store: Option<i32>,
    /// The price.
    pub price: Cents,
    /// First day.
    pub from: Day,
    /// Last day; none: still valid.
    pub to: Option<Day>,
}

/// Share of products that are priced for one store only.
const ONE_STORE: f64 = 0.1;
/// Price changes per day.
const CHANGES: f64 = 0.1 / 30.0;
/// Largest relative change, up or down.
const STEP: f64 = 0.2;

/// The windows of all products.
pub fn price_windows(seed: u64, shop: &Shop, window: Window) -> Vec<PriceWindow> {
    let mut windows = Vec::new();
    for (i, product) in shop.products.iter().enumerate() {
        let Some(base) = product.base_price else { continue };
        let mut stream = Stream::of(seed, "price", &[i as u64]);
        let alone = stream.chance(ONE_STORE);
        let store = Some(*stream.pick(&shop.stores)).filter(|_| alone);
        let mut open =
            PriceWindow { product: product.id, store, price: base, from: window.first(), to: None };
        for day in window.iter() {
            if !stream.chance(CHANGES) {
                continue;
            }
            let factor = 1.0 + stream.real(-STEP, STEP);
            if day > open.from {
                windows.push(PriceWindow { to: Some(day + -1), ..open });
                open = PriceWindow { price: scaled(open.price, factor), from: day, ..open };
            }
        }
        windows.push(open);
    }
    windows
}

/// Windows, ready to be asked for the valid price.
#[derive(Debug, Clone, Default)]
pub struct PriceBook(BTreeMap<i32, Vec<PriceWindow>>);

impl PriceBook {
    /// From windows in the order in which they were made.
    pub fn new(windows: impl IntoIterator<Item = PriceWindow>) -> Self {
        let mut book: BTreeMap<i32, Vec<PriceWindow>> = BTreeMap::new();
        for window in windows {
            book.entry(window.product).or_default().push(window);
        }
        for windows in book.values_mut() {
            // Stores beat the chain, later beginnings earlier ones, and of equal ones the one that was made later
            // (the sort is stable): so whoever comes last in this order wins.
            windows.sort_by_key(|window| (window.store.is_some(), window.from));
        }
        Self(book)
    }

    /// The valid price of every day of the window.
    pub fn curve(&self, store: i32, product: &Product, window: Window) -> Vec<Cents> {
        let mut curve = vec![product.base_price.unwrap_or(0); window.days()];
        for price in self.0.get(&product.id).into_iter().flatten() {
            if price.store.is_none_or(|only| only == store) {
                curve[window.span(price.from, price.to)].fill(price.price);
            }
        }
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(products: i32) -> Shop {
        let product = |id| Product { id, base_price: Some(1_000), launch: None, discontinue: None };
        Shop { stores: vec![4, 9], products: (1..=products).map(product).collect() }
    }

    fn window(days: i32) -> Window {
        Window::new(Day(100), Day(99 + days)).unwrap()
    }

    #[test]
    fn windows_of_a_product_follow_each_other_without_gap() {
        let shop = shop(300);
        let window = window(366);
        let windows = price_windows(42, &shop, window);
        for product in &shop.products {
            let own: Vec<&PriceWindow> = windows.iter().filter(|w| w.product == product.id).collect();
            assert_eq!((own[0].from, own[0].price), (window.first(), 1_000));
            assert_eq!(own[own.len() - 1].to, None);
            for pair in own.windows(2) {
                assert_eq!(pair[0].to.unwrap() + 1, pair[1].from);
                assert_eq!(pair[0].store, pair[1].store);
                let change = pair[1].price as f64 / pair[0].price as f64 - 1.0;
                assert!(change.abs() <= 0.2 + 0.001, "{change}");
            }
        }
        // 300 · 365 days, each with probability 1/300: 365 ± 19, and 30 ± 5.2 products of one store.
        let changes = windows.len() - 300;
        assert!((365 - 96..=365 + 96).contains(&changes), "{changes}");
        let alone =
            shop.products.iter().filter(|p| windows.iter().any(|w| w.product == p.id && w.store.is_some()));
        assert!((4..=56).contains(&alone.count()));
    }

    #[test]
    fn a_product_without_a_price_has_no_windows() {
        let mut shop = shop(1);
        shop.products[0].base_price = None;
        assert!(price_windows(42, &shop, window(366)).is_empty());
        assert_eq!(PriceBook::default().curve(4, &shop.products[0], window(2)), [0, 0]);
    }

    #[test]
    fn which_price_is_valid() {
        let product = shop(1).products[0];
        let price = |store, price, from: i32, to: Option<i32>| PriceWindow {
            product: 1,
            store,
            price,
            from: Day(from),
            to: to.map(Day),
        };
        let curve = |windows: Vec<PriceWindow>| PriceBook::new(windows).curve(4, &product, window(6));
        assert_eq!(curve(vec![]), [1_000; 6]);
        assert_eq!(curve(vec![price(None, 5, 102, Some(103))]), [1_000, 1_000, 5, 5, 1_000, 1_000]);
        // Another store's price is none of ours; ours beats the chain's, even when it began earlier.
        assert_eq!(
            curve(vec![
                price(Some(9), 1, 0, None),
                price(Some(4), 2, 0, Some(101)),
                price(None, 3, 101, None)
            ]),
            [2, 2, 3, 3, 3, 3]
        );
        // Later beginnings win where they cover; then the earlier one is valid again.
        assert_eq!(curve(vec![price(None, 7, 103, Some(104)), price(None, 6, 90, None)]), [6, 6, 6, 7, 7, 6]);
        assert_eq!(curve(vec![price(None, 8, 100, None), price(None, 9, 100, None)]), [9; 6]);
    }
}
