//! A conversation between a client, the server and a model by script, written down: every request, answer and frame, and
//! all that the model was asked. What differs from run to run is replaced by its place in the conversation.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use reqwest::Method;
use serde_json::{Value, json};

use super::app::TestApp;
use super::model::{Asked, Dialect, ModelServer, Step};
use super::socket::Socket;

/// A key that no client may see.
pub(crate) const CANARY: &str = "sk-canary-0123456789";

/// The parties, and what they said.
pub(crate) struct Conversation {
    pub(crate) app: TestApp,
    pub(crate) model: ModelServer,
    url: String,
    http: reqwest::Client,
    socket: Socket,
    session: Option<String>,
    asked: usize,
    /// What the model was told last.
    told: Vec<Value>,
    text: String,
}

impl Conversation {
    /// Between a client and a server whose models are these; the script follows with [`ModelServer::then`].
    pub(crate) async fn new(dialect: Dialect) -> Self {
        let default = match dialect {
            Dialect::OpenAi => "openai:scripted",
            Dialect::Ollama => "ollama:scripted:8b",
        };
        Self::with(|config| {
            config.agents.default_model = default.parse().unwrap();
            config.agents.fallback_model = None;
        })
        .await
    }

    /// With another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut retailcast::config::Config)) -> Self {
        let model = ModelServer::start([]).await;
        let app = TestApp::with(|config| {
            config.providers.openai_base_url = model.openai();
            config.providers.openai_api_key = CANARY.into();
            config.providers.ollama_base_url = model.url();
            change(config);
        })
        .await;
        let url = app.listen().await;
        let socket = Socket::connect(&url).await;
        let http = reqwest::Client::new();
        Self { app, model, url, http, socket, session: None, asked: 0, told: Vec::new(), text: String::new() }
    }

    /// What the model does next.
    pub(crate) fn then(&self, steps: impl IntoIterator<Item = Step>) {
        steps.into_iter().for_each(|step| self.model.then(step));
    }

    /// Opens a session; later calls are about it.
    pub(crate) async fn open(&mut self, agent: &str) -> String {
        let opened = self.rest(Method::POST, "", Some(json!({"agent_type": agent}))).await;
        let id = opened["session_id"].as_str().unwrap().to_owned();
        self.session = Some(id.clone());
        id
    }

    /// Calls `/agents/sessions`, below the session once there is one.
    pub(crate) async fn rest(&mut self, method: Method, path: &str, body: Option<Value>) -> Value {
        let session = self.session.as_ref().map(|id| format!("/{id}")).unwrap_or_default();
        let path = format!("/agents/sessions{session}{path}");
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        let sent = body.as_ref().map(Value::to_string).unwrap_or_default();
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let answer = answer.text().await.unwrap();
        assert!(!answer.contains(CANARY), "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        self.line(format!("\n> {method} {path} {sent}"));
        self.write_asked();
        let pretty = if answer.is_null() { String::new() } else { format!("{answer:#}") };
        self.line(format!("< {status} {pretty}"));
        answer
    }

    /// Sends a message of the session over the WebSocket and hears the turn to its end.
    pub(crate) async fn say(&mut self, message: &str) -> Vec<Value> {
        let session = self.session.clone().expect("there is a session");
        self.send(&json!({"session_id": session, "message": message})).await
    }

    /// Sends a frame and hears the turn to its end.
    pub(crate) async fn send(&mut self, frame: &Value) -> Vec<Value> {
        let frames = self.socket.turn(frame).await;
        self.line(format!("\n> WS {frame}"));
        self.write_asked();
        for frame in &frames {
            let text = frame.to_string();
            assert!(!text.contains(CANARY), "{text}");
            self.line(format!("< {text}"));
        }
        frames
    }

    fn write_asked(&mut self) {
        for asked in self.model.asked().into_iter().skip(self.asked) {
            self.asked += 1;
            let text = self.asked_text(&asked);
            self.line(text);
        }
    }

    /// The prompt and the schemas of tools are long and the same each time: they are told by their names. So is what the
    /// model was told the last time, too.
    fn asked_text(&mut self, asked: &Asked) -> String {
        let mut body = asked.body.as_object().unwrap().clone();
        if let Some(tools) = body["tools"].as_array() {
            body["tools"] = tools.iter().map(|tool| tool["function"]["name"].clone()).collect();
        }
        let messages = body.shift_remove("messages").unwrap().as_array().unwrap().clone();
        let key = match asked.authorization.as_deref() {
            Some(key) => key.replace(CANARY, "[key]"),
            None => "without a key".to_owned(),
        };
        let mut text = format!("    {:?} {key} {}\n", asked.dialect, Value::Object(body));
        let known = self.told.len();
        let new = match messages.strip_prefix(self.told.as_slice()) {
            Some(new) if known > 0 => {
                writeln!(text, "      (the {known} messages before)").unwrap();
                new
            }
            _ => &messages,
        };
        for message in new {
            let mut message = message.clone();
            if message["role"] == "system" {
                message["content"] = json!("[prompt]");
            }
            writeln!(text, "      {message}").unwrap();
        }
        self.told.clone_from(&messages);
        text + &format!("    the model {}", asked.step.to_string().replace(CANARY, "[key]"))
    }

    fn line(&mut self, text: impl AsRef<str>) {
        writeln!(self.text, "{}", text.as_ref().trim_end()).unwrap();
    }

    /// All that was said.
    pub(crate) fn written(&self) -> String {
        steady(self.text.trim())
    }
}

static VOLATILE: LazyLock<Regex> = LazyLock::new(|| {
    let hyphened = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let time = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z";
    Regex::new(&format!(
        r#"(?P<id>\b(?:{hyphened}|[0-9a-f]{{64}}|[0-9a-f]{{32}}|[0-9a-f]{{16}})\b)|(?P<time>{time})|(?P<number>\\?"(?:duration_ms|search_time_ms|query_embedding_time_ms|relevance_score)\\?": ?[0-9.e-]+)"#
    ))
    .unwrap()
});

fn steady(text: &str) -> String {
    let mut ids: HashMap<String, usize> = HashMap::new();
    let replaced = VOLATILE.replace_all(text, |found: &Captures<'_>| {
        if let Some(id) = found.name("id") {
            let next = ids.len() + 1;
            return format!("[id {}]", ids.entry(id.as_str().to_owned()).or_insert(next));
        }
        if found.name("time").is_some() {
            return "[time]".to_owned();
        }
        let name = found[0].split_once(':').map(|(name, _)| name.to_owned()).unwrap_or_default();
        format!("{name}:[number]")
    });
    replaced.into_owned()
}
