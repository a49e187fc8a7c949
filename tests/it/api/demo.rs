//! `POST /demo/run`.

use serde_json::{Value, json};

use crate::support::app::TestApp;

fn names(steps: &Value) -> Vec<(&str, &str)> {
    steps
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["step_name"].as_str().unwrap(), step["status"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_run_on_an_empty_database_goes_through_everything() {
    let app = TestApp::new().await;
    let ran = app.post("/demo/run", json!({"skip_seed": false})).await.json();
    assert_eq!(ran["overall_status"], "pass", "{ran:#}");
    assert_eq!(
        names(&ran["steps"]),
        [
            ("precheck", "pass"),
            ("reset", "skip"),
            ("seed", "pass"),
            ("status", "pass"),
            ("features", "pass"),
            ("train", "pass"),
            ("backtest", "pass"),
            ("register", "pass"),
            ("verify", "pass"),
            ("agent", "skip"),
            ("cleanup", "skip"),
        ]
    );
    let data = |step: usize| ran["steps"][step]["data"].clone();
    assert_eq!(
        (&data(2)["records_created"]["stores"], &data(2)["records_created"]["products"]),
        (&json!(3), &json!(10))
    );
    assert_eq!(
        (&data(3)["date_range_start"], &data(3)["date_range_end"]),
        (&json!("2024-10-01"), &json!("2024-12-31"))
    );
    assert_eq!(data(5)["trained"], json!(["naive", "seasonal_naive", "moving_average"]));
    assert!(data(4)["row_count"].is_u64() && data(4)["column_count"].is_u64());
    assert_eq!((&ran["alias"], &data(7)["alias"]), (&json!("demo-production"), &json!("demo-production")));
    assert_eq!((&ran["winning_run_id"], &ran["winner_wape"]), (&data(7)["run_id"], &data(6)["winner_wape"]));
    let alias = app.get("/registry/aliases/demo-production").await.json();
    assert_eq!(alias["run_id"], ran["winning_run_id"]);

    // The same data give the same winner; the alias moves to the new run.
    let again = app.post("/demo/run", json!({})).await.json();
    assert_eq!(
        (&again["overall_status"], &again["winner_wape"]),
        (&json!("pass"), &ran["winner_wape"]),
        "{again:#}"
    );
    assert_ne!(again["winning_run_id"], ran["winning_run_id"]);
    insta::assert_json_snapshot!("step", ran["steps"][6], {".timestamp" => "[time]", ".duration_ms" => "[time]"});
}

#[tokio::test]
async fn a_run_without_data_fails_at_its_fourth_step_and_answers_200() {
    let app = TestApp::new().await;
    let ran = app.post("/demo/run", json!({"reset": true})).await.json();
    assert_eq!(
        names(&ran["steps"]),
        [("precheck", "pass"), ("reset", "pass"), ("seed", "skip"), ("status", "fail")]
    );
    assert_eq!(
        (&ran["overall_status"], &ran["winner_model_type"], &ran["alias"]),
        (&json!("fail"), &Value::Null, &Value::Null)
    );
    assert!(ran["steps"][1]["data"]["records_deleted"].is_object());
}

#[tokio::test]
async fn one_run_at_a_time_and_only_a_body_that_fits() {
    let app = TestApp::new().await;
    let (first, second) =
        tokio::join!(app.post("/demo/run", json!({"skip_seed": false})), app.post("/demo/run", json!({})));
    assert_eq!(first.status.as_u16(), 200);
    assert!(second.problem(409, "conflict")["detail"].as_str().unwrap().contains("in progress"));
    assert_eq!(app.post("/demo/run", json!({})).await.status.as_u16(), 200);
    for (body, field) in
        [(json!({"seed": "42"}), "seed"), (json!({"reset": 1}), "reset"), (json!({"seed": -1}), "seed")]
    {
        assert_eq!(app.post("/demo/run", body).await.invalid()[0].0, field);
    }
    app.post_text("/demo/run", "").await.problem(422, "validation");
}

#[tokio::test]
async fn a_refused_step_tells_what_was_refused() {
    let app = TestApp::new().await;
    // Twenty days are too few for three folds.
    let order = json!({"scenario": "demo_minimal", "stores": 1, "products": 1, "start_date": "2024-01-01",
                       "end_date": "2024-01-20", "sparsity": 0.0});
    assert_eq!(app.post("/seeder/generate", order).await.status.as_u16(), 201);
    let ran = app.post("/demo/run", json!({})).await.json();
    let last = ran["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["status"], "fail", "{ran:#}");
    let detail = last["detail"].as_str().unwrap();
    assert!(detail.contains("400 Bad Request") && detail.contains("(request "), "{detail}");
}
