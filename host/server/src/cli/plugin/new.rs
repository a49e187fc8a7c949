//! `retailcast plugin new`: a project that builds and passes the checks at once.

use std::path::{Path, PathBuf};

use super::templates::{Names, TEMPLATES, Template};
use crate::cli::CliError;
use crate::cli::stdout::say;

/// Options.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What the plugin is: forecast-model, explainer, scenario-adjuster, embedding-provider
    #[arg(long, value_name = "KIND", default_value = "forecast-model")]
    kind: String,
    /// The language that it is written in: rust, python
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    lang: String,
    /// Name of the plugin, which clients will write: a letter, then letters, digits and _ or -
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder to make [default: the name]
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), CliError> {
    let names = Names::new(&args.name).map_err(CliError::Refused)?;
    let template = template(&args.kind, &args.lang)?;
    let folder = args.into.clone().unwrap_or_else(|| PathBuf::from(names.kebab()));
    make(template, &names, &folder)?;
    say!("Made {}. What to do with it stands in {}.", folder.display(), folder.join("README.md").display());
    Ok(())
}

fn template(kind: &str, lang: &str) -> Result<&'static Template, CliError> {
    let found = TEMPLATES.iter().find(|template| template.kind == kind && template.lang == lang);
    found.ok_or_else(|| {
        let there: Vec<String> =
            TEMPLATES.iter().map(|t| format!("--kind {} --lang {}", t.kind, t.lang)).collect();
        CliError::Refused(format!(
            "there is no template for --kind {kind} --lang {lang}; there are: {}",
            there.join("; ")
        ))
    })
}

fn make(template: &Template, names: &Names, folder: &Path) -> Result<(), CliError> {
    if folder.exists() {
        return Err(CliError::Refused(format!("{} exists already", folder.display())));
    }
    for (path, text) in (template.files)() {
        let path = folder.join(path);
        let text = names.fill(&text);
        let written =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.map_err(|e| CliError::Failed(format!("cannot write {}: {e}", path.display())))?;
    }
    Ok(())
}
