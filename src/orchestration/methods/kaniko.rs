//! Method `kaniko`: its options that have an effect when buildah does the work. The others (`snapshot_mode`,
//! `use_new_run`, ...) tune how kaniko finds changed files, which buildah does not do; they are refused as unknown.

use super::dockerfile::{BuildOptions, dockerfile_config};

dockerfile_config! {
    /// How to build from a Dockerfile with kaniko's options.
    KanikoConfig {
        /// Make one layer of all instructions of a stage (`--single-snapshot`). There is then nothing to reuse: the
        /// layer cache is not used.
        single_snapshot: bool = false,
        /// Strip times, so that the same source gives the same image (`--reproducible`).
        reproducible: bool = false,
        /// Layers that are older are not reused (`--cache-ttl`).
        #[schema(minimum = 1, maximum = 8760)]
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_ttl_hours: Option<u32> = None,
        /// Build and throw away (`--no-push`): to see whether it builds.
        no_push: bool = false,
    }
}

impl KanikoConfig {
    pub(super) fn options(&self) -> BuildOptions<'_> {
        BuildOptions {
            single_layer: self.single_snapshot,
            reproducible: self.reproducible,
            cache_ttl_hours: self.cache_ttl_hours,
            push: !self.no_push,
            ..self.shared()
        }
    }
}
