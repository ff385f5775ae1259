//! Use cases of robot accounts.

use super::events;
use super::model::{NewRobot, RobotAccount, RobotChange, RobotCreated};
use super::store;
use crate::images::registry::{ROBOT_SECRET_START, Robot, RobotGate};
use crate::kernel::ids::{ProjectId, RobotId, TenantId};
use crate::kernel::secret::{fingerprint, random_token};
use crate::kernel::{Clock, Error, Page, PageRequest, Result};
use crate::platform::db::{Db, PgConnection, TenantTx};
use crate::platform::events::publish;
use crate::platform::http::IfMatch;
use crate::tenancy::access::{Caller, Permission, TenantGrant};
use crate::tenancy::audit::{self, Entry};
use crate::tenancy::tenants;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};

/// The robot accounts of all tenants. Cheap to clone.
#[derive(Clone)]
pub struct Robots {
    db: Db,
    clock: Clock,
}

impl Robots {
    /// The robot accounts of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// Makes a robot account. It may not do more than the caller may.
    pub async fn create(&self, caller: &Caller, new: NewRobot) -> Result<RobotCreated> {
        let tenant = caller.tenant()?;
        require_management(caller, new.project_id)?;
        let now = self.clock.now();
        let mut robot = RobotAccount {
            id: RobotId::new(),
            login: login(tenant, &new.name),
            name: new.name,
            description: new.description,
            project_id: new.project_id,
            repositories: new.repositories,
            actions: new.actions,
            disabled: false,
            expires_at: new.expires_at,
            last_used_at: None,
            created_by: caller.actor.to_string(),
            created_at: now,
            updated_at: now,
            version: 1,
        };
        self.check(caller, &mut robot)?;
        let (secret, secret_fingerprint) = new_secret();
        let mut tx = self.db.tenant(tenant.id).await?;
        store::insert(&mut tx, &robot, &secret_fingerprint).await?;
        self.record(&mut tx, caller, "robot_account.created", None, &robot).await?;
        tx.commit().await?;
        Ok(RobotCreated { robot_account: robot, secret })
    }

    /// Robot accounts that the caller manages, in order of creation.
    pub async fn list(&self, caller: &Caller, page: &PageRequest) -> Result<Page<RobotAccount>> {
        let projects = caller.projects_with(Permission::MemberManage)?;
        let tenant = caller.tenant()?;
        let mut tx = self.db.tenant(tenant.id).await?;
        let rows = store::list(&mut tx, projects.as_deref(), page.after()?, page.fetch()).await?;
        let page = page.page(rows, |r| r.id)?;
        Ok(page.map(|r| r.account(&tenant.slug)))
    }

    /// A robot account that the caller manages.
    pub async fn get(&self, caller: &Caller, id: RobotId) -> Result<RobotAccount> {
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        find(&mut tx, caller, id).await
    }

    /// Changes a robot account. What takes effect on writes at once takes effect on pulls within the life of a token.
    pub async fn update(
        &self,
        caller: &Caller,
        id: RobotId,
        change: RobotChange,
        if_match: IfMatch,
    ) -> Result<RobotAccount> {
        let only_restricts = change.only_restricts();
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let before = find(&mut tx, caller, id).await?;
        if_match.check(before.version)?;
        let mut after = RobotAccount {
            description: change.description.unwrap_or_else(|| before.description.clone()),
            repositories: change.repositories.unwrap_or_else(|| before.repositories.clone()),
            actions: change.actions.unwrap_or_else(|| before.actions.clone()),
            disabled: change.disabled.unwrap_or(before.disabled),
            expires_at: change.expires_at.unwrap_or(before.expires_at),
            updated_at: self.clock.now(),
            version: before.version + 1,
            ..before.clone()
        };
        if !only_restricts {
            self.check(caller, &mut after)?;
        }
        store::update(&mut tx, &after).await?;
        self.record(&mut tx, caller, "robot_account.updated", Some(json!(before)), &after).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Gives a robot account a new secret; the one before works no more.
    pub async fn rotate_secret(&self, caller: &Caller, id: RobotId) -> Result<RobotCreated> {
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let before = find(&mut tx, caller, id).await?;
        require_actions(caller, &before)?;
        let robot = RobotAccount { version: before.version + 1, updated_at: self.clock.now(), ..before };
        let (secret, secret_fingerprint) = new_secret();
        store::update(&mut tx, &robot).await?;
        store::set_secret(&mut tx, id, &secret_fingerprint).await?;
        self.record(&mut tx, caller, "robot_account.secret_rotated", None, &robot).await?;
        tx.commit().await?;
        Ok(RobotCreated { robot_account: robot, secret })
    }

    /// Deletes a robot account.
    pub async fn delete(&self, caller: &Caller, id: RobotId) -> Result<()> {
        let mut tx = self.db.tenant(caller.tenant()?.id).await?;
        let robot = find(&mut tx, caller, id).await?;
        store::delete(&mut tx, id).await?;
        self.record(&mut tx, caller, "robot_account.deleted", Some(json!(robot)), &robot).await?;
        tx.commit().await
    }

    /// 422 with every fault; 403 where the robot would do what the caller may not.
    fn check(&self, caller: &Caller, robot: &mut RobotAccount) -> Result<()> {
        let faults = robot.faults(self.clock.now());
        if !faults.is_empty() {
            return Err(Error::faults(faults));
        }
        robot.actions.sort_unstable();
        robot.actions.dedup();
        require_actions(caller, robot)
    }

    async fn record(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        action: &'static str,
        before: Option<Value>,
        robot: &RobotAccount,
    ) -> Result<()> {
        let tenant = tx.tenant_id();
        publish(tx, &events::robot(&self.clock, action, tenant, &caller.actor, robot)).await?;
        let after = (action != "robot_account.deleted").then(|| json!(robot));
        let entry = Entry { action, resource: format!("robot_account:{}", robot.id), before, after };
        audit::record(tx, &self.clock, caller, Some(tenant), entry).await
    }
}

#[async_trait]
impl RobotGate for Robots {
    async fn robot(&self, username: &str, secret: &str) -> Result<Option<Robot>> {
        let now = self.clock.now();
        let mut tx = self.db.system("authenticate robot account").await?;
        let Some((tenant_id, row)) = store::by_secret(&mut tx, &fingerprint(secret)).await? else { return Ok(None) };
        let Some((account, robot)) = alive(&mut tx, tenant_id, row, now).await? else { return Ok(None) };
        // A refresh token comes without a name.
        if !(username.is_empty() || username == account.login) {
            return Ok(None);
        }
        store::touch(&mut tx, tenant_id, account.id, now).await?;
        tx.commit().await?;
        Ok(Some(robot))
    }

    async fn robot_of(&self, tenant: TenantId, id: RobotId) -> Result<Option<Robot>> {
        let mut at = self.db.statement(tenant).await?;
        let found = match store::find(&mut at, id).await? {
            Some(row) => alive(&mut at, tenant, row, self.clock.now()).await?,
            None => None,
        };
        at.keep();
        Ok(found.map(|(_, robot)| robot))
    }
}

/// An account that works now, in a tenant that is in use, and how the registry sees it.
async fn alive(
    connection: &mut PgConnection,
    tenant_id: TenantId,
    row: store::Row,
    now: DateTime<Utc>,
) -> Result<Option<(RobotAccount, Robot)>> {
    let tenant = tenants::resolve(connection, &tenant_id.to_string()).await?.filter(|t| t.status.is_active());
    let Some(tenant) = tenant else { return Ok(None) };
    let secret_version = row.secret_version;
    let account = row.account(&tenant.slug);
    if !account.is_alive(now) {
        return Ok(None);
    }
    let robot = Robot {
        id: account.id,
        tenant_id,
        tenant_slug: tenant.slug,
        project_id: account.project_id,
        repositories: account.repositories.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        actions: account.actions.iter().copied().collect(),
        secret_version,
    };
    Ok(Some((account, robot)))
}

async fn find(tx: &mut TenantTx, caller: &Caller, id: RobotId) -> Result<RobotAccount> {
    let found = store::lock(tx, id).await?.map(|r| r.account(caller.tenant.as_ref().map_or("", |t| &t.slug)));
    match found {
        Some(robot) if require_management(caller, robot.project_id).is_ok() => Ok(robot),
        // Who manages nothing hears that; which robots there are nobody hears.
        _ => {
            caller.projects_with(Permission::MemberManage)?;
            Err(Error::not_found("robot account"))
        }
    }
}

/// Robots are members of a kind: who manages those manages them.
fn require_management(caller: &Caller, project: Option<ProjectId>) -> Result<TenantId> {
    require(caller, Permission::MemberManage, project)
}

/// A robot is never a way to more than one has.
fn require_actions(caller: &Caller, robot: &RobotAccount) -> Result<()> {
    robot.actions.iter().try_for_each(|action| require(caller, action.permission(), robot.project_id).map(drop))
}

fn require(caller: &Caller, permission: Permission, project: Option<ProjectId>) -> Result<TenantId> {
    match project {
        Some(project) => caller.require_in(permission, project),
        None => caller.require(permission),
    }
}

fn login(tenant: &TenantGrant, name: &str) -> String {
    format!("{}+{name}", tenant.slug)
}

fn new_secret() -> (SecretString, Vec<u8>) {
    let secret = format!("{ROBOT_SECRET_START}{}", random_token());
    let kept = fingerprint(&secret);
    (secret.into(), kept)
}
