//! What Ollama says of itself. Its models are spoken to through its OpenAI-compatible API, like all others.

use serde_json::Value;

use super::client::{self, Client};

/// A model that an Ollama server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OllamaModel {
    /// Its name, `unknown` when the server does not say.
    pub name: String,
    /// Bytes.
    pub size_bytes: Option<u64>,
    /// Family of models.
    pub family: Option<String>,
}

/// Why the models are not known. The text names the server and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum OllamaError {
    /// Nobody there.
    #[error("no answer from {address}: {cause}")]
    Unreachable {
        /// Scheme, host and port.
        address: String,
        /// Why.
        cause: String,
    },
    /// An error of the server.
    #[error("{address} answers with status {status}")]
    Status {
        /// Scheme, host and port.
        address: String,
        /// HTTP status.
        status: u16,
    },
    /// Not an Ollama server.
    #[error("{address} does not answer like Ollama: {cause}")]
    Unusable {
        /// Scheme, host and port.
        address: String,
        /// What is wrong.
        cause: String,
    },
}

/// Asks Ollama servers.
#[derive(Debug, Clone)]
pub struct Ollama(Client);

/// Largest list of models, in bytes; one model is about 300.
const LARGEST: usize = 4 << 20;

impl Ollama {
    /// With this client.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    /// The models of a server, in its order.
    pub async fn models(&self, base_url: &str) -> Result<Vec<OllamaModel>, OllamaError> {
        let address = address(base_url);
        let unusable = |cause: String| OllamaError::Unusable { address: address.clone(), cause };
        let url = format!("{}/api/tags", base_url.trim_end_matches('/'));
        let response = self.0.probe.get(url).send().await.map_err(|error| OllamaError::Unreachable {
            address: address.clone(),
            cause: client::cause(error),
        })?;
        if !response.status().is_success() {
            let status = response.status().as_u16();
            return Err(OllamaError::Status { address, status });
        }
        let body = client::read(response, LARGEST).await.map_err(|error| unusable(error.to_string()))?;
        let answer: Value =
            serde_json::from_slice(&body).map_err(|_| unusable("it is no JSON".to_owned()))?;
        let models = answer.get("models").and_then(Value::as_array);
        let models = models.ok_or_else(|| unusable("it has no list `models`".to_owned()))?;
        Ok(models.iter().map(model).collect())
    }
}

fn model(entry: &Value) -> OllamaModel {
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    OllamaModel {
        name: text(&entry["name"]).or_else(|| text(&entry["model"])).unwrap_or_else(|| "unknown".to_owned()),
        size_bytes: entry["size"].as_u64(),
        family: entry["details"]["family"].as_str().map(str::to_owned),
    }
}

/// Scheme, host and port, for messages.
fn address(base_url: &str) -> String {
    match url::Url::parse(base_url) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => base_url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_models() {
        for (entry, name) in [
            (json!({"name": "a", "model": "b"}), "a"),
            (json!({"name": "", "model": "b"}), "b"),
            (json!({"name": null}), "unknown"),
            (json!("odd"), "unknown"),
        ] {
            assert_eq!(model(&entry).name, name);
        }
        let full = model(&json!({"name": "a", "size": 5, "details": {"family": "llama"}}));
        assert_eq!((full.size_bytes, full.family.as_deref()), (Some(5), Some("llama")));
    }

    #[test]
    fn an_address_shows_no_password() {
        assert_eq!(address("http://u:secret@gpu:1/x"), "http://gpu:1");
    }
}
