//! `POST /backtesting/run`. Contract: `backtesting.md`.

use retailcast::config::PluginConfig;
use serde_json::{Value, json};

use crate::support::app::{Answer, TestApp};
use crate::support::data;

/// The five models that come with the program.
const MODELS: [&str; 5] = ["naive", "seasonal_naive", "moving_average", "regression", "lightgbm"];

async fn app() -> TestApp {
    let app = TestApp::new().await;
    data::worked_series(&app.pool).await;
    app
}

fn body(config: Value) -> Value {
    json!({"store_id": 1, "product_id": 1, "start_date": "2024-01-01", "end_date": "2024-03-30", "config": config})
}

/// The split of the contract's worked values.
fn worked_split(strategy: &str) -> Value {
    json!({"strategy": strategy, "n_splits": 3, "min_train_size": 30, "gap": 2, "horizon": 14})
}

async fn run(app: &TestApp, config: Value) -> Answer {
    app.post("/backtesting/run", body(config)).await
}

async fn run_worked(app: &TestApp, model: Value) -> Value {
    let config = json!({"split_config": worked_split("expanding"), "model_config_main": model});
    let answer = run(app, config).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

#[track_caller]
fn close(found: &Value, expected: f64, tolerance: f64, what: &str) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found}"));
    let wide = tolerance * expected.abs().max(1.0);
    assert!((found - expected).abs() <= wide, "{what}: {found} instead of {expected}");
}

/// `mae`, `smape`, `wape`, `bias` as the tables of the contract have them.
#[track_caller]
fn metrics(found: &Value, suffix: &str, expected: [f64; 4], tolerance: f64) {
    for (name, expected) in ["mae", "smape", "wape", "bias"].into_iter().zip(expected) {
        close(&found[format!("{name}{suffix}")], expected, tolerance, name);
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap()
}

#[tokio::test]
async fn the_shape_of_the_answer() {
    let app = app().await;
    let hidden = "[redacted]";
    let bare = json!({"split_config": {"strategy": "sliding", "n_splits": 2, "min_train_size": 30, "horizon": 7},
                      "model_config_main": {"model_type": "moving_average", "window_size": 7},
                      "include_baselines": false, "store_fold_details": false});
    let bare = run(&app, bare).await.json();
    insta::assert_json_snapshot!("backtest_bare", bare, {".duration_ms" => hidden, ".backtest_id" => hidden});
    let id = bare["backtest_id"].as_str().unwrap();
    assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
    assert!(bare["duration_ms"].is_f64());
    let full = json!({"split_config": {"n_splits": 2, "min_train_size": 60, "gap": 1, "horizon": 9},
                      "model_config_main": {"model_type": "seasonal_naive", "season_length": 14}});
    let full = run(&app, full).await.json();
    insta::assert_json_snapshot!("backtest_full", full, {".duration_ms" => hidden, ".backtest_id" => hidden});
}

#[tokio::test]
async fn the_worked_folds_of_the_contract() {
    let app = app().await;
    let tests = [("2024-02-02", "2024-02-15"), ("2024-02-24", "2024-03-08"), ("2024-03-17", "2024-03-30")];
    let ends = ["2024-01-30", "2024-02-21", "2024-03-14"];
    for (strategy, starts, sizes) in [
        ("expanding", ["2024-01-01"; 3], [30, 52, 74]),
        ("sliding", ["2024-01-01", "2024-01-23", "2024-02-14"], [30, 30, 30]),
    ] {
        let config =
            json!({"split_config": worked_split(strategy), "model_config_main": {"model_type": "naive"}});
        let answer = run(&app, config).await.json();
        assert_eq!(answer["leakage_check_passed"], true);
        for model in
            answer["baseline_results"].as_array().unwrap().iter().chain([&answer["main_model_results"]])
        {
            assert_eq!(model["fold_results"].as_array().unwrap().len(), 3);
            for i in 0..3 {
                let fold = &model["fold_results"][i];
                let split = json!({
                    "fold_index": i, "train_start": starts[i], "train_end": ends[i], "test_start": tests[i].0,
                    "test_end": tests[i].1, "train_size": sizes[i], "test_size": 14});
                assert_eq!((&fold["fold_index"], &fold["split"]), (&json!(i), &split));
                assert_eq!((&fold["dates"][0], &fold["dates"][13]), (&json!(tests[i].0), &json!(tests[i].1)));
                let quantity = |row: usize| (20 + 3 * (row % 7) + (5 * row) % 13) as f64;
                let first = [32, 54, 76][i];
                assert_eq!(numbers(&fold["actuals"]), (first..first + 14).map(quantity).collect::<Vec<_>>());
            }
        }
    }
}

#[tokio::test]
async fn the_worked_values_of_the_contract() {
    let app = app().await;
    let naive = &run_worked(&app, json!({"model_type": "naive"})).await["main_model_results"];
    for (fold, expected) in [
        [10.285_714_285_7, 32.598_238_933_2, 29.508_196_721_3, 9.857_142_857_1],
        [6.142_857_142_9, 17.633_405_521_5, 17.408_906_882_6, 1.285_714_285_7],
        [7.357_142_857_1, 21.659_082_596_9, 21.149_897_330_6, 4.785_714_285_7],
    ]
    .into_iter()
    .enumerate()
    {
        metrics(&naive["fold_results"][fold]["metrics"], "", expected, 1e-10);
    }
    let mean = [7.928_571_428_6, 23.963_575_683_9, 22.689_000_311_5, 5.309_523_809_5];
    metrics(&naive["aggregated_metrics"], "", mean, 1e-10);
    let stability = [21.932_203_767_6, 26.385_676_818_4, 22.292_678_552_1, 66.273_718_434_9];
    metrics(&naive["metric_std"], "_stability", stability, 1e-10);

    let seasonal = &run_worked(&app, json!({"model_type": "seasonal_naive", "season_length": 7})).await["main_model_results"];
    let mean = [8.023_809_523_8, 23.380_695_230_4, 22.946_497_204_1, -0.023_809_523_8];
    metrics(&seasonal["aggregated_metrics"], "", mean, 1e-10);
    let stability = [5.455_423_237_6, 5.227_463_235_4, 5.872_895_349_5, 1_838.477_631_085];
    metrics(&seasonal["metric_std"], "_stability", stability, 1e-10);

    let average = &run_worked(&app, json!({"model_type": "moving_average"})).await["main_model_results"];
    let mean = [5.996_598_639_5, 17.394_376_060_8, 17.144_612_024_0, -0.023_809_523_8];
    metrics(&average["aggregated_metrics"], "", mean, 1e-10);
}

#[tokio::test]
async fn the_worked_values_of_a_feature_model() {
    let app = app().await;
    let answer = run_worked(&app, json!({"model_type": "regression"})).await;
    let model = &answer["main_model_results"];
    for (fold, expected) in [
        [5.428_571_428_6, 15.850_552_238_0, 15.573_770_491_8, 0.590_476_190_5],
        [4.562_996_685_3, 13.157_195_936_8, 12.931_569_553_4, 2.400_415_807_7],
        [3.567_650_076_9, 10.491_172_327_4, 10.256_078_249_8, 1.612_425_812_7],
    ]
    .into_iter()
    .enumerate()
    {
        metrics(&model["fold_results"][fold]["metrics"], "", expected, 1e-8);
    }
    let mean = [4.519_739_396_9, 13.166_306_834_1, 12.920_472_765_0, 1.534_439_270_3];
    metrics(&model["aggregated_metrics"], "", mean, 1e-8);
    let stability = [16.822_506_718_4, 16.617_926_338_1, 16.802_426_558_3, 48.288_625_911_7];
    metrics(&model["metric_std"], "_stability", stability, 1e-8);
    assert_eq!((&model["feature_aware"], &model["exogenous_policy"]), (&json!(true), &json!("observed")));
    let cell = &answer["comparison_summary"]["mae"];
    for (name, expected) in [
        ("main", 4.519_739_396_9),
        ("naive", 7.928_571_428_6),
        ("vs_naive_pct", 42.994_278),
        ("seasonal_naive", 8.023_809_523_8),
        ("vs_seasonal_pct", 43.670_904),
    ] {
        close(&cell[name], expected, 1e-8, name);
    }
}

#[tokio::test]
async fn the_hashes_of_the_contract() {
    let app = app().await;
    let hash = async |config: Value| run(&app, config).await.json()["config_hash"].clone();
    assert_eq!(hash(json!({"model_config_main": {"model_type": "naive"}})).await, "413c7109df10c87c");
    let sliding = json!({"strategy": "sliding", "n_splits": 3, "gap": 2});
    let regression = json!({"split_config": sliding, "model_config_main": {"model_type": "regression"}});
    assert_eq!(hash(regression).await, "4e7e1ae7313b8070");
    // Numbers in other clothes and written-out defaults are the same configuration.
    let lax = json!({"schema_version": "1.0", "split_config": {"n_splits": "5", "gap": 0.0, "horizon": "14.0"},
                     "include_baselines": "yes", "model_config_main": {"model_type": "naive"}});
    assert_eq!(hash(lax).await, "413c7109df10c87c");
    let answer = run_worked(&app, json!({"model_type": "regression"})).await;
    assert_eq!(answer["main_model_results"]["config_hash"], "2476880df7bad7cc");
    assert_eq!(answer["baseline_results"][0]["config_hash"], "d9f8003eacfc9599");
    assert_eq!(answer["baseline_results"][1]["config_hash"], "a9baf055e83a554f");
}

/// A fold is a training and a forecast: with a constant plan the same as over `/forecasting`.
#[tokio::test]
async fn folds_of_every_model_are_what_forecasting_answers() {
    let app = app().await;
    for statement in ["update sales_daily set unit_price = 10", "delete from promotion"] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    for model in MODELS {
        let split = json!({"n_splits": 3, "min_train_size": 45, "horizon": 10});
        let config = json!({"split_config": split, "model_config_main": {"model_type": model}});
        let answer = run(&app, config).await.json();
        let folds = answer["main_model_results"]["fold_results"].as_array().unwrap();
        assert_eq!(folds.len(), 3);
        for fold in folds {
            let train = json!({"store_id": 1, "product_id": 1, "train_start_date": fold["split"]["train_start"],
                               "train_end_date": fold["split"]["train_end"], "config": {"model_type": model}});
            let trained = app.post("/forecasting/train", train).await.json();
            let predict =
                json!({"store_id": 1, "product_id": 1, "horizon": 10, "model_path": trained["model_path"]});
            let forecast = app.post("/forecasting/predict", predict).await.json();
            let points: Vec<f64> = forecast["forecasts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|point| point["forecast"].as_f64().unwrap())
                .collect();
            assert_eq!(numbers(&fold["predictions"]), points, "{model}");
            assert_eq!(fold["dates"][0], forecast["forecasts"][0]["date"]);
        }
    }
}

#[tokio::test]
async fn a_later_quantity_changes_no_earlier_fold() {
    let app = app().await;
    for model in MODELS {
        let before = run_worked(&app, json!({"model_type": model})).await;
        let later = "update sales_daily set quantity = quantity + 500 where date >= '2024-02-24'";
        sqlx::query(later).execute(&app.pool).await.unwrap();
        let after = run_worked(&app, json!({"model_type": model})).await;
        let predictions = |answer: &Value, fold: usize| {
            answer["main_model_results"]["fold_results"][fold]["predictions"].clone()
        };
        for fold in [0, 1] {
            assert_eq!(predictions(&before, fold), predictions(&after, fold), "{model}, fold {fold}");
        }
        assert_ne!(predictions(&before, 2), predictions(&after, 2), "{model}");
        let back = "update sales_daily set quantity = quantity - 500 where date >= '2024-02-24'";
        sqlx::query(back).execute(&app.pool).await.unwrap();
    }
}

#[tokio::test]
async fn rmse_and_buckets_come_with_every_fold() {
    let app = app().await;
    let split = json!({"n_splits": 2, "min_train_size": 30, "horizon": 30});
    let config = json!({"split_config": split, "model_config_main": {"model_type": "naive"}});
    let answer = run(&app, config).await.json();
    let model = &answer["main_model_results"];
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let ordered = ["mae", "rmse", "smape", "wape", "bias"];
    for fold in model["fold_results"].as_array().unwrap() {
        let errors: Vec<f64> = numbers(&fold["actuals"])
            .iter()
            .zip(numbers(&fold["predictions"]))
            .map(|(actual, forecast)| actual - forecast)
            .collect();
        let rms = |errors: &[f64]| (errors.iter().map(|d| d * d).sum::<f64>() / errors.len() as f64).sqrt();
        assert_eq!(keys(&fold["metrics"]), ordered);
        close(&fold["metrics"]["rmse"], rms(&errors), 1e-12, "rmse");
        let buckets = &fold["horizon_bucket_metrics"];
        assert_eq!(keys(buckets), ["h_1_7", "h_8_14", "h_15_28", "h_29_plus"]);
        for (name, days) in [("h_1_7", 0..7), ("h_8_14", 7..14), ("h_15_28", 14..28), ("h_29_plus", 28..30)] {
            assert_eq!(keys(&buckets[name]), ordered);
            close(&buckets[name]["rmse"], rms(&errors[days]), 1e-12, name);
        }
    }
    let mean = |name: &str| {
        let folds = model["fold_results"].as_array().unwrap();
        folds.iter().map(|f| f["horizon_bucket_metrics"][name]["mae"].as_f64().unwrap()).sum::<f64>() / 2.0
    };
    for name in ["h_1_7", "h_8_14", "h_15_28", "h_29_plus"] {
        close(&model["bucketed_aggregated_metrics"][name]["mae"], mean(name), 1e-12, name);
    }
}

#[tokio::test]
async fn what_is_not_finite_is_null_or_absent() {
    let app = app().await;
    sqlx::query("update sales_daily set quantity = 0").execute(&app.pool).await.unwrap();
    let answer = run_worked(&app, json!({"model_type": "naive"})).await;
    let model = &answer["main_model_results"];
    let nothing = json!({"mae": 0.0, "rmse": 0.0, "smape": 0.0, "wape": null, "bias": 0.0});
    assert_eq!(model["fold_results"][0]["metrics"], nothing);
    assert_eq!(model["aggregated_metrics"], nothing);
    assert!(model["metric_std"].as_object().unwrap().values().all(Value::is_null), "{model}");
    let summary = answer["comparison_summary"].as_object().unwrap();
    // There is nothing to be a percentage of.
    assert_eq!(summary["mae"], json!({"main": 0.0, "naive": 0.0, "seasonal_naive": 0.0}));
    assert_eq!(summary["wape"], json!({"main": null, "naive": null, "seasonal_naive": null}));
    // One fold without sales makes the mean infinite, and a single fold has no stability.
    sqlx::query("update sales_daily set quantity = 5 where date < '2024-02-20'")
        .execute(&app.pool)
        .await
        .unwrap();
    let model = &run_worked(&app, json!({"model_type": "naive"})).await["main_model_results"];
    assert!(model["fold_results"][0]["metrics"]["wape"].is_f64());
    assert!(model["aggregated_metrics"]["wape"].is_null());
    let single = json!({"split_config": {"horizon": 40}, "model_config_main": {"model_type": "naive"}});
    let model = &run(&app, single).await.json()["main_model_results"];
    assert_eq!(model["fold_results"].as_array().unwrap().len(), 1);
    assert!(model["metric_std"].as_object().unwrap().values().all(Value::is_null), "{model}");
}

#[tokio::test]
async fn a_model_against_itself_is_no_better() {
    let app = app().await;
    let answer = run_worked(&app, json!({"model_type": "naive"})).await;
    let types: Vec<&Value> =
        answer["baseline_results"].as_array().unwrap().iter().map(|model| &model["model_type"]).collect();
    assert_eq!(types, ["naive", "seasonal_naive"]);
    for cell in answer["comparison_summary"].as_object().unwrap().values() {
        assert_eq!(cell["vs_naive_pct"], 0.0);
    }
}

#[tokio::test]
async fn a_baseline_that_cannot_run_is_left_out() {
    let app = TestApp::with_plugins(|config| {
        config.plugins.dir = "/nonexistent".into();
        let off = PluginConfig { enabled: Some(false), ..PluginConfig::default() };
        config.plugins.settings.insert("seasonal_naive".to_owned(), off);
    })
    .await;
    data::worked_series(&app.pool).await;
    let answer = run_worked(&app, json!({"model_type": "moving_average"})).await;
    assert_eq!(answer["baseline_results"].as_array().unwrap().len(), 1);
    let cell = answer["comparison_summary"]["mae"].as_object().unwrap();
    assert_eq!(cell.keys().collect::<Vec<_>>(), ["main", "naive", "vs_naive_pct"]);
}

#[tokio::test]
async fn without_details_the_days_are_empty_and_the_metrics_are_there() {
    let app = app().await;
    let config = |details: bool| {
        json!({"model_config_main": {"model_type": "naive"}, "store_fold_details": details,
               "include_baselines": false})
    };
    let (with, without) = (run(&app, config(true)).await.json(), run(&app, config(false)).await.json());
    for i in 0..3 {
        let fold = |answer: &Value| answer["main_model_results"]["fold_results"][i].clone();
        for name in ["dates", "actuals", "predictions"] {
            assert_eq!(fold(&without)[name], json!([]));
            assert_eq!(fold(&with)[name].as_array().unwrap().len(), 14);
        }
        assert_eq!(fold(&with)["metrics"], fold(&without)["metrics"]);
    }
    assert_eq!((&without["baseline_results"], &without["comparison_summary"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn missing_days_by_policy() {
    // Twenty days without a row inside, ten at the end; the window begins before the first row.
    let gaps =
        "delete from sales_daily where date between '2024-02-01' and '2024-02-20' or date > '2024-03-20'";
    let wanted = json!({"store_id": 1, "product_id": 1, "start_date": "2023-06-01", "end_date": "2024-03-30",
        "config": {"split_config": {"n_splits": 2, "min_train_size": 30, "horizon": 15},
                   "model_config_main": {"model_type": "naive"}}});
    // The fourth test row: a day without a row, or the 54th of the series, 2024-02-23.
    for (policy, fourth, last_day) in [("zero", 0.0, "2024-03-30"), ("skip", 37.0, "2024-03-20")] {
        let app = TestApp::with(|config| config.forecast.missing_days = policy.parse().unwrap()).await;
        data::worked_series(&app.pool).await;
        sqlx::query(gaps).execute(&app.pool).await.unwrap();
        let answer = app.post("/backtesting/run", wanted.clone()).await.json();
        assert_eq!(answer["missing_days"], policy);
        let folds = &answer["main_model_results"]["fold_results"];
        assert_eq!(folds[0]["split"]["train_start"], "2024-01-01");
        assert_eq!(numbers(&folds[0]["actuals"])[3].to_bits(), f64::to_bits(fourth), "{answer}");
        assert_eq!(folds[1]["split"]["test_end"], last_day);
    }
    let app = TestApp::with(|config| config.forecast.missing_days = "error".parse().unwrap()).await;
    data::worked_series(&app.pool).await;
    assert_eq!(app.post("/backtesting/run", wanted.clone()).await.json()["missing_days"], "error");
    sqlx::query(gaps).execute(&app.pool).await.unwrap();
    let problem = app.post("/backtesting/run", wanted).await.problem(400, "bad-request");
    assert!(detail(&problem).contains("2024-02-01"), "{problem}");
}

#[tokio::test]
async fn too_little_data_says_how_much_would_be_enough() {
    let app = app().await;
    let mut unknown = body(json!({"model_config_main": {"model_type": "naive"}}));
    (unknown["store_id"], unknown["product_id"]) = (json!(2), json!(77));
    let problem = app.post("/backtesting/run", unknown).await.problem(400, "bad-request");
    for word in ["No data found", "store 2", "product 77", "2024-01-01", "2024-03-30"] {
        assert!(detail(&problem).contains(word), "{problem}");
    }
    for (split, words) in [
        // 90 rows.
        (
            json!({"min_train_size": 80}),
            vec!["94 rows", "150", "has 90", "min_train_size at most 76", "horizon at most 10"],
        ),
        (json!({"min_train_size": 70, "gap": 10, "horizon": 14}), vec!["94 rows", "gap at most 6"]),
        (json!({"min_train_size": 7_000_000_000_000_000_000_u64}), vec!["7000000000000000014", "at most 76"]),
        (json!({"min_train_size": 100, "horizon": 90}), vec!["190", "more history"]),
    ] {
        let config = json!({"split_config": split, "model_config_main": {"model_type": "naive"}});
        let problem = run(&app, config.clone()).await.problem(400, "bad-request");
        for word in words {
            assert!(detail(&problem).contains(word), "{config}: {problem}");
        }
    }
    let exact = json!({"split_config": {"min_train_size": 76}, "model_config_main": {"model_type": "naive"}});
    assert_eq!(run(&app, exact).await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_training_window_too_short_for_the_model_says_what_would_do() {
    let app = app().await;
    for (model, split, words) in [
        (
            json!({"model_type": "regression"}),
            json!({"min_train_size": 29}),
            vec!["regression", "30", "29", "44", "100"],
        ),
        (json!({"model_type": "lightgbm"}), json!({"min_train_size": 7}), vec!["lightgbm", "30", "7"]),
        (
            json!({"model_type": "seasonal_naive", "season_length": 60}),
            json!({"n_splits": 2, "gap": 3}),
            vec!["seasonal_naive", "60", "30", "77", "91"],
        ),
        (
            json!({"model_type": "moving_average", "window_size": 31}),
            json!({}),
            vec!["moving_average", "31", "30"],
        ),
    ] {
        let config = json!({"split_config": split, "model_config_main": model});
        let problem = run(&app, config.clone()).await.problem(400, "bad-request");
        for word in words {
            assert!(detail(&problem).contains(word), "{config}: {problem}");
        }
        // Before any read: the same where there is no data.
        let mut elsewhere = body(config);
        elsewhere["store_id"] = json!(2);
        let same = app.post("/backtesting/run", elsewhere).await.problem(400, "bad-request");
        assert_eq!(detail(&same), detail(&problem));
    }
    let short = json!({"split_config": {"min_train_size": 7}, "model_config_main": {"model_type": "naive"}});
    assert_eq!(run(&app, short).await.status.as_u16(), 200);
}

#[tokio::test]
async fn limits_of_the_operator() {
    let app = TestApp::with(|config| {
        config.backtest.max_splits = 3;
        config.backtest.max_gap = 5;
        config.forecast.enable_lightgbm = false;
    })
    .await;
    for (split, model, words) in [
        (json!({"n_splits": 4}), "naive", ["n_splits 4", "limit of 3", "backtest_max_splits"]),
        (json!({"n_splits": 3, "gap": 6}), "naive", ["gap 6", "limit of 5", "backtest_max_gap"]),
        (json!({"n_splits": 3}), "lightgbm", ["lightgbm", "disabled", "forecast_enable_lightgbm"]),
    ] {
        let config = json!({"split_config": split, "model_config_main": {"model_type": model}});
        let problem = run(&app, config).await.problem(400, "bad-request");
        for word in words {
            assert!(detail(&problem).contains(word), "{problem}");
        }
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit() {
    let app = app().await;
    let good = body(json!({"split_config": {}, "model_config_main": {"model_type": "naive"}}));
    let cases = [
        ("store_id", json!(0), "greater_than_equal"),
        ("store_id", json!(5.5), "int_from_float"),
        ("product_id", json!(2_147_483_648_i64), "less_than_equal"),
        ("product_id", json!("x"), "int_parsing"),
        ("start_date", json!(5), "date_type"),
        ("end_date", json!("2024-01-01"), "value_error"),
        ("end_date", json!("2023-01-01"), "value_error"),
        ("unknown", json!(1), "extra_forbidden"),
        ("config", json!([]), "dict_type"),
        ("config.schema_version", json!("1"), "string_pattern_mismatch"),
        ("config.schema_version", json!(1), "string_type"),
        ("config.unknown", json!(1), "extra_forbidden"),
        ("config.include_baselines", json!("perhaps"), "bool_parsing"),
        ("config.store_fold_details", json!(null), "bool_type"),
        ("config.split_config", json!(null), "dict_type"),
        ("config.split_config.strategy", json!("rolling"), "literal_error"),
        ("config.split_config.n_splits", json!(1), "greater_than_equal"),
        ("config.split_config.n_splits", json!(21), "less_than_equal"),
        ("config.split_config.min_train_size", json!(6), "greater_than_equal"),
        ("config.split_config.min_train_size", json!(1e30), "less_than_equal"),
        ("config.split_config.gap", json!(-1), "greater_than_equal"),
        ("config.split_config.gap", json!(31), "less_than_equal"),
        ("config.split_config.horizon", json!(0), "greater_than_equal"),
        ("config.split_config.horizon", json!(91), "less_than_equal"),
        ("config.split_config.horizon", json!(null), "int_type"),
        ("config.split_config.step", json!(1), "extra_forbidden"),
        ("config.model_config_main", json!({}), "union_tag_not_found"),
        ("config.model_config_main", json!({"model_type": "magic"}), "union_tag_invalid"),
        ("config.model_config_main", json!("naive"), "dict_type"),
    ];
    for (field, value, kind) in cases {
        let mut body = good.clone();
        set(&mut body, field, value.clone());
        let answer = app.post("/backtesting/run", body).await;
        assert_eq!(answer.invalid(), [(field.to_owned(), kind.to_owned())], "{field} {value}");
    }
    for (split, kind) in [
        (json!({"gap": 20}), "value_error"),
        (json!({"gap": 14, "horizon": 14}), "value_error"),
        (json!({"gap": 5, "horizon": 5}), "value_error"),
    ] {
        let config = json!({"split_config": split, "model_config_main": {"model_type": "naive"}});
        let found = run(&app, config).await.invalid();
        assert_eq!(found, [("config.split_config.horizon".to_owned(), kind.to_owned())]);
    }
    let season = json!({"model_config_main": {"model_type": "seasonal_naive", "season_length": 0, "x": 1}});
    let found = run(&app, season).await.invalid();
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    let at = "config.model_config_main.seasonal_naive";
    assert_eq!(fields, [format!("{at}.season_length"), format!("{at}.x")]);
}

#[tokio::test]
async fn all_errors_come_in_the_order_of_the_schema() {
    let app = app().await;
    let all = app.post("/backtesting/run", json!({"unknown": 1})).await.invalid();
    let fields: Vec<&str> = all.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["store_id", "product_id", "start_date", "end_date", "config", "unknown"]);
    let config =
        json!({"x": 1, "store_fold_details": "x", "split_config": {"y": 1, "horizon": 0, "strategy": "z"}});
    let all = run(&app, config).await.invalid();
    let fields: Vec<&str> = all.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "config.split_config.strategy",
            "config.split_config.horizon",
            "config.split_config.y",
            "config.model_config_main",
            "config.store_fold_details",
            "config.x"
        ]
    );
}

/// Sets a member, named as errors name it.
fn set(body: &mut Value, field: &str, value: Value) {
    match field.split_once('.') {
        Some((parent, rest)) => set(&mut body[parent], rest, value),
        None => body[field] = value,
    }
}
