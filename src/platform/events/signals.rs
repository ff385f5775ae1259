//! Wake-ups between processes by LISTEN and NOTIFY. A signal may be lost when the connection drops: after every
//! reconnect all subscribers get [`Signal::Resync`], and everybody also polls.

use crate::kernel::Result;
use crate::platform::db::Db;
use crate::platform::tasks::Tasks;
use sqlx::PgConnection;
use sqlx::postgres::PgListener;
use std::time::Duration;
use tokio::sync::broadcast;

const CHANNEL: &str = "image_factory";

/// What a signal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// The outbox has grown.
    Events,
    /// A build was queued or a slot became free.
    Queue,
    /// Somebody asked to cancel a build; the key is its id.
    Cancel,
    /// A build's log or steps have grown, or it has ended; the key is its id.
    Log,
    /// A job was queued.
    Jobs,
}

impl Topic {
    const ALL: [Self; 5] = [Self::Events, Self::Queue, Self::Cancel, Self::Log, Self::Jobs];

    fn as_str(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Queue => "queue",
            Self::Cancel => "cancel",
            Self::Log => "log",
            Self::Jobs => "jobs",
        }
    }
}

/// A wake-up.
#[derive(Debug, Clone)]
pub enum Signal {
    /// Something happened to the thing with this key.
    Wake {
        /// What it is about.
        topic: Topic,
        /// The id of the thing; empty where the topic has none.
        key: String,
    },
    /// Signals may have been missed: look at the table.
    Resync,
}

/// Sends a signal when the caller's transaction commits.
pub async fn notify(tx: &mut PgConnection, topic: Topic, key: &str) -> Result<()> {
    sqlx::query!("select pg_notify($1, $2)", CHANNEL, format!("{}:{key}", topic.as_str())).execute(tx).await?;
    Ok(())
}

/// Hands the signals of one LISTEN connection to any number of subscribers of this process.
#[derive(Debug, Clone)]
pub struct Signals {
    sender: broadcast::Sender<Signal>,
}

impl Signals {
    /// Starts listening; reconnects for ever.
    pub fn start(db: Db, tasks: &Tasks) -> Self {
        let (sender, _) = broadcast::channel(4096);
        let signals = Self { sender: sender.clone() };
        tasks.spawn_until_stopped("signals", async move {
            loop {
                if let Err(error) = listen(&db, &sender).await {
                    tracing::debug!(%error, "the signal connection ended");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        signals
    }

    /// A receiver of everything from now on. A receiver that lags must treat that as [`Signal::Resync`].
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    /// Waits until a signal matches, or may have been missed, or the time is over (polling is the truth).
    pub async fn wait(
        receiver: &mut broadcast::Receiver<Signal>,
        at_most: Duration,
        matches: impl Fn(Topic, &str) -> bool,
    ) {
        let wait = async {
            loop {
                match receiver.recv().await {
                    Ok(Signal::Wake { topic, key }) if matches(topic, &key) => return,
                    Ok(Signal::Wake { .. }) => {}
                    Ok(Signal::Resync) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        let _ = tokio::time::timeout(at_most, wait).await;
    }
}

async fn listen(db: &Db, sender: &broadcast::Sender<Signal>) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(db.pool()).await?;
    listener.listen(CHANNEL).await?;
    // Nobody listening is not an error: subscribers come and go.
    let _ = sender.send(Signal::Resync);
    loop {
        // None: the connection was lost and made again, so notifications may have been missed.
        let signal = match listener.try_recv().await? {
            None => Signal::Resync,
            Some(n) => {
                let (topic, key) = n.payload().split_once(':').unwrap_or((n.payload(), ""));
                match Topic::ALL.into_iter().find(|t| t.as_str() == topic) {
                    Some(topic) => Signal::Wake { topic, key: key.to_owned() },
                    None => continue,
                }
            }
        };
        let _ = sender.send(signal);
    }
}
