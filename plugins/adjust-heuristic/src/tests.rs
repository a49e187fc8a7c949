use retailcast_sdk::scenario::{Interval, Promotion, Window};

use super::*;

/// 2026-07-01.
const START: i32 = 20_635;

fn nothing() -> Assumptions {
    Assumptions { price: None, promotion: None, holidays: Vec::new(), stage: None }
}

fn window(first: i32, last: i32) -> Window {
    Window { first: START + first, last: START + last }
}

fn baseline(points: &[f64]) -> Baseline {
    Baseline { start: START, points: points.to_vec(), intervals: Vec::new() }
}

fn price(change: f64, during: Window) -> Assumptions {
    Assumptions { price: Some(PriceChange { change, during }), ..nothing() }
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{found} instead of {expected}");
    }
}

#[test]
fn the_contract_s_example() {
    let assumptions = Assumptions {
        promotion: Some(Promotion { kind: PromotionKind::Bogo, during: window(1, 1) }),
        holidays: vec![START + 2],
        stage: Some(LifeCycleStage::Decline),
        ..price(-0.15, window(0, 2))
    };
    let adjusted = AdjustHeuristic::adjust(&assumptions, &baseline(&[10.0; 4])).unwrap();
    assert_close(
        &adjusted.factors,
        &[1.033_037_804_113_932, 1.446_252_925_759_505, 1.342_949_145_348_112, 0.85],
    );
    assert_close(
        &adjusted.points,
        &[10.330_378_041_139_321, 14.462_529_257_595_05, 13.429_491_453_481_12, 8.5],
    );
}

#[test]
fn the_contract_s_check_values_of_the_price() {
    for (change, expected) in [
        (-0.9, 5.0),
        (-0.5, 2.297_396_709_994_069_8),
        (-0.2, 1.307_049_440_739_091_4),
        (-0.15, 1.215_338_593_075_214_3),
        (-0.1, 1.134_772_986_222_372_3),
        (0.0, 1.0),
        (0.1, 0.891_925_905_205_694_8),
        (0.2, 0.803_493_753_335_522_8),
        (0.5, 0.614_738_607_654_485_2),
        (1.0, 0.435_275_281_648_062_06),
        (5.0, 0.116_471_186_461_929_89),
    ] {
        let adjusted = AdjustHeuristic::adjust(&price(change, window(0, 0)), &baseline(&[1.0])).unwrap();
        assert_close(&adjusted.factors, &[expected]);
    }
}

#[test]
fn a_price_of_nothing_sells_as_much_as_anything_can() {
    for change in [-1.0, -2.0] {
        let adjusted = AdjustHeuristic::adjust(&price(change, window(0, 0)), &baseline(&[1.0])).unwrap();
        assert_eq!(adjusted.factors, [5.0]);
    }
}

#[test]
fn the_product_of_the_factors_stays_in_the_band() {
    let assumptions = Assumptions { holidays: vec![START], ..price(-0.9, window(0, 0)) };
    let adjusted = AdjustHeuristic::adjust(&assumptions, &baseline(&[2.0, 2.0])).unwrap();
    assert_eq!(adjusted.factors, [5.0, 1.0]);
    assert_eq!(adjusted.points, [10.0, 2.0]);
}

#[test]
fn nothing_changes_nothing_and_the_past_does_not_count() {
    let points = [0.1, 7.3, 1e9];
    for assumptions in [nothing(), price(-0.5, window(-9, -1)), price(-0.5, window(3, 8))] {
        let adjusted = AdjustHeuristic::adjust(&assumptions, &baseline(&points)).unwrap();
        assert_eq!((adjusted.factors, adjusted.points), (vec![1.0; 3], points.to_vec()));
    }
}

#[test]
fn sales_are_never_negative() {
    let adjusted = AdjustHeuristic::adjust(&nothing(), &baseline(&[-3.0, 2.0])).unwrap();
    assert_eq!(adjusted.points, [0.0, 2.0]);
}

#[test]
fn intervals_move_with_the_forecast() {
    let baseline = Baseline {
        intervals: vec![Interval { level: 0.8, lower: vec![-1.0, 4.0], upper: vec![6.0, 9.0] }],
        ..baseline(&[2.0, 6.0])
    };
    let assumptions = Assumptions { stage: Some(LifeCycleStage::Launch), ..nothing() };
    let adjusted = AdjustHeuristic::adjust(&assumptions, &baseline).unwrap();
    assert_close(&adjusted.intervals[0].upper, &[7.2, 10.8]);
    assert_close(&adjusted.intervals[0].lower[1..], &[4.8]);
    assert_eq!((adjusted.intervals[0].level, adjusted.intervals[0].lower[0]), (0.8, 0.0));
}
