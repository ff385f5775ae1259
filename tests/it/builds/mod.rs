//! Builds, run for real: buildah, git and skopeo against the binary.

mod live;
mod main_job;
mod recovery;
mod refusals;
mod statistics;
