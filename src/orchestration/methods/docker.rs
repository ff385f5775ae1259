//! Methods `docker` and `container`.

use super::dockerfile::{BuildOptions, dockerfile_config};

dockerfile_config! {
    /// How to build from a Dockerfile or Containerfile.
    DockerConfig {}
}

impl DockerConfig {
    pub(super) fn options(&self) -> BuildOptions<'_> {
        self.shared()
    }
}
