//! Where artifacts are kept: a folder or a bucket.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use url::Url;

/// A folder of this machine, or a prefix in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ArtifactRoot {
    /// Absolute, or relative to the working directory.
    Folder(PathBuf),
    /// `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`.
    Bucket(Url),
}

/// The schemes of buckets.
const SCHEMES: [&str; 3] = ["s3", "gs", "az"];

/// Neither a folder nor a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is neither a folder nor s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX \
     (credentials and endpoints stand in AWS_…, GOOGLE_… and AZURE_… variables)"
)]
pub struct NoRoot(String);

impl FromStr for ArtifactRoot {
    type Err = NoRoot;

    fn from_str(text: &str) -> Result<Self, NoRoot> {
        let refused = || NoRoot(text.to_owned());
        if !text.contains("://") {
            return if text.is_empty() { Err(refused()) } else { Ok(Self::Folder(text.into())) };
        }
        let url = Url::parse(text).map_err(|_| refused())?;
        let plain = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none();
        let known = SCHEMES.contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty());
        if plain && known { Ok(Self::Bucket(url)) } else { Err(refused()) }
    }
}

impl TryFrom<String> for ArtifactRoot {
    type Error = NoRoot;

    fn try_from(text: String) -> Result<Self, NoRoot> {
        text.parse()
    }
}

impl From<PathBuf> for ArtifactRoot {
    fn from(folder: PathBuf) -> Self {
        Self::Folder(folder)
    }
}

impl From<&Path> for ArtifactRoot {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl fmt::Display for ArtifactRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Bucket(url) => url.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_buckets() {
        for folder in ["./artifacts/models", "/srv/models", "models", "C:\\models"] {
            assert_eq!(folder.parse(), Ok(ArtifactRoot::Folder(folder.into())));
        }
        for bucket in ["s3://shop", "s3://shop/", "gs://shop/models", "az://shop/a/b/"] {
            assert!(matches!(bucket.parse(), Ok(ArtifactRoot::Bucket(_))), "{bucket}");
        }
    }

    #[test]
    fn whatever_else_looks_like_a_url_is_refused_and_told() {
        for text in [
            "",
            "s3://",
            "ftp://shop/models",
            "file:///srv/models",
            "https://shop.s3.amazonaws.com/models",
            "s3://shop/models?region=eu",
            "s3://shop/models#x",
            "s3://key:secret@shop/models",
            "s3://shop:9000/models",
        ] {
            let refusal = text.parse::<ArtifactRoot>().unwrap_err().to_string();
            assert!(refusal.contains(&format!("`{text}`")) && refusal.contains("s3://BUCKET"), "{refusal}");
        }
    }
}
