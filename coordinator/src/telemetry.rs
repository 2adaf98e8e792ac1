//! Logs and traces: text for a person, JSON for machines, spans to an OTLP collector when one is named.

use std::fmt;
use std::io::IsTerminal;
use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

/// The name under which logs and traces come.
const SERVICE: &str = "ostler-coordinator";

/// How long stopping waits for the last spans to be sent.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(2);

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

/// Why telemetry cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter is not one.
    #[error(
        "log: {filter:?} is not a log filter; use for example \"info\" or \"info,ostler_coordinator=debug\""
    )]
    Filter {
        /// As configured.
        filter: String,
        /// Where it goes wrong.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The collector's address is not one.
    #[error(
        "otlp_endpoint: {url:?} cannot be used; give the URL of an OTLP gRPC collector, for example \"http://127.0.0.1:4317\""
    )]
    Endpoint {
        /// As configured.
        url: String,
        /// Why not.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Something else logs already.
    #[error("another part of the process has set up logging before")]
    Set(#[from] tracing::subscriber::SetGlobalDefaultError),
}

/// Sends the last spans when it is dropped.
#[must_use]
pub struct Guard {
    provider: SdkTracerProvider,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nothing is left to do when the collector does not take the last spans.
        let _ = self.provider.shutdown_with_timeout(FLUSH_TIME_MAX);
    }
}

/// Logs to stderr and sends traces from now on. With a collector it must be called inside a Tokio runtime.
pub fn init(config: &Config) -> Result<Guard, Error> {
    init_to(config, std::io::stderr)
}

/// The same, with lines written elsewhere.
pub fn init_to<W>(config: &Config, writer: W) -> Result<Guard, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let Config { filter, format, otlp_endpoint } = config;
    let levels =
        EnvFilter::try_new(filter).map_err(|source| Error::Filter { filter: filter.clone(), source })?;
    let provider = provider(otlp_endpoint.as_deref())?;
    let json = match format {
        Format::Auto => !std::io::stderr().is_terminal(),
        Format::Json => true,
        Format::Text => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<_> + Send + Sync> =
        if json { Box::new(lines.event_format(Json)) } else { Box::new(lines.with_target(false)) };
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer(SERVICE));
    let subscriber = tracing_subscriber::registry().with(levels).with(traces).with(lines);
    tracing::subscriber::set_global_default(subscriber)?;
    Ok(Guard { provider })
}

/// Without a collector spans still get ids, which the log shows.
fn provider(endpoint: Option<&str>) -> Result<SdkTracerProvider, Error> {
    let builder =
        SdkTracerProvider::builder().with_resource(Resource::builder().with_service_name(SERVICE).build());
    let Some(url) = endpoint else { return Ok(builder.build()) };
    let exporter =
        SpanExporter::builder().with_tonic().with_endpoint(url).with_timeout(FLUSH_TIME_MAX).build();
    let exporter = exporter.map_err(|source| Error::Endpoint { url: url.to_owned(), source })?;
    Ok(builder.with_batch_exporter(exporter).build())
}

/// One JSON object a line, with the event's own fields beside time, level, service and target.
struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields(serde_json::Map::new());
        let metadata = event.metadata();
        fields.text("timestamp", jiff::Timestamp::now().to_string());
        fields.text("level", metadata.level().to_string());
        fields.text("service", SERVICE.to_owned());
        fields.text("target", metadata.target().to_owned());
        event.record(&mut fields);
        writeln!(writer, "{}", serde_json::Value::Object(fields.0))
    }
}

struct Fields(serde_json::Map<String, serde_json::Value>);

impl Fields {
    fn text(&mut self, name: &str, text: String) {
        self.0.insert(name.to_owned(), text.into());
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.text(field.name(), text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), format!("{value:?}"));
    }
}
