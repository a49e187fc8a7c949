//! The knowledge base: indexing this project's documentation, and searching 100,000 chunks of 384 dimensions, with the
//! share of the truly nearest five that is found. `cargo bench -p retailcast-tests --bench rag`; results stand in
//! `docs/rag.md`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use retailcast::ai::EmbeddingProvider;
use retailcast::app;
use retailcast::config::Config;
use retailcast::db::Database;
use retailcast::http::App;
use retailcast::slices::rag::{Embedder, Filters, Mode, ProjectDocs, Providers, Purpose, Question};
use sqlx::PgPool;

const CHUNKS: usize = 100_000;
const DIMENSIONS: u32 = 384;
const QUESTIONS: usize = 100;

struct Bench {
    runtime: tokio::runtime::Runtime,
    database: Option<Database>,
    app: Arc<App>,
    embedder: Providers,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.database.embedded.dir = folder.path().join("home");
        config.database.embedded.bin_dir = programs();
        config.plugins.cache_dir = folder.path().join("code");
        config.rag.embedding_provider = EmbeddingProvider::Local;
        config.rag.embedding_dimension = DIMENSIONS;
        config.rag.root = workspace();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (database, app, embedder) = runtime.block_on(async {
            let database = Database::open(&config).await.unwrap();
            let catalogue = Arc::new(app::catalogue(&config).unwrap());
            let app = app::assemble(&config, database.pool.clone(), Arc::clone(&catalogue)).unwrap();
            let embedder = Providers::new(catalogue, Arc::clone(&app.compute), 64);
            (database, app, embedder)
        });
        Self { runtime, database: Some(database), app, embedder, _folder: folder }
    }

    fn vectors(&self, purpose: Purpose, texts: Vec<String>) -> Vec<Vec<f32>> {
        let settings = self.app.ai.current();
        self.runtime.block_on(self.embedder.embed(&settings, purpose, texts, "bench")).unwrap()
    }

    fn search(&self, query: &str, mode: Mode) -> Vec<String> {
        let question = Question {
            query: query.to_owned(),
            top_k: 5,
            similarity_threshold: Some(0.0),
            filters: Filters::default(),
            mode,
        };
        let found = self.runtime.block_on(self.app.knowledge.retrieve(&question, "bench")).unwrap();
        found.results.into_iter().map(|chunk| chunk.chunk_id).collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            self.runtime.block_on(database.close()).unwrap();
        }
    }
}

fn workspace() -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn programs() -> Option<PathBuf> {
    let installed = workspace().join(".retailcast/postgres/bin");
    installed.is_dir().then_some(installed)
}

/// Every iteration indexes all of them anew.
fn indexing(c: &mut Criterion, bench: &Bench) {
    let docs = ProjectDocs { docs: true, prps: true, root: true, path_prefix: None };
    c.bench_function("index_project_docs", |b| {
        b.iter(|| {
            bench.runtime.block_on(async {
                sqlx::query("delete from document_source").execute(&bench.app.pool).await.unwrap();
                bench.app.knowledge.index_project(docs.clone(), "bench").await.unwrap()
            })
        });
    });
}

/// Paragraphs of the documentation, two at a time: texts of which no two are the same, and many are near.
fn texts() -> Vec<String> {
    let mut paragraphs = Vec::new();
    let mut folders = vec![workspace().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = std::fs::read_to_string(path).unwrap();
                paragraphs.extend(text.split("\n\n").filter(|p| p.len() > 80).map(str::to_owned));
            }
        }
    }
    paragraphs.sort();
    let count = paragraphs.len();
    (0..CHUNKS)
        .map(|i| format!("{}\n\n{}", paragraphs[i % count], paragraphs[(i / count * 7 + i * 13 + 1) % count]))
        .collect()
}

/// Replaces everything by these texts and their vectors.
async fn fill(pool: &PgPool, texts: &[String], vectors: &[Vec<f32>]) {
    for statement in [
        "delete from document_source",
        "drop index ix_chunk_embedding_hnsw",
        "insert into document_source (source_id, source_type, source_path, content_hash, chunk_count, indexed_at)
         values ('bench', 'markdown', 'bench', '', 100000, now())",
    ] {
        sqlx::query(statement).execute(pool).await.unwrap();
    }
    for (number, (part, texts)) in vectors.chunks(2_000).zip(texts.chunks(2_000)).enumerate() {
        let vectors: Vec<String> = part.iter().map(|vector| format!("{vector:?}")).collect();
        sqlx::query(
            "insert into document_chunk (source_id, chunk_index, chunk_id, content, embedding, token_count)
             select (select id from document_source), $2 + position - 1, md5(($2 + position)::text), content,
                 vector::vector, 1 + length(content) / 4
             from unnest($1::text[], $3::text[]) with ordinality as part (vector, content, position)",
        )
        .bind(vectors)
        .bind(number as i32 * 2_000)
        .bind(texts)
        .execute(pool)
        .await
        .unwrap();
    }
    // The graph is built in memory: with less of it, building takes minutes.
    let mut connection = pool.acquire().await.unwrap();
    for statement in [
        "set maintenance_work_mem = '1GB'",
        "create index ix_chunk_embedding_hnsw on document_chunk
             using hnsw (embedding vector_cosine_ops) with (m = 16, ef_construction = 64)",
        "analyze document_chunk",
    ] {
        sqlx::query(statement).execute(&mut *connection).await.unwrap();
    }
}

async fn exact(pool: &PgPool, vector: &[f32]) -> HashSet<String> {
    let found: Vec<String> = sqlx::query_scalar(
        "select chunk_id from document_chunk order by (embedding <=> $1::text::vector) + 0, id limit 5",
    )
    .bind(format!("{vector:?}"))
    .fetch_all(pool)
    .await
    .unwrap();
    found.into_iter().collect()
}

/// As a client searches, question included, over vectors of real texts.
fn real_texts(c: &mut Criterion, bench: &Bench) {
    let texts = texts();
    let started = Instant::now();
    let vectors = bench.vectors(Purpose::Document, texts.clone());
    println!("{CHUNKS} texts embedded in {:?}", started.elapsed());
    bench.runtime.block_on(fill(&bench.app.pool, &texts, &vectors));
    let questions: Vec<serde_json::Value> =
        serde_json::from_str(include_str!("../data/questions/questions.json")).unwrap();
    let questions: Vec<&str> =
        questions.iter().map(|labelled| labelled["question"].as_str().unwrap()).collect();
    let mut found = 0;
    for question in &questions {
        let vector = bench.vectors(Purpose::Query, vec![(*question).to_owned()]).remove(0);
        let nearest = bench.runtime.block_on(exact(&bench.app.pool, &vector));
        found += bench.search(question, Mode::Semantic).iter().filter(|id| nearest.contains(*id)).count();
    }
    println!("real texts: recall@5 {:.3}", found as f64 / (5 * questions.len()) as f64);
    for (name, mode) in [("real", Mode::Semantic), ("keyword", Mode::Keyword), ("hybrid", Mode::Hybrid)] {
        let mut turn = questions.iter().cycle();
        c.bench_function(&format!("retrieve_of_100000_{name}"), |b| {
            b.iter(|| bench.search(turn.next().expect("a cycle has no end"), mode));
        });
    }
}

/// Vectors without any structure, the hardest for every index: the index alone, as a search asks it.
fn random(c: &mut Criterion, bench: &Bench) {
    let mut state = 42_u64;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut vectors: Vec<Vec<f32>> =
        (0..CHUNKS + QUESTIONS).map(|_| (0..DIMENSIONS).map(|_| number()).collect()).collect();
    let questions = vectors.split_off(CHUNKS);
    let texts = vec!["text".to_owned(); CHUNKS];
    bench.runtime.block_on(fill(&bench.app.pool, &texts, &vectors));
    let search = async |vector: &[f32]| {
        let mut transaction = bench.app.pool.begin().await.unwrap();
        sqlx::query("select set_config('hnsw.ef_search', '200', true)")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let found: Vec<String> = sqlx::query_scalar(
            "select chunk_id from document_chunk order by embedding <=> $1::text::vector limit 5",
        )
        .bind(format!("{vector:?}"))
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
        found
    };
    let mut found = 0;
    for vector in &questions {
        let nearest = bench.runtime.block_on(exact(&bench.app.pool, vector));
        found += bench.runtime.block_on(search(vector)).iter().filter(|id| nearest.contains(*id)).count();
    }
    println!("random vectors: recall@5 {:.3}", found as f64 / (5 * QUESTIONS) as f64);
    let mut turn = questions.iter().cycle();
    c.bench_function("nearest_of_100000_random", |b| {
        b.iter(|| bench.runtime.block_on(search(turn.next().expect("a cycle has no end"))));
    });
}

fn all(c: &mut Criterion) {
    let bench = Bench::start();
    indexing(c, &bench);
    real_texts(c, &bench);
    random(c, &bench);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = all
}
criterion_main!(benches);
