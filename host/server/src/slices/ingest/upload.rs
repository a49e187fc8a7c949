//! The body of a load: JSON in memory, tables in a file without a name.
//!
//! A table is written to disk before the database hears of it: Parquet is read from its end, a slow or broken
//! connection must hold no locks, and what was cut off leaves nothing behind. The file has no name, so that nothing
//! remains of it, however this process ends. It is in the system's folder for temporary files (`TMPDIR`).

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use flate2::write::MultiGzDecoder;
use http_body_util::BodyExt;
use retailcast_core::config_schema::FieldError;
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::http::body::{self, ContentEncoding};
use crate::http::{Code, JsonBody, Problem};
use crate::tabular::GZIP;

/// What was sent.
pub(super) enum Upload {
    /// A JSON object.
    Records(Map<String, Value>),
    /// CSV or Parquet, unzipped.
    Table(File),
}

impl Upload {
    /// Reads a body of at most 16 MiB of JSON or `most_bytes` of table.
    pub(super) async fn read(request: Request, most_bytes: u64) -> Result<Self, Problem> {
        if !is_table(request.headers()) {
            return Ok(Self::Records(JsonBody::from_request(request, &()).await?.0));
        }
        let encoding = ContentEncoding::of(request.headers())?;
        if body::announces_more(request.headers(), most_bytes) {
            return Err(too_large(most_bytes));
        }
        spool(request.into_body(), encoding, most_bytes).await.map(Self::Table)
    }
}

/// Media types of tables. What it is in truth is told by the content.
fn is_table(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    ["text/csv", "application/vnd.apache.parquet"].iter().any(|known| kind.eq_ignore_ascii_case(known))
}

fn too_large(most_bytes: u64) -> Problem {
    let detail = format!(
        "The table is larger than {} MiB, unzipped. `ingest.max_table_mib` in retailcast.toml allows more; or send it in parts.",
        most_bytes >> 20
    );
    Problem::new(Code::PayloadTooLarge, detail)
}

/// Chunks that wait for the disk.
const AHEAD: usize = 16;

async fn spool(mut body: Body, encoding: ContentEncoding, most_bytes: u64) -> Result<File, Problem> {
    let (sender, mut chunks) = mpsc::channel::<axum::body::Bytes>(AHEAD);
    let writer = tokio::task::spawn_blocking(move || {
        let mut spool = Spool::new(encoding, most_bytes);
        while let Some(chunk) = chunks.blocking_recv() {
            spool.write(&chunk)?;
        }
        spool.finish()
    });
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| body::unreadable(&e))?;
        // The writer has failed: it says why.
        if let Ok(chunk) = frame.into_data()
            && sender.send(chunk).await.is_err()
        {
            break;
        }
    }
    drop(sender);
    writer.await.map_err(|e| Problem::internal(&e))?
}

/// Writes a body to disk, unzipped.
struct Spool {
    sink: Sink,
    encoding: ContentEncoding,
    most_bytes: u64,
}

enum Sink {
    /// Nothing is known yet but the very first bytes.
    Start(Vec<u8>),
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Spool {
    fn new(encoding: ContentEncoding, most_bytes: u64) -> Self {
        Self { sink: Sink::Start(Vec::new()), encoding, most_bytes }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let written = match &mut self.sink {
            Sink::Start(start) => {
                start.extend_from_slice(bytes);
                return if start.len() < GZIP.len() { Ok(()) } else { self.begin() };
            }
            Sink::Plain(file) => file.write_all(bytes),
            Sink::Gzip(decoder) => decoder.write_all(bytes),
        };
        written.map_err(|e| self.failed(&e))
    }

    /// Writes the first bytes to where they belong. A gzipped file is told by its content too.
    fn begin(&mut self) -> Result<(), Problem> {
        let Sink::Start(start) = &mut self.sink else { return Ok(()) };
        let start = std::mem::take(start);
        if start.is_empty() {
            let missing = FieldError::new("", "missing", "a table is required as the request's body");
            return Err(Problem::validation(vec![missing]));
        }
        let file = Bounded::new(self.most_bytes).map_err(|e| Problem::internal(&e))?;
        let zipped = start.starts_with(&GZIP);
        if self.encoding == ContentEncoding::Gzip && !zipped {
            return Err(damaged("Content-Encoding says gzip, and it is not"));
        }
        self.sink = if zipped { Sink::Gzip(Box::new(MultiGzDecoder::new(file))) } else { Sink::Plain(file) };
        self.write(&start)
    }

    fn finish(mut self) -> Result<File, Problem> {
        self.begin()?;
        if let Sink::Gzip(decoder) = &mut self.sink
            && let Err(e) = decoder.try_finish()
        {
            return Err(self.failed(&e));
        }
        let mut file = match self.sink {
            Sink::Plain(file) => file,
            Sink::Gzip(decoder) => decoder.finish().map_err(|e| Problem::internal(&e))?,
            Sink::Start(_) => return Err(damaged("it is empty")),
        };
        // Reading would unzip once more, without a limit.
        if file.start == GZIP {
            return Err(damaged("it is gzipped twice"));
        }
        file.file.seek(SeekFrom::Start(0)).map_err(|e| Problem::internal(&e))?;
        Ok(file.file)
    }

    /// What a failed write means.
    fn failed(&self, error: &std::io::Error) -> Problem {
        match &self.sink {
            Sink::Plain(file) if file.full => too_large(self.most_bytes),
            Sink::Gzip(decoder) if decoder.get_ref().full => too_large(self.most_bytes),
            Sink::Gzip(decoder) if decoder.get_ref().failed => Problem::internal(error),
            Sink::Gzip(_) => damaged(&format!("it is not valid gzip: {error}")),
            _ => Problem::internal(error),
        }
    }
}

fn damaged(reason: &str) -> Problem {
    Problem::validation(vec![FieldError::new("", "value_error", format!("the body is damaged: {reason}"))])
}

/// A file without a name that takes so many bytes and no more.
struct Bounded {
    file: File,
    room: u64,
    /// More was to be written.
    full: bool,
    /// The disk failed.
    failed: bool,
    /// The first bytes.
    start: Vec<u8>,
}

impl Bounded {
    fn new(room: u64) -> std::io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, room, full: false, failed: false, start: Vec::new() })
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() as u64 > self.room {
            self.full = true;
            return Err(std::io::Error::other("too large"));
        }
        let written = self.file.write(bytes).inspect_err(|_| self.failed = true)?;
        self.room -= written as u64;
        let missing = GZIP.len().saturating_sub(self.start.len()).min(written);
        self.start.extend_from_slice(&bytes[..missing]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}
