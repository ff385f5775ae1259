//! Wake-ups, in this process and between processes by LISTEN and NOTIFY. They are sent when their transaction has
//! committed: at once to the subscribers of this process, then to the others. A signal may be lost with a process or a
//! connection: after every reconnect all subscribers get [`Signal::Resync`], and everybody also polls.

use crate::platform::db::{Db, Notices, Tx};
use crate::platform::tasks::Tasks;
use sqlx::postgres::PgListener;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use uuid::Uuid;

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

    const fn as_str(self) -> &'static str {
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
        /// When this process heard of it: what it tells of was committed before.
        at: Instant,
    },
    /// Signals may have been missed: look at the table.
    Resync,
}

impl Signal {
    /// `<topic>:<key>`; none when a newer version knows more topics.
    fn parse(payload: &str) -> Option<Self> {
        let (topic, key) = payload.split_once(':')?;
        let topic = Topic::ALL.into_iter().find(|t| t.as_str() == topic)?;
        Some(Self::Wake { topic, key: key.to_owned(), at: Instant::now() })
    }
}

/// Sends a signal when the caller's transaction has committed.
pub fn notify(tx: &mut impl Tx, topic: Topic, key: &str) {
    tx.notify(format!("{}:{key}", topic.as_str()));
}

/// Hands signals to any number of subscribers of this process, and those of this process to all others.
#[derive(Debug, Clone)]
pub struct Signals {
    db: Db,
    /// Marks what this process has sent, since NOTIFY comes back to its sender.
    process: Uuid,
    sender: broadcast::Sender<Signal>,
}

impl Signals {
    /// Starts listening and sending; reconnects for ever.
    pub fn start(db: Db, tasks: &Tasks) -> Self {
        let (sender, _) = broadcast::channel(4096);
        let signals = Self { db, process: Uuid::now_v7(), sender };
        let s = signals.clone();
        tasks.spawn_until_stopped("signals", async move {
            loop {
                if let Err(error) = s.listen().await {
                    tracing::debug!(%error, "the signal connection ended");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
        let s = signals.clone();
        tasks.spawn_until_stopped("notifications", async move { s.send().await });
        signals
    }

    /// Sends what is left. For the end of the process, when its tasks have stopped.
    pub async fn flush(&self) {
        self.notify_others(self.db.notices().take()).await;
    }

    /// A receiver of everything from now on. A receiver that lags must treat that as [`Signal::Resync`].
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }

    /// Waits until a signal matches, or may have been missed, or the time is over (polling is the truth). Signals from
    /// before the caller's last look at the store, at `looked`, tell nothing new. Gives the moment since which a look at
    /// the store, by whoever, is new enough.
    pub async fn wait(
        receiver: &mut broadcast::Receiver<Signal>,
        at_most: Duration,
        looked: Instant,
        matches: impl Fn(Topic, &str) -> bool,
    ) -> Instant {
        let wait = async {
            loop {
                match receiver.recv().await {
                    Ok(Signal::Wake { topic, key, at }) if at > looked && matches(topic, &key) => return at,
                    Ok(Signal::Wake { .. }) => {}
                    Ok(Signal::Resync) | Err(broadcast::error::RecvError::Lagged(_)) => return Instant::now(),
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                }
            }
        };
        // A poll need not look again when somebody else has just done so.
        let recently = || Instant::now().checked_sub(at_most / 2).unwrap_or(looked);
        tokio::time::timeout(at_most, wait).await.unwrap_or_else(|_| recently())
    }

    async fn listen(&self) -> sqlx::Result<()> {
        let mut listener = PgListener::connect_with(self.db.pool()).await?;
        listener.listen(CHANNEL).await?;
        // Nobody listening is not an error: subscribers come and go.
        let _ = self.sender.send(Signal::Resync);
        let own = self.process.to_string();
        loop {
            // None: the connection was lost and made again, so notifications may have been missed.
            let signal = match listener.try_recv().await? {
                None => Some(Signal::Resync),
                Some(n) => {
                    n.payload().split_once(' ').filter(|(from, _)| *from != own).and_then(|(_, s)| Signal::parse(s))
                }
            };
            if let Some(signal) = signal {
                let _ = self.sender.send(signal);
            }
        }
    }

    /// Subscribers of this process do not wait for a NOTIFY; what comes together while one is under way is the next one.
    async fn send(&self) {
        let others = Notices::default();
        let here = async {
            loop {
                let found = self.db.notices().filled().await;
                for signal in found.iter().filter_map(|payload| Signal::parse(payload)) {
                    let _ = self.sender.send(signal);
                }
                others.put(found);
            }
        };
        let there = async {
            loop {
                self.notify_others(others.filled().await).await;
            }
        };
        tokio::join!(here, there);
    }

    async fn notify_others(&self, payloads: BTreeSet<String>) {
        let payloads: Vec<String> = payloads.iter().map(|p| format!("{} {p}", self.process)).collect();
        let sent = sqlx::query!("select pg_notify($1, p) from unnest($2::text[]) p", CHANNEL, &payloads)
            .fetch_all(self.db.pool())
            .await;
        if let Err(error) = sent {
            tracing::debug!(%error, "other processes were not notified; they poll");
        }
    }
}
