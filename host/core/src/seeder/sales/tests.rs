//! The statistical shape of sales. Tolerances are five standard errors of what is measured, from the sample's size.

use std::collections::BTreeSet;

use super::*;
use crate::seeder::channels::ChannelOptions;
use crate::seeder::parameters::Substitution;
use crate::seeder::prices::PriceWindow;
use crate::seeder::promotions::Span;
use crate::seeder::window::Window;

fn window(days: i32) -> Window {
    // A Monday.
    let first: Day = "2024-01-01".parse().unwrap();
    Window::new(first, first + (days - 1)).unwrap()
}

fn shop(stores: i32, products: i32) -> Shop {
    let product = |id| Product { id: 100 + id, base_price: Some(1_000), launch: None, discontinue: None };
    Shop { stores: (1..=stores).collect(), products: (1..=products).map(product).collect() }
}

/// Base parameters without weekly profile, noise, anomalies and stock-outs.
fn quiet(days: i32) -> Parameters {
    let mut p = Parameters::base(window(days));
    p.time_series.weekly = [1.0; 7];
    (p.time_series.noise_sigma, p.time_series.anomaly_probability) = (0.0, 0.0);
    p.retail.stockout_probability = 0.0;
    p
}

fn world_with(
    parameters: &Parameters,
    shop: Shop,
    out: Stockouts,
    prices: PriceBook,
    promotions: PromotionBook,
) -> World {
    World::new(42, parameters.clone(), shop, out, prices, promotions)
}

/// With stock-outs drawn, constant prices and no promotions.
fn world(parameters: &Parameters, shop: Shop) -> World {
    let days = parameters.window.days();
    let pairs: Vec<Pair> = (0..shop.pairs()).map(|i| shop.pair(i)).collect();
    let out = Stockouts::draw(42, pairs.into_iter(), days, parameters.retail.stockout_probability);
    world_with(parameters, shop, out, PriceBook::default(), PromotionBook::default())
}

fn all(world: &World) -> Vec<Vec<Sale>> {
    (0..world.shop.pairs()).map(|i| world.sales(world.shop.pair(i)).unwrap()).collect()
}

fn quantities(world: &World) -> Vec<f64> {
    all(world).iter().flatten().map(|sale| f64::from(sale.quantity)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn without_any_effect_every_day_sells_the_base_demand() {
    let world = world(&quiet(30), shop(2, 3));
    let sales = all(&world);
    assert_eq!(sales.len(), 6);
    for pair in sales {
        assert_eq!(pair.len(), 30);
        assert!(pair.iter().all(|s| s.quantity == 100 && s.price == 1_000 && s.channel == Channel::InStore));
    }
}

#[test]
fn moments_of_the_noise() {
    let mut p = quiet(1_000);
    p.time_series.noise_sigma = 0.1;
    let found = quantities(&world(&p, shop(5, 10)));
    // 50,000 draws of N(100, 10), rounded: 10/√n = 0.045 and 10/√(2n) = 0.032.
    assert!((mean(&found) - 100.0).abs() < 0.23, "{}", mean(&found));
    let expected = (100.0_f64 + 1.0 / 12.0).sqrt();
    assert!((deviation(&found) - expected).abs() < 0.16, "{}", deviation(&found));
}

#[test]
fn anomalies_multiply_or_divide_equally_often() {
    let mut p = quiet(1_000);
    (p.time_series.anomaly_probability, p.time_series.anomaly_magnitude) = (0.05, 4.0);
    let found = quantities(&world(&p, shop(1, 20)));
    let count = |value: f64| found.iter().filter(|q| (**q - value).abs() < 0.5).count();
    // Binomial: 500 ± 22 each of 20,000.
    assert!(count(400.0).abs_diff(500) < 110 && count(25.0).abs_diff(500) < 110);
    assert_eq!(count(400.0) + count(25.0) + count(100.0), 20_000);
}

#[test]
fn the_weekday_profile() {
    let mut p = Parameters::base(window(700));
    p.time_series.anomaly_probability = 0.0;
    let world = world(&p, shop(4, 10));
    for (weekday, factor) in p.time_series.weekly.iter().enumerate() {
        let found: Vec<f64> = all(&world)
            .iter()
            .flatten()
            .filter(|sale| sale.day % 7 == weekday)
            .map(|sale| f64::from(sale.quantity))
            .collect();
        // Some 3,900 days each: at most 13/√3,900 = 0.21.
        assert!((mean(&found) - 100.0 * factor).abs() < 1.05, "weekday {weekday}: {}", mean(&found));
    }
}

#[test]
fn promotions_lift_where_and_when_they_are() {
    let p = quiet(10);
    let first = p.window.first();
    let span = |store, from: i32, to: i32| Span { product: 101, store, from: first + from, to: first + to };
    let book = PromotionBook::new([span(Some(2), 2, 3), span(None, 8, 40)]);
    let shop = shop(2, 2);
    let world = world_with(&p, shop, Stockouts::none(4, 10), PriceBook::default(), book);
    let lifted = |pair| {
        let sales = world.sales(world.shop.pair(pair)).unwrap();
        sales.iter().filter(|s| s.quantity == 130).map(|s| s.day).collect::<Vec<_>>()
    };
    assert_eq!((lifted(0), lifted(2)), (vec![8, 9], vec![2, 3, 8, 9]));
    assert!(lifted(1).is_empty() && lifted(3).is_empty());
}

#[test]
fn sales_follow_the_valid_price() {
    let p = quiet(4);
    let from = p.window.first() + 2;
    let book = PriceBook::new([PriceWindow { product: 101, store: None, price: 800, from, to: None }]);
    let world = world_with(&p, shop(1, 1), Stockouts::none(1, 4), book, PromotionBook::default());
    let found: Vec<(i32, Cents)> = all(&world)[0].iter().map(|s| (s.quantity, s.price)).collect();
    // -20 % with elasticity -0.5: +10 %.
    assert_eq!(found, [(100, 1_000), (100, 1_000), (110, 800), (110, 800)]);
}

#[test]
fn the_share_of_stockouts_is_missing_or_kept() {
    let mut p = quiet(1_000);
    p.retail.stockout_probability = 0.25;
    let rows = quantities(&world(&p, shop(2, 10))).len();
    // Binomial: 15,000 ± 61.
    assert!(rows.abs_diff(15_000) < 306, "{rows}");
    p.retail.stockout_behavior = StockoutBehavior::Backlog;
    assert_eq!(quantities(&world(&p, shop(2, 10))), vec![100.0; 20_000]);
}

#[test]
fn missing_pairs_and_gaps() {
    let mut p = quiet(200);
    p.sparsity.missing_combinations = 0.5;
    let sales = all(&world(&p, shop(3, 7)));
    assert_eq!(sales.iter().filter(|pair| pair.is_empty()).count(), 10);
    assert!(sales.iter().all(|pair| pair.is_empty() || pair.len() == 200));
    p.sparsity.gaps_per_series = 3;
    p.sparsity.gap_days = (2, 10);
    let gappy = all(&world(&p, shop(3, 7)));
    for (before, after) in sales.iter().zip(&gappy) {
        assert_eq!(before.is_empty(), after.is_empty());
        assert!(after.is_empty() || (170..200).contains(&after.len()));
    }
}

#[test]
fn new_products_ramp_up() {
    let p = quiet(60);
    let mut shop = shop(1, 1);
    shop.products[0].launch = Some(p.window.first() + 10);
    let ramp = &all(&world(&p, shop.clone()))[0];
    // Zero quantities before the launch are rows.
    assert_eq!(ramp.len(), 60);
    assert_eq!([0, 10, 25, 40, 59].map(|day| ramp[day].quantity), [0, 0, 50, 100, 100]);
    let mut off = p.clone();
    off.retail.new_product_ramp_days = 0;
    assert!(all(&world(&off, shop.clone()))[0].iter().all(|s| s.quantity == 100));
    let mut living = p.clone();
    living.features.lifecycle = Some(0.0);
    let life = &all(&world(&living, shop))[0];
    assert_eq!([9, 10, 25, 40, 59].map(|day| life[day].quantity), [0, 10, 55, 100, 100]);
}

#[test]
fn weather_moves_demand_by_degrees() {
    let mut p = quiet(366);
    p.features.temperature_sensitivity = Some(0.02);
    let world = world(&p, shop(1, 2));
    let degrees = signals::weather(42, 0, p.window);
    for sale in all(&world).iter().flatten() {
        let expected = 100.0 * (1.0 + 0.02 * (degrees[sale.day] - 15.0));
        assert!((f64::from(sale.quantity) - expected).abs() <= 0.5, "{expected}");
    }
    // On without an effect: sales are those without signals.
    let mut neutral = quiet(366);
    neutral.features.temperature_sensitivity = Some(0.0);
    assert_eq!(all(&self::world(&neutral, shop(1, 2))), all(&self::world(&quiet(366), shop(1, 2))));
}

#[test]
fn substitution_shares_what_is_missing_among_the_others() {
    let mut p = quiet(4);
    let group = |ids: &[i32]| ids.iter().copied().collect::<BTreeSet<i32>>();
    p.features.substitution =
        Some(Substitution { groups: vec![group(&[101, 102, 103, 999]), group(&[101, 104])], lift: 0.5 });
    // Day 0: nobody; 1: 102; 2: 102 and 103; 3: 102 and 104.
    let out = Stockouts::on(4, 4, &[(1, 1), (1, 2), (2, 2), (1, 3), (3, 3)]);
    let world = world_with(&p, shop(1, 4), out, PriceBook::default(), PromotionBook::default());
    let of = |pair| {
        let sales = world.sales(world.shop.pair(pair)).unwrap();
        sales.iter().map(|s| (s.day, s.quantity)).collect::<Vec<_>>()
    };
    // 101 shares with 103 (1 + 0.5·1/2); takes all alone (1 + 0.5·2/1); adds both groups (1 + 0.25 + 0.5).
    assert_eq!(of(0), [(0, 100), (1, 125), (2, 200), (3, 175)]);
    assert_eq!(of(1), [(0, 100)]);
    assert_eq!(of(2), [(0, 100), (1, 125), (3, 125)]);
    assert_eq!(of(3), [(0, 100), (1, 100), (2, 100)]);
}

#[test]
fn channels_change_no_quantity_but_online_on_promotion_days() {
    let mut p = quiet(2_000);
    let book = || {
        PromotionBook::new([Span {
            product: 101,
            store: None,
            from: p.window.first(),
            to: p.window.first() + 999,
        }])
    };
    let plain = world_with(&p, shop(1, 1), Stockouts::none(1, 2_000), PriceBook::default(), book());
    let promotions = book();
    p.features.channels = Some(ChannelOptions {
        mix: [0.0, 1.0, 1.0, 0.0],
        online_promo_uplift: 2.0,
        online_substitution_to_instore: 0.0,
    });
    let world = world_with(&p, shop(1, 1), Stockouts::none(1, 2_000), PriceBook::default(), promotions);
    let (before, after) = (&all(&plain)[0], &all(&world)[0]);
    let mut online = 0;
    for (before, after) in before.iter().zip(after) {
        let uplifted = after.channel == Channel::Online && after.day < 1_000;
        assert_eq!(after.quantity, before.quantity * if uplifted { 2 } else { 1 });
        online += usize::from(after.channel == Channel::Online);
    }
    assert!(online.abs_diff(1_000) < 112, "{online}");
}

#[test]
fn what_no_column_holds_is_refused() {
    let mut p = quiet(3);
    p.time_series.base_demand = 1e10;
    assert!(world(&p, shop(1, 1)).sales(Pair { store: 0, product: 0, index: 0 }).is_err());
    p.time_series.base_demand = f64::INFINITY;
    assert!(world(&p, shop(1, 1)).sales(Pair { store: 0, product: 0, index: 0 }).is_err());
}

#[test]
fn threads_and_keys_do_not_matter() {
    let mut p = Parameters::base(window(120));
    p.sparsity = crate::seeder::parameters::Sparsity {
        missing_combinations: 0.2,
        gaps_per_series: 2,
        gap_days: (1, 7),
    };
    let world = world(&p, shop(4, 9));
    let one = all(&world);
    for threads in [2, 3, 7] {
        let mut found: Vec<(usize, Vec<Sale>)> = std::thread::scope(|scope| {
            let part = |t: usize| {
                let world = &world;
                scope.spawn(move || {
                    let own = (0..world.shop.pairs()).rev().filter(|i| i % threads == t);
                    own.map(|i| (i, world.sales(world.shop.pair(i)).unwrap())).collect::<Vec<_>>()
                })
            };
            let handles: Vec<_> = (0..threads).map(part).collect();
            handles.into_iter().flat_map(|handle| handle.join().unwrap()).collect()
        });
        found.sort_by_key(|(i, _)| *i);
        assert!(found.into_iter().map(|(_, sales)| sales).eq(one.iter().cloned()), "{threads} threads");
    }
    // The same shop whose database counts from elsewhere.
    let mut other = shop(4, 9);
    other.stores.iter_mut().for_each(|id| *id += 70);
    other.products.iter_mut().for_each(|product| product.id += 7_000);
    assert_eq!(all(&self::world(&p, other)), one);
    let mut seeded = self::world(&p, shop(4, 9));
    seeded.seed = 43;
    assert_ne!(all(&seeded), one);
}
