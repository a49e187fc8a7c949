//! Searching: by meaning, by words, or by both.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::embedding::Purpose;
use super::error::RagError;
use super::service::Knowledge;
use super::store;

/// How chunks are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// By the angle between the vectors of question and chunk.
    #[default]
    Semantic,
    /// By the words that both have, rare ones first (BM25).
    Keyword,
    /// By both, fused by rank.
    Hybrid,
}

impl Mode {
    /// All names.
    pub const NAMES: [&str; 3] = ["semantic", "keyword", "hybrid"];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Semantic => "semantic",
            Self::Keyword => "keyword",
            Self::Hybrid => "hybrid",
        }
    }

    /// The mode of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Semantic, Self::Keyword, Self::Hybrid].into_iter().find(|mode| mode.name() == name)
    }
}

/// Which chunks may be found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filters {
    /// Only sources of one of these types.
    pub source_types: Option<Vec<String>>,
    /// Only sources whose metadata has this `category`.
    pub category: Option<String>,
}

impl Filters {
    /// Whether everything may be found.
    pub fn is_empty(&self) -> bool {
        self.source_types.is_none() && self.category.is_none()
    }
}

/// What is searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The text to search for.
    pub query: String,
    /// Most results.
    pub top_k: usize,
    /// Least cosine similarity; `None` takes `rag.similarity_threshold` in mode semantic, and none in the others.
    pub similarity_threshold: Option<f64>,
    /// Which chunks may be found.
    pub filters: Filters,
    /// How.
    pub mode: Mode,
}

/// A chunk that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Key of the chunk inside the database, which breaks ties.
    pub(super) id: i32,
    /// Citation key, 32 hex digits.
    pub chunk_id: String,
    /// The document.
    pub source_id: String,
    /// The document.
    pub source_path: String,
    /// The document.
    pub source_type: String,
    /// Its text.
    pub content: String,
    /// 0 to 1, the best is 1: cosine similarity; share of the best score that the words could reach; or share of the
    /// best rank in both.
    pub score: f64,
    /// Where in the document it stands.
    pub metadata: Option<Map<String, Value>>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrieval {
    /// Best first.
    pub results: Vec<Found>,
    /// Time for the vector of the question.
    pub embedding: Duration,
    /// Time for the search.
    pub search: Duration,
    /// Chunks of the whole store.
    pub total: i64,
}

/// Candidates of a search before they are cut to `top_k`, at least: the index sees as many on its way.
const CANDIDATES: usize = 40;

impl Knowledge {
    /// The best chunks for a question.
    pub async fn retrieve(&self, question: &Question, request_id: &str) -> Result<Retrieval, RagError> {
        let started = Instant::now();
        let vector = match question.mode {
            Mode::Keyword => None,
            Mode::Semantic | Mode::Hybrid => Some(self.question_vector(&question.query, request_id).await?),
        };
        let embedding = started.elapsed();
        let searching = Instant::now();
        let sizes = store::sizes(&self.pool, &question.filters).await?;
        let most = CANDIDATES.max(2 * question.top_k);
        let mut lists = Vec::new();
        if let Some(vector) = vector {
            let mut nearest = store::nearest(&self.pool, vector, &question.filters, sizes, most).await?;
            let least = question.similarity_threshold.unwrap_or(match question.mode {
                Mode::Semantic => self.settings.similarity_threshold,
                Mode::Keyword | Mode::Hybrid => 0.0,
            });
            nearest.retain(|found| found.score >= least);
            lists.push(nearest);
        }
        if question.mode != Mode::Semantic {
            lists.push(store::by_words(&self.pool, &question.query, &question.filters, sizes, most).await?);
        }
        let mut results = match question.mode {
            Mode::Hybrid => fuse(lists),
            Mode::Semantic | Mode::Keyword => lists.into_iter().flatten().collect(),
        };
        results.truncate(question.top_k);
        Ok(Retrieval { results, embedding, search: searching.elapsed(), total: sizes.total })
    }

    async fn question_vector(&self, query: &str, request_id: &str) -> Result<Vec<f32>, RagError> {
        let ai = self.ai.current();
        self.expect_width(ai.embedding.dimension).await?;
        let texts = vec![query.to_owned()];
        let vectors = self.embedder.embed(&ai, Purpose::Query, texts, request_id).await?;
        Ok(vectors.into_iter().next().unwrap_or_default())
    }
}

/// How much the ranks behind the first ones count (Cormack, Clarke, Büttcher 2009: 60).
const RANK_CONSTANT: f64 = 60.0;

/// Reciprocal rank fusion: a chunk's score is the sum of `1 / (60 + rank)` over the lists that have it, here as a share
/// of what the first place in all lists gives.
fn fuse(lists: Vec<Vec<Found>>) -> Vec<Found> {
    let best = lists.len() as f64 / (RANK_CONSTANT + 1.0);
    let mut fused: HashMap<i32, Found> = HashMap::new();
    for list in lists {
        for (at, found) in list.into_iter().enumerate() {
            let share = 1.0 / (RANK_CONSTANT + 1.0 + at as f64) / best;
            fused.entry(found.id).or_insert(Found { score: 0.0, ..found }).score += share;
        }
    }
    let mut fused: Vec<Found> = fused.into_values().collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
    fused
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(id: i32) -> Found {
        let text = String::new;
        let (chunk_id, source_id, source_path, source_type, content) =
            (text(), text(), text(), text(), text());
        Found { id, chunk_id, source_id, source_path, source_type, content, score: 0.5, metadata: None }
    }

    #[test]
    fn ranks_are_fused() {
        let fused = fuse(vec![vec![found(1), found(2), found(3)], vec![found(2), found(4)]]);
        let ids: Vec<i32> = fused.iter().map(|found| found.id).collect();
        assert_eq!(ids, [2, 1, 4, 3]);
        let best = 2.0 / 61.0;
        assert!((fused[0].score - (1.0 / 62.0 + 1.0 / 61.0) / best).abs() < 1e-12);
        let first = fuse(vec![vec![found(7)], vec![found(7)]]);
        assert!((first[0].score - 1.0).abs() < 1e-12);
    }

    #[test]
    fn equal_ranks_are_ordered_by_key() {
        let fused = fuse(vec![vec![found(9)], vec![found(3)]]);
        assert_eq!(fused.iter().map(|found| found.id).collect::<Vec<_>>(), [3, 9]);
    }
}
