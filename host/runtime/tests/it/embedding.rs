//! Embedding providers as components: what they give, where they may go, and that they see no key.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use retailcast_runtime::embedding::{EmbeddingFailure, Purpose};
use retailcast_runtime::{
    Call, EmbeddingProvider, Engine, EngineSettings, HttpAccess, HttpPattern, Plugin, PluginError,
    PluginSettings, open,
};

const KEY: &str = "sk-canary-0d9d3c0e";

fn provider(name: &str, http: &[&str]) -> Result<Arc<dyn EmbeddingProvider>, PluginError> {
    let engine = Engine::new(EngineSettings::default()).unwrap();
    let http: Vec<HttpPattern> = http.iter().map(|host| host.parse().unwrap()).collect();
    let settings = PluginSettings { http, ..PluginSettings::default() };
    let bytes = retailcast_bundled::find(name).unwrap().component;
    match open(&engine, None, name, bytes, &settings)? {
        Plugin::EmbeddingProvider(provider) => Ok(provider),
        other => panic!("{}", other.description().kind),
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A service that gives this answer to every request and counts them.
fn service(answer: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 65_536];
            if stream.read(&mut request).is_ok_and(|bytes| bytes > 0) {
                count.fetch_add(1, Ordering::SeqCst);
                // Whoever has enough may have gone.
                let _ = stream.write_all(answer.as_bytes());
            }
        }
    });
    (url, seen)
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn ask(
    provider: &dyn EmbeddingProvider,
    url: &str,
    access: Option<HttpAccess>,
) -> Result<Vec<Vec<f32>>, EmbeddingFailure> {
    let config = format!(r#"{{"base_url": "{url}/v1", "model": "m", "dimension": 2}}"#);
    let call = Call { http: access.map(Arc::new), ..Call::default() };
    provider.embed(&config, Purpose::Query, &texts(&["x"]), 2, &call).unwrap()
}

#[test]
fn vectors_are_the_same_in_every_instance_and_batch() {
    let local = provider("embed_local", &[]).unwrap();
    let texts = texts(&["How long can goods be returned?", "", "Prices", "Retouren", "the"]);
    let call = Call::default();
    let all = |dimension: usize, texts: &[String]| {
        let config = format!(r#"{{"dimension": {dimension}}}"#);
        local.embed(&config, Purpose::Document, texts, dimension, &call).unwrap().unwrap()
    };
    for dimension in [16, 384, 1536] {
        let together = all(dimension, &texts);
        assert_eq!(together, all(dimension, &texts));
        let alone: Vec<Vec<f32>> =
            texts.iter().flat_map(|text| all(dimension, std::slice::from_ref(text))).collect();
        assert_eq!(together, alone);
        assert!(together.iter().all(|vector| vector.len() == dimension));
        assert!(together[1].iter().all(|x| *x == 0.0));
    }
    let limits = local.limits(r#"{"dimension": 16}"#, &call).unwrap();
    assert!(!limits.remote && limits.max_batch >= 1);
    assert!(matches!(local.limits("{}", &call), Err(PluginError::Guest(_))));
    // What the host wants longer than the plugin makes is not taken.
    let error = local.embed(r#"{"dimension": 16}"#, Purpose::Query, &texts, 17, &call).unwrap_err();
    assert_eq!(error.code(), "RC-P013");
}

#[test]
fn without_a_grant_a_provider_of_the_network_is_not_loaded() {
    for name in ["embed_openai", "embed_ollama"] {
        let error = provider(name, &[]).err().unwrap();
        assert_eq!(error.code(), "RC-P004");
        let text = error.to_string();
        assert!(
            text.contains("wasi:http/")
                && text.contains(&format!("[plugins.settings.{name}]\ngrants = [{{ http")),
            "{text}"
        );
    }
}

#[test]
fn a_host_that_was_not_granted_is_not_reached() {
    let (url, seen) = service(answer("200 OK", r#"{"data": [{"index": 0, "embedding": [1, 2]}]}"#));
    let openai = provider("embed_openai", &["https://api.openai.com"]).unwrap();
    let failure = ask(&*openai, &url, None).unwrap_err();
    assert!(failure.error.message.contains("was not granted"), "{failure:?}");
    // A key for another address opens none.
    let other = HttpAccess::new("http://127.0.0.1:1/v1", Some(KEY)).unwrap();
    ask(&*openai, &url, Some(other)).unwrap_err();
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    let access = HttpAccess::new(&url, Some(KEY)).unwrap();
    assert_eq!(ask(&*openai, &url, Some(access)).unwrap(), [[1.0, 2.0]]);
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    // Granted by the operator: without a key.
    let granted = provider("embed_openai", &[&url]).unwrap();
    assert_eq!(ask(&*granted, &url, None).unwrap(), [[1.0, 2.0]]);
}

#[test]
fn a_provider_never_sees_the_key() {
    // What it says of the answer is what it saw of it.
    let (url, _) =
        service(answer("401 Unauthorized", &format!(r#"{{"error": {{"message": "bad: Bearer {KEY}"}}}}"#)));
    let openai = provider("embed_openai", &["https://api.openai.com"]).unwrap();
    let failure = ask(&*openai, &url, Some(HttpAccess::new(&url, Some(KEY)).unwrap())).unwrap_err();
    assert_eq!(failure.error.message, "status 401: bad: Bearer [key]");
}

#[test]
fn no_redirection_is_followed() {
    let (elsewhere, seen) = service(answer("200 OK", "{}"));
    let (url, _) = service(format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {elsewhere}/v1/embeddings\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    ));
    let openai = provider("embed_openai", &["https://api.openai.com"]).unwrap();
    let failure = ask(&*openai, &url, Some(HttpAccess::new(&url, Some(KEY)).unwrap())).unwrap_err();
    assert_eq!(failure.error.message, "status 307");
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}
