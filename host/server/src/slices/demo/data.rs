//! The first five steps: health, data, features.

use std::sync::Arc;

use retailcast_core::Day;
use serde_json::{Map, Value, json};

use super::call::{Failure, Outcome, call, object};
use super::pipeline::Facts;
use super::wire::StepStatus;
use crate::http::query::{Paging, Sorting};
use crate::http::{Problem, health};
use crate::slices::seeder::{self, Progress, Scope};
use crate::slices::{dimensions, featuresets};

/// The generated window: the same seed gives the same numbers on any day.
pub(super) const WINDOW: (&str, &str) = ("2024-10-01", "2024-12-31");
const PRESET: &str = "demo_minimal";
const STORES: usize = 3;
const PRODUCTS: usize = 10;

pub(super) fn pass(detail: String, data: Value) -> Outcome {
    Outcome { status: StepStatus::Pass, detail, data: object(data) }
}

pub(super) fn skip(detail: impl Into<String>) -> Outcome {
    Outcome { status: StepStatus::Skip, detail: detail.into(), data: Map::new() }
}

pub(super) async fn precheck() -> Outcome {
    let word = serde_json::to_value(health::live().await.status).unwrap_or_default();
    let word = word.as_str().unwrap_or_default();
    let status = if word == "ok" { StepStatus::Pass } else { StepStatus::Fail };
    Outcome { status, detail: format!("health is {word}"), data: Map::new() }
}

pub(super) async fn reset(facts: &Facts) -> Result<Outcome, Failure> {
    if !facts.request.reset {
        return Ok(skip("not asked for"));
    }
    let app = Arc::clone(&facts.app);
    let deleted =
        call("reset", async |_| app.seeder.delete(Scope::All, false).await.map_err(seeder::problem)).await?;
    let rows: i64 = deleted.rows.values().sum();
    let detail = format!("{rows} rows of {} tables deleted", deleted.rows.len());
    Ok(pass(detail, json!({"records_deleted": deleted.rows})))
}

pub(super) async fn seed(facts: &Facts) -> Result<Outcome, Failure> {
    if facts.request.skip_seed {
        return Ok(skip("taking the data that is there"));
    }
    let body = object(json!({
        "scenario": PRESET, "seed": facts.request.seed, "stores": STORES, "products": PRODUCTS,
        "start_date": WINDOW.0, "end_date": WINDOW.1, "sparsity": 0.0, "dry_run": false,
    }));
    let app = Arc::clone(&facts.app);
    let created = call("seed", async |_| {
        app.seeder.check_allowed().map_err(seeder::problem)?;
        let today = Day::from_date(chrono::Utc::now().date_naive());
        let order = seeder::read_generate(&body, today).map_err(Problem::validation)?;
        app.seeder.generate(order, &Progress::silent()).await.map_err(seeder::problem)
    })
    .await?;
    let counts = created.counts;
    let detail = format!(
        "{PRESET}: {} stores, {} products, {} sales rows",
        counts.stores, counts.products, counts.sales
    );
    Ok(pass(detail, json!({"records_created": seeder::records(&counts)})))
}

pub(super) async fn status(facts: &mut Facts) -> Result<Outcome, Failure> {
    let app = Arc::clone(&facts.app);
    let status = call("status", async |_| app.seeder.status().await.map_err(seeder::problem)).await?;
    let (start, end) = status.sales.ok_or_else(|| {
        Failure::new("there are no sales yet; run it with skip_seed = false, or import data, first")
    })?;
    let first = dimensions::Listing {
        exact: [None, None],
        search: None,
        sorting: Sorting { by: None, descending: false },
        paging: Paging { page: 1, page_size: 1 },
    };
    let database = |e: sqlx::Error| Problem::database(&e);
    let stores = call("status", async |_| app.dimensions.stores(&first).await.map_err(database)).await?;
    let products = call("status", async |_| app.dimensions.products(&first).await.map_err(database)).await?;
    let store = stores.rows.first().ok_or_else(|| Failure::new("there is no store"))?.id;
    let product = products.rows.first().ok_or_else(|| Failure::new("there is no product"))?.id;
    facts.range = Some((start, end));
    facts.pair = Some((store, product));
    let sales = status.counts.sales;
    Ok(pass(
        format!("{start} to {end}, {sales} sales rows; store {store}, product {product}"),
        json!({"store_id": store, "product_id": product, "date_range_start": start, "date_range_end": end}),
    ))
}

pub(super) async fn features(facts: &Facts) -> Result<Outcome, Failure> {
    let ((store_id, product_id), (_, end)) = facts.series()?;
    let body = object(json!({
        "store_id": store_id, "product_id": product_id, "cutoff_date": end, "lookback_days": 60,
        "config": {"name": "demo_featureset",
                   "lag_config": {"lags": [1, 7, 14]},
                   "rolling_config": {"windows": [7, 14], "aggregations": ["mean", "std"]},
                   "calendar_config": {}},
    }));
    let app = Arc::clone(&facts.app);
    let computed = call("features", async |id| {
        let request =
            featuresets::read_compute(&body, app.featuresets.settings()).map_err(Problem::validation)?;
        app.featuresets.compute(request, id).await.map_err(featuresets::problem)
    })
    .await?;
    let (rows, columns) = (computed.set.days.len(), computed.set.columns.len());
    Ok(pass(format!("{rows} rows, {columns} columns"), json!({"row_count": rows, "column_count": columns})))
}
