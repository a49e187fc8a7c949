//! What of a plugin's words reaches the log.

use std::io::Write;
use std::sync::{Arc, Mutex};

use retailcast_runtime::{Call, PluginError};

use crate::support::{hostile, one};

/// The lines that were logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What the log says while `fit` runs with this fault, and what the caller hears.
fn logged(fault: &str) -> (String, Option<PluginError>) {
    let (_folder, catalogue) = hostile();
    let model = catalogue.model("hostile").unwrap();
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let error = tracing::subscriber::with_default(subscriber, || {
        let call = Call { id: "request-7".to_owned(), ..Call::default() };
        let mut session = model.session(&call).unwrap();
        session.fit(&format!(r#"{{"fault":"{fault}"}}"#), one(&[1.0, 2.0])).err()
    });
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (text, error)
}

fn line<'a>(text: &'a str, words: &str) -> &'a str {
    let mut found = text.lines().filter(|line| line.contains(words));
    let line = found.next().unwrap_or_else(|| panic!("`{words}` is not in the log:\n{text}"));
    assert!(found.next().is_none(), "`{words}` is twice in the log:\n{text}");
    line
}

#[test]
fn a_crash_is_logged_once_with_the_functions_and_the_whole_panic() {
    let (text, error) = logged("panic");
    let line = line(&text, "plugin crashed");
    assert!(line.contains("WARN"), "{line}");
    for words in
        ["hostile", "0.1.0", "request-7", "phase=fit", "unreachable", "Hostile", "the shelf fell down"]
    {
        assert!(line.contains(words), "{words}: {line}");
    }
    // The log has the place in the sources, the answer only the file's name.
    assert!(line.contains("src/lib.rs:"), "{line}");
    let answer = error.unwrap().to_string();
    assert!(answer.contains("panicked at lib.rs:") && answer.contains("the shelf fell down"), "{answer}");
}

#[test]
fn standard_error_of_a_plugin_that_works_ends_in_the_log() {
    let (text, error) = logged("chatter");
    assert!(error.is_none(), "{error:?}");
    let line = line(&text, "a word on standard error");
    for words in ["DEBUG", "hostile", "0.1.0", "request-7"] {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[test]
fn lines_of_a_plugin_carry_its_name_its_version_and_the_request() {
    let (text, _) = logged("chatter");
    let line = line(&text, "a word in the log");
    for words in ["INFO", "hostile", "0.1.0", "request-7"] {
        assert!(line.contains(words), "{words}: {line}");
    }
}
