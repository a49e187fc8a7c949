//! `/registry`: runs, aliases, comparison. Contract: `registry.md`.

use std::collections::HashSet;

use retailcast::config::DuplicatePolicy;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};

pub(super) const RUNS: &str = "/registry/runs";
const ALIASES: &str = "/registry/aliases";
const UNKNOWN: &str = "7be0c1d2f3a44e5f8a9b0c1d2e3f4a5b";
const STATES: [&str; 5] = ["pending", "running", "success", "failed", "archived"];

fn example() -> Value {
    json!({"model_type": "seasonal_naive",
        "model_config": {"model_type": "seasonal_naive", "season_length": 7, "schema_version": "1.0"},
        "data_window_start": "2025-01-01", "data_window_end": "2025-03-31", "store_id": 4, "product_id": 31})
}

/// The example with other members; null takes one away.
fn with(changes: Value) -> Value {
    let mut body = example();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().shift_remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}

async fn create(app: &TestApp, body: Value) -> Value {
    let answer = app.post(RUNS, body).await;
    assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
    answer.json()
}

pub(super) async fn new_run(app: &TestApp) -> String {
    id(&create(app, example()).await)
}

fn id(run: &Value) -> String {
    run["run_id"].as_str().unwrap().to_owned()
}

pub(super) async fn patch(app: &TestApp, run_id: &str, body: Value) -> Answer {
    app.patch(&format!("{RUNS}/{run_id}"), body).await
}

/// A new run that has reached this state.
async fn run_in(app: &TestApp, state: &str) -> String {
    let run_id = new_run(app).await;
    let way: &[&str] = match state {
        "pending" => &[],
        "running" => &["running"],
        "archived" => &["archived"],
        end => &["running", end],
    };
    for status in way {
        assert_eq!(patch(app, &run_id, json!({"status": status})).await.status.as_u16(), 200);
    }
    run_id
}

/// Runs and aliases with what differs from run to run blotted out.
macro_rules! shape {
    ($name:expr, $value:expr) => {
        insta::assert_json_snapshot!($name, $value, {
            ".**.run_id" => "[run_id]",
            ".**.created_at" => "[created_at]",
            ".**.updated_at" => "[updated_at]",
            ".**.started_at" => insta::dynamic_redaction(|value, _| if value.is_nil() { value } else { "[started_at]".into() }),
            ".**.completed_at" => insta::dynamic_redaction(|value, _| if value.is_nil() { value } else { "[completed_at]".into() }),
            ".**.rustc_version" => "[rustc_version]",
            ".**.engine" => "[engine]",
            ".**.plugin_digest" => "[plugin_digest]",
        })
    };
}

#[tokio::test]
async fn the_shapes() {
    let app = TestApp::new().await;
    let pending = create(&app, example()).await;
    shape!("registry_run_pending", &pending);
    let run_id = id(&pending);
    patch(&app, &run_id, json!({"status": "running"})).await;
    let hash = "AB".repeat(32);
    let done = patch(
        &app,
        &run_id,
        json!({"status": "success", "metrics": {"mae": 4.5, "ok": true}, "artifact_uri": "a/b.rcm",
            "artifact_hash": hash, "artifact_size_bytes": 5_000_000_000_i64, "error_message": "none"}),
    )
    .await
    .json();
    shape!("registry_run_success", &done);
    assert_eq!(app.get(&format!("{RUNS}/{run_id}")).await.json(), done);
    let other = create(
        &app,
        with(json!({"model_type": "not loaded", "model_config": null, "model_config_data": {"season_length": 14},
            "feature_config": {}, "agent_context": {"agent_id": "a"}, "git_sha": "abc",
            "data_window_start": "2025-02-01T00:00:00", "store_id": "4", "product_id": 31.0,
            "runtime_info_extras": {"os": "other", "feature_frame_version": 2, "feature_groups": ["lags"]}})),
    )
    .await;
    shape!("registry_run_extras", &other);
    shape!("registry_runs", app.get(&format!("{RUNS}?page_size=1")).await.json());
    shape!(
        "registry_comparison",
        app.get(&format!("/registry/compare/{run_id}/{}", id(&other))).await.json()
    );
    let alias = app.post(ALIASES, json!({"alias_name": "production", "run_id": run_id})).await;
    assert_eq!(alias.status.as_u16(), 201);
    shape!("registry_alias", alias.json());
    shape!("registry_aliases", app.get(ALIASES).await.json());
}

#[tokio::test]
async fn what_the_server_says_of_itself_is_text() {
    let app = TestApp::new().await;
    let info = create(&app, example()).await["runtime_info"].clone();
    assert!(info.as_object().unwrap().values().all(Value::is_string), "{info}");
    assert_eq!(info["plugin_name"], "seasonal_naive");
    assert_eq!(info["plugin_digest"].as_str().unwrap().len(), 64);
    for (key, beginning) in [("engine", "wasmtime "), ("rustc_version", "1.")] {
        assert!(info[key].as_str().unwrap().starts_with(beginning), "{info}");
    }
}

#[tokio::test]
async fn configurations_come_back_and_have_the_contract_s_hashes() {
    let app = TestApp::new().await;
    for (config, hash) in [
        (json!({"model_type": "naive"}), "dab039f4526243f8"),
        (json!({"a": [1, 2.0, null, true], "b": 1, "é": "ü"}), "026ff949311d087d"),
        (example()["model_config"].clone(), "6ec32ecfa5b2a916"),
        (json!({}), "44136fa355b3678a"),
    ] {
        let run = create(&app, with(json!({"model_config": config}))).await;
        assert_eq!((&run["model_config"], run["config_hash"].as_str()), (&config, Some(hash)));
    }
}

#[tokio::test]
async fn everything_that_does_not_fit_is_told_in_the_contract_s_order() {
    let app = TestApp::new().await;
    let errors = async |body: Value| {
        let told = app.post(RUNS, body).await.invalid();
        told.into_iter().map(|(field, kind)| format!("{field} {kind}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        errors(json!({})).await,
        "model_type missing, model_config missing, data_window_start missing, data_window_end missing, \
         store_id missing, product_id missing"
    );
    assert_eq!(
        errors(json!({"surprise": 1, "git_sha": "x".repeat(41), "agent_context": {"who": 1, "agent_id": 5},
            "product_id": 2_147_483_648_i64, "store_id": 0, "data_window_end": "2024-12-31",
            "data_window_start": "2025-01-01", "feature_config": [], "model_config": "x", "model_type": ""}))
        .await,
        "model_type string_too_short, model_config dict_type, feature_config dict_type, \
         data_window_end value_error, store_id greater_than_equal, product_id less_than_equal, \
         agent_context.agent_id string_type, agent_context.who extra_forbidden, git_sha string_too_long, \
         surprise extra_forbidden"
    );
    for (change, expected) in [
        (json!({"model_type": "x".repeat(51)}), "model_type string_too_long"),
        (json!({"model_config_data": {}}), "model_config_data extra_forbidden"),
        (json!({"model_config": null, "model_config_data": 1}), "model_config_data dict_type"),
        (json!({"model_config": {"deep": [{"x": "\0"}]}}), "model_config value_error"),
        (json!({"feature_config": {"\0": 1}}), "feature_config value_error"),
        (json!({"store_id": 1.5}), "store_id int_from_float"),
        (json!({"data_window_start": 20_250_101}), "data_window_start date_type"),
        (json!({"agent_context": "me"}), "agent_context dict_type"),
    ] {
        assert_eq!(errors(with(change)).await, expected);
    }
    let same_day = with(json!({"data_window_end": "2025-01-01", "model_type": "ü".repeat(50)}));
    create(&app, same_day).await;

    let run_id = new_run(&app).await;
    let told = patch(
        &app,
        &run_id,
        json!({"created_at": 1, "error_message": "x".repeat(2001), "artifact_size_bytes": -1,
            "artifact_hash": "abc", "artifact_uri": "x".repeat(501), "metrics": [], "status": "done"}),
    )
    .await
    .invalid();
    let told: Vec<_> = told.iter().map(|(field, kind)| format!("{field} {kind}")).collect();
    assert_eq!(
        told,
        [
            "status enum",
            "metrics dict_type",
            "artifact_uri string_too_long",
            "artifact_hash string_pattern_mismatch",
            "artifact_size_bytes greater_than_equal",
            "error_message string_too_long",
            "created_at extra_forbidden",
        ]
    );
    let not_hex = "g".repeat(64);
    assert_eq!(
        patch(&app, &run_id, json!({"artifact_hash": not_hex})).await.invalid()[0].1,
        "string_pattern_mismatch"
    );
    // 422 comes before 404.
    assert_eq!(patch(&app, UNKNOWN, json!({"status": 1})).await.invalid().len(), 1);
}

#[tokio::test]
async fn the_state_machine_is_the_contract_s_table() {
    let app = TestApp::new().await;
    let allowed = [
        ("pending", "running"),
        ("pending", "archived"),
        ("running", "success"),
        ("running", "failed"),
        ("running", "archived"),
        ("success", "archived"),
        ("failed", "archived"),
    ];
    for from in STATES {
        for to in STATES {
            let run_id = run_in(&app, from).await;
            let before = app.get(&format!("{RUNS}/{run_id}")).await.json();
            let answer = patch(&app, &run_id, json!({"status": to, "metrics": {"mae": 1}})).await;
            let after = app.get(&format!("{RUNS}/{run_id}")).await.json();
            if !allowed.contains(&(from, to)) {
                let detail = answer.problem(400, "bad-request")["detail"].as_str().unwrap().to_owned();
                assert!([from, to, "transition"].iter().all(|word| detail.contains(word)), "{detail}");
                assert_eq!(after, before, "{from} to {to} applied a part");
                continue;
            }
            assert_eq!(answer.json(), after);
            assert_eq!(after["status"], to);
            assert_eq!(after["metrics"], json!({"mae": 1}));
            let moved = |name: &str| after[name] != before[name];
            assert_eq!(moved("started_at"), to == "running", "{from} to {to}");
            assert_eq!(moved("completed_at"), ["success", "failed"].contains(&to), "{from} to {to}");
            assert!(moved("updated_at") && !moved("created_at"));
        }
    }
}

#[tokio::test]
async fn absent_and_null_leave_a_field_as_it_is() {
    let app = TestApp::new().await;
    let run_id = run_in(&app, "archived").await;
    let full = json!({"metrics": {"a": 1, "b": {"c": 2.5}}, "artifact_uri": "x", "artifact_size_bytes": 0,
        "artifact_hash": "0".repeat(64), "error_message": ""});
    let filled = patch(&app, &run_id, full.clone()).await.json();
    for (name, value) in full.as_object().unwrap() {
        assert_eq!(&filled[name], value);
    }
    let nulls: Value = full.as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
    for nothing in [json!({}), nulls, json!({"status": null})] {
        let answer = patch(&app, &run_id, nothing).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, filled.clone()));
    }
    let replaced = patch(&app, &run_id, json!({"metrics": {"z": 1}})).await.json();
    assert_eq!(replaced["metrics"], json!({"z": 1}));
    assert_eq!(replaced["artifact_uri"], "x");
}

#[tokio::test]
async fn of_competing_transitions_one_wins() {
    let app = TestApp::new().await;
    for _ in 0..5 {
        let run_id = run_in(&app, "running").await;
        let (app, run_id) = (&app, run_id.as_str());
        let attempts = (0..8).map(|i| {
            let status = if i % 2 == 0 { "success" } else { "failed" };
            let attempt = patch(app, run_id, json!({"status": status, "error_message": i.to_string()}));
            async move { (i, attempt.await) }
        });
        let answers: Vec<(i32, Answer)> = futures::future::join_all(attempts).await;
        let won: Vec<_> = answers.iter().filter(|(_, answer)| answer.status.as_u16() == 200).collect();
        assert_eq!(won.len(), 1);
        let run = app.get(&format!("{RUNS}/{run_id}")).await.json();
        assert_eq!(run["error_message"], won[0].0.to_string());
        assert_eq!(run, won[0].1.json());
    }
}

#[tokio::test]
async fn under_deny_sixteen_equal_creations_give_one_run() {
    let app = TestApp::with(|config| config.registry.duplicate_policy = DuplicatePolicy::Deny).await;
    let attempts = (0..16).map(|_| app.post(RUNS, example()));
    let answers = futures::future::join_all(attempts).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status.as_u16() == 201).collect();
    assert_eq!(made.len(), 1);
    let run_id = id(&made[0].json());
    for refused in answers.iter().filter(|answer| answer.status.as_u16() != 201) {
        let problem = refused.problem(409, "conflict");
        assert!(problem["detail"].as_str().unwrap().contains(&run_id), "{problem}");
    }
    // Each of the five values makes another run, the model type does not.
    for other in [
        json!({"store_id": 5}),
        json!({"product_id": 5}),
        json!({"data_window_start": "2025-01-02"}),
        json!({"data_window_end": "2025-04-01"}),
        json!({"model_config": {"model_type": "seasonal_naive", "season_length": 7.0, "schema_version": "1.0"}}),
    ] {
        create(&app, with(other)).await;
    }
    app.post(RUNS, with(json!({"model_type": "another"}))).await.problem(409, "conflict");
    patch(&app, &run_id, json!({"status": "archived"})).await;
    create(&app, example()).await;
}

#[tokio::test]
async fn otherwise_duplicates_are_registered_and_the_newest_counts() {
    for policy in [DuplicatePolicy::Allow, DuplicatePolicy::Detect] {
        let app = TestApp::with(|config| config.registry.duplicate_policy = policy).await;
        let ids: HashSet<String> = [new_run(&app).await, new_run(&app).await, new_run(&app).await].into();
        assert_eq!(ids.len(), 3);
        assert_eq!(app.get(RUNS).await.json()["total"], 3);
    }
}

#[tokio::test]
async fn lists_filter_sort_and_page() {
    let app = TestApp::new().await;
    for (model_type, store_id, product_id) in
        [("b", 1, 2), ("a", 2, 1), ("B", 1, 1), ("ä", 3, 1), ("a", 1, 3)]
    {
        let body = json!({"model_type": model_type, "store_id": store_id, "product_id": product_id});
        create(&app, with(body)).await;
    }
    let newest = id(&app.get(RUNS).await.json()["runs"][0]);
    patch(&app, &newest, json!({"status": "running"})).await;
    let list = async |query: &str| {
        let body = app.get(&format!("{RUNS}?{query}")).await.json();
        let runs = body["runs"].as_array().unwrap_or_else(|| panic!("{query}: {body}"));
        let told = |run: &Value| {
            format!("{}{}{}", run["model_type"].as_str().unwrap(), run["store_id"], run["product_id"])
        };
        format!("{} of {}", runs.iter().map(told).collect::<Vec<_>>().join(" "), body["total"])
    };
    for (query, expected) in [
        ("", "a13 ä31 B11 a21 b12 of 5"),
        ("sort_order=asc", "a13 ä31 B11 a21 b12 of 5"),
        ("sort_by=config_hash&sort_order=asc", "a13 ä31 B11 a21 b12 of 5"),
        ("sort_by=created_at", "b12 a21 B11 ä31 a13 of 5"),
        ("sort_by=created_at&sort_order=desc", "a13 ä31 B11 a21 b12 of 5"),
        ("sort_by=model_type", "B11 a13 a21 b12 ä31 of 5"),
        ("sort_by=model_type&sort_order=desc", "ä31 b12 a13 a21 B11 of 5"),
        ("sort_by=store_id", "a13 B11 b12 a21 ä31 of 5"),
        ("sort_by=product_id&sort_order=desc", "a13 b12 ä31 B11 a21 of 5"),
        ("sort_by=status&sort_order=desc", "a13 ä31 B11 a21 b12 of 5"),
        ("model_type=a", "a13 a21 of 2"),
        ("model_type=A", " of 0"),
        ("status=running", "a13 of 1"),
        ("status=archived", " of 0"),
        ("store_id=1&product_id=1", "B11 of 1"),
        ("store_id=1&status=pending", "B11 b12 of 2"),
        ("page=2&page_size=2", "B11 a21 of 5"),
        ("page=9&page_size=2", " of 5"),
    ] {
        assert_eq!(list(query).await, expected, "{query}");
    }
    let invalid = app
        .get(&format!("{RUNS}?page=0&page_size=101&status=done&store_id=0&product_id=x&sort_order=up"))
        .await
        .invalid();
    let told: Vec<_> = invalid.iter().map(|(field, kind)| format!("{field} {kind}")).collect();
    assert_eq!(
        told,
        [
            "query.page greater_than_equal",
            "query.page_size less_than_equal",
            "query.status enum",
            "query.store_id greater_than_equal",
            "query.product_id int_parsing",
            "query.sort_order string_pattern_mismatch",
        ]
    );
}

#[tokio::test]
async fn ids_that_cannot_be_are_unknown() {
    let app = TestApp::new().await;
    for text in [UNKNOWN, "1", "%00", "%FF", "a%2Fb", "7BE0C1D2F3A44E5F8A9B0C1D2E3F4A5B"] {
        app.get(&format!("{RUNS}/{text}")).await.problem(404, "not-found");
        app.get(&format!("{RUNS}/{text}/verify")).await.problem(404, "not-found");
        patch(&app, text, json!({})).await.problem(404, "not-found");
        patch(&app, text, json!({"status": "running"})).await.problem(404, "not-found");
        app.get(&format!("{ALIASES}/{text}")).await.problem(404, "not-found");
        app.delete(&format!("{ALIASES}/{text}")).await.problem(404, "not-found");
        app.get(&format!("/registry/compare/{text}/{UNKNOWN}")).await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn aliases_point_at_successful_runs_and_move() {
    let app = TestApp::new().await;
    let give = async |name: &str, run_id: &str, description: Value| {
        app.post(ALIASES, json!({"alias_name": name, "run_id": run_id, "description": description})).await
    };
    for state in STATES.into_iter().filter(|state| *state != "success") {
        let run_id = run_in(&app, state).await;
        let problem = give("production", &run_id, Value::Null).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(state), "{problem}");
    }
    for unknown in [UNKNOWN, "", "x"] {
        let problem = give("production", unknown, Value::Null).await.problem(400, "bad-request");
        assert!(problem["detail"].as_str().unwrap().contains(unknown), "{problem}");
    }
    let (first, second) = (run_in(&app, "success").await, run_in(&app, "success").await);
    let given = give("production", &first, "spring".into()).await.json();
    let moved = give("production", &second, Value::Null).await;
    assert_eq!(moved.status.as_u16(), 201);
    let moved = moved.json();
    assert_eq!((&moved["run_id"], &moved["description"]), (&json!(second), &Value::Null));
    assert_eq!(moved["created_at"], given["created_at"]);
    assert!(moved["updated_at"].as_str() > given["updated_at"].as_str(), "{moved} {given}");
    assert_eq!(app.get(&format!("{ALIASES}/production")).await.json(), moved);

    patch(&app, &second, json!({"status": "archived"})).await;
    assert_eq!(app.get(&format!("{ALIASES}/production")).await.json()["run_status"], "archived");

    for name in ["b", "a_1", "0", "a-1"] {
        give(name, &first, Value::Null).await;
    }
    let list = app.get(ALIASES).await.json();
    let names: Vec<_> = list.as_array().unwrap().iter().map(|a| a["alias_name"].as_str().unwrap()).collect();
    assert_eq!(names, ["0", "a-1", "a_1", "b", "production"]);

    let gone = app.delete(&format!("{ALIASES}/production")).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    app.delete(&format!("{ALIASES}/production")).await.problem(404, "not-found");
    app.get(&format!("{ALIASES}/production")).await.problem(404, "not-found");
    assert_eq!(app.get(&format!("{RUNS}/{second}")).await.json()["status"], "archived");
}

#[tokio::test]
async fn names_of_aliases() {
    let app = TestApp::new().await;
    let run_id = run_in(&app, "success").await;
    for (name, kind) in [
        (json!(""), "string_too_short"),
        (json!("a".repeat(101)), "string_too_long"),
        (json!("Production"), "string_pattern_mismatch"),
        (json!("-a"), "string_pattern_mismatch"),
        (json!("a\n"), "string_pattern_mismatch"),
        (json!("ä"), "string_pattern_mismatch"),
        (json!(1), "string_type"),
    ] {
        let answer = app.post(ALIASES, json!({"alias_name": name, "run_id": run_id})).await;
        assert_eq!(answer.invalid(), [("alias_name".to_owned(), kind.to_owned())], "{name}");
    }
    let answer = app.post(ALIASES, json!({"x": 1, "description": "x".repeat(501)})).await.invalid();
    let told: Vec<_> = answer.iter().map(|(field, kind)| format!("{field} {kind}")).collect();
    assert_eq!(
        told,
        ["alias_name missing", "run_id missing", "description string_too_long", "x extra_forbidden"]
    );
    assert_eq!(
        app.post(ALIASES, json!({"alias_name": "a".repeat(100), "run_id": run_id})).await.status.as_u16(),
        201
    );
}

#[tokio::test]
async fn comparisons_follow_their_laws() {
    let app = TestApp::new().await;
    let a = id(&create(&app, with(json!({"model_config": {"x": 1, "n": null, "deep": {"k": [1.0]}}}))).await);
    let b = id(&create(
        &app,
        with(json!({"model_config": {"x": 1.0, "y": 2, "deep": {"k": [1]}},
        "data_window_start": "2025-03-31"})),
    )
    .await);
    patch(&app, &a, json!({"metrics": {"mae": 4.5, "note": "n", "ok": true}})).await;
    patch(&app, &b, json!({"metrics": {"mae": 4, "Z": 1}})).await;
    let compare = async |a: &str, b: &str| app.get(&format!("/registry/compare/{a}/{b}")).await.json();
    let there = compare(&a, &b).await;
    assert_eq!(there["config_diff"], json!({"y": {"a": null, "b": 2}}));
    assert_eq!(
        there["metrics_diff"].to_string(),
        r#"{"Z":{"a":null,"b":1.0,"diff":null},"mae":{"a":4.5,"b":4.0,"diff":-0.5},"note":{"a":null,"b":null,"diff":null},"ok":{"a":1.0,"b":null,"diff":null}}"#
    );
    assert_eq!(
        there["data_window_diff"],
        json!({"start": {"a": "2025-01-01", "b": "2025-03-31"}, "end": {"a": "2025-03-31", "b": "2025-03-31"},
            "days": {"a": 90, "b": 1}})
    );
    let back = compare(&b, &a).await;
    assert_eq!((&back["run_a"], &back["run_b"]), (&there["run_b"], &there["run_a"]));
    assert_eq!(back["metrics_diff"]["mae"]["diff"], 0.5);
    let itself = compare(&a, &a).await;
    assert_eq!(itself["run_a"], itself["run_b"]);
    assert_eq!(itself["config_diff"], json!({}));
    assert_eq!(itself["metrics_diff"]["mae"], json!({"a": 4.5, "b": 4.5, "diff": 0.0}));
    for (a, b) in [(a.as_str(), UNKNOWN), (UNKNOWN, b.as_str()), (UNKNOWN, UNKNOWN)] {
        let problem = app.get(&format!("/registry/compare/{a}/{b}")).await.problem(404, "not-found");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(a) && detail.contains(b), "{detail}");
    }
}
