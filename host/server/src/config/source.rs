//! Where a configuration came from, for reading it again and for changing the operator's file.

use std::path::{Path, PathBuf};

use super::{Config, ConfigError, FILE};

/// Where a configuration came from.
#[derive(Debug, Clone, Default)]
pub(super) enum Source {
    /// It was made in memory.
    #[default]
    Memory,
    /// The operator's file, `.env` and the environment; the file of `--config`, if one was named.
    Files(Option<PathBuf>),
}

impl Config {
    /// The same sources as they are now. What was made in memory stays as it is.
    pub fn read_again(&self) -> Result<Self, ConfigError> {
        match &self.source {
            Source::Memory => Ok(self.clone()),
            Source::Files(file) => Self::load(file.as_deref()),
        }
    }

    /// The operator's file, which need not exist: the one of `--config`, or that of the working directory.
    pub fn operators_file(&self) -> &Path {
        match &self.source {
            Source::Files(Some(file)) => file,
            _ => Path::new(FILE),
        }
    }
}
