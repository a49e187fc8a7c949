//! What a backup holds.

use retailcast::backup::{COPIED, DERIVED};

use crate::support::app::TestApp;

/// Who adds a table decides here whether it is copied.
#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_copied_or_computed_from_others() {
    let app = TestApp::new().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
         where table_schema = current_schema() and table_type = 'BASE TABLE' order by 1",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    let mut listed: Vec<&str> = COPIED.into_iter().chain(DERIVED).collect();
    listed.sort_unstable();
    assert_eq!(tables, listed);
}
