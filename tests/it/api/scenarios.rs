//! `/scenarios/*`.

use serde_json::{Value, json};

use crate::support::app::TestApp;
use crate::support::model_file;

/// Store 1 and product 1 sell ten a day until 2026-06-30, at 4.50; a naive model is trained on it.
async fn app_with_level_ten() -> (TestApp, String) {
    let app = TestApp::new().await;
    let run_id = level_ten(&app).await;
    (app, run_id)
}

/// The same in this application; the key of the model.
pub(super) async fn level_ten(app: &TestApp) -> String {
    for statement in [
        "insert into store (code, name) values ('S1', 'One')",
        "insert into product (sku, name) values ('P1', 'One')",
        "insert into calendar (date, day_of_week, month, quarter, year)
         select day, extract(isodow from day)::int - 1, extract(month from day)::int,
                extract(quarter from day)::int, extract(year from day)::int
         from generate_series('2026-01-01'::date, '2026-12-31', '1 day') as day",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2026-03-01'::date + i, 10, 4.50, 45 from generate_series(0, 121) as i",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    trained(app, json!({"model_type": "naive"})).await
}

/// Trains on everything and gives the key of the artifact.
async fn trained(app: &TestApp, config: Value) -> String {
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2026-03-01", "train_end_date": "2026-06-30",
                      "config": config});
    let trained = app.post("/forecasting/train", body).await.json();
    let path = trained["model_path"].as_str().unwrap();
    path.rsplit('/').next().unwrap().trim_start_matches("model_").trim_end_matches(".rcm").to_owned()
}

/// The contract's example.
fn example(run_id: &str) -> Value {
    json!({"run_id": run_id, "horizon": 4, "assumptions": {
        "price": {"change_pct": -0.15, "start_date": "2026-07-01", "end_date": "2026-07-03"},
        "promotion": {"kind": "bogo", "start_date": "2026-07-02", "end_date": "2026-07-02"},
        "holiday": {"dates": ["2026-07-03"]},
        "inventory": {"on_hand_units": 45},
        "lifecycle": {"stage": "decline"}}})
}

fn plan(run_id: &str, name: &str, change_pct: f64) -> Value {
    json!({"name": name, "run_id": run_id, "horizon": 4, "tags": ["q3", name],
           "assumptions": {"price": {"change_pct": change_pct, "start_date": "2026-07-04", "end_date": "2026-07-01"}}})
}

fn close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[tokio::test]
async fn the_contract_s_example_to_the_number() {
    let (app, run_id) = app_with_level_ten().await;
    let found = app.post("/scenarios/simulate", example(&run_id)).await.json();
    let expected = [
        ("2026-07-01", 10.330_378_041_139_321, 1.033_037_804_113_932),
        ("2026-07-02", 14.462_529_257_595_05, 1.446_252_925_759_505),
        ("2026-07-03", 13.429_491_453_481_12, 1.342_949_145_348_112),
        ("2026-07-04", 8.5, 0.85),
    ];
    for (point, (date, scenario, factor)) in found["points"].as_array().unwrap().iter().zip(expected) {
        assert_eq!((&point["date"], &point["baseline"]), (&json!(date), &json!(10.0)));
        close(&point["scenario"], scenario);
        close(&point["delta"], scenario - 10.0);
        close(&point["applied_factor"], factor);
    }
    for (name, expected) in [
        ("baseline_total_units", 40.0),
        ("scenario_total_units", 46.722_398_752_215_49),
        ("units_delta", 6.722_398_752_215_49),
        ("units_delta_pct", 16.805_996_880_538_725),
        ("unit_price_used", 4.5),
        ("baseline_revenue", 180.0),
        ("scenario_revenue", 210.250_794_384_969_7),
        ("revenue_delta", 30.250_794_384_969_71),
    ] {
        close(&found[name], expected);
    }
    for (name, expected) in [
        ("store_id", json!(1)),
        ("product_id", json!(1)),
        ("model_type", json!("naive")),
        ("horizon", json!(4)),
        ("coverage_verdict", json!("at_risk")),
        ("method", json!("heuristic")),
    ] {
        assert_eq!(found[name], expected, "{found}");
    }
    let mut members: Vec<&String> = found.as_object().unwrap().keys().collect();
    members.sort();
    insta::assert_json_snapshot!("comparison_members", members);
}

#[tokio::test]
async fn no_assumptions_change_nothing() {
    let (app, run_id) = app_with_level_ten().await;
    let regression = trained(&app, json!({"model_type": "regression", "max_iter": 20})).await;
    for (run_id, method) in [(run_id, "heuristic"), (regression, "model_exogenous")] {
        let found = app.post("/scenarios/simulate", json!({"run_id": run_id, "horizon": 90})).await.json();
        assert_eq!(found["method"], method);
        assert_eq!(found["points"].as_array().unwrap().len(), 90);
        assert_eq!((&found["units_delta"], &found["revenue_delta"]), (&json!(0.0), &json!(0.0)), "{found}");
        assert_eq!(found["coverage_verdict"], "unknown");
        assert!(found["points"].as_array().unwrap().iter().all(|point| point["applied_factor"] == 1.0));
    }
}

#[tokio::test]
async fn a_reversed_window_counts_as_the_same_and_one_before_the_horizon_as_none() {
    let (app, run_id) = app_with_level_ten().await;
    let simulate = async |start: &str, end: &str| {
        let price = json!({"change_pct": 0.2, "start_date": start, "end_date": end});
        let body = json!({"run_id": run_id, "horizon": 4, "assumptions": {"price": price}});
        app.post("/scenarios/simulate", body).await.json()["points"].clone()
    };
    assert_eq!(simulate("2026-07-03", "2026-07-01").await, simulate("2026-07-01", "2026-07-03").await);
    let past = simulate("2026-05-01", "2026-06-30").await;
    assert!(past.as_array().unwrap().iter().all(|point| point["scenario"] == 10.0), "{past}");
}

/// Nothing that was sold after the origin, and no recorded promotion, has a part in a scenario.
#[tokio::test]
async fn a_scenario_sees_nothing_after_the_origin() {
    let (app, _) = app_with_level_ten().await;
    let run_id = trained(&app, json!({"model_type": "regression", "max_iter": 20})).await;
    let body = json!({"run_id": run_id, "horizon": 28, "assumptions": {
        "price": {"change_pct": -0.3, "start_date": "2026-07-01", "end_date": "2026-07-28"}}});
    let before = app.post("/scenarios/simulate", body.clone()).await.json();
    for statement in [
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select 1, 1, '2026-07-01'::date + i, 999, 4.50, 45 from generate_series(0, 40) as i",
        "insert into promotion (product_id, store_id, name, start_date, end_date)
         values (1, null, 'summer', '2026-07-01', '2026-07-28')",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    let after = app.post("/scenarios/simulate", body).await.json();
    assert_eq!(after["points"], before["points"]);
    assert_eq!(before["method"], "model_exogenous");
}

#[tokio::test]
async fn a_plan_reads_back_as_it_was_saved_when_its_model_is_gone() {
    let (app, run_id) = app_with_level_ten().await;
    let mut body = example(&run_id);
    // Numbers that a database may keep in another way, and members out of their order.
    body["assumptions"]["price"] =
        json!({"end_date": "2026-07-03", "change_pct": 0.1 + 0.2 - 0.4, "start_date": "2026-07-01"});
    body["name"] = json!("July push \u{e9} \u{1f4a7} \"quoted\"");
    body["tags"] = json!(["q3", "promo", "q3"]);
    let answer = app.post("/scenarios", body.clone()).await;
    assert_eq!(answer.status.as_u16(), 201);
    let saved = answer.json();
    assert_eq!(saved["tags"], json!(["q3", "promo", "q3"]));
    assert_eq!((&saved["source"], &saved["approved_by"]), (&json!("user"), &Value::Null));
    assert_eq!(saved["scenario_id"].as_str().unwrap().len(), 32);
    std::fs::remove_dir_all(app.models.path()).unwrap();
    let path = format!("/scenarios/{}", saved["scenario_id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.text, answer.text, "to the byte");

    assert_eq!(app.delete(&path).await.status.as_u16(), 204);
    app.delete(&path).await.problem(404, "not-found");
    app.get(&path).await.problem(404, "not-found");
}

#[tokio::test]
async fn plans_are_listed_newest_first_and_by_all_tags() {
    let (app, run_id) = app_with_level_ten().await;
    assert_eq!(app.get("/scenarios").await.json(), json!({"scenarios": [], "total": 0}));
    for (name, change) in [("cheaper", -0.1), ("dearer", 0.1)] {
        assert_eq!(app.post("/scenarios", plan(&run_id, name, change)).await.status.as_u16(), 201);
    }
    let page = app.get("/scenarios").await.json();
    assert_eq!((&page["total"], &page["scenarios"][0]["name"]), (&json!(2), &json!("dearer")));
    assert!(page["scenarios"][0]["units_delta"].as_f64().unwrap() < 0.0);
    let tagged = app.get("/scenarios?tags=q3&tags=cheaper").await.json();
    assert_eq!((&tagged["total"], &tagged["scenarios"][0]["name"]), (&json!(1), &json!("cheaper")));
    assert_eq!(app.get("/scenarios?tags=Q3").await.json()["total"], 0);
    assert_eq!(app.get("/scenarios?limit=1&offset=1").await.json()["scenarios"][0]["name"], "cheaper");
    for query in ["limit=0", "limit=101", "offset=-1", "limit=x"] {
        app.get(&format!("/scenarios?{query}")).await.problem(422, "validation");
    }
}

#[tokio::test]
async fn plans_are_ranked_best_first() {
    let (app, run_id) = app_with_level_ten().await;
    let mut ids = Vec::new();
    for (name, change) in [("dearer", 0.2), ("cheaper", -0.2)] {
        let saved = app.post("/scenarios", plan(&run_id, name, change)).await.json();
        ids.push(saved["scenario_id"].as_str().unwrap().to_owned());
    }
    let ranked = app.post("/scenarios/compare", json!({"scenario_ids": ids})).await.json();
    let rows: Vec<(&Value, &Value)> =
        ranked["scenarios"].as_array().unwrap().iter().map(|row| (&row["name"], &row["rank"])).collect();
    assert_eq!(rows, [(&json!("cheaper"), &json!(1)), (&json!("dearer"), &json!(2))]);
    assert_eq!(
        (&ranked["baseline_total_units"], &ranked["rank_by"]),
        (&json!(40.0), &json!("revenue_delta"))
    );
    let first = &ranked["chart_series"][0];
    assert_eq!((&first["date"], &first["baseline"]), (&json!("2026-07-01"), &json!(10.0)));
    assert!(first[&ids[0]].as_f64() < first[&ids[1]].as_f64());
    let twice = json!({"scenario_ids": [ids[0], ids[0]], "rank_by": "units_delta"});
    assert_eq!(app.post("/scenarios/compare", twice).await.json()["scenarios"].as_array().unwrap().len(), 2);

    let unknown = json!({"scenario_ids": ["beef", ids[0], "cafe"]});
    let problem = app.post("/scenarios/compare", unknown).await.problem(404, "not-found");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.find("beef").unwrap() < detail.find("cafe").unwrap(), "{detail}");
    for body in [
        json!({"scenario_ids": [ids[0]]}),
        json!({"scenario_ids": [ids[0], ids[0], ids[0], ids[0], ids[0], ids[0]]}),
        json!({"scenario_ids": ids, "rank_by": "name"}),
        json!({"scenario_ids": ids, "rank_by": null}),
    ] {
        app.post("/scenarios/compare", body).await.problem(422, "validation");
    }
}

#[tokio::test]
async fn bad_keys_and_bodies_get_the_contract_s_answers() {
    let (app, run_id) = app_with_level_ten().await;
    for key in ["../secret", "a/b", "model.rcm", "ä", " "] {
        app.post("/scenarios/simulate", json!({"run_id": key, "horizon": 4}))
            .await
            .problem(400, "bad-request");
    }
    app.post("/scenarios/simulate", json!({"run_id": "0a1b2c3d4e5f", "horizon": 4}))
        .await
        .problem(404, "not-found");
    let price =
        |change: Value| json!({"change_pct": change, "start_date": "2026-07-01", "end_date": "2026-07-02"});
    for (assumptions, field) in [
        (json!({"price": price(json!(-0.91))}), "assumptions.price.change_pct"),
        (json!({"price": price(json!(5.1))}), "assumptions.price.change_pct"),
        (json!({"price": price(json!("0.1"))}), "assumptions.price.change_pct"),
        (json!({"price": {"change_pct": 0.1, "start_date": "2026-07-01"}}), "assumptions.price.end_date"),
        (
            json!({"promotion": {"kind": "gift", "start_date": "2026-07-01", "end_date": "2026-07-02"}}),
            "assumptions.promotion.kind",
        ),
        (json!({"holiday": {"dates": []}}), "assumptions.holiday.dates"),
        (json!({"inventory": {"on_hand_units": -1}}), "assumptions.inventory.on_hand_units"),
        (json!({"inventory": {"on_hand_units": 1.5}}), "assumptions.inventory.on_hand_units"),
        (json!({"lifecycle": {"stage": "old"}}), "assumptions.lifecycle.stage"),
        (json!(null), "assumptions"),
    ] {
        let body = json!({"run_id": run_id, "horizon": 4, "assumptions": assumptions});
        let invalid = app.post("/scenarios/simulate", body).await.invalid();
        assert_eq!(invalid[0].0, field, "{invalid:?}");
    }
    for (body, field) in [
        (json!({"horizon": 4}), "run_id"),
        (json!({"run_id": "", "horizon": 4}), "run_id"),
        (json!({"run_id": run_id, "horizon": 91}), "horizon"),
        (json!({"run_id": run_id, "horizon": 4.0}), "horizon"),
    ] {
        let invalid = app.post("/scenarios/simulate", body).await.invalid();
        assert_eq!(invalid[0].0, field, "{invalid:?}");
    }
}

/// The bodies of a plan with intervals and of a model that was asked, which has many digits.
#[tokio::test]
async fn plans_of_every_kind_read_back_to_the_byte() {
    let (app, _) = app_with_level_ten().await;
    sqlx::query("update sales_daily set quantity = 3 + (extract(doy from date)::int * 7) % 11")
        .execute(&app.pool)
        .await
        .unwrap();
    let regression = trained(&app, json!({"model_type": "regression", "max_iter": 20})).await;
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2026-03-01", "train_end_date": "2026-06-30",
                      "config": {"model_type": "ets"}, "calibration": {}});
    let calibrated =
        app.post("/forecasting/train", body).await.json()["model_path"].as_str().unwrap().to_owned();
    let calibrated = calibrated.rsplit("model_").next().unwrap().trim_end_matches(".rcm").to_owned();
    let mut saved = Vec::new();
    for run_id in [regression, calibrated] {
        let answer = app.post("/scenarios", plan(&run_id, "kept", -0.07)).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text);
        saved.push((answer.json()["scenario_id"].as_str().unwrap().to_owned(), answer.text));
    }
    assert!(saved[1].1.contains("lower"), "{}", saved[1].1);
    std::fs::remove_dir_all(app.models.path()).unwrap();
    for (scenario_id, text) in saved {
        assert_eq!(app.get(&format!("/scenarios/{scenario_id}")).await.text, text);
    }
}

/// Section 3 of the contract: what an artifact has to say of itself.
#[tokio::test]
async fn an_artifact_that_does_not_say_enough_is_400() {
    let (app, naive) = app_with_level_ten().await;
    let regression = trained(&app, json!({"model_type": "regression", "max_iter": 20})).await;
    for (run_id, member) in [
        (&naive, "store_id"),
        (&naive, "product_id"),
        (&regression, "feature_columns"),
        (&regression, "history_tail"),
    ] {
        let file = app.models.path().join(format!("models/model_{run_id}.rcm"));
        let whole = std::fs::read(&file).unwrap();
        for lacking in [None, Some(Value::Null)] {
            model_file::rewrite(&file, |header, _| {
                let metadata = header["metadata"].as_object_mut().unwrap();
                match lacking {
                    None => drop(metadata.remove(member)),
                    Some(null) => drop(metadata.insert(member.to_owned(), null)),
                }
            });
            for (path, body) in [
                ("/scenarios/simulate", json!({"run_id": run_id, "horizon": 4})),
                ("/scenarios", plan(run_id, "none", 0.1)),
            ] {
                let problem = app.post(path, body).await.problem(400, "bad-request");
                assert!(problem["detail"].as_str().unwrap().contains(member), "{problem}");
            }
            std::fs::write(&file, &whole).unwrap();
        }
        app.post("/scenarios/simulate", json!({"run_id": run_id, "horizon": 4})).await.json()["points"]
            .as_array()
            .unwrap();
        // What cannot be read at all is a failure.
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        app.post("/scenarios/simulate", json!({"run_id": run_id, "horizon": 4}))
            .await
            .problem(500, "internal");
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(app.get("/scenarios").await.json()["total"], 0);
}

/// Section 7.1: the columns are those of the artifact, and a name that nobody knows is missing throughout.
#[tokio::test]
async fn columns_are_those_that_the_artifact_names() {
    let (app, _) = app_with_level_ten().await;
    // What was sold 28 days ago tells it.
    sqlx::query("update sales_daily set quantity = 3 + (extract(doy from date)::int % 28 * 5) % 28")
        .execute(&app.pool)
        .await
        .unwrap();
    let run_id = trained(&app, json!({"model_type": "regression", "max_iter": 50})).await;
    let file = app.models.path().join(format!("models/model_{run_id}.rcm"));
    let baselines = async || {
        let found = app.post("/scenarios/simulate", json!({"run_id": run_id, "horizon": 40})).await.json();
        let points = found["points"].as_array().unwrap().iter();
        points.map(|point| point["baseline"].as_f64().unwrap()).collect::<Vec<f64>>()
    };
    let before = baselines().await;
    let rename = |change: &dyn Fn(&mut Vec<Value>)| {
        model_file::rewrite(&file, |header, _| {
            change(header["metadata"]["feature_columns"].as_array_mut().unwrap());
        });
    };
    // lag_28 is missing anyway from the 29th day on.
    rename(&|columns| columns[3] = json!("moon_phase"));
    let without_lag_28 = baselines().await;
    assert_ne!(without_lag_28[..28], before[..28]);
    assert_eq!(without_lag_28[28..], before[28..]);
    // In another order the same cells are other columns.
    rename(&|columns| (columns[1], columns[3]) = (json!("lag_28"), json!("lag_7")));
    assert_ne!(baselines().await, before);
    rename(&|columns| columns.iter_mut().for_each(|column| *column = json!("moon_phase")));
    let blind = baselines().await;
    assert!(blind.iter().all(|forecast| forecast.to_bits() == blind[0].to_bits()), "{blind:?}");
}

/// Section 4: without a last day the horizon begins tomorrow.
#[tokio::test]
async fn an_artifact_without_a_last_day_forecasts_from_tomorrow() {
    let (app, run_id) = app_with_level_ten().await;
    let file = app.models.path().join(format!("models/model_{run_id}.rcm"));
    model_file::rewrite(&file, |header, _| {
        header["metadata"].as_object_mut().unwrap().remove("train_end_date").unwrap();
    });
    let tomorrow = || (chrono::Utc::now().date_naive() + chrono::Days::new(1)).to_string();
    let before = tomorrow();
    let found = app.post("/scenarios/simulate", json!({"run_id": run_id, "horizon": 2})).await.json();
    let first = found["points"][0]["date"].as_str().unwrap();
    // The day may end meanwhile.
    assert!(first == before || first == tomorrow(), "{found}");
}

#[tokio::test]
async fn a_scenario_carries_the_intervals_of_its_baseline() {
    let (app, _) = app_with_level_ten().await;
    let body = json!({"store_id": 1, "product_id": 1, "train_start_date": "2026-03-01", "train_end_date": "2026-06-30",
                      "config": {"model_type": "moving_average"}, "calibration": {}});
    let path = app.post("/forecasting/train", body).await.json()["model_path"].as_str().unwrap().to_owned();
    let run_id = path.rsplit('/').next().unwrap().trim_start_matches("model_").trim_end_matches(".rcm");
    let found = app.post("/scenarios/simulate", example(run_id)).await.json();
    insta::assert_json_snapshot!("point_with_intervals", found["points"][1]);
}
