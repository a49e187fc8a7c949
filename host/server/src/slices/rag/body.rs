//! The bodies of `/rag`.

use retailcast_core::config_schema::FieldError;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::files::{LONGEST_PATH, ProjectDocs};
use super::index::Document;
use super::retrieve::{Filters, Mode, Question};
use super::source::SourceType;
use crate::http::fields::{self, Fields, Reading};

/// A document to index.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"source_type": "markdown", "source_path": "handbook/returns.md",
    "content": "# Returns\n\nCustomers may return goods within 30 days.\n", "metadata": {"category": "policy"}}))]
pub(super) struct IndexBody {
    source_type: SourceTypeName,
    /// Identity of the document inside its type; without `content` also the file to read, inside the server's folder
    /// of documents (`rag.root`).
    #[schema(min_length = 1, max_length = 500)]
    source_path: String,
    /// The text; null and "" read the file.
    content: Option<String>,
    /// Kept with the source; searches can be restricted to its `category`.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// How a document is cut: by headings, or by operations.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a text")]
#[schema(rename_all = "lowercase")]
pub(super) enum SourceTypeName {
    Markdown,
    OpenApi,
}

/// Which documents of the installation are indexed.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"include_prps": false, "path_prefix": "plugins"}))]
pub(super) struct ProjectDocsBody {
    /// `docs/**/*.md`, as category `docs`.
    #[schema(default = true)]
    include_docs: Option<bool>,
    /// `PRPs/**/*.md`, as category `prp`.
    #[schema(default = true)]
    include_prps: Option<bool>,
    /// `README.md`, `AGENTS.md` and `CHANGELOG.md`, as category `root`.
    #[schema(default = true)]
    include_root: Option<bool>,
    /// Only what lies below this folder of `docs`.
    #[schema(max_length = 200)]
    path_prefix: Option<String>,
}

/// What is searched.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[schema(example = json!({"query": "how long can goods be returned", "top_k": 3, "similarity_threshold": 0.4,
    "filters": {"source_type": ["markdown"], "category": "policy"}}))]
pub(super) struct RetrieveBody {
    #[schema(min_length = 1, max_length = 2000)]
    query: String,
    /// Most results.
    #[schema(minimum = 1, maximum = 50, default = 5)]
    top_k: Option<i64>,
    /// Least cosine similarity. Null takes `rag.similarity_threshold` in mode `semantic` and none in mode `hybrid`;
    /// mode `keyword` has no similarities.
    #[schema(minimum = 0, maximum = 1)]
    similarity_threshold: Option<f64>,
    filters: Option<FiltersBody>,
    /// By meaning, by words, or by both.
    #[schema(default = "semantic")]
    mode: Option<ModeName>,
}

/// Which chunks may be found; all filters must fit, other members are ignored.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
pub(super) struct FiltersBody {
    /// One type or several.
    source_type: Option<SourceTypes>,
    /// `category` of the source's metadata.
    category: Option<String>,
}

/// One type of source or several.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code, reason = "describes the body, which is read field by field")]
#[serde(untagged)]
pub(super) enum SourceTypes {
    One(String),
    Several(Vec<String>),
}

/// How chunks are found.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "describes a text")]
#[schema(rename_all = "lowercase")]
pub(super) enum ModeName {
    Semantic,
    Keyword,
    Hybrid,
}

/// Reads a document to index.
pub(super) fn read_index(body: &Map<String, Value>) -> Result<Document, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let source_type = fields.required("source_type", source_type);
    let source_path = fields.required("source_path", fields::text(1, LONGEST_PATH));
    let content = fields.nullable("content", fields::text(0, usize::MAX)).map(str::to_owned);
    let metadata = fields.nullable("metadata", fields::storable);
    fields.forbid_others(&["source_type", "source_path", "content", "metadata"]);
    let document = (|| {
        Some(Document { source_type: source_type?, source_path: source_path?.to_owned(), content, metadata })
    })();
    fields.finish(document)
}

fn source_type(value: &Value) -> Reading<SourceType> {
    let name = fields::one_of(&SourceType::NAMES)(value)?;
    // One of the names is one of the types.
    Ok(SourceType::named(name).unwrap_or(SourceType::Markdown))
}

/// Reads which documents of the installation are indexed.
pub(super) fn read_project_docs(body: &Map<String, Value>) -> Result<ProjectDocs, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let mut flag = |name| fields.optional(name, fields::lax_flag).unwrap_or(true);
    let (docs, prps, root) = (flag("include_docs"), flag("include_prps"), flag("include_root"));
    let path_prefix = fields.nullable("path_prefix", fields::text(0, 200)).map(str::to_owned);
    fields.forbid_others(&["include_docs", "include_prps", "include_root", "path_prefix"]);
    fields.finish(Some(ProjectDocs { docs, prps, root, path_prefix }))
}

/// Reads what is searched.
pub(super) fn read_retrieve(body: &Map<String, Value>) -> Result<Question, Vec<FieldError>> {
    let mut fields = Fields::of(body);
    let query = fields.required("query", fields::text(1, 2_000));
    let top_k = fields.optional("top_k", fields::lax_int(1, 50)).unwrap_or(5);
    let similarity_threshold = fields.nullable("similarity_threshold", fields::lax_number(0.0, 1.0));
    let filters = fields.nullable_nested("filters", read_filters).unwrap_or_default();
    let mode = fields.optional("mode", fields::one_of(&Mode::NAMES));
    fields.forbid_others(&["query", "top_k", "similarity_threshold", "filters", "mode"]);
    let question = query.map(|query| Question {
        query: query.to_owned(),
        top_k: top_k as usize,
        similarity_threshold,
        filters,
        mode: mode.and_then(Mode::named).unwrap_or_default(),
    });
    fields.finish(question)
}

fn read_filters(value: &Value) -> Result<Filters, Vec<FieldError>> {
    let mut fields = Fields::inside("filters", value)?;
    let several = matches!(value.get("source_type"), Some(Value::Array(_)));
    let source_types = if several {
        fields.items("source_type", fields::text(0, usize::MAX))
    } else {
        fields.nullable("source_type", fields::text(0, usize::MAX)).map(|one| vec![one])
    };
    let source_types = source_types.map(|types| types.into_iter().map(str::to_owned).collect());
    let category = fields.nullable("category", fields::text(0, usize::MAX)).map(str::to_owned);
    fields.finish(Some(Filters { source_types, category }))
}
