//! A conversation, as models see it.

use std::borrow::Cow;

use serde_json::Value;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message<'a> {
    /// What the model is for.
    System(Cow<'a, str>),
    /// Of the user, or of the program in the user's place.
    User(Cow<'a, str>),
    /// Of the model.
    Assistant {
        /// What it said; may be empty beside calls.
        text: Cow<'a, str>,
        /// What it wants to be run.
        tool_calls: Cow<'a, [ToolCall]>,
    },
    /// What came of a call.
    Tool {
        /// Of the call.
        call_id: Cow<'a, str>,
        /// JSON.
        content: Cow<'a, str>,
    },
}

/// A tool that the model wants to be run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToolCall {
    /// Never empty.
    pub id: String,
    /// The tool.
    pub name: String,
    /// What the model gave as JSON; it may be anything.
    pub arguments: String,
}

/// A tool that a model may call.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolSpec {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// JSON Schema of its arguments.
    pub parameters: Value,
}

/// A question to a model.
#[derive(Debug, Clone)]
pub struct ChatRequest<'a> {
    /// The conversation so far.
    pub messages: Vec<Message<'a>>,
    /// The tools.
    pub tools: Vec<&'a ToolSpec>,
    /// 0 to 2.
    pub temperature: f64,
    /// Of the answer.
    pub max_tokens: u32,
    /// Tokens for reasoning, for models that take such a number.
    pub thinking_budget: Option<u32>,
}

/// What a model answered, complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its text.
    pub text: String,
    /// Calls, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Tokens in and out.
    pub tokens: u64,
    /// Whether the answer ended at its limit of tokens, and so perhaps in the middle.
    pub cut_off: bool,
    /// What it said instead of an answer.
    pub refusal: Option<String>,
}
