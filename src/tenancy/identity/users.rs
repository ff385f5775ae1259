//! The directory of people, and their administration.

use super::events;
use super::model::{NewUser, User, UserChange, UserCreated, UserStatus, fold_email, password_fault};
use super::passwords::Passwords;
use super::principals::Principals;
use super::store::sessions;
use super::store::users::{self as store, Record};
use crate::kernel::ids::UserId;
use crate::kernel::secret::random_token;
use crate::kernel::{Clock, Error, Page, PageRequest, Result};
use crate::platform::db::{Db, PgConnection, Tx};
use crate::platform::events::publish;
use crate::tenancy::access::{Caller, SystemPermission, SystemRole};
use crate::tenancy::audit::{self, Entry};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::collections::BTreeMap;

/// People: who they are and whether they may sign in. What they may do in a tenant is the tenant's to say.
#[derive(Clone)]
pub struct Users {
    db: Db,
    clock: Clock,
    pub(super) passwords: Passwords,
    pub(super) principals: Principals,
}

/// A person ready to be inserted: the slow hash is made before a transaction opens.
pub struct PreparedUser {
    /// As it will be.
    pub user: User,
    /// Shown once.
    pub one_time_password: Option<SecretString>,
    password_hash: String,
}

impl Users {
    /// The directory of this database.
    pub fn new(db: Db, clock: Clock) -> Result<Self> {
        Ok(Self { db, clock, passwords: Passwords::new()?, principals: Principals::new() })
    }

    /// Somebody's rights have changed: forget what authentication remembers.
    pub fn rights_changed(&self) {
        self.principals.changed();
    }

    /// The person with this address.
    pub async fn find_by_email(&self, email: &str) -> Result<Option<User>> {
        let mut tx = self.db.system("find user").await?;
        Ok(store::by_email(&mut tx, &fold_email(email)).await?.map(|r| r.user))
    }

    /// The people with these ids.
    pub async fn by_ids(&self, ids: impl IntoIterator<Item = UserId>) -> Result<BTreeMap<UserId, User>> {
        let ids: Vec<_> = ids.into_iter().map(|id| id.0).collect();
        let mut tx = self.db.system("find users").await?;
        Ok(store::by_ids(&mut tx, &ids).await?.into_iter().map(|u| (u.id, u)).collect())
    }

    /// Checks and hashes; no transaction is open.
    pub async fn prepare(&self, new: NewUser) -> Result<PreparedUser> {
        if let Some(fault) = new.password.as_ref().and_then(|p| password_fault("/password", p.expose_secret())) {
            return Err(Error::faults(vec![fault]));
        }
        let one_time_password = new.password.is_none().then(one_time_password);
        let must_change = new.must_change_password || one_time_password.is_some();
        let password = new.password.or(one_time_password.clone()).unwrap_or_default();
        let email = fold_email(&new.email);
        let user = User {
            id: UserId::new(),
            name: if new.name.trim().is_empty() { email.clone() } else { new.name.trim().to_owned() },
            email,
            status: UserStatus::Active,
            system_roles: new.system_roles,
            must_change_password: must_change,
            created_at: self.clock.now(),
            last_login_at: None,
        };
        Ok(PreparedUser { user, one_time_password, password_hash: self.passwords.hash(password).await? })
    }

    /// Inserts, publishes and audits in a system transaction of the caller, who has checked that it is allowed.
    pub async fn insert(&self, tx: &mut impl Tx, caller: &Caller, prepared: &PreparedUser) -> Result<()> {
        let user = &prepared.user;
        store::insert(tx, user, &prepared.password_hash).await?;
        publish(tx, &events::user_created(&self.clock, &caller.actor, user)).await?;
        let after = Some(json!({"email": user.email, "name": user.name, "system_roles": user.system_roles}));
        self.record(tx, caller, "user.created", user.id, None, after).await
    }

    /// Adds a person to the installation.
    pub async fn create(&self, caller: &Caller, new: NewUser) -> Result<UserCreated> {
        caller.require_system(SystemPermission::UsersManage)?;
        let prepared = self.prepare(new).await?;
        let mut tx = self.db.system("create user").await?;
        self.insert(&mut tx, caller, &prepared).await?;
        tx.commit().await?;
        Ok(UserCreated { user: prepared.user, one_time_password: prepared.one_time_password })
    }

    /// People of the installation, in order of creation.
    pub async fn list(
        &self,
        caller: &Caller,
        email: Option<&str>,
        status: Option<UserStatus>,
        page: &PageRequest,
    ) -> Result<Page<User>> {
        caller.require_system(SystemPermission::SystemRead)?;
        let email = email.map(fold_email);
        let mut tx = self.db.system("list users").await?;
        let rows = store::list(&mut tx, email.as_deref(), status, page.after()?, page.fetch()).await?;
        page.page(rows, |u| u.id)
    }

    /// A person.
    pub async fn get(&self, caller: &Caller, id: UserId) -> Result<User> {
        caller.require_system(SystemPermission::SystemRead)?;
        let mut tx = self.db.system("read user").await?;
        store::by_id(&mut tx, id).await?.map(|r| r.user).ok_or_else(|| Error::not_found("user"))
    }

    /// Changes a person. The last active system administrator stays one; disabling ends all sessions.
    pub async fn update(&self, caller: &Caller, id: UserId, change: UserChange) -> Result<User> {
        caller.require_system(SystemPermission::UsersManage)?;
        let now = self.clock.now();
        let mut tx = self.db.system("update user").await?;
        let administrators = store::lock_administrators(&mut tx).await?;
        let Record { user: before, .. } = lock(&mut tx, id).await?;
        let mut user = before.clone();
        if let Some(name) = change.name {
            user.name = name;
        }
        if let Some(status) = change.status {
            user.status = status;
        }
        if let Some(mut roles) = change.system_roles {
            roles.sort_unstable();
            roles.dedup();
            user.system_roles = roles;
        }
        let administers = user.status == UserStatus::Active && user.system_roles.contains(&SystemRole::SystemAdmin);
        if administrators == [id] && !administers {
            return Err(Error::conflict("user.last_administrator", "this is the last active system administrator"));
        }
        store::update(&mut tx, &user, now).await?;
        if user.status == UserStatus::Disabled {
            sessions::revoke_all(&mut tx, id, None, "user_disabled", now).await?;
        }
        publish(&mut tx, &events::user_updated(&self.clock, &caller.actor, &user)).await?;
        let state = |u: &User| Some(json!({"name": u.name, "status": u.status, "system_roles": u.system_roles}));
        self.record(&mut tx, caller, "user.updated", id, state(&before), state(&user)).await?;
        tx.commit().await?;
        self.principals.changed();
        Ok(user)
    }

    /// Gives a person a new one-time password and ends all sessions.
    pub async fn reset_password(&self, caller: &Caller, id: UserId) -> Result<SecretString> {
        caller.require_system(SystemPermission::UsersManage)?;
        let now = self.clock.now();
        let password = one_time_password();
        let hash = self.passwords.hash(password.clone()).await?;
        let mut tx = self.db.system("reset password").await?;
        lock(&mut tx, id).await?;
        store::set_password(&mut tx, id, &hash, true, now).await?;
        sessions::revoke_all(&mut tx, id, None, "password_changed", now).await?;
        self.record(&mut tx, caller, "user.password_reset", id, None, None).await?;
        tx.commit().await?;
        self.principals.changed();
        Ok(password)
    }

    /// Ends all sessions of a person.
    pub async fn sign_out(&self, caller: &Caller, id: UserId) -> Result<()> {
        if caller.actor.user_id() != Some(id) {
            caller.require_system(SystemPermission::UsersManage)?;
        }
        let mut tx = self.db.system("sign out everywhere").await?;
        lock(&mut tx, id).await?;
        let ended = sessions::revoke_all(&mut tx, id, None, "signed_out", self.clock.now()).await?;
        self.record(&mut tx, caller, "user.signed_out", id, None, Some(json!({"sessions": ended}))).await?;
        tx.commit().await?;
        self.principals.changed();
        Ok(())
    }

    /// Makes the first system administrator when there is none. Their password must be changed.
    pub async fn bootstrap(&self, email: &str, password: SecretString) -> Result<()> {
        let mut tx = self.db.system("look for an administrator").await?;
        let missing = store::lock_administrators(&mut tx).await?.is_empty();
        drop(tx);
        if !missing {
            return Ok(());
        }
        let new = NewUser {
            email: email.to_owned(),
            name: "Administrator".into(),
            system_roles: vec![SystemRole::SystemAdmin],
            password: Some(password),
            must_change_password: true,
        };
        match self.create(&Caller::system("bootstrap", None), new).await {
            // Another process was faster.
            Err(e) if e.code() == "user.exists" => Ok(()),
            other => other.map(|_| ()),
        }
    }

    /// Adds to the installation's chain.
    pub(super) async fn record(
        &self,
        tx: &mut PgConnection,
        caller: &Caller,
        action: &'static str,
        id: UserId,
        before: Option<serde_json::Value>,
        after: Option<serde_json::Value>,
    ) -> Result<()> {
        let entry = Entry { action, resource: format!("user:{id}"), before, after };
        audit::record(tx, &self.clock, caller, None, entry).await
    }
}

async fn lock(tx: &mut PgConnection, id: UserId) -> Result<Record> {
    store::lock(tx, id).await?.ok_or_else(|| Error::not_found("user"))
}

/// 120 random bits, in letters that can be typed.
fn one_time_password() -> SecretString {
    random_token().chars().take(20).collect::<String>().into()
}
