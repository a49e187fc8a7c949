//! What breaks a check, found by the database. Each query names what it finds, and sees one moment.

use sqlx::PgPool;

use super::{Check, Finding};

/// Rows that a query reads at most; beyond, there is no use in counting.
macro_rules! broken {
    ($pool:expr, $query:literal) => {
        sqlx::query_scalar!($query).fetch_all($pool).await?
    };
}

/// All of them.
pub(super) async fn findings(pool: &PgPool, require_keys: bool) -> Result<Vec<Finding>, sqlx::Error> {
    Ok(vec![
        Finding::of(REFERENCES, references(pool).await?),
        Finding::of(SUMS, sums(pool).await?),
        Finding::of(INDEXES, indexes(pool).await?),
        Finding::of(TASKS, tasks(pool).await?),
        Finding::of(CHUNKS, chunks(pool).await?),
        Finding::of(ALIASES, aliases(pool).await?),
        Finding::of(SOURCES, sources(pool).await?),
        Finding::of(ACTIONS, actions(pool).await?),
        Finding::of(KEYS, if require_keys { keys(pool).await? } else { Vec::new() }),
    ])
}

const REFERENCES: Check = Check {
    id: "data.references",
    holds: "Every row of the data belongs to a store, a product and a day that exist.",
    mend: "Somebody wrote past the foreign keys. Import the missing store, product or day, or delete these rows.",
};

async fn references(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"with fact as (
               select 'sales_daily' as kind, store_id, product_id, date from sales_daily
               union all select 'inventory_snapshot_daily', store_id, product_id, date from inventory_snapshot_daily
               union all select 'sales_returns', store_id, product_id, date from sales_returns
               union all select 'replenishment_event', store_id, product_id, date from replenishment_event
           )
           select format('%s: store %s, product %s, %s', kind, store_id, product_id, date) as "found!"
           from fact f
           where not exists (select from store s where s.id = f.store_id)
              or not exists (select from product p where p.id = f.product_id)
              or not exists (select from calendar c where c.date = f.date)
           limit 1000"#
    ))
}

const SUMS: Check = Check {
    id: "data.sums",
    holds: "The sums that analytics reads are those of the sales.",
    mend: "Make them anew: `insert into sales_stale_days select datemultirange(daterange(min(date), max(date), '[]')) from sales_daily`.",
};

/// Days that are marked as stale are summed again by themselves.
async fn sums(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"with stale as (select coalesce(range_agg(d), '{}'::datemultirange) as days
                          from (select unnest(dates) as d from sales_stale_days) as marked),
           by_store as (
               select date, store_id, count(*) as row_count, sum(quantity) as units, sum(total_amount * 100)::bigint as cents
               from sales_daily group by date, store_id
           ), by_product as (
               select date, product_id, count(*) as row_count, sum(quantity) as units, sum(total_amount * 100)::bigint as cents
               from sales_daily group by date, product_id
           )
           select format('%s of %s', who, date) as "found!" from (
               select 'store ' || store_id as who, date, (k.row_count, k.units, k.cents) as kept,
                      (s.row_count, s.units, s.cents) as real
               from by_store s full join sales_by_store_day k using (date, store_id)
               union all
               select 'product ' || product_id, date, (k.row_count, k.units, k.cents), (s.row_count, s.units, s.cents)
               from by_product s full join sales_by_product_day k using (date, product_id)
           ) as both_sides, stale
           where kept::text is distinct from real::text and not date <@ stale.days
           limit 1000"#
    ))
}

const INDEXES: Check = Check {
    id: "data.indexes",
    holds: "Every index is whole.",
    mend: "`reindex index NAME` builds it again.",
};

async fn indexes(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select indexrelid::regclass::text as "found!" from pg_index
           where not indisvalid and indrelid in (select oid from pg_class where relnamespace = current_schema()::regnamespace)"#
    ))
}

const TASKS: Check = Check {
    id: "jobs.tasks",
    holds: "A job has tasks as long as it is not over, and none afterwards.",
    mend: "Cancel such a job (DELETE /jobs/ID) and submit it again.",
};

async fn tasks(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select format('job %s is %s and has %s tasks', j.job_id, j.status, count(t.id)) as "found!"
           from job j left join job_task t on t.job = j.id
           group by j.id
           having (j.status in ('pending', 'running')) = (count(t.id) = 0)
           limit 1000"#
    ))
}

const CHUNKS: Check = Check {
    id: "jobs.chunks",
    holds: "A portfolio job that is completed has every chunk once.",
    mend: "Submit the job again.",
};

async fn chunks(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select format('job %s: %s chunks, %s done, %s kept', j.job_id, j.chunks_total, j.chunks_done, count(c.chunk)) as "found!"
           from job j left join job_chunk c on c.job = j.id
           where j.status = 'completed' and j.chunks_total is not null
           group by j.id
           having j.chunks_done <> j.chunks_total or count(c.chunk) <> j.chunks_total
           limit 1000"#
    ))
}

const ALIASES: Check = Check {
    id: "registry.aliases",
    holds: "Every alias names a successful run.",
    mend: "POST /registry/aliases moves the alias to a run that is.",
};

async fn aliases(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select format('%s names %s, which is %s', a.alias_name, r.run_id, r.status) as "found!"
           from deployment_alias a join model_run r on r.id = a.run_id where r.status <> 'success'
           limit 1000"#
    ))
}

const SOURCES: Check = Check {
    id: "knowledge.chunks",
    holds: "Every document has the chunks that are counted, numbered from 0, each with a vector.",
    mend: "Delete the source and index the document again.",
};

/// A source with an empty hash waits to be indexed again, and has none.
async fn sources(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select format('%s: %s counted, %s there, the last one number %s, %s without a vector', s.source_path,
                         s.chunk_count, count(c.id), max(c.chunk_index), count(c.id) filter (where c.embedding is null)) as "found!"
           from document_source s left join document_chunk c on c.source_id = s.id
           group by s.id
           having s.chunk_count <> count(c.id) or count(c.id) <> coalesce(max(c.chunk_index) + 1, 0)
               or count(c.id) filter (where c.embedding is null) > 0
           limit 1000"#
    ))
}

const ACTIONS: Check = Check {
    id: "agents.actions",
    holds: "A session waits for approval when an action is pending, and only then.",
    mend: "DELETE /agents/sessions/ID ends the session.",
};

async fn actions(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select format('session %s… is %s', left(session_id, 6), status) as "found!" from agent_session
           where status in ('active', 'awaiting_approval')
             and (status = 'awaiting_approval') <> (pending_action is not null)
           limit 1000"#
    ))
}

const KEYS: Check = Check {
    id: "access.keys",
    holds: "Where keys are required, at least one of scope `admin` is valid.",
    mend: "`retailcast key create --scope admin` makes one.",
};

async fn keys(pool: &PgPool) -> Result<Vec<String>, sqlx::Error> {
    Ok(broken!(
        pool,
        r#"select 'no valid key of scope admin' as "found!"
           where not exists (select from api_key where scope = 'admin' and revoked_at is null
                             and (expires_at is null or expires_at > now()))"#
    ))
}
