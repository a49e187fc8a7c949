//! The embedded files, each with its tag and compressed once.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::HeaderValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use include_dir::{Dir, include_dir};
use sha2::{Digest, Sha256};

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/dashboard/static");

/// Made at the first request. 40 small files, so that this takes milliseconds.
static ASSETS: LazyLock<HashMap<String, Arc<Asset>>> = LazyLock::new(|| {
    let mut assets = HashMap::new();
    collect(&FILES, &mut assets);
    assets
});

/// One file.
pub(super) struct Asset {
    pub(super) content_type: &'static str,
    /// Of the content, so that it changes with it and only with it.
    pub(super) etag: HeaderValue,
    pub(super) plain: Bytes,
    pub(super) gzipped: Bytes,
}

impl Asset {
    /// The file of this path below `static/`.
    pub(super) fn find(path: &str) -> Option<Arc<Self>> {
        // While the dashboard is worked on, a change of a page shows without building the program again.
        #[cfg(debug_assertions)]
        if let Some(folder) = std::env::var_os("RETAILCAST_DASHBOARD_DIR") {
            ASSETS.get(path)?;
            let content = std::fs::read(std::path::Path::new(&folder).join(path)).ok()?;
            return Some(Arc::new(Self::new(path, content.into())));
        }
        ASSETS.get(path).cloned()
    }

    fn new(path: &str, plain: Bytes) -> Self {
        let digest = hex::encode(&Sha256::digest(&plain)[..12]);
        Self {
            content_type: content_type(path),
            etag: HeaderValue::try_from(format!("\"{digest}\"")).expect("hex digits fit into a header"),
            gzipped: gzip(&plain),
            plain,
        }
    }
}

fn collect(dir: &'static Dir<'static>, assets: &mut HashMap<String, Arc<Asset>>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let asset = Asset::new(&path, Bytes::from_static(file.contents()));
        assets.insert(path, Arc::new(asset));
    }
    dir.dirs().for_each(|dir| collect(dir, assets));
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.expect("a vector takes everything").into()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    }
}
