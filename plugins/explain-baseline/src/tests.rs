use retailcast_sdk::explain::{Confidence, Direction, Holiday, PromotionSignal, Severity, StockSignal};

use super::*;

/// The contract's series; it ends on 2026-03-14.
const SERIES: [f64; 14] = [4.0, 6.0, 5.0, 7.0, 3.0, 8.0, 9.0, 5.0, 6.0, 7.0, 4.0, 6.0, 10.0, 12.0];
/// 2026-03-14.
const CUTOFF: i32 = 20_526;

fn subject(model_type: &str, config: &str) -> Subject {
    Subject {
        store_id: 3,
        product_id: 17,
        model_type: model_type.to_owned(),
        config: config.to_owned(),
        as_of: CUTOFF,
    }
}

fn quiet() -> Signals {
    Signals {
        window_days: 30,
        stock: StockSignal { snapshots: 0, stockouts: 0 },
        promotions: PromotionSignal { touching: 0, running: 0 },
        days_since_launch: None,
        holiday: None,
    }
}

fn explain(model_type: &str, config: &str, history: &[f64], signals: &Signals) -> Explained {
    ExplainBaseline::explain(&subject(model_type, config), history, signals, None).unwrap()
}

fn refusal(model_type: &str, config: &str, history: &[f64]) -> String {
    ExplainBaseline::explain(&subject(model_type, config), history, &quiet(), None).unwrap_err().message
}

fn numbers(explained: &Explained) -> Vec<(&str, f64, f64, Direction)> {
    explained.drivers.iter().map(|d| (d.name.as_str(), d.value, d.contribution, d.direction)).collect()
}

fn codes(explained: &Explained) -> Vec<(&str, Severity, &str)> {
    explained.reason_codes.iter().map(|r| (r.code.name(), r.severity, r.detail.as_str())).collect()
}

#[test]
fn the_contract_s_example() {
    let signals = Signals { promotions: PromotionSignal { touching: 1, running: 1 }, ..quiet() };
    let found = explain("moving_average", r#"{"window_size":7}"#, &SERIES, &signals);
    assert_eq!(found.forecast.to_bits(), 7.142_857_142_857_143_f64.to_bits());
    assert_eq!(
        numbers(&found),
        [
            ("window_mean", 7.142_857_142_857_143, 7.142_857_142_857_143, Direction::Positive),
            ("window_dispersion", 2.641_891_715_558_133, 0.0, Direction::Neutral),
        ]
    );
    assert_eq!(found.confidence, Confidence::High);
    assert_eq!(
        codes(&found),
        [(
            "promotion_overlap",
            Severity::Info,
            "1 promotion touches the last 30 days, 1 of them running on 2026-03-14."
        )]
    );
    assert_eq!(
        found.caveats,
        [
            "The drivers show the model's arithmetic; they do not prove business causality.",
            "A moving average reacts slowly to a recent change of level."
        ]
    );
    assert_eq!(
        found.summary,
        "moving_average expects 7.1 units for store 3, product 17 on 2026-03-15. Main driver: window_mean (7.1). \
         Confidence: high. Signals: promotion_overlap."
    );
}

#[test]
fn naive_and_seasonal_naive_on_the_same_series() {
    let naive = explain("naive", "{}", &SERIES, &quiet());
    assert_eq!(
        numbers(&naive),
        [
            ("last_observation", 12.0, 12.0, Direction::Positive),
            ("recent_trend", 1.142_857_142_857_143_2, 0.0, Direction::Positive),
        ]
    );
    assert_eq!((naive.forecast, naive.confidence, naive.reason_codes.len()), (12.0, Confidence::Medium, 0));
    assert!(naive.summary.ends_with("Confidence: medium. No signal was found."));

    let seasonal = explain("seasonal_naive", "{}", &SERIES, &quiet());
    assert_eq!(numbers(&seasonal), [("season_match", 5.0, 5.0, Direction::Positive)]);
    assert_eq!((seasonal.forecast, seasonal.confidence), (5.0, Confidence::Medium));
}

#[test]
fn one_value_less_than_comfortable_is_told() {
    let naive = explain("naive", "{}", &SERIES[1..], &quiet());
    assert_eq!((naive.drivers.len(), naive.confidence), (1, Confidence::Low));
    let seasonal = explain("seasonal_naive", "{}", &SERIES[1..], &quiet());
    assert_eq!(seasonal.confidence, Confidence::Low);
    // A steady window is trusted far even when it is the whole history.
    let moving = explain("moving_average", r#"{"window_size":3}"#, &[5.0, 5.0, 5.0], &quiet());
    assert_eq!(moving.confidence, Confidence::High);
    for (found, detail) in [
        (naive, "There are 13 observations, 14 would be comfortable."),
        (seasonal, "There are 13 observations, 14 would be comfortable."),
        (moving, "There are 3 observations, 6 would be comfortable."),
    ] {
        assert_eq!(codes(&found), [("insufficient_history", Severity::Warn, detail)]);
        assert!(found.caveats[2].contains("less reliable"), "{:?}", found.caveats);
    }
}

#[test]
fn spread_decides_the_confidence_of_a_moving_average() {
    let confidence = |window: &[f64]| {
        explain("moving_average", &format!(r#"{{"window_size":{}}}"#, window.len()), window, &quiet())
            .confidence
    };
    // Mean 2, deviation 1: exactly half.
    assert_eq!(confidence(&[1.0, 3.0]), Confidence::Medium);
    assert_eq!(confidence(&[1.1, 3.0]), Confidence::High);
    assert_eq!(confidence(&[0.0, 0.0]), Confidence::High);
}

#[test]
fn every_signal_at_once_in_the_contract_s_order() {
    let signals = Signals {
        stock: StockSignal { snapshots: 31, stockouts: 2 },
        promotions: PromotionSignal { touching: 3, running: 0 },
        days_since_launch: Some(29),
        holiday: Some(Holiday { name: Some("Spring Day".to_owned()) }),
        ..quiet()
    };
    let found = explain("naive", "{}", &[0.0], &signals);
    assert_eq!(
        codes(&found),
        [
            ("stockout_constrained", Severity::Warn, "2 of 31 snapshots in the last 30 days had no stock."),
            ("promotion_overlap", Severity::Info, "3 promotions touch the last 30 days."),
            (
                "lifecycle_decay",
                Severity::Info,
                "The product was launched 29 days before the cutoff; demand may settle."
            ),
            ("holiday_effect", Severity::Info, "2026-03-15 is a holiday: Spring Day."),
            ("insufficient_history", Severity::Warn, "There are 1 observations, 14 would be comfortable."),
        ]
    );
    assert!(found.caveats[2].contains("below true demand") && found.caveats[3].contains("less reliable"));
    assert_eq!(numbers(&found), [("last_observation", 0.0, 0.0, Direction::Positive)]);
}

#[test]
fn a_product_is_new_from_its_launch_for_thirty_days() {
    for (age, fires) in [(-1, false), (0, true), (29, true), (30, false)] {
        let signals = Signals { days_since_launch: Some(age), ..quiet() };
        let found = explain("naive", "{}", &SERIES, &signals);
        assert_eq!(!found.reason_codes.is_empty(), fires, "{age} days after the launch");
    }
}

#[test]
fn too_short_a_series_names_what_is_needed() {
    assert!(refusal("naive", "{}", &[]).contains("empty"));
    assert_eq!(
        refusal("seasonal_naive", "{}", &SERIES[..6]),
        "seasonal_naive needs at least 7 observations, found 6"
    );
    assert!(refusal("moving_average", r#"{"window_size":20}"#, &SERIES).contains("at least 20"));
}

#[test]
fn parameters_that_make_no_sense_and_strangers_are_refused() {
    assert_eq!(
        refusal("seasonal_naive", r#"{"season_length":-3}"#, &SERIES),
        "season_length is -3, it must be at least 1"
    );
    assert!(refusal("moving_average", r#"{"window_size":0}"#, &SERIES).contains("at least 1"));
    assert!(refusal("lightgbm", "{}", &SERIES).contains("only naive, seasonal_naive, moving_average"));
    // The parameter of another model does not matter.
    explain("naive", r#"{"season_length":-3}"#, &SERIES, &quiet());
}
