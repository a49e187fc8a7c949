//! Steps six to nine: train three models, compare them, register the best, verify its file.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};

use super::call::{Failure, Outcome, call, object};
use super::data::pass;
use super::pipeline::Facts;
use crate::http::Problem;
use crate::slices::registry::{NewAlias, NewRun, RunPatch, Status};
use crate::slices::{backtesting, forecasting, registry};

/// Days of a test window, and behind the training data.
const HORIZON: u64 = 14;
/// The name that the winner gets.
const ALIAS: &str = "demo-production";
/// The models, in the order in which the earlier one wins a tie.
const MODELS: [&str; 3] = ["naive", "seasonal_naive", "moving_average"];

/// A model's configuration.
fn config(model_type: &str) -> Value {
    match model_type {
        "seasonal_naive" => json!({"model_type": model_type, "season_length": 7}),
        "moving_average" => json!({"model_type": model_type, "window_size": 7}),
        _ => json!({"model_type": model_type}),
    }
}

/// A backtested model.
pub(super) struct Scored {
    model_type: &'static str,
    /// By name; what is not finite is null.
    metrics: Map<String, Value>,
}

/// The model with the lowest WAPE.
pub(super) struct Winner {
    pub(super) model_type: &'static str,
    pub(super) wape: f64,
    metrics: Map<String, Value>,
}

/// Store and product, first and last day with sales.
type Found = ((i32, i32), (NaiveDate, NaiveDate));

impl Facts {
    /// What step `status` found.
    pub(super) fn series(&self) -> Result<Found, Failure> {
        self.pair.zip(self.range).ok_or_else(|| Failure::new("no series and no range of days were found"))
    }
}

pub(super) async fn train(facts: &mut Facts) -> Result<Outcome, Failure> {
    let ((store_id, product_id), (start, end)) = facts.series()?;
    let last = end - Days::new(HORIZON);
    let one = |model_type: &'static str| {
        let app = Arc::clone(&facts.app);
        let body = object(json!({
            "store_id": store_id, "product_id": product_id, "train_start_date": start, "train_end_date": last,
            "config": config(model_type),
        }));
        async move {
            let label = format!("train {model_type}");
            let trained = call(&label, async |id| {
                let request =
                    forecasting::read_train(&body, app.forecasting.catalogue(), app.forecasting.settings())
                        .map_err(Problem::validation)?;
                app.forecasting.train(request, id).await.map_err(forecasting::routes::problem)
            });
            Ok::<_, Failure>((model_type, trained.await?.model_path))
        }
    };
    let [first, second, third] = MODELS.map(one);
    let (first, second, third) = tokio::join!(first, second, third);
    facts.trained = vec![first?, second?, third?];
    Ok(pass(MODELS.join(", "), json!({"trained": MODELS})))
}

pub(super) async fn backtest(facts: &mut Facts) -> Result<Outcome, Failure> {
    let ((store_id, product_id), (start, end)) = facts.series()?;
    let app = Arc::clone(&facts.app);
    for model_type in MODELS {
        let body = object(json!({
            "store_id": store_id, "product_id": product_id, "start_date": start, "end_date": end,
            "config": {"split_config": {"strategy": "expanding", "n_splits": 3, "min_train_size": 30, "gap": 0,
                                        "horizon": HORIZON},
                       "model_config_main": config(model_type),
                       "include_baselines": false, "store_fold_details": false},
        }));
        let done = call(&format!("backtest {model_type}"), async |id| {
            let order = backtesting::read(&body, app.forecasting.catalogue()).map_err(Problem::validation)?;
            app.backtesting.run(order.request, id).await.map_err(backtesting::problem)
        })
        .await?;
        let metrics = serde_json::to_value(backtesting::BacktestMetrics::from(done.main.summary.mean));
        // Numbers and nulls.
        facts.scored.push(Scored { model_type, metrics: object(metrics.unwrap_or_default()) });
    }
    facts.winner = winner(&facts.scored);
    let winner =
        facts.winner.as_ref().ok_or_else(|| Failure::new("no model has a WAPE that could be compared"))?;
    let per_model: Map<String, Value> = facts
        .scored
        .iter()
        .map(|scored| (scored.model_type.to_owned(), scored.metrics.clone().into()))
        .collect();
    Ok(pass(
        format!("{} models, winner {} with WAPE {:.4} %", MODELS.len(), winner.model_type, winner.wape),
        json!({"per_model": per_model, "winner": winner.model_type, "winner_wape": winner.wape}),
    ))
}

/// The lowest WAPE; the earlier model on equality. What is missing or not finite takes no part.
fn winner(scored: &[Scored]) -> Option<Winner> {
    let mut best: Option<Winner> = None;
    for Scored { model_type, metrics } in scored {
        let Some(wape) = metrics.get("wape").and_then(Value::as_f64) else { continue };
        if best.as_ref().is_none_or(|best| wape < best.wape) {
            best = Some(Winner { model_type, wape, metrics: metrics.clone() });
        }
    }
    best
}

pub(super) async fn register(facts: &mut Facts) -> Result<Outcome, Failure> {
    let ((store_id, product_id), (start, end)) = facts.series()?;
    let winner = facts.winner.as_ref().ok_or_else(|| Failure::new("there is no winner to register"))?;
    let (model_type, metrics) = (winner.model_type, winner.metrics.clone());
    let model_path =
        facts.trained.iter().find(|(trained, _)| *trained == model_type).map(|(_, path)| path.clone());
    let model_path = model_path.ok_or_else(|| Failure::new(format!("{model_type} was not trained")))?;
    let app = Arc::clone(&facts.app);

    let file = model_path.rsplit('/').next().unwrap_or(&model_path);
    let uri = format!("demo/{model_type}-{file}");
    let stored = call("register", async |_| {
        let bytes = app.forecasting.model_file(&model_path).await.map_err(forecasting::routes::problem)?;
        app.registry.store_artifact(&uri, bytes).await.map_err(registry::problem)
    })
    .await?;
    let new = NewRun {
        model_type: model_type.to_owned(),
        model_config: object(config(model_type)),
        feature_config: None,
        data_window_start: start,
        data_window_end: end,
        store_id,
        product_id,
        agent_context: None,
        git_sha: None,
        runtime_info_extras: None,
    };
    let run = call("register", async |_| app.registry.create(&new).await.map_err(registry::problem)).await?;
    facts.run_id = Some(run.run_id.clone());
    let running = RunPatch { status: Some(Status::Running), ..RunPatch::default() };
    let success = RunPatch {
        status: Some(Status::Success),
        metrics: Some(metrics),
        artifact_uri: Some(stored.uri),
        artifact_hash: Some(stored.sha256),
        artifact_size_bytes: Some(stored.size_bytes),
        ..RunPatch::default()
    };
    for patch in [running, success] {
        call("register", async |_| app.registry.patch(&run.run_id, &patch).await.map_err(registry::problem))
            .await?;
    }
    let alias = NewAlias {
        alias_name: ALIAS.to_owned(),
        run_id: run.run_id.clone(),
        description: Some(format!("best of the last demo: {model_type}")),
    };
    call("register", async |_| app.registry.set_alias(&alias).await.map_err(registry::problem)).await?;
    facts.alias = Some(ALIAS);
    Ok(pass(format!("run {} is {ALIAS}", &run.run_id[..8]), json!({"run_id": run.run_id, "alias": ALIAS})))
}

pub(super) async fn verify(facts: &Facts) -> Result<Outcome, Failure> {
    let run_id = facts.run_id.as_ref().ok_or_else(|| Failure::new("there is no run to verify"))?;
    let app = Arc::clone(&facts.app);
    let found =
        call("verify", async |_| app.registry.verify(run_id).await.map_err(registry::problem)).await?;
    let verified = found.verified();
    let data = json!({"verified": verified});
    if verified {
        return Ok(pass("the file has the SHA-256 that was registered".to_owned(), data));
    }
    let (stored, computed) = (&found.stored_hash, &found.computed_hash);
    let detail = format!("the file has SHA-256 {computed}, registered is {stored}");
    Err(Failure { detail, data: object(data) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(model_type: &'static str, wape: Value) -> Scored {
        Scored { model_type, metrics: object(json!({"wape": wape})) }
    }

    #[test]
    fn the_lowest_wape_wins_and_the_earlier_model_on_equality() {
        let models = [
            scored("naive", json!(20.0)),
            scored("seasonal_naive", json!(18.5)),
            scored("moving_average", json!(18.5)),
        ];
        let best = winner(&models).unwrap();
        assert_eq!((best.model_type, best.wape), ("seasonal_naive", 18.5));
    }

    #[test]
    fn a_model_without_a_wape_takes_no_part() {
        let models = [scored("naive", Value::Null), scored("moving_average", json!(90.0))];
        assert_eq!(winner(&models).unwrap().model_type, "moving_average");
        assert!(winner(&models[..1]).is_none());
    }
}
