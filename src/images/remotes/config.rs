use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Other registries: those that projects are caches of, and those that images are replicated from and to.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Private networks in which such a registry may be, such as `10.1.0.0/16`.
    #[schema(value_type = Vec<String>)]
    pub allowed_networks: Vec<IpNet>,
}
