//! Use cases of projects.

use super::model::{
    NewProject, NewSecret, Project, ProjectChange, ProjectFilters, ProjectGrant, ProjectMember, ProjectStatus,
    RegistryCredential, RegistryLogin, Secret, SecretInfo, is_registry, registry_seal_context, seal_context,
};
use super::store::{RegistryCredentialRow, SecretRow};
use super::{events, store};
use crate::kernel::ids::{ProjectId, TenantId, UserId};
use crate::kernel::secret::Keyring;
use crate::kernel::{Clock, Error, Fault, Page, PageRequest, Result};
use crate::platform::db::{Db, PgConnection, TenantTx};
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission, SystemPermission, TenantRole};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::identity::Users;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The most secrets of one project.
const MAX_SECRETS: usize = 200;
/// The most registries that a project has credentials for.
const MAX_REGISTRIES: usize = 50;

/// The projects of all tenants.
#[derive(Clone)]
pub struct Projects {
    db: Db,
    clock: Clock,
    users: Users,
    keyring: Keyring,
}

/// The further roles of a person in projects; for authentication, in its system transaction.
pub async fn grants(tx: &mut PgConnection, user: UserId) -> Result<Vec<ProjectGrant>> {
    store::grants(tx, user).await
}

impl Projects {
    /// The projects of this database.
    pub fn new(db: Db, clock: Clock, users: Users, keyring: Keyring) -> Self {
        Self { db, clock, users, keyring }
    }

    /// Makes a project.
    pub async fn create(&self, caller: &Caller, new: NewProject) -> Result<Project> {
        let tenant_id = caller.require(Permission::ProjectCreate)?;
        let now = self.clock.now();
        let project = Project {
            id: ProjectId::new(),
            tenant_id,
            name: if new.name.trim().is_empty() { new.slug.clone() } else { new.name },
            slug: new.slug,
            description: new.description,
            status: ProjectStatus::Active,
            created_by: caller.actor.to_string(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut tx = self.db.tenant(tenant_id).await?;
        store::insert(&mut tx, &project).await?;
        publish(&mut tx, &events::project(&self.clock, "project.created", &caller.actor, &project)).await?;
        self.record(&mut tx, caller, &project, "project.created", None, Some(json!(project))).await?;
        tx.commit().await?;
        Ok(project)
    }

    /// The projects that the caller may see, by slug; of all tenants for those who may.
    pub async fn list(
        &self,
        caller: &Caller,
        all_tenants: bool,
        filters: &ProjectFilters,
        page: &PageRequest,
    ) -> Result<Page<Project>> {
        let after = page.after()?;
        let rows = if all_tenants {
            caller.require_system(SystemPermission::SystemRead)?;
            let mut tx = self.db.system("list projects").await?;
            store::list(&mut tx, None, None, filters, after, page.fetch()).await?
        } else {
            let only = caller.projects_with(Permission::ProjectRead)?;
            let tenant = caller.tenant()?.id;
            let mut tx = self.db.tenant(tenant).await?;
            store::list(&mut tx, Some(tenant), only, filters, after, page.fetch()).await?
        };
        page.page(rows, |p| (p.tenant_id, p.slug.clone()))
    }

    /// A project of the caller's tenant by id or slug; 404 also when the caller may not see it.
    pub async fn find(&self, caller: &Caller, id_or_slug: &str) -> Result<Project> {
        let tenant = caller.tenant()?.id;
        let mut tx = self.db.tenant(tenant).await?;
        store::find(&mut tx, tenant, id_or_slug.parse().ok(), id_or_slug)
            .await?
            .filter(|p| caller.has_in(Permission::ProjectRead, p.id))
            .ok_or_else(|| Error::not_found("project"))
    }

    /// A project by slug, whoever asks.
    pub async fn by_slug(&self, tenant: TenantId, slug: &str) -> Result<Option<Project>> {
        let mut tx = self.db.tenant(tenant).await?;
        store::find(&mut tx, tenant, None, slug).await
    }

    /// A project by id, whoever asks.
    pub async fn by_id(&self, tenant: TenantId, id: ProjectId) -> Result<Project> {
        let mut tx = self.db.tenant(tenant).await?;
        store::find(&mut tx, tenant, Some(id), "").await?.ok_or_else(|| Error::not_found("project"))
    }

    /// 409 when a project of the tenant is archived, whoever asks.
    pub async fn require_active(&self, tenant: TenantId, id: ProjectId) -> Result<()> {
        self.by_id(tenant, id).await?.require_active()
    }

    /// Changes a project that is not archived.
    pub async fn update(
        &self,
        caller: &Caller,
        id_or_slug: &str,
        change: ProjectChange,
        if_match: IfMatch,
    ) -> Result<Project> {
        let found = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::ProjectUpdate, found.id)?;
        let mut tx = self.db.tenant(found.tenant_id).await?;
        let before = store::lock(&mut tx, found.tenant_id, found.id).await?;
        if_match.check(before.version)?;
        before.require_active()?;
        let after = Project {
            name: change.name.unwrap_or_else(|| before.name.clone()),
            description: change.description.unwrap_or_else(|| before.description.clone()),
            ..before.clone()
        };
        self.save(tx, caller, "project.updated", before, after).await
    }

    /// Archives a project or restores it. Doing it twice is no fault.
    pub async fn set_status(&self, caller: &Caller, id_or_slug: &str, status: ProjectStatus) -> Result<Project> {
        let found = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::ProjectUpdate, found.id)?;
        let mut tx = self.db.tenant(found.tenant_id).await?;
        let before = store::lock(&mut tx, found.tenant_id, found.id).await?;
        if before.status == status {
            return Ok(before);
        }
        let action = match status {
            ProjectStatus::Active => "project.restored",
            ProjectStatus::Archived => "project.archived",
        };
        let after = Project { status, ..before.clone() };
        self.save(tx, caller, action, before, after).await
    }

    async fn save(
        &self,
        mut tx: TenantTx,
        caller: &Caller,
        action: &'static str,
        before: Project,
        after: Project,
    ) -> Result<Project> {
        let after = Project { version: before.version + 1, updated_at: self.clock.now(), ..after };
        store::update(&mut tx, &after).await?;
        publish(&mut tx, &events::project(&self.clock, action, &caller.actor, &after)).await?;
        self.record(&mut tx, caller, &after, action, Some(json!(before)), Some(json!(after))).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Who has a further role in the project.
    pub async fn members(&self, caller: &Caller, id_or_slug: &str, page: &PageRequest) -> Result<Page<ProjectMember>> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::MemberRead, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let rows = store::members(&mut tx, &project, page.after()?, page.fetch()).await?;
        drop(tx);
        let rows = page.page(rows, |m| m.user_id)?;
        let people = self.users.by_ids(rows.items.iter().map(|m| m.user_id)).await?;
        Ok(rows.map(|m| {
            let (email, name) = people.get(&m.user_id).map(|u| (u.email.clone(), u.name.clone())).unwrap_or_default();
            ProjectMember { user_id: m.user_id, email, name, role: m.role, added_at: m.added_at }
        }))
    }

    /// Gives a member of the tenant a further role in the project.
    pub async fn set_member(
        &self,
        caller: &Caller,
        id_or_slug: &str,
        user: UserId,
        role: TenantRole,
    ) -> Result<ProjectMember> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::MemberManage, project.id)?;
        if role == TenantRole::Owner {
            let fault = Fault::new("/role", "not_allowed", "a project has no owner: give admin");
            return Err(Error::faults(vec![fault]));
        }
        let not_member = || Error::not_found("member of the tenant");
        let person = self.users.by_ids([user]).await?.remove(&user).ok_or_else(not_member)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let added_at =
            store::set_member(&mut tx, &project, user, role, self.clock.now()).await?.ok_or_else(not_member)?;
        let member = ProjectMember { user_id: user, email: person.email, name: person.name, role, added_at };
        publish(&mut tx, &events::member_set(&self.clock, &caller.actor, &project, &member)).await?;
        self.record(&mut tx, caller, &project, "project_member.set", None, Some(json!(member))).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(member)
    }

    /// Takes the further role.
    pub async fn remove_member(&self, caller: &Caller, id_or_slug: &str, user: UserId) -> Result<()> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::MemberManage, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        if !store::remove_member(&mut tx, &project, user).await? {
            return Err(Error::not_found("project member"));
        }
        publish(&mut tx, &events::member_removed(&self.clock, &caller.actor, &project, user)).await?;
        let before = Some(json!({"user_id": user}));
        self.record(&mut tx, caller, &project, "project_member.removed", before, None).await?;
        tx.commit().await?;
        self.users.rights_changed();
        Ok(())
    }

    /// Names and kinds of a project's secrets.
    pub async fn list_secrets(&self, caller: &Caller, id_or_slug: &str) -> Result<Vec<SecretInfo>> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        self.secret_names(&mut tx, project.id).await
    }

    /// Sets a secret, or gives it a new value.
    pub async fn set_secret(
        &self,
        caller: &Caller,
        id_or_slug: &str,
        name: &str,
        new: NewSecret,
    ) -> Result<SecretInfo> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        project.require_active()?;
        let faults = new.faults();
        if !faults.is_empty() {
            return Err(Error::faults(faults));
        }
        let context = seal_context(project.tenant_id, project.id, name);
        let sealed = self.keyring.seal(&context, new.value.expose_secret().as_bytes())?;
        let now = self.clock.now();
        let info = SecretInfo {
            name: name.to_owned(),
            kind: new.kind,
            username: new.username,
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.db.tenant(project.tenant_id).await?;
        store::lock(&mut tx, project.tenant_id, project.id).await?;
        let present = store::secrets(&mut tx, project.tenant_id, project.id, None).await?;
        if present.len() >= MAX_SECRETS && !present.iter().any(|s| s.info.name == name) {
            return Err(Error::conflict("secret.too_many", format!("a project has at most {MAX_SECRETS} secrets")));
        }
        let mut row = SecretRow { info, sealed };
        row.info.created_at = store::set_secret(&mut tx, &project, &row).await?;
        publish(&mut tx, &events::secret_set(&self.clock, &caller.actor, &project, &row.info)).await?;
        self.record(&mut tx, caller, &project, "secret.set", None, Some(json!(row.info))).await?;
        tx.commit().await?;
        Ok(row.info)
    }

    /// Deletes a secret.
    pub async fn delete_secret(&self, caller: &Caller, id_or_slug: &str, name: &str) -> Result<()> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        if !store::delete_secret(&mut tx, &project, name).await? {
            return Err(Error::not_found("secret"));
        }
        publish(&mut tx, &events::secret_deleted(&self.clock, &caller.actor, &project, name)).await?;
        self.record(&mut tx, caller, &project, "secret.deleted", Some(json!({"name": name})), None).await?;
        tx.commit().await
    }

    /// Names and kinds of a project's secrets, whoever asks.
    pub async fn secret_names(&self, tx: &mut TenantTx, project: ProjectId) -> Result<Vec<SecretInfo>> {
        let tenant = tx.tenant_id();
        Ok(store::secrets(tx, tenant, project, None).await?.into_iter().map(|s| s.info).collect())
    }

    /// The values of these secrets by name, whoever asks. 422 with a fault `not_found` for each that is missing.
    pub async fn secret_values(
        &self,
        tx: &mut TenantTx,
        project: ProjectId,
        names: &[String],
    ) -> Result<BTreeMap<String, SecretString>> {
        Ok(self.secrets(tx, project, names).await?.into_iter().map(|(name, s)| (name, s.value)).collect())
    }

    /// These secrets with kind and user name, whoever asks. 422 with a fault `not_found` for each that is missing.
    pub async fn secrets(
        &self,
        tx: &mut TenantTx,
        project: ProjectId,
        names: &[String],
    ) -> Result<BTreeMap<String, Secret>> {
        let tenant = tx.tenant_id();
        let mut found = BTreeMap::new();
        for row in store::secrets(tx, tenant, project, Some(names)).await? {
            let value = self.open(&seal_context(tenant, project, &row.info.name), &row.sealed)?;
            let secret = Secret { kind: row.info.kind, username: row.info.username, value };
            found.insert(row.info.name, secret);
        }
        let missing: Vec<_> = names
            .iter()
            .filter(|n| !found.contains_key(*n))
            .map(|n| Fault::new(format!("/secrets/{n}"), "not_found", format!("the project has no secret {n}")))
            .collect();
        if missing.is_empty() { Ok(found) } else { Err(Error::faults(missing)) }
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Result<SecretString> {
        let plain = String::from_utf8(self.keyring.open(context, sealed)?)
            .map_err(|e| Error::internal("a secret is not text").with_source(e))?;
        Ok(plain.into())
    }

    /// With what builds of a project sign in to other registries; no passwords.
    pub async fn list_registry_credentials(
        &self,
        caller: &Caller,
        id_or_slug: &str,
    ) -> Result<Vec<RegistryCredential>> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        let rows = store::registry_credentials(&mut tx, project.tenant_id, project.id).await?;
        Ok(rows.into_iter().map(|row| row.info).collect())
    }

    /// Lets builds sign in to a registry, or with another password.
    pub async fn set_registry_credential(
        &self,
        caller: &Caller,
        id_or_slug: &str,
        login: RegistryLogin,
    ) -> Result<RegistryCredential> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        project.require_active()?;
        if !is_registry(&login.registry) {
            let text = "a host, or host:port, in lower case, such as docker.io";
            return Err(Error::faults(vec![Fault::new("registry", "wrong_format", text)]));
        }
        let context = registry_seal_context(project.tenant_id, project.id, &login.registry);
        let sealed = self.keyring.seal(&context, login.password.expose_secret().as_bytes())?;
        let now = self.clock.now();
        let (registry, username) = (login.registry, login.username);
        let info = RegistryCredential { registry, username, created_at: now, updated_at: now };
        let mut tx = self.db.tenant(project.tenant_id).await?;
        store::lock(&mut tx, project.tenant_id, project.id).await?;
        let present = store::registry_credentials(&mut tx, project.tenant_id, project.id).await?;
        let before = present.iter().find(|c| c.info.registry == info.registry).map(|c| json!(c.info));
        if present.len() >= MAX_REGISTRIES && before.is_none() {
            let text = format!("a project has credentials for at most {MAX_REGISTRIES} registries");
            return Err(Error::conflict("registry_credential.too_many", text));
        }
        let mut row = RegistryCredentialRow { info, sealed };
        row.info.created_at = store::set_registry_credential(&mut tx, &project, &row).await?;
        publish(&mut tx, &events::registry_credential_set(&self.clock, &caller.actor, &project, &row.info)).await?;
        self.record(&mut tx, caller, &project, "registry_credential.set", before, Some(json!(row.info))).await?;
        tx.commit().await?;
        Ok(row.info)
    }

    /// Builds sign in to the registry no more.
    pub async fn delete_registry_credential(&self, caller: &Caller, id_or_slug: &str, registry: &str) -> Result<()> {
        let project = self.find(caller, id_or_slug).await?;
        caller.require_in(Permission::SecretManage, project.id)?;
        let mut tx = self.db.tenant(project.tenant_id).await?;
        if !store::delete_registry_credential(&mut tx, &project, registry).await? {
            return Err(Error::not_found("registry credential"));
        }
        publish(&mut tx, &events::registry_credential_deleted(&self.clock, &caller.actor, &project, registry)).await?;
        let before = Some(json!({"registry": registry}));
        self.record(&mut tx, caller, &project, "registry_credential.deleted", before, None).await?;
        tx.commit().await
    }

    /// With what builds of a project sign in to other registries, whoever asks.
    pub async fn registry_logins(&self, tx: &mut TenantTx, project: ProjectId) -> Result<Vec<RegistryLogin>> {
        let tenant = tx.tenant_id();
        let open = |row: RegistryCredentialRow| {
            let context = registry_seal_context(tenant, project, &row.info.registry);
            let password = self.open(&context, &row.sealed)?;
            Ok(RegistryLogin { registry: row.info.registry, username: row.info.username, password })
        };
        store::registry_credentials(tx, tenant, project).await?.into_iter().map(open).collect()
    }

    async fn record(
        &self,
        tx: &mut PgConnection,
        caller: &Caller,
        project: &Project,
        action: &'static str,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<()> {
        let entry = Entry { action, resource: format!("project:{}", project.id), before, after };
        audit::record(tx, &self.clock, caller, Some(project.tenant_id), entry).await
    }
}
