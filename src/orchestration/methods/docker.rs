//! Methods `docker` and `container`.

use super::dockerfile::{Dockerfile, dockerfile_config};

dockerfile_config! {
    /// How to build from a Dockerfile or Containerfile.
    DockerConfig {}
}

impl DockerConfig {
    pub(super) fn dockerfile(&self) -> Dockerfile<'_> {
        self.shared()
    }
}
