//! Explainers and scenario adjusters through the host.

use retailcast_runtime::explain::{
    Confidence, Method, PromotionSignal, Reason, Signals, StockSignal, Subject,
};
use retailcast_runtime::scenario::{
    Assumptions, Baseline, IntervalBounds, LifeCycleStage, PriceChange, Promotion, PromotionKind, Window,
};
use retailcast_runtime::{Call, GuestErrorCode, Kind, PluginError, PluginSettings, State};

use crate::support::catalogue;

/// 2026-07-01.
const START: i32 = 20_635;

fn subject(model_type: &str, config: &str) -> Subject {
    Subject {
        store_id: 3,
        product_id: 17,
        model_type: model_type.to_owned(),
        config: config.to_owned(),
        as_of: 20_526,
    }
}

#[test]
fn every_plugin_is_listed_with_its_kind_and_serves_as_nothing_else() {
    let catalogue = catalogue(None, &[]);
    let kind = |key: &str| {
        let entries = catalogue.entries();
        let State::Loaded(said) = &entries.iter().find(|entry| entry.key == key).unwrap().state else {
            panic!("{key} is not loaded")
        };
        said.kind
    };
    assert_eq!(kind("naive"), Kind::ForecastModel);
    assert_eq!(kind("explain_baseline"), Kind::Explainer);
    assert_eq!(kind("adjust_heuristic"), Kind::ScenarioAdjuster);
    assert!(matches!(catalogue.model("adjust_heuristic"), Err(PluginError::Unknown { .. })));
    let Err(unknown) = catalogue.adjuster("naive") else { panic!("naive adjusts nothing") };
    assert!(unknown.to_string().contains("adjust_heuristic"), "{unknown}");
    assert!(catalogue.explainer_of("ets").is_none());
}

#[test]
fn a_scenario_adjuster_gets_every_assumption_and_its_intervals_come_back() {
    let adjuster = catalogue(None, &[]).adjuster("adjust_heuristic").unwrap();
    let window = |first, last| Window { first: START + first, last: START + last };
    let assumptions = Assumptions {
        price: Some(PriceChange { change: -0.15, during: window(0, 2) }),
        promotion: Some(Promotion { kind: PromotionKind::Bogo, during: window(1, 1) }),
        holidays: vec![START + 2],
        stage: Some(LifeCycleStage::Decline),
    };
    let interval = IntervalBounds { level: 0.8, lower: vec![0.0; 4], upper: vec![20.0; 4] };
    let baseline = Baseline { start: START, points: vec![10.0; 4], intervals: vec![interval] };
    let answer = adjuster.adjust(&assumptions, &baseline, &Call::default()).unwrap();
    let expected = [10.330_378_041_139_321, 14.462_529_257_595_05, 13.429_491_453_481_12, 8.5];
    for (found, expected) in answer.points.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{:?}", answer.points);
    }
    let [interval] = &answer.intervals[..] else { panic!("{:?}", answer.intervals) };
    assert_eq!((interval.level, interval.lower[0], interval.upper[3]), (0.8, 0.0, 17.0));
}

#[test]
fn an_explainer_gets_every_signal() {
    let explainer = catalogue(None, &[]).explainer_of("moving_average").unwrap();
    let signals = Signals {
        window_days: 30,
        stock: StockSignal { snapshots: 31, stockouts: 2 },
        promotions: PromotionSignal { touching: 1, running: 1 },
        days_since_launch: Some(3),
        holiday: Some(Some("Spring Day".to_owned())),
    };
    let config = subject("moving_average", r#"{"window_size":2}"#);
    let answer = explainer.explain(&config, &[1.0, 3.0], &signals, None, &Call::default()).unwrap();
    assert_eq!((answer.forecast, answer.confidence), (2.0, Confidence::Medium));
    assert_eq!((answer.method, explainer.models()[2].needs_fitted), (Method::RuleBased, false));
    let codes: Vec<Reason> = answer.reason_codes.iter().map(|reason| reason.code).collect();
    assert_eq!(
        codes,
        [
            Reason::StockoutConstrained,
            Reason::PromotionOverlap,
            Reason::LifecycleDecay,
            Reason::HolidayEffect,
            Reason::InsufficientHistory
        ]
    );
    assert_eq!(answer.reason_codes[3].detail, "2026-03-15 is a holiday: Spring Day.");
    assert_eq!(answer.drivers[0].name, "window_mean");
}

#[test]
fn a_refusal_keeps_its_code() {
    let explainer = catalogue(None, &[]).explainer_of("naive").unwrap();
    let refused = explainer
        .explain(&subject("naive", "{}"), &[], &Signals::default(), None, &Call::default())
        .unwrap_err();
    let PluginError::Guest(refusal) = refused else { panic!("{refused}") };
    assert_eq!(refusal.code, GuestErrorCode::NotEnoughHistory);
    assert!(refusal.message.contains("empty"), "{}", refusal.message);
}

#[test]
fn an_explainer_that_is_switched_off_explains_nothing() {
    let off = PluginSettings { enabled: false, ..PluginSettings::default() };
    let catalogue = catalogue(None, &[("explain_trees", off)]);
    assert!(catalogue.explainer_of("lightgbm").is_none() && catalogue.explainer_of("regression").is_none());
    assert_eq!(catalogue.explained_models(), ["moving_average", "naive", "seasonal_naive"]);
}
