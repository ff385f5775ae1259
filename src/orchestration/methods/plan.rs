//! The plan: commands to run in order, the files they need, and the files that they leave. No tool is known here.

use secrecy::SecretString;
use std::collections::BTreeMap;

/// Stands for the run's folder, an absolute path, in every argument, environment value and file content of a plan.
pub const RUN: &str = "{run}";

/// What is to be done in one run. Paths are relative to the run's folder.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// In order; the first that fails ends the run.
    pub commands: Vec<PlanCommand>,
    /// Written before the first command.
    pub files: Vec<PlanFile>,
    /// Objects of the object store, copied to the folder before the first command.
    pub inputs: Vec<PlanInput>,
    /// Files that are read after the last command; those of a failed run as well, where they exist.
    pub outputs: Vec<PlanOutput>,
    /// Values that must not appear in a line of output: they are replaced by `***`. Values of several lines are
    /// masked line by line; what is shorter than [`Plan::SHORTEST_MASK`] is left, since it would mask ordinary text.
    pub masks: Vec<SecretString>,
}

impl Plan {
    /// The shortest value that is masked, in bytes.
    pub const SHORTEST_MASK: usize = 4;
}

/// One program with its arguments.
#[derive(Debug, Clone)]
pub struct PlanCommand {
    /// For people and for [`super::StepParser`]: `fetch`, `build`, `push`.
    pub name: &'static str,
    /// What it means when it fails.
    pub stage: Stage,
    /// Program and arguments. Never a secret: every process of the machine can read them.
    pub argv: Vec<String>,
    /// Added to the executor's own small environment. Never a secret.
    pub env: BTreeMap<String, String>,
    /// Working directory; empty for the run's folder.
    pub cwd: String,
    /// Whether the program mounts, changes owners and runs others as root (buildah). All others run without any
    /// capability and cannot gain one.
    pub privileged: bool,
}

/// The part of a build in which something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Bringing the source to the worker and checking it.
    Fetch,
    /// Making the image.
    Build,
    /// Sending it to the registry.
    Push,
    /// Looking for vulnerabilities.
    Scan,
    /// Testing what was made.
    Verification,
}

impl Stage {
    /// The failure stage of `build_results`: `compile|build|push|scan|verification`. A source that cannot be fetched
    /// fails in `compile`: nothing has been turned into something that can be built yet.
    pub fn failure_stage(self) -> &'static str {
        match self {
            Self::Fetch => "compile",
            Self::Build => "build",
            Self::Push => "push",
            Self::Scan => "scan",
            Self::Verification => "verification",
        }
    }
}

/// A file that the executor writes before the first command; its folders are made.
#[derive(Debug, Clone)]
pub struct PlanFile {
    /// Relative to the run's folder.
    pub path: String,
    /// Permission bits, such as 0o600.
    pub mode: u32,
    /// What stands in it.
    pub content: Content,
}

/// The content of a [`PlanFile`]. [`RUN`] is replaced in text and left in the others.
#[derive(Debug, Clone)]
pub enum Content {
    /// A configuration file; [`RUN`] is replaced.
    Text(String),
    /// Taken as it is: what a user gave.
    Bytes(Vec<u8>),
    /// Taken as it is, and never shown.
    Secret(SecretString),
}

/// An object that is copied into the run's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanInput {
    /// Relative to the run's folder.
    pub path: String,
    /// Its key in the object store.
    pub object: String,
}

/// A small file that is handed back at the end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanOutput {
    /// The key in [`crate::orchestration::executors::RunOutcome::outputs`].
    pub name: String,
    /// Relative to the run's folder.
    pub path: String,
    /// What is longer is cut.
    pub max_bytes: u64,
}
