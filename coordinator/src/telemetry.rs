//! Logs and traces.

/// What to log and where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Levels, as `RUST_LOG` has them.
    pub filter: String,
    /// How a line looks.
    pub format: Format,
    /// URL of an OTLP collector.
    pub otlp_endpoint: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { filter: "info".to_owned(), format: Format::Auto, otlp_endpoint: None }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For a person.
    Text,
}
