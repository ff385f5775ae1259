//! `serve`: the server in the foreground, until SIGTERM or SIGINT.

use crate::app::App;
use crate::config::Config;
use crate::platform::tasks::Tasks;
use crate::platform::telemetry;
use anyhow::Context;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Runs the server.
pub async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init_logs(&config.log)?;
    let server = Running::start(config, Tasks::default()).await?;
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        ended = server.ended() => return ended.map(|()| ExitCode::FAILURE),
    }
    Box::pin(server.stop()).await;
    Ok(ExitCode::SUCCESS)
}

/// A server that listens.
pub struct Running {
    /// The wired contexts.
    pub app: App,
    /// Where it listens.
    pub url: String,
    tasks: Tasks,
    patience: Duration,
    http: tokio::task::JoinHandle<crate::kernel::Result<()>>,
}

impl Running {
    /// Listens, wires the contexts, starts what runs behind.
    pub async fn start(mut config: Config, tasks: Tasks) -> anyhow::Result<Self> {
        let metrics = telemetry::init_metrics()?;
        let listener = TcpListener::bind(&config.server.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.server.listen))?;
        let address = listener.local_addr()?;
        let url = format!("http://{address}");
        if config.server.public_url.is_empty() {
            config.server.public_url.clone_from(&url);
        }
        let patience = Duration::from_secs(config.server.shutdown_seconds + 10);
        let app = Box::pin(App::build(config, tasks.clone(), metrics)).await?;
        app.start_background().await?;
        let router = crate::server::router(&app)?;
        if let Some(listen) = app.metrics_listen() {
            let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
            let (router, app, tasks2) = (crate::server::metrics_router(&app), app.clone(), tasks.clone());
            tasks.spawn("metrics", async move {
                crate::platform::http::serve(listener, router, &app.config.server, &tasks2).await
            });
        }
        let (server_config, tasks2) = (app.config.server.clone(), tasks.clone());
        let http = tasks.spawn("http", async move {
            crate::platform::http::serve(listener, router, &server_config, &tasks2).await
        });
        tracing::info!(%url, public_url = app.config.server.public_url, "listening");
        Ok(Self { app, url, tasks, patience, http })
    }

    /// Resolves when the listener ends by itself, which it should not.
    async fn ended(&self) -> anyhow::Result<()> {
        while !self.http.is_finished() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("the listener ended")
    }

    /// Lets requests end, gives builds back, closes the database.
    pub async fn stop(self) {
        tracing::info!("stopping");
        if !self.tasks.shutdown(self.patience).await {
            tracing::warn!("some work did not end in time");
        }
        self.app.registry.flush_accesses().await;
        self.app.signals.flush().await;
        self.app.db.close().await;
    }
}
