//! Forecasts equal statsforecast 2.1's. `fixtures/make_fixtures.py` made the fixture.

use retailcast_plugin_croston::Croston;
use retailcast_sdk::component::EachSeries;
use retailcast_sdk::testing::{Panel, fit_predict};
use serde_json::Value;

/// Relative. The algorithms coincide; only the stopping widths of the two golden sections differ.
const TOLERANCE: f64 = 1e-6;

#[test]
fn every_variant_forecasts_as_statsforecast() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("fixtures/croston.json")).unwrap();
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let history: Vec<f64> = serde_json::from_value(case["y"].clone()).unwrap();
        let panel = Panel::of(&[&history]);
        for variant in ["classic", "sba", "optimized", "tsb"] {
            let config = format!(r#"{{"variant": "{variant}", "alpha_d": 0.2, "alpha_p": 0.05}}"#);
            let forecasts = fit_predict::<EachSeries<Croston>>(&config, &panel, &panel.future(2)).unwrap();
            let expected = case[variant].as_f64().unwrap();
            for found in forecasts.points {
                let error = (found - expected).abs();
                assert!(
                    error <= TOLERANCE * expected.abs(),
                    "{}, {variant}: {found}, statsforecast {expected}",
                    case["name"]
                );
            }
        }
    }
}
