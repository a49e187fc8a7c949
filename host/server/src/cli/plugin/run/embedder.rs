//! An embedding provider: texts compared.

use comfy_table::Table;
use retailcast_runtime::embedding::Purpose;
use retailcast_runtime::{Call, EmbeddingProvider};
use serde_json::json;

use super::show::{self, right};
use crate::cli::CliError;

/// Compared when nothing else is given: the first two have to do with each other.
const SENTENCES: [&str; 3] =
    ["Tea sells well in winter.", "In cold months, demand for tea is high.", "The train leaves at noon."];

/// The cosine of every text with every other.
pub(super) fn run(
    provider: &dyn EmbeddingProvider,
    call: &Call,
    dimension: u32,
    texts: &[String],
) -> Result<Table, CliError> {
    let texts = if texts.is_empty() { SENTENCES.map(str::to_owned).to_vec() } else { texts.to_vec() };
    let config = json!({"base_url": "http://localhost/v1", "model": "", "dimension": dimension}).to_string();
    let limits = provider.limits(&config, call).map_err(|e| CliError::refused(&e))?;
    if limits.remote {
        return Err(CliError::Refused(
            "it asks another service, whose address and key are the server's; ask the server: POST /rag/retrieve"
                .to_owned(),
        ));
    }
    let vectors = provider
        .embed(&config, Purpose::Document, &texts, dimension as usize, call)
        .map_err(|e| CliError::refused(&e))?
        .map_err(|failure| CliError::Refused(failure.error.to_string()))?;
    let header =
        std::iter::once(format!("{dimension} numbers")).chain((1..=texts.len()).map(|i| format!("{i}")));
    let mut table = show::table(header.collect::<Vec<_>>());
    for (i, text) in texts.iter().enumerate() {
        let cosines = vectors.iter().map(|other| format!("{:.4}", cosine(&vectors[i], other)));
        table.add_row(std::iter::once(format!("{} {text}", i + 1)).chain(cosines).collect::<Vec<_>>());
    }
    right(&mut table, 1);
    Ok(table)
}

/// 0 when one of them has no direction.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}
