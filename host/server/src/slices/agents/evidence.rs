//! Citations and sufficiency of what was retrieved. Models hand retrieved chunks on in several forms.

use serde_json::{Map, Value, json};

/// Characters of a snippet.
const SNIPPET: usize = 200;

/// The chunks of a retrieve response, of a bare list, or of either as JSON text.
pub(super) fn chunks(retrieved: &Value) -> Result<Vec<Map<String, Value>>, String> {
    let list = match retrieved {
        Value::String(text) => {
            let inner: Value =
                serde_json::from_str(text).map_err(|_| "retrieval_result is a text that is no JSON")?;
            if inner.is_string() {
                return Err("retrieval_result is a text within a text".to_owned());
            }
            return chunks(&inner);
        }
        Value::Object(response) => response.get("results").and_then(Value::as_array),
        Value::Array(list) => Some(list),
        _ => None,
    };
    let list = list.ok_or("retrieval_result is no result of tool_retrieve_context")?;
    Ok(list.iter().filter_map(Value::as_object).cloned().collect())
}

/// A citation of each chunk.
pub(super) fn citations(chunks: &[Map<String, Value>]) -> Value {
    let citation = |chunk: &Map<String, Value>| {
        let text = |name: &str| match chunk.get(name) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => "unknown".to_owned(),
            Some(other) => other.to_string(),
        };
        let relevance = relevance(chunk).map_or_else(|| "unknown".to_owned(), |score| format!("{score:.2}"));
        json!({
            "source_type": text("source_type"), "source_path": text("source_path"), "chunk_id": text("chunk_id"),
            "relevance": relevance, "snippet": snippet(&text("content")),
        })
    };
    chunks.iter().map(citation).collect()
}

fn snippet(content: &str) -> String {
    match content.char_indices().nth(SNIPPET) {
        Some((end, _)) => format!("{}...", &content[..end]),
        None => content.to_owned(),
    }
}

/// Whether there are enough chunks, and the best is good enough.
pub(super) fn sufficient(chunks: &[Map<String, Value>], min_results: i64, min_relevance: f64) -> bool {
    let best = chunks.iter().filter_map(relevance).fold(f64::NEG_INFINITY, f64::max);
    chunks.len() as i64 >= min_results && best >= min_relevance
}

fn relevance(chunk: &Map<String, Value>) -> Option<f64> {
    let value = chunk.get("relevance_score")?;
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_chunks() {
        let list = json!([{"chunk_id": "c1", "relevance_score": 0.8127, "content": "é".repeat(201)}, 5]);
        for form in [
            list.clone(),
            json!({"results": list}),
            json!(list.to_string()),
            json!(json!({"results": list}).to_string()),
        ] {
            let found = chunks(&form).unwrap();
            assert_eq!(found.len(), 1);
            let cited = citations(&found);
            assert_eq!(cited[0]["relevance"], "0.81");
            assert_eq!(cited[0]["source_path"], "unknown");
            assert_eq!(cited[0]["snippet"], format!("{}...", "é".repeat(200)));
            assert!(sufficient(&found, 1, 0.8) && !sufficient(&found, 2, 0.8) && !sufficient(&found, 1, 0.9));
        }
        for wrong in [json!(5), json!("x"), json!({}), json!("\"x\"")] {
            assert!(chunks(&wrong).is_err(), "{wrong}");
        }
        assert!(!sufficient(&[], 0, 0.5));
    }
}
