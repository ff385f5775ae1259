//! Use cases of tenants.

use super::model::{
    AddedMember, Capability, CapabilityState, Member, Membership, NewMember, NewTenant, Quota, RESERVED_SLUGS, Tenant,
    TenantChange, TenantStatus,
};
use super::{events, store};
use crate::kernel::ids::{TenantId, UserId};
use crate::kernel::{Clock, Error, Fault, Page, PageRequest, Result};
use crate::platform::db::{Db, PgConnection, TenantTx};
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::platform::tasks::Tasks;
use crate::tenancy::access::{Caller, Permission, SystemPermission, SystemRole, TenantRole};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::identity::{NewUser, User, Users};
use serde_json::json;
use uuid::Uuid;

/// The tenants of the installation.
#[derive(Clone)]
pub struct Tenants {
    db: Db,
    clock: Clock,
    users: Users,
    tasks: Tasks,
}

/// The tenants that a person belongs to; for authentication, in its system transaction.
pub async fn memberships(tx: &mut PgConnection, user: UserId) -> Result<Vec<Membership>> {
    store::memberships(tx, user).await
}

/// A tenant by slug or id, whoever asks; for authentication, in its system transaction.
pub async fn resolve(tx: &mut PgConnection, selector: &str) -> Result<Option<Membership>> {
    store::resolve(tx, selector, selector.parse::<Uuid>().ok()).await
}

impl Tenants {
    /// The tenants of this database.
    pub fn new(db: Db, clock: Clock, users: Users, tasks: Tasks) -> Self {
        Self { db, clock, users, tasks }
    }

    /// Makes a tenant with the default quota and no members.
    pub async fn create(&self, caller: &Caller, new: NewTenant) -> Result<Tenant> {
        caller.require_system(SystemPermission::TenantsManage)?;
        if RESERVED_SLUGS.contains(&new.slug.as_str()) {
            let text = format!("the server's own addresses begin with /{}", new.slug);
            return Err(Error::faults(vec![Fault::new("/slug", "reserved", text)]));
        }
        let now = self.clock.now();
        let tenant = Tenant {
            id: TenantId::new(),
            slug: new.slug,
            name: new.name,
            status: TenantStatus::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut tx = self.db.system("create tenant").await?;
        store::insert(&mut tx, &tenant).await?;
        publish(&mut tx, &events::tenant(&self.clock, "tenant.created", &caller.actor, &tenant)).await?;
        self.record(&mut tx, caller, tenant.id, "tenant.created", None, Some(json!(tenant))).await?;
        tx.commit().await?;
        Ok(tenant)
    }

    /// Every tenant, by slug. A person's own are part of `GET /me`.
    pub async fn list(
        &self,
        caller: &Caller,
        status: Option<TenantStatus>,
        page: &PageRequest,
    ) -> Result<Page<Tenant>> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.db.system("list tenants").await?;
        let rows = store::list(&mut tx, status, page.after()?, page.fetch()).await?;
        page.page(rows, |t| t.slug.clone())
    }

    /// The tenant of the request.
    pub async fn get(&self, caller: &Caller) -> Result<Tenant> {
        let id = caller.require(Permission::TenantRead)?;
        let mut tx = self.db.tenant(id).await?;
        store::by_id(&mut tx, id).await?.ok_or_else(|| Error::not_found("tenant"))
    }

    /// The active tenant of this slug, whoever asks.
    pub async fn slug_to_id(&self, slug: &str) -> Result<Option<TenantId>> {
        let mut tx = self.db.system("find tenant").await?;
        let found = store::resolve(&mut tx, slug, None).await?;
        Ok(found.filter(|t| t.status.is_active()).map(|t| t.id))
    }

    /// Changes the name, or the status (system administrators).
    pub async fn update(&self, caller: &Caller, change: TenantChange, if_match: IfMatch) -> Result<Tenant> {
        let id = caller.require(Permission::TenantUpdate)?;
        if change.status.is_some() {
            caller.require_system(SystemPermission::TenantsManage)?;
        }
        let mut tx = self.db.tenant(id).await?;
        let before = store::lock(&mut tx, id).await?;
        if_match.check(before.version)?;
        let tenant = Tenant {
            name: change.name.unwrap_or_else(|| before.name.clone()),
            status: change.status.unwrap_or(before.status),
            version: before.version + 1,
            updated_at: self.clock.now(),
            ..before.clone()
        };
        store::update(&mut tx, &tenant).await?;
        publish(&mut tx, &events::tenant(&self.clock, "tenant.updated", &caller.actor, &tenant)).await?;
        let (b, a) = (Some(json!(before)), Some(json!(tenant)));
        self.record(&mut tx, caller, id, "tenant.updated", b, a).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(tenant)
    }

    /// Who belongs to the tenant.
    pub async fn members(&self, caller: &Caller, page: &PageRequest) -> Result<Page<Member>> {
        let id = caller.require(Permission::MemberRead)?;
        let mut tx = self.db.tenant(id).await?;
        let rows = store::members(&mut tx, id, page.after()?, page.fetch()).await?;
        drop(tx);
        let rows = page.page(rows, |m| m.user_id)?;
        let people = self.users.by_ids(rows.items.iter().map(|m| m.user_id)).await?;
        Ok(rows.map(|m| {
            let (email, name) = people.get(&m.user_id).map(|u| (u.email.clone(), u.name.clone())).unwrap_or_default();
            Member { user_id: m.user_id, email, name, role: m.role, added_at: m.added_at }
        }))
    }

    /// Adds a person by address. Only owners and system administrators add owners, or people who are new to the
    /// installation; these get a one-time password.
    pub async fn add_member(&self, caller: &Caller, new: NewMember) -> Result<AddedMember> {
        let id = caller.require(Permission::MemberManage)?;
        let owner = self.acts_as_owner(caller, id).await?;
        if new.role == TenantRole::Owner && !owner {
            return Err(owners_only());
        }
        let known = self.users.find_by_email(&new.email).await?;
        let prepared = match &known {
            Some(_) => None,
            None if owner => {
                let user = NewUser {
                    email: new.email,
                    name: new.name,
                    system_roles: vec![],
                    password: None,
                    must_change_password: true,
                };
                Some(self.users.prepare(user).await?)
            }
            None => {
                let text = "nobody has this address; an owner of the tenant can add somebody new";
                return Err(Error::faults(vec![Fault::new("/email", "unknown_user", text)]));
            }
        };
        // One transaction makes the person and the membership, so both roles are needed: the system's.
        let mut tx = self.db.system("add member").await?;
        store::lock(&mut tx, id).await?;
        let (user, one_time_password): (User, _) = match (known, prepared) {
            (_, Some(prepared)) => {
                self.users.insert(&mut tx, caller, &prepared).await?;
                (prepared.user, prepared.one_time_password)
            }
            (Some(user), None) => (user, None),
            (None, None) => return Err(Error::internal("neither a known nor a new person")),
        };
        let now = self.clock.now();
        store::add_member(&mut tx, id, user.id, new.role, now).await?;
        let member = Member { user_id: user.id, email: user.email, name: user.name, role: new.role, added_at: now };
        publish(&mut tx, &events::member(&self.clock, "member.added", id, &caller.actor, &member)).await?;
        self.record(&mut tx, caller, id, "member.added", None, Some(json!(member))).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(AddedMember { member, one_time_password })
    }

    /// Gives a member another role. Only owners change owners; the last owner stays one.
    pub async fn change_member(&self, caller: &Caller, user: UserId, role: TenantRole) -> Result<Member> {
        let id = caller.require(Permission::MemberManage)?;
        let owner = self.acts_as_owner(caller, id).await?;
        let people = self.users.by_ids([user]).await?;
        let mut tx = self.db.tenant(id).await?;
        store::lock(&mut tx, id).await?;
        let before = store::member(&mut tx, id, user).await?.ok_or_else(|| Error::not_found("member"))?;
        let person = people.get(&user).ok_or_else(|| Error::not_found("member"))?;
        if !owner && (before.role == TenantRole::Owner || role == TenantRole::Owner) {
            return Err(owners_only());
        }
        if before.role == TenantRole::Owner && role != TenantRole::Owner {
            keep_an_owner(&mut tx, id).await?;
        }
        store::set_role(&mut tx, id, user, role).await?;
        let (email, name) = (person.email.clone(), person.name.clone());
        let member = Member { user_id: user, email, name, role, added_at: before.added_at };
        publish(&mut tx, &events::member(&self.clock, "member.role_changed", id, &caller.actor, &member)).await?;
        let (b, a) = (json!({"user_id": user, "role": before.role}), json!({"user_id": user, "role": role}));
        self.record(&mut tx, caller, id, "member.role_changed", Some(b), Some(a)).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(member)
    }

    /// Takes a member out, with all roles on projects; their API keys of this tenant stop working. Members may leave by
    /// themselves; the last owner may not.
    pub async fn remove_member(&self, caller: &Caller, user: UserId) -> Result<()> {
        let id = if caller.actor.user_id() == Some(user) {
            caller.require(Permission::TenantRead)?
        } else {
            caller.require(Permission::MemberManage)?
        };
        let owner = self.acts_as_owner(caller, id).await?;
        let mut tx = self.db.tenant(id).await?;
        store::lock(&mut tx, id).await?;
        let before = store::member(&mut tx, id, user).await?.ok_or_else(|| Error::not_found("member"))?;
        if before.role == TenantRole::Owner {
            if !owner {
                return Err(owners_only());
            }
            keep_an_owner(&mut tx, id).await?;
        }
        store::remove_member(&mut tx, id, user).await?;
        publish(&mut tx, &events::member_removed(&self.clock, id, &caller.actor, user)).await?;
        let b = json!({"user_id": user, "role": before.role});
        self.record(&mut tx, caller, id, "member.removed", Some(b), None).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(())
    }

    /// Every capability, decided or by default.
    pub async fn capabilities(&self, caller: &Caller) -> Result<Vec<CapabilityState>> {
        let id = caller.require(Permission::TenantRead)?;
        let mut tx = self.db.tenant(id).await?;
        let decided = store::capabilities(&mut tx, id).await?;
        Ok(Capability::ALL
            .iter()
            .map(|c| {
                decided.iter().find(|d| d.capability == *c).cloned().unwrap_or(CapabilityState {
                    capability: *c,
                    entitled: c.by_default(),
                    reason: None,
                    changed_by: None,
                    changed_at: None,
                })
            })
            .collect())
    }

    /// Gives or takes a capability, with a reason.
    pub async fn set_capability(
        &self,
        caller: &Caller,
        capability: Capability,
        entitled: bool,
        reason: String,
    ) -> Result<CapabilityState> {
        caller.require_system(SystemPermission::TenantsManage)?;
        let id = caller.tenant()?.id;
        let mut tx = self.db.system("change capability").await?;
        store::lock(&mut tx, id).await?;
        let before = store::entitled(&mut tx, id, capability).await?.unwrap_or(capability.by_default());
        let state = CapabilityState {
            capability,
            entitled,
            reason: Some(reason),
            changed_by: Some(caller.actor.to_string()),
            changed_at: Some(self.clock.now()),
        };
        store::set_capability(&mut tx, id, &state).await?;
        publish(&mut tx, &events::capability_changed(&self.clock, id, &caller.actor, &state)).await?;
        let b = json!({"capability": capability, "entitled": before});
        self.record(&mut tx, caller, id, "capability.changed", Some(b), Some(json!(state))).await?;
        tx.commit().await?;
        Ok(state)
    }

    /// 403 `tenant_capability_not_entitled` unless the tenant of the transaction has the capability. A refusal is
    /// counted, and audited in a transaction of its own, because the caller's will be rolled back.
    pub async fn require_capability(&self, tx: &mut TenantTx, caller: &Caller, capability: Capability) -> Result<()> {
        let id = tx.tenant_id();
        if store::entitled(tx, id, capability).await?.unwrap_or(capability.by_default()) {
            return Ok(());
        }
        metrics::counter!("image_factory_capability_denied_total", "capability" => capability.as_str()).increment(1);
        let (this, caller) = (self.clone(), caller.clone());
        self.tasks.spawn("audit refusal", async move {
            if let Err(error) = this.record_refusal(&caller, id, capability).await {
                tracing::warn!(?error, "a refused capability was not audited");
            }
        });
        Err(Error::forbidden(
            "tenant_capability_not_entitled",
            format!("the tenant is not entitled to {}; ask a system administrator", capability.as_str()),
        ))
    }

    async fn record_refusal(&self, caller: &Caller, id: TenantId, capability: Capability) -> Result<()> {
        let mut tx = self.db.tenant(id).await?;
        let after = Some(json!({"capability": capability}));
        self.record(&mut tx, caller, id, "capability.refused", None, after).await?;
        tx.commit().await
    }

    /// The limits of a tenant, whoever asks.
    pub async fn quota(&self, id: TenantId) -> Result<Quota> {
        let mut tx = self.db.tenant(id).await?;
        store::quota(&mut tx, id).await?.ok_or_else(|| Error::not_found("tenant"))
    }

    /// The limits of the caller's tenant.
    pub async fn get_quota(&self, caller: &Caller) -> Result<Quota> {
        self.quota(caller.require(Permission::TenantRead)?).await
    }

    /// Changes the limits.
    pub async fn set_quota(&self, caller: &Caller, quota: Quota, if_match: IfMatch) -> Result<Quota> {
        caller.require_system(SystemPermission::TenantsManage)?;
        let id = caller.tenant()?.id;
        let mut tx = self.db.system("change quota").await?;
        store::lock(&mut tx, id).await?;
        let before = store::quota(&mut tx, id).await?.ok_or_else(|| Error::not_found("tenant"))?;
        if_match.check(before.version)?;
        let quota = Quota { version: before.version + 1, ..quota };
        store::set_quota(&mut tx, id, &quota, self.clock.now()).await?;
        publish(&mut tx, &events::quota_changed(&self.clock, id, &caller.actor, &quota)).await?;
        let (b, a) = (Some(json!(before)), Some(json!(quota)));
        self.record(&mut tx, caller, id, "quota.changed", b, a).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(quota)
    }

    /// Owners, and those who may do everything everywhere.
    async fn acts_as_owner(&self, caller: &Caller, id: TenantId) -> Result<bool> {
        if caller.system_roles.contains(&SystemRole::SystemAdmin) {
            return Ok(true);
        }
        let Some(user) = caller.user_id else { return Ok(false) };
        let mut tx = self.db.tenant(id).await?;
        Ok(store::member(&mut tx, id, user).await?.is_some_and(|m| m.role == TenantRole::Owner))
    }

    async fn record(
        &self,
        tx: &mut PgConnection,
        caller: &Caller,
        id: TenantId,
        action: &'static str,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> Result<()> {
        let entry = Entry { action, resource: format!("tenant:{id}"), before, after };
        audit::record(tx, &self.clock, caller, Some(id), entry).await
    }
}

/// Refuses to take the last owner; the tenant's row is locked, so the count stands until the commit.
async fn keep_an_owner(tx: &mut PgConnection, id: TenantId) -> Result<()> {
    if store::owners(tx, id).await? <= 1 {
        return Err(Error::conflict("member.last_owner", "a tenant keeps at least one owner: name another one first"));
    }
    Ok(())
}

fn owners_only() -> Error {
    Error::forbidden("access.owners_only", "only an owner of the tenant may do this")
}
