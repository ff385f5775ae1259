//! Logs and metrics of the process itself.

use crate::kernel::{Error, Result};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;
use utoipa::ToSchema;

/// The service's own log, on standard error.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `json` (one object a line) or `pretty` (for people).
    pub format: Format,
    /// Levels by part, such as `info,image_factory::orchestration=debug`.
    pub filter: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// Coloured text.
    Pretty,
}

impl Default for Config {
    fn default() -> Self {
        Self { format: Format::Json, filter: "info,sqlx=warn".into() }
    }
}

/// Starts logging. Called once per process.
pub fn init_logs(config: &Config) -> Result<()> {
    let filter = EnvFilter::try_new(&config.filter)
        .map_err(|e| Error::invalid("config.invalid", format!("log.filter does not parse: {e}")))?;
    let registry = tracing_subscriber::registry().with(filter);
    let done = match config.format {
        Format::Json => registry
            .with(tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr))
            .try_init(),
        Format::Pretty => {
            registry.with(tracing_subscriber::fmt::layer().compact().with_writer(std::io::stderr)).try_init()
        }
    };
    done.map_err(|e| Error::internal("logging is already set up").with_source(e))
}

/// Starts collecting metrics; the handle renders them in Prometheus' text format. A second call in one process gives a
/// handle that sees nothing, which only tests do.
pub fn init_metrics() -> Result<PrometheusHandle> {
    let seconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
        .map_err(|e| Error::internal("metric buckets").with_source(e))?
        .build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::debug!("metrics are already collected");
    }
    Ok(handle)
}
