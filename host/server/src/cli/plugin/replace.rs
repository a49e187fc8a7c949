//! Files that are replaced whole or not at all.

use std::io::Write;
use std::path::Path;

use super::super::CliError;
use crate::config::Config;

/// Writes a file by renaming one beside it. A link is followed; the permissions of a file that was there stay.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let fail = |e: std::io::Error| CliError::Failed(format!("cannot write {}: {e}", path.display()));
    let staged = stage(path, bytes).map_err(fail)?;
    staged.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

/// Writes the operator's configuration file, unless the program could not start with it.
pub(super) fn write_configuration(config: &Config, text: &str) -> Result<(), CliError> {
    let path = config.operators_file();
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let fail = |e: std::io::Error| CliError::Failed(format!("cannot write {}: {e}", path.display()));
    let staged = stage(path, text.as_bytes()).map_err(fail)?;
    Config::load(Some(staged.path()))
        .map_err(|e| CliError::Refused(format!("{} is left as it is: {e}", path.display())))?;
    staged.persist(path).map_err(|e| fail(e.error))?;
    Ok(())
}

/// The operator's configuration file as it is; empty when there is none.
pub(super) fn read_configuration(config: &Config) -> Result<String, CliError> {
    let path = config.operators_file();
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|e| CliError::Failed(format!("cannot read {}: {e}", path.display()))),
    }
}

fn stage(path: &Path, bytes: &[u8]) -> std::io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let permissions = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions(),
        // As an editor would make it; temporary files are for their owner alone.
        Err(_) => std::fs::Permissions::from_mode(0o644),
    };
    file.as_file().set_permissions(permissions)?;
    Ok(file)
}
