//! The templates of `retailcast plugin new`. They are projects under `sdk/templates/` that are called `my-model`.

mod sdk;

use std::path::PathBuf;

use include_dir::{Dir, DirEntry, include_dir};

/// Files of a project: path and text.
pub(super) type Files = Vec<(PathBuf, String)>;

/// A project to begin with.
pub(super) struct Template {
    /// Kind of the plugin.
    pub(super) kind: &'static str,
    /// Language.
    pub(super) lang: &'static str,
    /// Everything that belongs to it.
    pub(super) files: fn() -> Files,
}

/// All of them.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        kind: "forecast-model",
        lang: "rust",
        files: || [texts(&RUST_FORECAST_MODEL), sdk::rust()].concat(),
    },
    Template { kind: "explainer", lang: "rust", files: || [texts(&RUST_EXPLAINER), sdk::rust()].concat() },
    Template {
        kind: "scenario-adjuster",
        lang: "rust",
        files: || [texts(&RUST_SCENARIO_ADJUSTER), sdk::rust()].concat(),
    },
    Template {
        kind: "embedding-provider",
        lang: "rust",
        files: || [texts(&RUST_EMBEDDING_PROVIDER), sdk::rust()].concat(),
    },
    Template {
        kind: "forecast-model",
        lang: "python",
        files: || [texts(&PYTHON_FORECAST_MODEL), sdk::python()].concat(),
    },
    Template {
        kind: "explainer",
        lang: "python",
        files: || [texts(&PYTHON_EXPLAINER), sdk::python()].concat(),
    },
    Template {
        kind: "scenario-adjuster",
        lang: "python",
        files: || [texts(&PYTHON_SCENARIO_ADJUSTER), sdk::python()].concat(),
    },
    Template {
        kind: "embedding-provider",
        lang: "python",
        files: || [texts(&PYTHON_EMBEDDING_PROVIDER), sdk::python()].concat(),
    },
];

static PYTHON_FORECAST_MODEL: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/python-forecast-model");

static PYTHON_EXPLAINER: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/python-explainer");

static PYTHON_SCENARIO_ADJUSTER: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/python-scenario-adjuster");

static PYTHON_EMBEDDING_PROVIDER: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/python-embedding-provider");

static RUST_FORECAST_MODEL: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/rust-forecast-model");

static RUST_EXPLAINER: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/rust-explainer");

static RUST_SCENARIO_ADJUSTER: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/rust-scenario-adjuster");

static RUST_EMBEDDING_PROVIDER: Dir<'static> =
    include_dir!("$CARGO_MANIFEST_DIR/../../sdk/templates/rust-embedding-provider");

/// All files below a folder. What is no text does not belong into a template.
pub(super) fn texts(folder: &Dir<'static>) -> Files {
    let mut files = Vec::new();
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => files.extend(texts(folder)),
            DirEntry::File(file) => {
                files.extend(file.contents_utf8().map(|text| (file.path().to_owned(), text.to_owned())));
            }
        }
    }
    files
}

/// A plugin's name in the spellings that files need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    words: Vec<String>,
}

impl Names {
    /// Of a name as somebody types it. The model type is at most 50 characters long.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        let snake = name.replace('-', "_");
        let words: Vec<String> = snake.split('_').map(str::to_owned).collect();
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let fits = name.len() <= 50
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && words.iter().all(|word| !word.is_empty() && word.chars().all(lower));
        if fits {
            return Ok(Self { words });
        }
        Err(format!(
            "`{name}` is no name for a plugin: it must be lower-case letters and digits in words joined by _ or -, begin with a letter, and have at most 50 characters"
        ))
    }

    /// `my-model`
    pub(super) fn kebab(&self) -> String {
        self.words.join("-")
    }

    fn snake(&self) -> String {
        self.words.join("_")
    }

    fn pascal(&self) -> String {
        let capital = |word: &String| format!("{}{}", word[..1].to_ascii_uppercase(), &word[1..]);
        self.words.iter().map(capital).collect()
    }

    /// Writes the name where the template has its own.
    pub(super) fn fill(&self, text: &str) -> String {
        text.replace("my-model", &self.kebab())
            .replace("my_model", &self.snake())
            .replace("MyModel", &self.pascal())
            .replace("{{name}}", &self.kebab())
            .replace("{{type}}", &self.snake())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_all_spellings() {
        let names = Names::new("weekly-mean_2").unwrap();
        assert_eq!(names.fill("my-model my_model MyModel"), "weekly-mean-2 weekly_mean_2 WeeklyMean2");
        for wrong in ["", "Weekly", "2nd", "a__b", "tea!", "-a"] {
            assert!(Names::new(wrong).unwrap_err().contains("is no name"), "{wrong}");
        }
    }

    /// Every template is a whole project: its own files, the SDK and the contract.
    #[test]
    fn projects_have_their_sources_the_sdk_and_the_contract() {
        let rust =
            ["Cargo.toml", ".cargo/config.toml", "src/lib.rs", "vendor/retailcast/sdk/rust/src/lib.rs"];
        let python = ["requirements.txt", "vendor/retailcast/sdk/python/retailcast_sdk/__init__.py"];
        let names = Names::new("weekly-mean").unwrap();
        for Template { kind, lang, files } in TEMPLATES {
            let files = files();
            let own: &[&str] = if *lang == "rust" { &rust } else { &python };
            for path in own.iter().chain(&["README.md", "vendor/retailcast/wit/v0.1/types.wit"]) {
                let there = files.iter().any(|(found, _)| found == std::path::Path::new(path));
                assert!(there, "{kind} in {lang}: {path} is missing");
            }
            for (path, text) in files {
                let filled = names.fill(&text);
                let placeholder =
                    ["my-model", "my_model", "MyModel", "{{name}}"].iter().find(|p| filled.contains(**p));
                assert_eq!(placeholder, None, "{kind} in {lang}: {}", path.display());
            }
        }
    }
}
