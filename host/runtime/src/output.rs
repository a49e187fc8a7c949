//! Captured standard error (and output) of a plugin: the last few KiB, for the error message.
//!
//! `MemoryOutputPipe` of wasmtime-wasi closes when it is full, so that a chatty plugin would die of its own
//! logging; this one forgets the oldest bytes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Enough for a panic message with its location and a few lines before it.
const KEPT: usize = 4096;

/// The end of what a plugin wrote. Clones share the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputTail(Arc<Mutex<VecDeque<u8>>>);

impl OutputTail {
    /// The kept text, trimmed.
    pub(crate) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (front, back) = kept.as_slices();
        String::from_utf8_lossy(&[front, back].concat()).trim().to_owned()
    }

    fn append(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(&bytes[bytes.len().saturating_sub(KEPT)..]);
        let excess = kept.len().saturating_sub(KEPT);
        kept.drain(..excess);
    }
}

impl IsTerminal for OutputTail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for OutputTail {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for OutputTail {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(KEPT)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for OutputTail {
    async fn ready(&mut self) {}
}

impl AsyncWrite for OutputTail {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.append(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The same text with only the file's name in the places of Rust panics: `panicked at /home/ann/x/src/lib.rs:10:5:`
/// becomes `panicked at lib.rs:10:5:`. Where somebody's sources lie is nobody's business who asks for a forecast.
pub(crate) fn without_source_paths(text: &str) -> String {
    text.split('\n').map(shorten_place).collect::<Vec<_>>().join("\n")
}

fn shorten_place(line: &str) -> String {
    const MARK: &str = "panicked at ";
    let place = line.split_once(MARK).filter(|(_, place)| is_place(place));
    match place {
        Some((before, place)) => {
            let file = place.rsplit(['/', '\\']).next().unwrap_or(place);
            format!("{before}{MARK}{file}")
        }
        None => line.to_owned(),
    }
}

/// Whether a text ends like `lib.rs:10:5:`, so that it is a place and no sentence.
fn is_place(text: &str) -> bool {
    let mut parts = text.trim_end().rsplit(':');
    let mut number = || parts.next().is_some_and(|part| part.parse::<u32>().is_ok());
    text.trim_end().ends_with(':') && {
        // What follows the last colon is empty.
        let _ = number();
        number() && number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_place_of_a_panic_only_the_file_s_name_is_kept() {
        for (said, kept) in [
            ("panicked at /home/ann/my plugin/src/lib.rs:10:5:", "panicked at lib.rs:10:5:"),
            (
                "thread '<unnamed>' (1) panicked at C:\\ann\\src\\lib.rs:1:22:\nover/there",
                "thread '<unnamed>' (1) panicked at lib.rs:1:22:\nover/there",
            ),
            ("panicked at src/lib.rs:41:9:\r\n", "panicked at lib.rs:41:9:\r\n"),
            ("nobody panicked at 10/12 of the way", "nobody panicked at 10/12 of the way"),
            ("", ""),
        ] {
            assert_eq!(without_source_paths(said), kept);
        }
    }

    #[test]
    fn keeps_the_end_of_a_flood() {
        let tail = OutputTail::default();
        for _ in 0..10_000 {
            tail.append(b"noise\n");
        }
        tail.append(b"the last words\n");
        assert!(tail.text().ends_with("the last words"));
        assert!(tail.text().len() <= KEPT);
    }
}
