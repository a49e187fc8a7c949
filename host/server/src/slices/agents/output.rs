//! The object that a model answers with, and the text in it that is for the reader.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::agent::AgentType;

/// Of the agent `experiment`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ExperimentOutput {
    #[serde(default)]
    run_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
    summary: String,
    #[serde(default)]
    metrics: IndexMap<String, f64>,
    #[serde(default)]
    recommendations: Vec<String>,
}

/// Of the agent `rag_assistant`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RagOutput {
    answer: String,
    confidence: Confidence,
    #[serde(default)]
    sources: Vec<Map<String, Value>>,
    #[serde(default)]
    no_evidence: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Confidence {
    Low,
    Medium,
    High,
}

/// The member that is streamed while the model writes it.
pub(super) fn streamed_member(agent: AgentType) -> &'static str {
    match agent {
        AgentType::Experiment => "summary",
        AgentType::RagAssistant => "answer",
    }
}

/// The reader's text of a model's answer; what is wrong with an answer that is not as it should be.
pub(super) fn reply_of(agent: AgentType, text: &str) -> Result<String, String> {
    let json = unfenced(text);
    let wrong =
        |error: serde_json::Error| format!("the answer is not the JSON object that is wanted: {error}");
    let (main, others, whole) = match agent {
        AgentType::Experiment => {
            let output: ExperimentOutput = serde_json::from_str(json).map_err(wrong)?;
            let whole = serde_json::to_string(&output);
            (output.summary, output.recommendations.join("\n"), whole)
        }
        AgentType::RagAssistant => {
            let output: RagOutput = serde_json::from_str(json).map_err(wrong)?;
            let whole = serde_json::to_string(&output);
            (output.answer, String::new(), whole)
        }
    };
    let whole = whole.map_err(wrong)?;
    let texts = [main, others, whole];
    // PostgreSQL's text cannot hold it, and neither does a stream of this text.
    Ok(texts.into_iter().find(|text| !text.is_empty()).unwrap_or_default().replace('\0', ""))
}

/// The text without a Markdown fence around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```").and_then(|text| text.strip_suffix("```")) else { return text };
    inner.strip_prefix("json").unwrap_or(inner).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_text_that_is_not_empty() {
        use AgentType::{Experiment, RagAssistant};
        for (agent, text, reply) in [
            (RagAssistant, r#"{"answer": "30 days", "confidence": "high"}"#, "30 days"),
            (RagAssistant, "```json\n{\"answer\": \"a\", \"confidence\": \"low\", \"x\": 1}\n```", "a"),
            (Experiment, r#"{"summary": "use naive", "run_id": null, "metrics": {"mae": 2}}"#, "use naive"),
            (Experiment, r#"{"summary": "", "recommendations": ["a", "b"]}"#, "a\nb"),
        ] {
            assert_eq!(reply_of(agent, text).as_deref(), Ok(reply));
        }
        let whole = reply_of(RagAssistant, r#"{"answer": "", "confidence": "low"}"#).unwrap();
        assert_eq!(whole, r#"{"answer":"","confidence":"low","sources":[],"no_evidence":false}"#);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        for (text, word) in [
            ("Hello", "JSON"),
            (r#"{"answer": "a"}"#, "confidence"),
            (r#"{"answer": "a", "confidence": "sure"}"#, "medium"),
            (r#"{"answer": 1, "confidence": "low"}"#, "string"),
            ("", "JSON"),
        ] {
            let error = reply_of(AgentType::RagAssistant, text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
