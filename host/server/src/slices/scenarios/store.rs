//! Plans in the database, and the few facts that scenarios read beside them.

use serde_json::Value;
use sqlx::PgPool;
use sqlx::types::Json;

use super::assumptions::Assumptions;
use super::comparison::Comparison;
use super::plan::{Plan, PlanSummary, Provenance, Source};
use super::proposal::PairFacts;
use super::service::Listing;

/// Unit price of the newest sale.
pub(super) async fn newest_price(pool: &PgPool, store_id: i32, product_id: i32) -> sqlx::Result<Option<f64>> {
    sqlx::query_scalar!(
        r#"select unit_price::float8 as "unit_price!" from sales_daily
           where store_id = $1 and product_id = $2 order by date desc limit 1"#,
        store_id,
        product_id,
    )
    .fetch_optional(pool)
    .await
}

/// What is known of a pair.
pub(super) async fn pair_facts(pool: &PgPool, store_id: i32, product_id: i32) -> sqlx::Result<PairFacts> {
    let row = sqlx::query!(
        r#"select exists (select from store where id = $1) as "store_exists!",
                  exists (select from product where id = $2) as "product_exists!""#,
        store_id,
        product_id,
    )
    .fetch_one(pool)
    .await?;
    Ok(PairFacts {
        store_exists: row.store_exists,
        product_exists: row.product_exists,
        unit_price: newest_price(pool, store_id, product_id).await?,
    })
}

/// Keeps a plan.
pub(super) async fn insert(pool: &PgPool, plan: &Plan) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into scenario_plan (scenario_id, name, store_id, product_id, run_id, horizon, assumptions, comparison,
             method, tags, cloned_from, source, agent_session_id, approved_by, approved_at, approval_decision)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        plan.scenario_id,
        plan.name,
        plan.comparison.store_id,
        plan.comparison.product_id,
        plan.run_id,
        plan.comparison.horizon as i32,
        Json(&plan.assumptions) as _,
        Json(&plan.comparison) as _,
        plan.comparison.method as _,
        Json(&plan.tags) as _,
        plan.cloned_from,
        plan.provenance.source as _,
        plan.provenance.agent_session_id,
        plan.provenance.approved_by,
        plan.provenance.approved_at,
        plan.provenance.approval_decision,
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Those of the plans that exist, in no particular order.
pub(super) async fn plans(pool: &PgPool, scenario_ids: &[String]) -> sqlx::Result<Vec<Plan>> {
    let rows = sqlx::query!(
        r#"select scenario_id, name, run_id, assumptions as "assumptions: Json<Assumptions>",
                  comparison as "comparison: Json<Comparison>", tags as "tags: Json<Vec<String>>", cloned_from,
                  source as "source: Source", agent_session_id, approved_by, approved_at, approval_decision, created_at
           from scenario_plan where scenario_id = any($1)"#,
        scenario_ids,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Plan {
            scenario_id: row.scenario_id,
            name: row.name,
            run_id: row.run_id,
            created_at: row.created_at,
            assumptions: row.assumptions.0,
            comparison: row.comparison.0,
            tags: row.tags.0,
            cloned_from: row.cloned_from,
            provenance: Provenance {
                source: row.source,
                agent_session_id: row.agent_session_id,
                approved_by: row.approved_by,
                approved_at: row.approved_at,
                approval_decision: row.approval_decision,
            },
        })
        .collect())
}

/// A part of the list, newest first, and how many plans have the tags.
pub(super) async fn page(pool: &PgPool, listing: &Listing) -> sqlx::Result<(Vec<PlanSummary>, i64)> {
    // Every plan contains an empty list of tags.
    let tags = Value::from(listing.tags.clone());
    let rows = sqlx::query!(
        r#"select scenario_id, name, store_id, product_id, horizon,
                  coalesce((comparison ->> 'units_delta')::float8, 0) as "units_delta!",
                  coalesce((comparison ->> 'revenue_delta')::float8, 0) as "revenue_delta!",
                  created_at, tags as "tags: Json<Vec<String>>", source as "source: Source", agent_session_id,
                  approved_by, approved_at, approval_decision
           from scenario_plan where tags @> $1 order by created_at desc, id desc limit $2 offset $3"#,
        tags,
        listing.limit,
        listing.offset,
    )
    .fetch_all(pool)
    .await?;
    let total =
        sqlx::query_scalar!(r#"select count(*) as "total!" from scenario_plan where tags @> $1"#, tags)
            .fetch_one(pool)
            .await?;
    let plans = rows
        .into_iter()
        .map(|row| PlanSummary {
            scenario_id: row.scenario_id,
            name: row.name,
            store_id: row.store_id,
            product_id: row.product_id,
            horizon: row.horizon,
            units_delta: row.units_delta,
            revenue_delta: row.revenue_delta,
            created_at: row.created_at,
            tags: row.tags.0,
            provenance: Provenance {
                source: row.source,
                agent_session_id: row.agent_session_id,
                approved_by: row.approved_by,
                approved_at: row.approved_at,
                approval_decision: row.approval_decision,
            },
        })
        .collect();
    Ok((plans, total))
}

/// Deletes a plan; whether there was one.
pub(super) async fn delete(pool: &PgPool, scenario_id: &str) -> sqlx::Result<bool> {
    let done =
        sqlx::query!("delete from scenario_plan where scenario_id = $1", scenario_id).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}
