//! A database of every earlier version, with data in it, becomes one of this version and keeps its data.

use retailcast::artifacts::{ArtifactRoot, Storage};
use retailcast::db::MIGRATIONS;
use retailcast::doctor::{Place, examine};
use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, PgPool};

use crate::support::database;

/// What is written as soon as a migration has made room for it: a row at least for every table of its own.
const WRITTEN: [(i64, &str); 9] = [
    (
        2,
        "insert into store (code, name) values ('S1', 'Shop');
         insert into product (sku, name, base_price) values ('P1', 'Tea', 2.5), ('P2', 'Jam', 3);
         insert into calendar (date, day_of_week, month, quarter, year)
         select d, extract(isodow from d) - 1, extract(month from d), extract(quarter from d), extract(year from d)
         from generate_series('2024-01-01'::date, '2024-01-31', '1 day') d",
    ),
    (
        3,
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         select s.id, p.id, c.date, 3, 2.5, 7.5 from store s, product p, calendar c;
         insert into sales_returns (date, store_id, product_id, return_quantity, return_reason)
         select '2024-01-05', s.id, p.id, 1, 'broken' from store s, product p where sku = 'P1'",
    ),
    (
        4,
        "insert into price_history (product_id, price, valid_from) select id, 2.5, '2024-01-01' from product;
         insert into promotion (product_id, name, start_date, end_date, discount_pct)
         select id, 'Spring', '2024-01-10', '2024-01-12', 0.2 from product;
         insert into inventory_snapshot_daily (store_id, product_id, date, on_hand_qty)
         select s.id, p.id, '2024-01-31', 9 from store s, product p;
         insert into replenishment_event (date, store_id, product_id, lead_time_days, ordered_qty, received_qty)
         select '2024-01-20', s.id, p.id, 2, 5, 5 from store s, product p;
         insert into exogenous_signal (date, signal_name, is_global, value) values ('2024-01-02', 'rain', true, 1)",
    ),
    (
        5,
        "insert into model_run (run_id, model_type, status, model_config, config_hash, data_window_start, data_window_end,
                                store_id, product_id)
         values ('r1', 'naive', 'success', '{}', 'x', '2024-01-01', '2024-01-31', 1, 1);
         insert into deployment_alias (alias_name, run_id) select 'live', id from model_run;
         insert into job (job_id, job_type, status, params) values ('j1', 'train', 'completed', '{}')",
    ),
    (
        7,
        "insert into job (job_id, job_type, params) values ('j2', 'portfolio_forecast', '{}');
         insert into job_task (job, step, priority, queued_at) select id, 'plan', 0, now() from job where job_id = 'j2'",
    ),
    (
        8,
        "insert into scenario_plan (scenario_id, name, store_id, product_id, run_id, horizon, assumptions, comparison, method)
         values ('s1', 'Cheaper', 1, 1, 'r1', 14, '{}', '{}', 'heuristic');
         insert into forecast_explanation (explanation_id, store_id, product_id, model_type, method, as_of_date,
             forecast_value, confidence, drivers, reason_codes, caveats, agent_summary)
         values (repeat('e', 32), 1, 1, 'naive', 'rule_based', '2024-01-31', 3, 'low', '[]', '[]', '[]', 'words')",
    ),
    (
        9,
        "insert into document_source (source_id, source_type, source_path, content_hash, chunk_count, indexed_at)
         values ('d1', 'markdown', 'a.md', 'x', 1, now());
         insert into document_chunk (chunk_id, source_id, chunk_index, content, embedding, token_count)
         select 'c1', id, 0, 'Tea sells.', array_fill(0.1, array[1536])::vector, 3 from document_source",
    ),
    (
        10,
        "insert into app_config (key, value) values ('agent_temperature', '{\"v\": 0.3}');
         insert into agent_session (session_id, agent_type, last_activity, expires_at)
         values ('a1', 'experiment', now(), now() + '1 hour')",
    ),
    (
        11,
        "insert into api_key (key_id, name, scope, secret_sha256)
         values ('0123456789ab', 'till', 'admin', decode(repeat('ab', 32), 'hex'))",
    ),
];

fn up_to(version: i64) -> Migrator {
    let migrations = MIGRATIONS.iter().filter(|migration| migration.version <= version);
    Migrator::with_migrations(migrations.cloned().collect())
}

async fn run(pool: &PgPool, statements: &str) {
    sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(pool).await.unwrap();
}

/// Every table with what is in it.
async fn content(pool: &PgPool) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = current_schema() and table_name <> '_sqlx_migrations' order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut content = Vec::new();
    for table in tables {
        let count = AssertSqlSafe(format!("select count(*) from {table}"));
        content.push((table, sqlx::query_scalar(count).fetch_one(pool).await.unwrap()));
    }
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_of_all_versions_are_brought_up_to_date() {
    let newest = MIGRATIONS.iter().last().unwrap().version;
    assert_eq!(WRITTEN.last().unwrap().0, newest, "a new migration needs its data here");
    for version in 2..=newest {
        let pool = database::bare().await;
        for (at, statements) in WRITTEN.into_iter().filter(|(at, _)| *at <= version) {
            up_to(at).run(&pool).await.unwrap();
            run(&pool, statements).await;
        }
        up_to(version).run(&pool).await.unwrap();
        let before = content(&pool).await;
        MIGRATIONS.run(&pool).await.unwrap_or_else(|e| panic!("from version {version}: {e}"));
        let after = content(&pool).await;
        for (table, rows) in before.iter().filter(|(table, _)| table != "sales_stale_days") {
            let kept = after.iter().find(|(name, _)| name == table).map(|(_, rows)| rows);
            assert_eq!(kept, Some(rows), "{table}, from version {version}");
        }
        let nowhere = Storage::open(&ArtifactRoot::Folder("/nonexistent".into())).unwrap();
        let place =
            Place { pool: &pool, models: &nowhere, registry: &nowhere, plugins: &[], require_keys: false };
        let report = examine(&place).await.unwrap();
        // A portfolio job of version 7 has a task that nobody takes here, as it should.
        assert!(report.healthy, "from version {version}: {report}");
    }
}
