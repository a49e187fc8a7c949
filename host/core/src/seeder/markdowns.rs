//! Clearance (`seeder.md` §7.4): no randomness, only what the life cycle or the shelf says.

use super::inventory::Stockouts;
use super::lifecycle::{Stage, stage};
use super::parameters::MarkdownTrigger;
use super::prices::PriceWindow;
use super::promotions::Promotion;
use super::window::Window;
use super::{Product, Shop, scaled, words};
use crate::{Day, PromotionKind};

/// Days of a markdown.
const DAYS: i32 = 14;
/// Discount in ten-thousandths, and what is left of the price.
const DISCOUNT: i64 = 3_000;
const REST: f64 = 0.70;

/// Markdowns with their price windows. `living` tells whether the run has life cycles: without, no product declines.
pub fn markdowns(
    trigger: MarkdownTrigger,
    shop: &Shop,
    window: Window,
    stockouts: &Stockouts,
    living: bool,
) -> Vec<(Promotion, Option<PriceWindow>)> {
    match trigger {
        MarkdownTrigger::LifecycleDecline if living => of_declines(shop, window),
        MarkdownTrigger::LifecycleDecline => Vec::new(),
        MarkdownTrigger::StockoutRisk => of_stockouts(shop, window, stockouts),
    }
}

fn of_declines(shop: &Shop, window: Window) -> Vec<(Promotion, Option<PriceWindow>)> {
    let decline = |product: &Product| window.iter().find(|day| stage(product, *day).0 == Stage::Decline);
    let start = |product| decline(product).map(|day| (product, day));
    let markdown = |(product, from): (&Product, Day)| {
        markdown(product, None, from, (from + (DAYS - 1)).min(window.last()))
    };
    shop.products.iter().filter_map(start).map(markdown).collect()
}

fn of_stockouts(shop: &Shop, window: Window, stockouts: &Stockouts) -> Vec<(Promotion, Option<PriceWindow>)> {
    let mut found = Vec::new();
    for pair in (0..shop.pairs()).map(|index| shop.pair(index)) {
        let mut last: Option<Day> = None;
        for day in (0..window.days()).filter(|day| stockouts.at(pair.index, *day)).map(|day| window.day(day))
        {
            let (from, to) = ((day + -DAYS).max(window.first()), day + -1);
            if from > to || last.is_some_and(|last| from <= last) {
                continue;
            }
            found.push(markdown(&shop.products[pair.product], Some(shop.stores[pair.store]), from, to));
            last = Some(to);
        }
    }
    found
}

fn markdown(product: &Product, store: Option<i32>, from: Day, to: Day) -> (Promotion, Option<PriceWindow>) {
    let promotion = Promotion {
        product: product.id,
        store,
        name: words::MARKDOWN,
        kind: PromotionKind::Markdown,
        discount: Some(DISCOUNT),
        amount: None,
        members: None,
        from,
        to,
    };
    let price = product.base_price.map(|base| PriceWindow {
        product: product.id,
        store,
        price: scaled(base, REST),
        from,
        to: Some(to),
    });
    (promotion, price)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(launch: i32) -> Shop {
        let product = Product { id: 7, base_price: Some(999), launch: Some(Day(launch)), discontinue: None };
        Shop { stores: vec![3], products: vec![product] }
    }

    fn spans(found: &[(Promotion, Option<PriceWindow>)]) -> Vec<(i32, i32)> {
        found.iter().map(|(promotion, _)| (promotion.from.0, promotion.to.0)).collect()
    }

    #[test]
    fn a_decline_is_marked_down_for_two_weeks_once() {
        let window = Window::new(Day(0), Day(99)).unwrap();
        let none = Stockouts::none(1, 100);
        let found = |launch, living| {
            markdowns(MarkdownTrigger::LifecycleDecline, &shop(launch), window, &none, living)
        };
        assert_eq!(spans(&found(-220, true)), [(50, 63)]);
        assert_eq!(spans(&found(-300, true)), [(0, 13)]);
        assert_eq!(spans(&found(-180, true)), [(90, 99)]);
        assert!(found(-100, true).is_empty() && found(-220, false).is_empty());
        let (promotion, price) = &found(-220, true)[0];
        assert_eq!((promotion.store, promotion.discount, promotion.span()), (None, Some(3_000), None));
        let price = price.unwrap();
        assert_eq!((price.price, price.from, price.to), (699, promotion.from, Some(promotion.to)));
    }

    #[test]
    fn the_two_weeks_before_a_stockout_without_overlap() {
        let window = Window::new(Day(0), Day(99)).unwrap();
        let out = Stockouts::on(1, 100, &[(0, 0), (0, 5), (0, 6), (0, 19), (0, 20), (0, 40), (0, 54)]);
        let found = markdowns(MarkdownTrigger::StockoutRisk, &shop(0), window, &out, false);
        // Day 0 has no day before it; 6 and 19 would overlap (0..4 reaches to 4, 5..18 begins after it).
        assert_eq!(spans(&found), [(0, 4), (5, 18), (26, 39), (40, 53)]);
        assert!(found.iter().all(|(promotion, _)| promotion.store == Some(3)));
    }
}
