//! Starts processes from one thread that lives as long as the executor.
//!
//! Processes are told to die with their parent (`PR_SET_PDEATHSIG`, prctl(2)), and to the kernel the parent is the
//! thread that started them, not the process. The runtime's threads come and go as it likes; this one stays.

use crate::kernel::{Error, Result};
use std::sync::mpsc;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Request = (Command, oneshot::Sender<std::io::Result<Child>>);

/// A handle to the thread. When the last one is dropped the thread ends, and what it started dies.
#[derive(Debug, Clone)]
pub(super) struct Spawner(mpsc::Sender<Request>);

impl Spawner {
    /// Starts the thread; its children belong to the current runtime.
    pub fn start() -> Result<Self> {
        let runtime = Handle::current();
        let (requests, queue) = mpsc::channel::<Request>();
        std::thread::Builder::new().name("spawner".into()).spawn(move || {
            let _runtime = runtime.enter();
            for (mut command, reply) in queue {
                // A child whose asker has gone is dropped here, which kills it.
                let _ = reply.send(command.spawn());
            }
        })?;
        Ok(Self(requests))
    }

    /// Starts a process that is killed when its handle is dropped.
    pub async fn spawn(&self, mut command: Command) -> Result<Child> {
        let gone = || Error::internal("the thread that starts processes has ended");
        command.kill_on_drop(true);
        let (reply, answer) = oneshot::channel();
        self.0.send((command, reply)).map_err(|_| gone())?;
        Ok(answer.await.map_err(|_| gone())??)
    }
}
