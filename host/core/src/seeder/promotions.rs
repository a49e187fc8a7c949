//! Promotions and bundles (`seeder.md` §7.4).

use std::collections::BTreeMap;

use super::window::Window;
use super::{Cents, Shop, Stream, words};
use crate::{Day, PromotionKind};

/// A promotion.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// Key.
    pub product: i32,
    /// Key; none: every store.
    pub store: Option<i32>,
    /// For people.
    pub name: &'static str,
    /// What it offers.
    pub kind: PromotionKind,
    /// Discount as a fraction, in ten-thousandths (the column has four decimals).
    pub discount: Option<i64>,
    /// Discount as an amount.
    pub amount: Option<Cents>,
    /// Other products of a bundle.
    pub members: Option<Vec<i32>>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

/// Share of products that are promoted everywhere.
const CHAIN: f64 = 0.7;
/// Days of a promotion.
const DAYS: (i64, i64) = (3, 14);
/// Discounts in ten-thousandths.
const FRACTIONS: [i64; 7] = [1_000, 1_500, 2_000, 2_500, 3_000, 4_000, 5_000];
/// Discounts in cents.
const AMOUNTS: [Cents; 4] = [100, 200, 300, 500];
/// Share of bundles that are buy-one-get-one.
const BOGO: f64 = 0.5;

/// The promotions of all products; `bundles` is the share that become bundles.
pub fn promotions(
    seed: u64,
    shop: &Shop,
    window: Window,
    probability: f64,
    bundles: Option<f64>,
) -> Vec<Promotion> {
    let mut promotions = Vec::new();
    for (i, product) in shop.products.iter().enumerate() {
        let mut stream = Stream::of(seed, "promotion", &[i as u64]);
        let chain = stream.chance(CHAIN);
        let store = Some(*stream.pick(&shop.stores)).filter(|_| !chain);
        let mut bundling = Stream::of(seed, "bundle", &[i as u64]);
        let mut day = window.first();
        while day <= window.last() {
            if !stream.chance(probability / 30.0) {
                day = day + 1;
                continue;
            }
            let to = (day + stream.between(DAYS.0, DAYS.1) as i32 + -1).min(window.last());
            let in_percent = stream.chance(0.5);
            let (fraction, amount) = (*stream.pick(&FRACTIONS), *stream.pick(&AMOUNTS));
            let mut promotion = Promotion {
                product: product.id,
                store,
                name: stream.pick::<&str>(&words::PROMOTIONS),
                kind: PromotionKind::PctOff,
                discount: Some(fraction).filter(|_| in_percent),
                amount: Some(amount).filter(|_| !in_percent),
                members: None,
                from: day,
                to,
            };
            if let Some(share) = bundles {
                bundle(&mut promotion, &mut bundling, share, i, shop);
            }
            promotions.push(promotion);
            day = to + 1;
        }
    }
    promotions
}

/// Turns a promotion into a bundle, with this probability and when there are two products to bundle it with.
fn bundle(promotion: &mut Promotion, stream: &mut Stream, share: f64, product: usize, shop: &Shop) {
    if !stream.chance(share) || shop.products.len() < 3 {
        return;
    }
    promotion.kind = if stream.chance(BOGO) { PromotionKind::Bogo } else { PromotionKind::Bundle };
    let count = stream.between(2, 3) as usize;
    let others = shop.products.len() - 1;
    let mut members: Vec<usize> = Vec::with_capacity(count);
    while members.len() < count.min(others) {
        let drawn = stream.between(0, others as i64 - 1) as usize;
        // Positions without the product itself.
        let member = drawn + usize::from(drawn >= product);
        if !members.contains(&member) {
            members.push(member);
        }
    }
    promotion.members = Some(members.into_iter().map(|member| shop.products[member].id).collect());
    promotion.discount = Some((stream.real(0.10, 0.30) * 10_000.0).round_ties_even() as i64);
    promotion.amount = None;
}

/// Days on which a product is promoted.
#[derive(Debug, Clone, Default)]
pub struct PromotionBook(BTreeMap<i32, Vec<Span>>);

/// Where and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Key of the product.
    pub product: i32,
    /// Key; none: every store.
    pub store: Option<i32>,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
}

impl PromotionBook {
    /// From promotions that count as such, which markdowns do not.
    pub fn new(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut book: BTreeMap<i32, Vec<Span>> = BTreeMap::new();
        for span in spans {
            book.entry(span.product).or_default().push(span);
        }
        Self(book)
    }

    /// For every day of the window whether the product is promoted in the store.
    pub fn days(&self, store: i32, product: i32, window: Window) -> Vec<bool> {
        let mut days = vec![false; window.days()];
        for span in self.0.get(&product).into_iter().flatten() {
            if span.store.is_none_or(|only| only == store) {
                days[window.span(span.from, Some(span.to))].fill(true);
            }
        }
        days
    }
}

impl Promotion {
    /// Where and when it counts as a promotion; a markdown acts on demand through the price alone.
    pub fn span(&self) -> Option<Span> {
        let span = Span { product: self.product, store: self.store, from: self.from, to: self.to };
        Some(span).filter(|_| self.kind != PromotionKind::Markdown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeder::Product;

    fn shop(products: i32) -> Shop {
        let product = |id| Product { id: id * 10, base_price: Some(1_000), launch: None, discontinue: None };
        Shop { stores: vec![1, 2, 3], products: (1..=products).map(product).collect() }
    }

    fn year() -> Window {
        Window::new(Day(0), Day(364)).unwrap()
    }

    #[test]
    fn promotions_of_a_product_do_not_overlap_and_come_at_the_rate() {
        let shop = shop(400);
        let made = promotions(1, &shop, year(), 0.6, None);
        for product in &shop.products {
            let own: Vec<&Promotion> = made.iter().filter(|p| p.product == product.id).collect();
            assert!(own.windows(2).all(|pair| pair[0].to < pair[1].from && pair[0].store == pair[1].store));
            for promotion in own {
                assert!(promotion.discount.is_some() != promotion.amount.is_some());
                assert_eq!(promotion.kind, PromotionKind::PctOff);
                let days = promotion.to - promotion.from + 1;
                assert!(days <= 14 && (days >= 3 || promotion.to == year().last()));
            }
        }
        // A cycle is 1/0.02 = 50 days of waiting and 8.5 of promotion less the day that starts it: 365/57.5 = 6.3
        // per product. Its standard deviation is below √6.3, so that of 400 products is below 51.
        let expected = 400.0 * 365.0 / 57.5;
        assert!((made.len() as f64 - expected).abs() < 255.0, "{} instead of {expected}", made.len());
        let everywhere =
            shop.products.iter().filter(|p| made.iter().any(|m| m.product == p.id && m.store.is_none()));
        // Binomial: 280 ± 9.2; nearly every product has a promotion.
        let everywhere = everywhere.count();
        assert!((230..=326).contains(&everywhere), "{everywhere}");
        let percent = made.iter().filter(|p| p.discount.is_some()).count() as f64 / made.len() as f64;
        assert!((percent - 0.5).abs() < 0.05, "{percent}");
    }

    #[test]
    fn bundles_have_distinct_other_members_and_the_same_days() {
        let shop = shop(40);
        let plain = promotions(1, &shop, year(), 0.6, None);
        let bundled = promotions(1, &shop, year(), 0.6, Some(0.5));
        assert_eq!(plain.len(), bundled.len());
        let mut count = 0;
        for (plain, bundled) in plain.iter().zip(&bundled) {
            assert_eq!(
                (plain.product, plain.from, plain.to, plain.name),
                (bundled.product, bundled.from, bundled.to, bundled.name)
            );
            let Some(members) = &bundled.members else {
                assert_eq!(plain, bundled);
                continue;
            };
            count += 1;
            let distinct: std::collections::BTreeSet<_> = members.iter().collect();
            assert!((2..=3).contains(&members.len()) && distinct.len() == members.len());
            assert!(!members.contains(&bundled.product));
            assert!(bundled.amount.is_none() && (1_000..=3_000).contains(&bundled.discount.unwrap()));
        }
        // Binomial of some 250: ± 8.
        assert!((f64::from(count) / plain.len() as f64 - 0.5).abs() < 0.16, "{count} of {}", plain.len());
        assert!(promotions(1, &self::shop(2), year(), 1.0, Some(1.0)).iter().all(|p| p.members.is_none()));
        assert!(
            promotions(1, &self::shop(3), year(), 1.0, Some(1.0)).iter().all(|p| p
                .members
                .as_ref()
                .unwrap()
                .len()
                == 2)
        );
    }
}
