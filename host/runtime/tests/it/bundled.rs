//! The first-party plugins through the host.

use std::sync::Arc;

use retailcast_runtime::{
    Call, FeatureTable, FutureSet, GuestErrorCode, Input, PluginError, PluginSettings, State, TrainingSet,
};

use crate::support::{ahead, catalogue, one};

#[test]
fn every_bundled_plugin_loads_and_describes_itself() {
    let catalogue = catalogue(None, &[]);
    // The one that is off by default has tests of its own.
    for entry in catalogue.entries().iter().filter(|entry| entry.key != "embed_minilm") {
        let State::Loaded(description) = &entry.state else { panic!("{}: {:?}", entry.key, entry.state) };
        assert_eq!(description.name, entry.key);
        assert!(description.config_schema["properties"].is_object() || entry.key == "naive");
    }
    assert_eq!(
        catalogue.model_types(),
        [
            "croston",
            "elastic_net",
            "ets",
            "lightgbm",
            "moving_average",
            "naive",
            "regression",
            "seasonal_naive",
            "theta"
        ]
    );
}

#[test]
fn target_only_models_forecast_after_save_and_load_as_before() {
    let catalogue = catalogue(None, &[]);
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    for (name, config, expected) in [
        ("naive", "{}", [10.0, 10.0, 10.0]),
        ("seasonal_naive", r#"{"season_length":2}"#, [9.0, 10.0, 9.0]),
        ("moving_average", r#"{"window_size":4}"#, [8.5, 8.5, 8.5]),
    ] {
        let model = catalogue.model(name).unwrap();
        let mut session = model.session(&Call::default()).unwrap();
        let fitted = session.fit(config, one(&values)).unwrap();
        assert_eq!(session.predict(fitted, ahead(10, 3)).unwrap().points, expected, "{name}");
        let state = session.save(fitted).unwrap();

        let mut other = model.session(&Call::default()).unwrap();
        let loaded = other.load(&state).unwrap();
        assert_eq!(other.predict(loaded, ahead(10, 3)).unwrap().points, expected, "{name}");
    }
}

/// These series, all from the same Monday, with as many feature columns as the model asks for: the weekday everywhere.
fn panel(series: &[Vec<f64>], input: &Input, horizon: usize) -> (Arc<TrainingSet>, Arc<FutureSet>) {
    let columns = match input {
        Input::Series => 0,
        Input::Table { features, .. } => features.len(),
    };
    let names: Vec<String> = (0..columns).map(|column| format!("column_{column}")).collect();
    let weekdays = |days: &[i32]| -> Vec<f64> { days.iter().map(|day| f64::from(day % 7)).collect() };
    let table = |days: &[i32]| FeatureTable {
        names: names.clone(),
        rows: days.len(),
        values: weekdays(days).repeat(columns),
    };
    let length = |values: &Vec<f64>| values.len() as i32;
    let days: Vec<i32> = series.iter().flat_map(|values| 0..length(values)).collect();
    let starts: Vec<i32> = series.iter().map(length).collect();
    let future: Vec<i32> = starts.iter().flat_map(|start| *start..*start + horizon as i32).collect();
    let offsets = std::iter::once(0).chain(series.iter().scan(0, |end, values| {
        *end += values.len() as u32;
        Some(*end)
    }));
    (
        Arc::new(TrainingSet {
            offsets: offsets.collect(),
            features: table(&days),
            days,
            target: series.concat(),
        }),
        Arc::new(FutureSet { starts, horizon, features: table(&future) }),
    )
}

#[test]
fn every_model_answers_degenerate_series_without_a_trap() {
    let catalogue = catalogue(None, &[]);
    for name in catalogue.model_types() {
        let model = catalogue.model(&name).unwrap();
        let mut session = model.session(&Call::default()).unwrap();
        let config = model.config_schema().normalise(&serde_json::Map::new(), "config").unwrap().json();
        let requirements = session.requirements(&config).unwrap();
        let shortest = requirements.min_history;
        let spike = |at: usize| (0..100).map(|day| if day == at { 1e6 } else { 0.0 }).collect::<Vec<f64>>();
        let series = [
            vec![0.0; 100],
            vec![3.0; 100],
            spike(0),
            spike(99),
            (0..100).map(f64::from).collect(),
            (0..100).map(|day| 1e9 * f64::from(day % 2)).collect(),
            (0..shortest).map(|day| (day % 4) as f64).collect(),
            vec![0.0; shortest],
        ];
        let (data, future) = panel(&series, &requirements.input, 30);
        let fitted = session.fit(&config, data.clone()).unwrap();
        let forecasts = session.predict(fitted, future.clone()).unwrap();
        assert_eq!(forecasts.failures, [], "{name}");
        assert!(forecasts.points.iter().all(|point| point.is_finite()), "{name}");
        assert!(forecasts.series(0).iter().all(|point| *point == 0.0), "{name}: nothing was sold");
        assert!(forecasts.series(1).iter().all(|point| (2.8..=3.01).contains(point)), "{name}: a constant");

        let state = session.save(fitted).unwrap();
        let again = session.fit(&config, data).unwrap();
        assert_eq!(session.save(again).unwrap(), state, "{name}: the same data gives the same state");
        let loaded = model.session(&Call::default()).unwrap().load(&state);
        assert!(loaded.is_ok(), "{name}");
        let loaded = session.load(&state).unwrap();
        assert_eq!(session.predict(loaded, future).unwrap(), forecasts, "{name}");
    }
}

#[test]
fn seasonal_models_continue_the_week() {
    let catalogue = catalogue(None, &[]);
    let week = [5.0, 6.0, 7.0, 8.0, 12.0, 20.0, 2.0];
    let noise = [0.3, -0.4, 0.1, 0.5, -0.2];
    let history: Vec<f64> = (0..200).map(|day| week[day % 7] + noise[day % 5]).collect();
    for name in ["elastic_net", "ets", "seasonal_naive", "theta"] {
        let model = catalogue.model(name).unwrap();
        let mut session = model.session(&Call::default()).unwrap();
        let config = model.config_schema().normalise(&serde_json::Map::new(), "config").unwrap().json();
        let input = session.requirements(&config).unwrap().input;
        let (data, future) = panel(std::slice::from_ref(&history), &input, 14);
        let fitted = session.fit(&config, data).unwrap();
        for (step, point) in session.predict(fitted, future).unwrap().points.iter().enumerate() {
            let expected = week[(200 + step) % 7];
            assert!((point - expected).abs() < 1.5, "{name}, step {step}: {point}, expected {expected}");
        }
    }
}

#[test]
fn a_refusal_by_the_plugin_leaves_the_session_usable() {
    let catalogue = catalogue(None, &[]);
    let mut session = catalogue.model("seasonal_naive").unwrap().session(&Call::default()).unwrap();
    let error = session.fit(r#"{"season_length":7}"#, one(&[1.0, 2.0])).unwrap_err();
    let PluginError::Guest(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.code, GuestErrorCode::NotEnoughHistory);
    assert_eq!(refusal.message, "needs at least 7 values, found 2");
    assert!(session.fit(r#"{"season_length":2}"#, one(&[1.0, 2.0])).is_ok());
}

#[test]
fn a_stranger_s_state_is_refused() {
    let catalogue = catalogue(None, &[]);
    let mut naive = catalogue.model("naive").unwrap().session(&Call::default()).unwrap();
    let fitted = naive.fit("{}", one(&[1.0])).unwrap();
    let state = naive.save(fitted).unwrap();
    let mut other = catalogue.model("moving_average").unwrap().session(&Call::default()).unwrap();
    let error = other.load(&state).unwrap_err();
    assert!(
        matches!(&error, PluginError::Guest(e) if e.code == GuestErrorCode::ArtifactMismatch),
        "{error:?}"
    );
}

/// Two columns, 60 rows per series, all series alike: the target is three times the first column.
fn table(series: usize) -> (Arc<TrainingSet>, Arc<FutureSet>) {
    let rows = 60 * series;
    let x: Vec<f64> = (0..rows).map(|i| (i % 60 % 7) as f64).collect();
    let noise: Vec<f64> = (0..rows).map(|i| (i % 60 % 5) as f64).collect();
    let target = x.iter().map(|x| x * 3.0).collect();
    let names = vec!["x".to_owned(), "noise".to_owned()];
    let features = FeatureTable { names: names.clone(), rows, values: [x, noise].concat() };
    let offsets = (0..=series).map(|i| (i * 60) as u32).collect();
    let days = (0..series).flat_map(|_| 0..60).collect();
    let future: Vec<f64> = (0..7 * series).map(|i| (i % 7) as f64).collect();
    let features_ahead = FeatureTable { names, rows: 7 * series, values: [future.clone(), future].concat() };
    (
        Arc::new(TrainingSet { offsets, days, target, features }),
        Arc::new(FutureSet { starts: vec![60; series], horizon: 7, features: features_ahead }),
    )
}

#[test]
fn table_models_learn_through_the_host_and_do_not_mix_series() {
    let catalogue = catalogue(None, &[]);
    for (name, config) in [
        ("lightgbm", r#"{"n_estimators":50,"max_depth":6,"learning_rate":0.3}"#),
        ("regression", r#"{"max_iter":50,"max_depth":6,"learning_rate":0.3}"#),
    ] {
        let model = catalogue.model(name).unwrap();
        let mut session = model.session(&Call::default()).unwrap();
        let requirements = session.requirements(config).unwrap();
        assert_eq!(requirements.min_history, 30);
        let Input::Table { features, .. } = requirements.input else { panic!("{name} reads a table") };
        assert_eq!(features.len(), 14);

        let (data, future) = table(1);
        let fitted = session.fit(config, data).unwrap();
        let alone = session.predict(fitted, future.clone()).unwrap();
        assert!(alone.points[6] > alone.points[0] + 5.0, "{name}: {:?}", alone.points);
        let state = session.save(fitted).unwrap();
        let mut other = model.session(&Call::default()).unwrap();
        let loaded = other.load(&state).unwrap();
        assert_eq!(other.predict(loaded, future).unwrap(), alone, "{name}");

        let (data, future) = table(3);
        let fitted = session.fit(config, data).unwrap();
        let together = session.predict(fitted, future).unwrap();
        assert_eq!(together.series(1), alone.series(0), "{name}");
    }
}

#[test]
fn table_models_refuse_other_series_than_they_were_fitted_on() {
    let catalogue = catalogue(None, &[]);
    for name in ["lightgbm", "regression"] {
        let mut session = catalogue.model(name).unwrap().session(&Call::default()).unwrap();
        let fitted = session.fit("{}", table(1).0).unwrap();
        let state = session.save(fitted).unwrap();
        let loaded = session.load(&state).unwrap();
        let error = session.predict(loaded, table(2).1).unwrap_err();
        let PluginError::Guest(refusal) = &error else { panic!("{name}: {error:?}") };
        assert_eq!(refusal.message, "fitted on 1 series, asked for 2", "{name}");
        assert!(session.predict(loaded, table(1).1).is_ok(), "{name}: a refusal does not end the session");
    }
}

#[test]
fn a_forged_model_is_refused_as_a_stranger_s_state() {
    let catalogue = catalogue(None, &[]);
    let mut session = catalogue.model("lightgbm").unwrap().session(&Call::default()).unwrap();
    let fitted = session.fit("{}", table(1).0).unwrap();
    let mut state = session.save(fitted).unwrap();
    let at = state.windows(12).position(|window| window == b"num_class=1\n").unwrap();
    state[at + 10] = b'9';
    let error = session.load(&state).unwrap_err();
    let PluginError::Guest(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.code, GuestErrorCode::ArtifactMismatch);
    assert!(refusal.message.contains("`num_class=9`"), "{}", refusal.message);
}

#[test]
fn more_rounds_than_the_host_trains_are_unsupported() {
    let catalogue = catalogue(None, &[]);
    let mut session = catalogue.model("lightgbm").unwrap().session(&Call::default()).unwrap();
    let error = session.fit(r#"{"n_estimators":20000}"#, table(1).0).unwrap_err();
    let PluginError::Guest(refusal) = &error else { panic!("{error:?}") };
    assert_eq!(refusal.code, GuestErrorCode::Unsupported, "{}", refusal.message);
}

#[test]
fn without_its_grant_lightgbm_is_refused_with_the_line_that_allows_it() {
    let catalogue = catalogue(None, &[("lightgbm", PluginSettings::default())]);
    let entries = catalogue.entries();
    let entry = entries.iter().find(|entry| entry.key == "lightgbm").unwrap();
    let State::Refused(error) = &entry.state else { panic!("{:?}", entry.state) };
    assert_eq!(error.code(), "RC-P004");
    assert!(
        error.to_string().ends_with("\n[plugins.settings.lightgbm]\ngrants = [\"gradient-boosting\"]"),
        "{error}"
    );
    assert!(catalogue.model("naive").is_ok());
}

#[test]
fn a_pinned_digest_must_match() {
    let pinned = PluginSettings { sha256: Some("00".repeat(32)), ..PluginSettings::default() };
    let catalogue = catalogue(None, &[("naive", pinned)]);
    let error = catalogue.model("naive").err().unwrap();
    assert!(matches!(&error, PluginError::Unknown { .. }), "{error:?}");
    let entries = catalogue.entries();
    let State::Refused(error) = &entries.iter().find(|e| e.key == "naive").unwrap().state else {
        panic!("a wrong pin must refuse")
    };
    assert_eq!(error.code(), "RC-P005");
}
