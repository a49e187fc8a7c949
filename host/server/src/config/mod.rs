//! The configuration: the program's `retailcast.toml` (its defaults), the operator's, then the environment.

mod access;
mod ai;
mod environment;
mod plugins;
mod secret;
mod sections;
mod source;

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Format, Toml};

pub use access::AccessConfig;
pub use ai::{ACTIONS, AgentsConfig, IndexType, ProvidersConfig, RagConfig};
pub use environment::{DotEnvError, VARIABLES};
pub use plugins::{Grant, LimitsConfig, PluginConfig, PluginsConfig};
pub use sections::{
    AnalyticsConfig, AppConfig, AppEnv, BacktestConfig, ComputeConfig, Config, DatabaseConfig,
    DuplicatePolicy, EmbeddedConfig, FeaturesConfig, ForecastConfig, IngestConfig, JobsConfig, LogConfig,
    LogFormat, LogLevel, RegistryConfig, SeederConfig, ServerConfig,
};

/// The commented defaults, as they lie at the root of the project.
pub const DEFAULTS: &str = include_str!("../../../../retailcast.toml");

/// What messages call the defaults.
const BUILT_IN: &str = "the built-in retailcast.toml";

/// What is read when `--config` names nothing.
pub const FILE: &str = "retailcast.toml";

/// Why the configuration cannot be used. The text names the key, the value and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by `--config` is not there.
    #[error("there is no configuration file {}", .0.display())]
    NoFile(PathBuf),
    /// `.env` cannot be read.
    #[error(transparent)]
    DotEnv(#[from] DotEnvError),
    /// A key or a value does not fit.
    #[error("{0}")]
    Invalid(String),
}

impl Config {
    /// Reads everything. `file` is the one of `--config`; without it `retailcast.toml` of the working directory is
    /// read when it exists.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let dot_env = environment::dot_env(Path::new(".env"))?;
        // A variable that is no text is none of ours.
        let variables =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        let mut config = Self::from_sources(file, dot_env, variables)?;
        config.source = source::Source::Files(file.map(Path::to_owned));
        Ok(config)
    }

    /// The same from given variables: those of the process override those of `.env`.
    pub fn from_sources(
        file: Option<&Path>,
        dot_env: impl IntoIterator<Item = (String, String)>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        if let Some(file) = file.filter(|file| !file.is_file()) {
            return Err(ConfigError::NoFile(file.to_owned()));
        }
        let mut sources = Figment::from(Toml::string(DEFAULTS));
        let mut files = vec![(BUILT_IN.to_owned(), DEFAULTS.to_owned())];
        if let Some(file) = file.or_else(|| Some(Path::new(FILE)).filter(|file| file.is_file())) {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|e| ConfigError::Invalid(format!("{name} cannot be read: {e}")))?;
            sources = sources.merge(Toml::file_exact(file));
            files.push((name, text));
        }
        let mut config: Self = sources
            .merge(environment::provider(".env", dot_env))
            .merge(environment::provider("the environment", variables))
            .extract()
            .map_err(|e| ConfigError::Invalid(explain(e)))?;
        config.check().map_err(ConfigError::Invalid)?;
        config.plugins.locate_grants(&files);
        Ok(config)
    }

    /// The defaults alone.
    pub fn defaults() -> Self {
        let mut config: Self = Figment::from(Toml::string(DEFAULTS))
            .extract()
            // A test reads them; the file is part of the program.
            .expect("the built-in retailcast.toml fits");
        config.plugins.locate_grants(&[(BUILT_IN.to_owned(), DEFAULTS.to_owned())]);
        config
    }
}

/// All that does not fit, a line each: key, reason with the allowed values, where it stands.
fn explain(errors: figment::Error) -> String {
    let line = |error: figment::Error| {
        let source = error.metadata.as_ref().map(|metadata| match &metadata.source {
            Some(source) => source.to_string(),
            None => metadata.name.to_string(),
        });
        let path = error.path.join(".");
        let variable = VARIABLES.iter().find(|(_, key)| *key == path).map(|(name, _)| *name);
        let mut text = if path.is_empty() { String::new() } else { format!("`{path}`: ") };
        text += &error.kind.to_string();
        match (source, variable) {
            (Some(source), Some(variable)) if source == "the environment" || source == ".env" => {
                text += &format!(" (variable {variable} in {source})");
            }
            (Some(source), _) => text += &format!(" (in {source})"),
            (None, _) => {}
        }
        text
    };
    errors.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.toml");
        std::fs::write(&file, toml).unwrap();
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Config::from_sources(Some(&file), [], variables).map_err(|e| e.to_string())
    }

    #[test]
    fn the_built_in_file_has_every_default() {
        let config = Config::defaults();
        assert_eq!(config.check(), Ok(()));
        assert_eq!((config.server.host.as_str(), config.server.port), ("127.0.0.1", 8123));
        assert_eq!(config.forecast.max_horizon, 90);
        assert!(config.database.url.is_none());
    }

    #[test]
    fn the_environment_beats_the_file_and_the_file_the_defaults() {
        let config =
            load("[server]\nport = 9000\n[forecast]\nmax_horizon = 30", &[("API_PORT", "9001")]).unwrap();
        assert_eq!((config.server.port, config.forecast.max_horizon), (9001, 30));
        assert_eq!(config.forecast.default_horizon, 14);
    }

    #[test]
    fn unknown_variables_are_ignored_and_empty_ones_are_unset() {
        let config = load("", &[("FORECAST_WHATEVER", "1"), ("DATABASE_URL", ""), ("PATH", "/bin")]).unwrap();
        assert!(config.database.url.is_none());
    }

    #[test]
    fn a_password_of_digits_stays_text() {
        let config = load("", &[("APP_NAME", "1234"), ("DATABASE_URL", "postgresql://u:[1]@h/d")]).unwrap();
        assert_eq!(config.app.name, "1234");
        assert_eq!(config.database.url.as_deref(), Some("postgresql://u:[1]@h/d"));
    }

    #[test]
    fn only_a_server_minds_where_it_listens() {
        for (host, words) in [("0.0.0.0", "server.allow_unauthenticated = true"), ("shop", "`shop`")] {
            let config = load(&format!("[server]\nhost = \"{host}\""), &[]).unwrap();
            assert!(config.check_host().unwrap_err().contains(words));
        }
        let open = load("[server]\nhost = \"0.0.0.0\"\nallow_unauthenticated = true", &[]).unwrap();
        assert_eq!(open.check_host(), Ok(()));
        assert_eq!(load("", &[("API_HOST", "::1")]).unwrap().check_host(), Ok(()));
    }

    #[test]
    fn a_horizon_setting_never_raises_the_contract_s_bound() {
        let config = load("", &[("FORECAST_MAX_HORIZON", "365")]).unwrap();
        assert_eq!((config.forecast.longest_horizon(), config.forecast.usual_horizon()), (90, 14));
        let config = load("", &[("FORECAST_MAX_HORIZON", "7")]).unwrap();
        assert_eq!((config.forecast.longest_horizon(), config.forecast.usual_horizon()), (7, 7));
    }

    #[test]
    fn a_lookback_setting_never_raises_the_contract_s_bound() {
        for (variable, longest) in [("2000", 1_095), ("1095", 1_095), ("30", 30)] {
            let config = load("", &[("FEATURE_MAX_LOOKBACK_DAYS", variable)]).unwrap();
            assert_eq!(config.features.longest_lookback(), longest);
        }
    }

    #[test]
    fn flags_in_the_environment_take_the_usual_words() {
        for (word, on) in [("1", true), ("yes", true), ("TRUE", true), ("off", false), ("0", false)] {
            assert_eq!(load("", &[("DEBUG", word)]).unwrap().app.debug, on, "{word}");
        }
    }

    #[test]
    fn lists_are_json_in_the_environment() {
        let config = load("", &[("AGENT_REQUIRE_APPROVAL", "[\"create_alias\"]")]).unwrap();
        assert_eq!(config.agents.require_approval, ["create_alias"]);
        assert!(load("", &[("AGENT_REQUIRE_APPROVAL", "[]")]).unwrap().agents.require_approval.is_empty());
    }

    #[test]
    fn an_empty_fallback_is_none() {
        assert!(load("", &[]).unwrap().agents.fallback_model.is_some());
        assert!(load("", &[("AGENT_FALLBACK_MODEL", "")]).unwrap().agents.fallback_model.is_none());
    }

    #[test]
    fn keys_are_text_and_are_not_printed() {
        let config = load("", &[("OPENAI_API_KEY", "00123"), ("GOOGLE_API_KEY", "true")]).unwrap();
        assert_eq!(config.providers.openai_api_key.expose_secret(), "00123");
        assert_eq!(config.providers.google_api_key.expose_secret(), "true");
        assert_eq!(config.providers.anthropic_api_key.expose_secret(), "");
        assert!(!format!("{config:?}").contains("00123"));
    }

    #[test]
    fn refusals_name_key_value_and_what_would_be_right() {
        for (toml, variables, words) in [
            ("[forecast]\nmax_horizont = 3", vec![], vec!["max_horizont", "max_horizon"]),
            ("[forecats]\n", vec![], vec!["forecats", "forecast"]),
            (
                "[forecast]\nmissing_days = \"zeroes\"",
                vec![],
                vec!["forecast.missing_days", "zeroes", "zero", "skip"],
            ),
            ("", vec![("FORECAST_MAX_HORIZON", "many")], vec!["FORECAST_MAX_HORIZON", "many"]),
            ("", vec![("LOG_FORMAT", "xml")], vec!["LOG_FORMAT", "xml", "console"]),
            ("[forecast]\nmax_horizon = 0", vec![], vec!["forecast.max_horizon", "0", "1 to"]),
            ("", vec![("DEBUG", "perhaps")], vec!["DEBUG", "perhaps", "true or false"]),
            ("[ingest]\nbatch_size = 0", vec![], vec!["ingest.batch_size", "0", "1 to 10000"]),
            ("", vec![("FEATURE_MAX_LAG", "0")], vec!["features.max_lag", "0", "1 to 1095"]),
            ("[features]\nmax_window = 2000", vec![], vec!["features.max_window", "2000", "1 to 1095"]),
            (
                "[plugins.settings.a]\ngrants = [\"wings\"]",
                vec![],
                vec!["wings", "gradient-boosting", "http"],
            ),
            (
                "[plugins.settings.a]\ngrants = [{ http = [\"api.example.com\"] }]",
                vec![],
                vec!["plugins.settings.a.grants", "`api.example.com`", "https://"],
            ),
            ("[plugins.settings.a]\ngrants = [{ http = [] }]", vec![], vec!["grants nothing", "http = ["]),
            (
                "[plugins.caps]\nmemory_mib = 4096",
                vec![],
                vec!["plugins.caps.memory_mib", "4096", "1 to 2048"],
            ),
            ("", vec![("PLUGINS_STRICT", "very")], vec!["PLUGINS_STRICT", "very", "true or false"]),
            ("", vec![("AGENT_DEFAULT_MODEL", "gpt-4o")], vec!["AGENT_DEFAULT_MODEL", "provider:model-name"]),
            ("", vec![("AGENT_FALLBACK_MODEL", "openai: ")], vec!["AGENT_FALLBACK_MODEL", "empty or blank"]),
            ("[agents]\ndefault_model = \"acme:x\"", vec![], vec!["Unknown provider", "acme", "ollama"]),
            ("", vec![("AGENT_REQUIRE_APPROVAL", "create_alias")], vec!["AGENT_REQUIRE_APPROVAL", "JSON"]),
            ("[agents]\nrequire_approval = [\"fly\"]", vec![], vec!["fly", "create_alias"]),
            ("[agents]\ntemperature = 2.5", vec![], vec!["agents.temperature", "2.5", "0 to 2"]),
            ("", vec![("RAG_EMBEDDING_PROVIDER", "acme")], vec!["RAG_EMBEDDING_PROVIDER", "acme", "ollama"]),
            (
                "",
                vec![("OLLAMA_BASE_URL", "localhost")],
                vec!["providers.ollama_base_url", "localhost", "http"],
            ),
            ("[plugins.settings.a]\nsha256 = \"12\"", vec![], vec!["plugins.settings.a.sha256", "12", "64"]),
        ] {
            let error = load(toml, &variables).unwrap_err();
            for word in words {
                assert!(error.contains(word), "`{word}` is not in: {error}");
            }
        }
    }

    #[test]
    fn grants_name_what_and_where() {
        let config = load(
            "[plugins.settings.a]\ngrants = [\"gradient-boosting\", { http = [\"https://api.example.com\"] }]",
            &[],
        )
        .unwrap();
        let settings = &config.plugins.catalogue().plugins["a"];
        assert!(settings.gradient_boosting);
        assert_eq!(settings.http, ["https://api.example.com".parse().unwrap()]);

        let config = load("[plugins.settings.a]\nenabled = true\ngrants = [{ folder = \"models/a\" }]", &[]);
        let folder = config.unwrap().plugins.catalogue().plugins["a"].folder.clone().unwrap();
        assert_eq!(folder.path, Path::new("models/a"));
        assert!(folder.granted_in.ends_with("test.toml, line 3"), "{}", folder.granted_in);
        let folder = Config::defaults().plugins.catalogue().plugins["embed_minilm"].folder.clone().unwrap();
        assert!(
            folder.granted_in.starts_with("the built-in retailcast.toml, line "),
            "{}",
            folder.granted_in
        );

        let two = "[plugins.settings.a]\ngrants = [{ folder = \"a\" }, { folder = \"b\" }]";
        assert!(load(two, &[]).unwrap_err().contains("plugins.settings.a.grants"));
    }

    /// Every limit above its cap is refused, and the lines of the refusal allow it.
    #[test]
    fn a_limit_above_its_cap_is_refused_with_the_lines_that_allow_it() {
        let caps =
            "[plugins.caps]\nmemory_mib = 600\nfit_seconds = 40.0\npredict_seconds = 8.0\npayload_mib = 70\n";
        for limit in ["memory_mib = 601", "fit_seconds = 40.5", "predict_seconds = 9.0", "payload_mib = 71"] {
            for table in ["plugins.limits", "plugins.settings.a.limits"] {
                let limits = format!("[{table}]\n{limit}\n");
                let error = load(&format!("{caps}{limits}"), &[]).unwrap_err();
                let (_, lines) = error.split_once("To allow it:\n").unwrap();
                assert!(error.contains(table), "{error}");
                load(&format!("{limits}{lines}"), &[]).unwrap();
            }
        }
    }

    #[test]
    fn every_variable_belongs_to_a_documented_key() {
        for (variable, key) in VARIABLES {
            assert!(DEFAULTS.contains(&format!("[{variable}]")), "{variable} is not in retailcast.toml");
            let name = key.rsplit('.').next().unwrap();
            assert!(DEFAULTS.contains(&format!("{name} = ")), "{key} is not in retailcast.toml");
        }
    }
}
