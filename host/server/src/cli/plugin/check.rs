//! `retailcast plugin check`.

use std::path::PathBuf;

use retailcast_conformance::{Level, check_file};
use retailcast_runtime::{Engine, EngineSettings};

use super::file::{GrantArg, OneFile};
use super::models;
use crate::cli::CliError;
use crate::cli::stdout::{print, say};
use crate::config::Config;

/// Options.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The component
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How thorough: smoke is what the server does before a file of plugins.dir serves
    #[arg(long, value_enum, default_value = "full")]
    level: LevelArg,
    /// Grant a capability, beside those of the configuration
    #[arg(long = "grant", value_enum, value_name = "CAPABILITY")]
    grants: Vec<GrantArg>,
    /// The report as JSON
    #[arg(long, conflicts_with = "junit")]
    json: bool,
    /// The report as JUnit XML
    #[arg(long)]
    junit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum LevelArg {
    Smoke,
    Full,
}

pub(super) fn run(config: &Config, args: &Args) -> Result<(), CliError> {
    let file = OneFile::read(config, &args.file, &args.grants)?;
    let engine = Engine::new(EngineSettings::default()).map_err(|e| CliError::failed(&e))?;
    let level = match args.level {
        LevelArg::Smoke => Level::Smoke,
        LevelArg::Full => Level::Full,
    };
    let beside = models::bundled(&engine, config);
    let report = check_file(&engine, &file.key, &file.bytes, &file.settings, level, &beside);
    if args.json {
        say!("{:#}", report.json());
    } else if args.junit {
        print(format_args!("{}", report.junit()));
    } else {
        print(format_args!("{}", report.text()));
    }
    if report.passed {
        return Ok(());
    }
    let failed = report.failed();
    let what = if failed.is_empty() { "some checks did not run".to_owned() } else { failed.join(", ") };
    Err(CliError::Refused(format!("{} does not conform: {what}", args.file.display())))
}
