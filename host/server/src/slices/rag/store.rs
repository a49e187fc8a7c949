//! Sources and chunks in the database.

use std::collections::HashMap;

use pgvector::Vector;
use retailcast_core::chunking::Chunk;
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool, Postgres, QueryBuilder, Row};

use super::embedding::EmbeddingError;
use super::error::RagError;
use super::retrieve::{Filters, Found};
use super::source::Source;

type Object = Map<String, Value>;

/// A source as it is known.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: i32,
    pub(super) source_id: String,
    pub(super) content_hash: String,
    pub(super) chunk_count: i32,
}

/// The sources with these types and paths, as far as there are any.
pub(super) async fn known(
    pool: &PgPool,
    paths: &[(&str, &str)],
) -> sqlx::Result<HashMap<(String, String), Known>> {
    let (types, paths): (Vec<&str>, Vec<&str>) = paths.iter().copied().unzip();
    let rows = sqlx::query!(
        r#"select id, source_id, source_type, source_path, content_hash, chunk_count
           from document_source
           where (source_type, source_path) in (select * from unnest($1::text[], $2::text[]))"#,
        &types as &[&str],
        &paths as &[&str],
    )
    .fetch_all(pool)
    .await?;
    let known = rows.into_iter().map(|row| {
        let key = (row.source_type, row.source_path);
        let (id, source_id, content_hash, chunk_count) =
            (row.id, row.source_id, row.content_hash, row.chunk_count);
        (key, Known { id, source_id, content_hash, chunk_count })
    });
    Ok(known.collect())
}

/// A source to write.
#[derive(Debug)]
pub(super) struct NewSource<'a> {
    pub(super) source_id: &'a str,
    pub(super) source_type: &'a str,
    pub(super) source_path: &'a str,
    pub(super) content_hash: &'a str,
    pub(super) metadata: Option<&'a Object>,
    pub(super) chunk_count: i32,
}

/// What writing a source found. An updated one keeps its id.
#[derive(Debug)]
pub(super) enum Upserted {
    Inserted(Known),
    Updated(Known),
    Unchanged(Known),
}

/// Writes a source unless it is there with the same hash. Until the transaction ends, whoever writes the same source
/// waits.
pub(super) async fn upsert(connection: &mut PgConnection, source: &NewSource<'_>) -> sqlx::Result<Upserted> {
    let written = sqlx::query_as!(
        Known,
        "insert into document_source as s
             (source_id, source_type, source_path, content_hash, metadata, chunk_count, indexed_at)
         values ($1, $2, $3, $4, $5, $6, clock_timestamp())
         on conflict (source_type, source_path) do update
         set content_hash = excluded.content_hash, metadata = excluded.metadata,
             chunk_count = excluded.chunk_count, indexed_at = excluded.indexed_at, updated_at = clock_timestamp()
         where s.content_hash <> excluded.content_hash
         returning id, source_id, content_hash, chunk_count",
        source.source_id,
        source.source_type,
        source.source_path,
        source.content_hash,
        source.metadata.map(Json) as _,
        source.chunk_count,
    )
    .fetch_optional(&mut *connection)
    .await?;
    Ok(match written {
        Some(known) if known.source_id == source.source_id => Upserted::Inserted(known),
        Some(known) => Upserted::Updated(known),
        None => Upserted::Unchanged(
            sqlx::query_as!(
                Known,
                "select id, source_id, content_hash, chunk_count from document_source
                 where source_type = $1 and source_path = $2",
                source.source_type,
                source.source_path,
            )
            .fetch_one(connection)
            .await?,
        ),
    })
}

/// Deletes all chunks of a source.
pub(super) async fn delete_chunks(connection: &mut PgConnection, source: i32) -> sqlx::Result<()> {
    sqlx::query!("delete from document_chunk where source_id = $1", source).execute(connection).await?;
    Ok(())
}

/// A chunk to write.
#[derive(Debug)]
pub(super) struct NewChunk {
    pub(super) chunk_id: String,
    pub(super) chunk: Chunk,
    pub(super) vector: Vec<f32>,
}

/// Writes the chunks of a source, which has none, in their order.
pub(super) async fn insert_chunks(
    connection: &mut PgConnection,
    source: i32,
    chunks: &[NewChunk],
) -> sqlx::Result<()> {
    let ids: Vec<&str> = chunks.iter().map(|new| new.chunk_id.as_str()).collect();
    let contents: Vec<&str> = chunks.iter().map(|new| new.chunk.content.as_str()).collect();
    let vectors: Vec<Vector> = chunks.iter().map(|new| Vector::from(new.vector.clone())).collect();
    let tokens: Vec<i32> = chunks.iter().map(|new| new.chunk.token_count as i32).collect();
    let metadata: Vec<Option<Json<&Object>>> =
        chunks.iter().map(|new| new.chunk.metadata.as_ref().map(Json)).collect();
    sqlx::query!(
        "insert into document_chunk (source_id, chunk_index, chunk_id, content, embedding, token_count, metadata)
         select $1, position - 1, chunk_id, content, embedding, token_count, metadata
         from unnest($2::text[], $3::text[], $4::vector[], $5::integer[], $6::jsonb[]) with ordinality
             as chunk (chunk_id, content, embedding, token_count, metadata, position)",
        source,
        &ids as &[&str],
        &contents as &[&str],
        &vectors as _,
        &tokens,
        &metadata as _,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// All sources, the newest first.
pub(super) async fn sources(pool: &PgPool) -> sqlx::Result<Vec<Source>> {
    let rows = sqlx::query!(
        r#"select source_id, source_type, source_path, chunk_count, content_hash, indexed_at,
               metadata as "metadata: Json<Object>"
           from document_source order by indexed_at desc, id desc"#
    )
    .fetch_all(pool)
    .await?;
    let source = rows.into_iter().map(|row| Source {
        source_id: row.source_id,
        source_type: row.source_type,
        source_path: row.source_path,
        chunk_count: row.chunk_count,
        content_hash: row.content_hash,
        indexed_at: row.indexed_at,
        metadata: row.metadata.map(|json| json.0),
    });
    Ok(source.collect())
}

/// Deletes a source; its chunks go by cascade. How many there were; `None` when there is no such source.
pub(super) async fn delete(pool: &PgPool, source_id: &str) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar!("delete from document_source where source_id = $1 returning chunk_count", source_id)
        .fetch_optional(pool)
        .await
}

/// Chunks of the whole store.
pub(super) async fn chunk_count(pool: &PgPool) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select coalesce(sum(chunk_count), 0)::bigint as "count!" from document_source"#)
        .fetch_one(pool)
        .await
}

/// Length of the stored vectors.
pub(super) async fn width<'e>(executor: impl sqlx::PgExecutor<'e>) -> sqlx::Result<u32> {
    // The type's modifier is its length.
    let width = sqlx::query_scalar!(
        "select atttypmod from pg_attribute
         where attrelid = 'document_chunk'::regclass and attname = 'embedding'"
    )
    .fetch_one(executor)
    .await?;
    Ok(width as u32)
}

/// Keeps the width until the transaction ends; an error when it is another one.
pub(super) async fn hold_width(connection: &mut PgConnection, dimension: u32) -> Result<(), RagError> {
    sqlx::query!("lock table document_chunk in row exclusive mode").execute(&mut *connection).await?;
    let stored = width(connection).await?;
    if stored == dimension {
        return Ok(());
    }
    Err(EmbeddingError::Dimension { stored, wanted: dimension }.into())
}

/// Keeps everybody from writing documents until the transaction ends, and counts their chunks. Sources first, as those
/// who index lock them: the other order would be a deadlock.
pub(super) async fn hold_chunks(connection: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query!("lock table document_source in share row exclusive mode").execute(&mut *connection).await?;
    sqlx::query!("lock table document_chunk in access exclusive mode").execute(&mut *connection).await?;
    sqlx::query_scalar!(r#"select count(*) as "count!" from document_chunk"#).fetch_one(connection).await
}

/// Dimensions that an HNSW index of pgvector takes; searches of longer vectors read all of them.
const MOST_INDEXED: u32 = 2_000;

/// Changes the width of the vectors. Without chunks: vectors of another model say nothing about each other.
pub(super) async fn resize(connection: &mut PgConnection, dimension: u32) -> sqlx::Result<()> {
    sqlx::query!("drop index if exists ix_chunk_embedding_hnsw").execute(&mut *connection).await?;
    sqlx::query!("truncate document_chunk").execute(&mut *connection).await?;
    sqlx::query!(
        "update document_source set content_hash = '', chunk_count = 0, updated_at = clock_timestamp()"
    )
    .execute(&mut *connection)
    .await?;
    // A number in a type is no parameter.
    let alter = format!("alter table document_chunk alter column embedding type vector({dimension})");
    sqlx::query(AssertSqlSafe(alter)).execute(&mut *connection).await?;
    if dimension <= MOST_INDEXED {
        sqlx::query!(
            "create index ix_chunk_embedding_hnsw on document_chunk
                 using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)"
        )
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// How much there is to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Chunks of the whole store.
    pub(super) total: i64,
    /// Chunks that the filters leave.
    pub(super) eligible: i64,
}

/// Counts by sources, of which there are far fewer than chunks.
pub(super) async fn sizes(pool: &PgPool, filters: &Filters) -> sqlx::Result<Sizes> {
    let row = sqlx::query!(
        r#"select coalesce(sum(chunk_count), 0)::bigint as "total!",
               coalesce(sum(chunk_count) filter (
                   where ($1::text[] is null or source_type = any($1))
                     and ($2::text is null or metadata ->> 'category' = $2)), 0)::bigint as "eligible!"
           from document_source"#,
        filters.source_types.as_deref(),
        filters.category,
    )
    .fetch_one(pool)
    .await?;
    Ok(Sizes { total: row.total, eligible: row.eligible })
}

/// Up to so many chunks are all compared: that takes a few milliseconds and misses none.
const COMPARED: i64 = 2_000;

/// Candidates that the index keeps in view on its way, at least. 40 find 87 % of the nearest five among 46,000 vectors of
/// texts, 200 find 97 %, in 3 ms; 400 find nearly all and take half as long again.
const SEEN: usize = 200;

/// The chunks nearest to a vector by cosine distance, the nearest first, at most `most`. Scores are similarities, at most 1.
pub(super) async fn nearest(
    pool: &PgPool,
    vector: Vec<f32>,
    filters: &Filters,
    sizes: Sizes,
    most: usize,
) -> sqlx::Result<Vec<Found>> {
    let exact = sizes.eligible <= COMPARED;
    let mut query = QueryBuilder::new(FOUND);
    query.push("1 - distance as score from (select c.id, c.embedding <=> ").push_bind(Vector::from(vector));
    query.push(" as distance from document_chunk c where c.embedding is not null");
    filter(&mut query, filters);
    // A sum is an order that the index does not serve. The number of rows stands in the text: the plan depends on it.
    let order = if exact { "(c.embedding <=> $1) + 0" } else { "c.embedding <=> $1" };
    query.push(format!(" order by {order} limit {most}) near {JOINS}"));
    query.push(" where distance <> 'NaN' order by distance, c.id");
    let mut transaction = pool.begin().await?;
    if !exact {
        // With filters the index goes on until enough chunks pass them.
        let iterative = if filters.is_empty() { "off" } else { "strict_order" };
        sqlx::query!(
            "select set_config('hnsw.ef_search', $1, true) as seen, set_config('hnsw.iterative_scan', $2, true) as mode,
                 set_config('hnsw.max_scan_tuples', $3, true) as scanned",
            SEEN.max(most).to_string(),
            iterative,
            sizes.total.clamp(20_000, i64::from(i32::MAX)).to_string(),
        )
        .fetch_one(&mut *transaction)
        .await?;
    }
    let mut found: Vec<Found> = query.build_query_as().fetch_all(&mut *transaction).await?;
    transaction.commit().await?;
    for found in &mut found {
        found.score = found.score.min(1.0);
    }
    Ok(found)
}

/// Chunks that are scored exactly: the best ones if every word stood in them once. A search shows 50 at most.
const SCORED: usize = 1_000;

/// The chunks that share words with a question, the best by BM25 (Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75)
/// first. A score is the share of the most that the question's words could give.
///
/// How often a word stands in a chunk is only found by reading all of the chunk's words, which takes seconds where
/// a frequent word stands in half of 100,000 chunks. So all are ranked by what the index knows, that the words are there,
/// and the best of them are read.
pub(super) async fn by_words(
    pool: &PgPool,
    question: &str,
    filters: &Filters,
    sizes: Sizes,
    most: usize,
) -> sqlx::Result<Vec<Found>> {
    // A lexeme is found as it is: quotes and backslashes in it are text.
    let mut query = QueryBuilder::new(
        r"with term as materialized (
              select lexeme, ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery as query
              from unnest(to_tsvector('english', ",
    );
    query.push_bind(question.to_owned()).push(
        "))), hit as materialized (
             select t.lexeme, c.id, c.source_id, c.token_count::float8 as tokens
             from term t join document_chunk c on c.words @@ t.query
         ), usual as materialized (
             select avg(tokens) as tokens from hit
         ), weighted as materialized (
             select lexeme, ln(1 + (",
    );
    query.push_bind(sizes.total).push(
        " - count(*) + 0.5) / (count(*) + 0.5))::float8 as weight from hit group by lexeme
         ), candidate as materialized (
             select c.id,
                 sum(w.weight * 2.2 / (1 + 1.2 * (0.25 + 0.75 * c.tokens / u.tokens))) as expected
             from hit c join weighted w on w.lexeme = c.lexeme cross join usual u where true",
    );
    filter(&mut query, filters);
    query.push(format!(" group by c.id order by expected desc, c.id limit {}", SCORED.max(most)));
    query.push(
        "), scored as (
             select c.id, sum(w.weight * 2.2 * cardinality(t.positions)
                 / (cardinality(t.positions) + 1.2 * (0.25 + 0.75 * c.token_count / u.tokens))) as score
             from candidate join document_chunk c on c.id = candidate.id cross join usual u
             cross join lateral unnest(c.words) t join weighted w on w.lexeme = t.lexeme
             group by c.id
         ) ",
    );
    query.push(FOUND);
    query.push("score / (select 2.2 * sum(weight) from weighted) as score from ");
    query.push(format!("(select * from scored order by score desc, id limit {most}) near {JOINS}"));
    query.push(" order by score desc, c.id");
    query.build_query_as().fetch_all(pool).await
}

/// What is read of a chunk that was found.
const FOUND: &str =
    "select c.id, c.chunk_id, s.source_id, s.source_path, s.source_type, c.content, c.metadata, ";

/// From the chunks that were found to what is read of them.
const JOINS: &str = "join document_chunk c on c.id = near.id join document_source s on s.id = c.source_id";

impl FromRow<'_, PgRow> for Found {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            chunk_id: row.try_get("chunk_id")?,
            source_id: row.try_get("source_id")?,
            source_path: row.try_get("source_path")?,
            source_type: row.try_get("source_type")?,
            content: row.try_get("content")?,
            score: row.try_get("score")?,
            metadata: row.try_get::<Option<Json<Object>>, _>("metadata")?.map(|json| json.0),
        })
    }
}

/// Sources are few: their keys are looked up once, and chunks are picked by them.
fn filter(query: &mut QueryBuilder<Postgres>, filters: &Filters) {
    if filters.is_empty() {
        return;
    }
    query.push(" and c.source_id = any (array(select id from document_source where true");
    if let Some(types) = &filters.source_types {
        query.push(" and source_type = any(").push_bind(types.clone()).push(")");
    }
    if let Some(category) = &filters.category {
        query.push(" and metadata ->> 'category' = ").push_bind(category.clone());
    }
    query.push("))");
}
