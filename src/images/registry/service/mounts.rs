//! Mounting a blob without a source named.

use super::Registry;
use crate::images::registry::access::Access;
use crate::images::registry::model::{Action, RepositoryName};
use crate::images::registry::store;
use crate::kernel::{Digest, Result};

impl Registry {
    /// Lets a repository serve a blob of any repository of its tenant from which the caller may pull. False when there is
    /// none: what others have is not told.
    pub async fn mount_from_anywhere(&self, access: &Access, name: &RepositoryName, blob: &Digest) -> Result<bool> {
        let place = self.place_to_write(access, name, Action::Push).await?;
        let mut tx = self.parts.db.tenant(place.tenant_id).await?;
        let sources = store::repositories::serving(&mut tx, blob).await?;
        drop(tx);
        for source in sources {
            if self.mount(access, name, blob, &source).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
