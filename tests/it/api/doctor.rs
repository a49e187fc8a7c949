//! Every check of the doctor finds what it is for, and nothing in a healthy place.

use retailcast::artifacts::{ArtifactRoot, Storage};
use retailcast::doctor::{Place, Report, examine};

use crate::support::app::TestApp;

async fn report(app: &TestApp) -> Report {
    let folder = |path: &str| Storage::open(&ArtifactRoot::Folder(app.models.path().join(path))).unwrap();
    let (models, registry) = (folder("models"), folder("registry"));
    let place =
        Place { pool: &app.pool, models: &models, registry: &registry, plugins: &[], require_keys: true };
    examine(&place).await.unwrap()
}

/// Statements that break a check, in a session that the foreign keys do not hold.
const BROKEN: [(&str, &str); 8] = [
    (
        "data.references",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         values (1, 99, '2024-01-01', 1, 1, 1)",
    ),
    ("data.sums", "update sales_by_store_day set units = units + 1"),
    ("jobs.tasks", "insert into job (job_id, job_type, params) values ('j1', 'train', '{}')"),
    (
        "jobs.chunks",
        "insert into job (job_id, job_type, params, status, chunks_total, chunks_done)
         values ('j2', 'portfolio_forecast', '{}', 'completed', 2, 2)",
    ),
    (
        "registry.aliases",
        "insert into model_run (id, run_id, model_type, status, model_config, config_hash, data_window_start,
                                data_window_end, store_id, product_id)
         values (7, 'r7', 'naive', 'failed', '{}', 'x', '2024-01-01', '2024-01-02', 1, 1);
         insert into deployment_alias (alias_name, run_id) values ('live', 7)",
    ),
    (
        "registry.artifacts",
        "insert into model_run (run_id, model_type, status, model_config, config_hash, data_window_start,
                                data_window_end, store_id, product_id, artifact_uri)
         values ('r8', 'naive', 'success', '{}', 'x', '2024-01-01', '2024-01-02', 1, 1, 'gone.rcm')",
    ),
    (
        "knowledge.chunks",
        "insert into document_source (source_id, source_type, source_path, content_hash, chunk_count, indexed_at)
         values ('s1', 'markdown', 'a.md', 'x', 3, now())",
    ),
    (
        "agents.actions",
        "insert into agent_session (session_id, agent_type, status, last_activity, expires_at)
         values ('a1', 'experiment', 'awaiting_approval', now(), now())",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_place_has_no_findings_and_a_broken_one_has_its_own() {
    let app = TestApp::new().await;
    for statement in [
        "insert into store (code, name) values ('S', 'Shop')",
        "insert into product (sku, name) values ('P', 'Tea')",
        "insert into calendar (date, day_of_week, month, quarter, year) values ('2024-01-01', 0, 1, 1, 2024)",
        "insert into sales_daily (store_id, product_id, date, quantity, unit_price, total_amount)
         values (1, 1, '2024-01-01', 3, 2.5, 7.5)",
    ] {
        sqlx::query(statement).execute(&app.pool).await.unwrap();
    }
    // Not yet summed: stale, which is no fault. There is no key yet, which is.
    assert_eq!(report(&app).await.broken(), ["access.keys"]);
    app.app.rollups.refresh().await.unwrap();
    assert_eq!(report(&app).await.broken(), ["access.keys"]);

    for (check, statements) in BROKEN {
        // What the statement before it marked is summed again, so that only this one can be seen.
        app.app.rollups.refresh().await.unwrap();
        let mut transaction = app.pool.begin().await.unwrap();
        let free = format!("set local session_replication_role = replica; {statements}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(free)).execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        let report = report(&app).await;
        assert!(report.broken().contains(&check), "{check}: {report}");
    }
}
