//! Lines of output become steps.

use super::Method;

/// Which of a process's two outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a line says about the steps of a build. A step lasts until the next one starts or its command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepEvent {
    /// A step has started.
    Started {
        /// From 1, counted through the whole run.
        number: u32,
        /// For people: `fetch`, `[1/2] STEP 3/4`, `commit`, `push`.
        name: String,
        /// `FROM`, `RUN`, `COPY`, ... in capitals; `FETCH`, `CHECK`, `COMMIT`, `PUSH` for the others.
        instruction: String,
        /// The instruction as it stands in the Dockerfile, variables put in.
        command: String,
    },
    /// The current step was taken from the cache.
    Cached,
    /// The current step made this layer (the image id, short or long).
    Layer {
        /// Hexadecimal.
        id: String,
    },
}

/// Turns the output of a run's commands into steps. Give it every command and every line, in order.
#[derive(Debug)]
pub struct StepParser {
    method: Method,
}

impl StepParser {
    /// For a run of this method.
    pub fn new(method: Method) -> Self {
        Self { method }
    }

    /// A command of the plan has started.
    pub fn command(&mut self, name: &str) -> Option<StepEvent> {
        let _ = (self.method, name);
        None
    }

    /// A line of a command's output.
    pub fn line(&mut self, command: &str, stream: Stream, line: &str) -> Option<StepEvent> {
        let _ = (command, stream, line);
        None
    }
}
