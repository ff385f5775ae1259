//! Keys that people make for machines.

use super::super::events;
use super::super::model::{API_KEY_START, ApiKey, ApiKeyCreated, NewApiKey};
use super::super::store::api_keys as store;
use super::Identity;
use crate::kernel::ids::{ApiKeyId, UserId};
use crate::kernel::secret::{fingerprint, random_token};
use crate::kernel::{Error, Fault, Page, PageRequest, Result};
use crate::platform::events::publish;
use crate::tenancy::access::{Caller, Permission};
use crate::tenancy::audit::{self, Entry};
use serde_json::json;

impl Identity {
    /// Makes a key of the caller's own. Its scopes must be within what the caller may do now; later it is held to what
    /// they may do then.
    pub async fn create_api_key(&self, caller: &Caller, new: NewApiKey) -> Result<ApiKeyCreated> {
        let tenant_id = caller.require(Permission::ApiKeyManage)?;
        let Some(user_id) = caller.actor.user_id() else {
            return Err(Error::forbidden("access.person_required", "a person makes API keys, not another key"));
        };
        let now = self.clock().now();
        let mut faults = Vec::new();
        let mut scopes = new.scopes;
        for (i, scope) in scopes.iter().enumerate() {
            let has = match new.project_id {
                Some(project) => caller.has_in(*scope, project),
                None => caller.has(*scope),
            };
            if !has {
                faults.push(Fault::new(format!("/scopes/{i}"), "not_yours", format!("you do not have {scope} yourself")));
            }
        }
        if new.expires_at.is_some_and(|at| at <= now) {
            faults.push(Fault::new("/expires_at", "in_the_past", "the key would have expired already"));
        }
        if !faults.is_empty() {
            return Err(Error::faults(faults));
        }
        scopes.sort_unstable();
        scopes.dedup();
        // 48 random bits to find it by, 256 to prove it.
        let prefix = hex::encode(rand::random::<[u8; 6]>());
        let secret = random_token();
        let key = format!("{API_KEY_START}{prefix}_{secret}").into();
        let api_key = ApiKey {
            id: ApiKeyId::new(),
            tenant_id,
            user_id,
            name: new.name,
            prefix,
            scopes,
            project_id: new.project_id,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let mut tx = self.db.tenant(tenant_id).await?;
        store::insert(&mut tx, &api_key, &fingerprint(&secret)).await?;
        publish(&mut tx, &events::api_key_created(self.clock(), &caller.actor, &api_key)).await?;
        let entry = Entry {
            action: "api_key.created",
            resource: format!("api_key:{}", api_key.id),
            before: None,
            after: Some(json!(api_key)),
        };
        audit::record(&mut tx, self.clock(), caller, Some(tenant_id), entry).await?;
        tx.commit().await?;
        Ok(ApiKeyCreated { api_key, key })
    }

    /// The caller's keys of the tenant; everybody's for those who manage members.
    pub async fn list_api_keys(&self, caller: &Caller, page: &PageRequest) -> Result<Page<ApiKey>> {
        let tenant = caller.require(Permission::ApiKeyManage)?;
        let mut tx = self.db.tenant(tenant).await?;
        let rows = store::list(&mut tx, tenant, whose(caller), page.after()?, page.fetch()).await?;
        page.page(rows, |k| k.id)
    }

    /// A key of the caller; anybody's for those who manage members.
    pub async fn get_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<ApiKey> {
        let tenant = caller.require(Permission::ApiKeyManage)?;
        let mut tx = self.db.tenant(tenant).await?;
        store::find(&mut tx, tenant, id, whose(caller)).await?.ok_or_else(|| Error::not_found("API key"))
    }

    /// Revokes a key: at once in this process, within five seconds in the others.
    pub async fn revoke_api_key(&self, caller: &Caller, id: ApiKeyId) -> Result<()> {
        let tenant = caller.require(Permission::ApiKeyManage)?;
        let mut tx = self.db.tenant(tenant).await?;
        let key = store::find(&mut tx, tenant, id, whose(caller)).await?.ok_or_else(|| Error::not_found("API key"))?;
        if !store::revoke(&mut tx, tenant, id, self.clock().now()).await? {
            return Ok(());
        }
        publish(&mut tx, &events::api_key_revoked(self.clock(), &caller.actor, &key)).await?;
        let entry = Entry {
            action: "api_key.revoked",
            resource: format!("api_key:{id}"),
            before: Some(json!(key)),
            after: None,
        };
        audit::record(&mut tx, self.clock(), caller, Some(tenant), entry).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(())
    }
}

/// Whose keys the caller may see: everybody's when they manage members.
fn whose(caller: &Caller) -> Option<UserId> {
    if caller.has(Permission::MemberManage) { None } else { caller.user_id }
}
