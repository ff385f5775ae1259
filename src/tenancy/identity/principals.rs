//! What authentication found out about a credential, and what that person may do in a tenant.

use crate::kernel::ids::{ApiKeyId, ProjectId, SessionId, TenantId, UserId};
use crate::kernel::secret::{fingerprint, random_token};
use crate::kernel::{Actor, Error, Result};
use crate::tenancy::access::{Caller, Permission, PermissionSet, RequestInfo, SystemRole, TenantGrant, TenantRole};
use crate::tenancy::projects::ProjectGrant;
use crate::tenancy::tenants::Membership;
use moka::future::Cache;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long a revocation in another process may go unnoticed.
const LIFETIME: Duration = Duration::from_secs(5);
/// Most credentials kept.
const CAPACITY: u64 = 10_000;

/// A person behind a credential, with everything that decides what they may do.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub actor: Actor,
    pub user_id: UserId,
    pub session: Option<SessionId>,
    pub system_roles: Vec<SystemRole>,
    pub must_change_password: bool,
    pub tenants: Vec<Membership>,
    pub projects: Vec<ProjectGrant>,
    /// What an API key takes away.
    pub limits: Option<KeyLimits>,
}

/// What an API key takes away from its owner's rights.
#[derive(Debug, Clone)]
pub(super) struct KeyLimits {
    pub tenant_id: TenantId,
    pub scopes: PermissionSet,
    pub project_id: Option<ProjectId>,
}

impl Principal {
    /// The caller of a request that selects this tenant, or none.
    pub fn caller(&self, tenant: Option<&Membership>, request: RequestInfo) -> Caller {
        Caller {
            actor: self.actor.clone(),
            user_id: Some(self.user_id),
            // A key works inside its tenant, whatever its owner may do outside.
            system_roles: if self.limits.is_some() { vec![] } else { self.system_roles.clone() },
            tenant: tenant.map(|t| self.grant(t)),
            request,
        }
    }

    /// The membership that a selector (slug or id) names; the only active one when nothing is selected.
    pub fn membership(&self, selector: Option<&str>) -> Option<&Membership> {
        if let Some(selector) = selector {
            return self.tenants.iter().find(|t| t.is(selector));
        }
        let mut active = self.tenants.iter().filter(|t| t.status.is_active());
        active.next().filter(|_| active.next().is_none())
    }

    /// Whether a system role opens tenants that the person does not belong to.
    pub fn sees_every_tenant(&self) -> bool {
        self.limits.is_none() && self.system_roles.iter().any(|r| r.tenant_permissions() != PermissionSet::default())
    }

    /// 403 while the password must be changed.
    pub fn require_own_password(&self) -> Result<()> {
        if self.must_change_password {
            return Err(Error::forbidden(
                "password_change_required",
                "the password was given by somebody else: change it first (POST /api/v1/me/password)",
            ));
        }
        Ok(())
    }

    fn grant(&self, tenant: &Membership) -> TenantGrant {
        let role = tenant.role.map(TenantRole::permissions).unwrap_or_default();
        let everywhere = self.system_roles.iter().fold(role, |all, r| all.union(r.tenant_permissions()));
        let projects = self.projects.iter().filter(|p| p.tenant_id == tenant.id).fold(
            BTreeMap::<ProjectId, PermissionSet>::new(),
            |mut all, p| {
                let set = all.entry(p.project_id).or_default();
                *set = set.union(p.role.permissions());
                all
            },
        );
        let all_projects = everywhere.has(Permission::MemberManage)
            || self.system_roles.iter().any(|r| r.tenant_permissions().has(Permission::ProjectRead));
        let member_of = (!all_projects).then(|| projects.keys().copied().collect());
        let (permissions, projects) = match &self.limits {
            None => (everywhere, projects),
            Some(KeyLimits { scopes, project_id: None, .. }) => {
                let projects = projects.into_iter().map(|(id, p)| (id, p.intersection(*scopes))).collect();
                (everywhere.intersection(*scopes), projects)
            }
            Some(KeyLimits { scopes, project_id: Some(id), .. }) => {
                let here = projects.get(id).copied().unwrap_or_default().union(everywhere);
                (PermissionSet::default(), BTreeMap::from([(*id, here.intersection(*scopes))]))
            }
        };
        TenantGrant {
            id: tenant.id,
            slug: tenant.slug.clone(),
            permissions,
            projects,
            member_of,
            scopes: self.limits.as_ref().map_or_else(PermissionSet::all, |l| l.scopes),
            only_project: self.limits.as_ref().and_then(|l| l.project_id),
        }
    }
}

/// A credential, as far as it must be kept to recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Credential {
    Session(SessionId),
    ApiKey(Vec<u8>),
    ApiKeyId(ApiKeyId),
    User(UserId),
    Basic(Vec<u8>),
}

/// A short memory of principals, so that a burst of requests asks the database once.
#[derive(Clone)]
pub struct Principals {
    cache: Cache<Credential, Arc<Principal>>,
    /// Makes fingerprints of passwords useless outside of this process.
    salt: Arc<str>,
}

impl Principals {
    /// An empty memory.
    pub fn new() -> Self {
        let cache = Cache::builder().max_capacity(CAPACITY).time_to_live(LIFETIME).build();
        Self { cache, salt: random_token().into() }
    }

    /// Forgets everything: somebody's rights have changed. Other processes notice within five seconds.
    pub fn changed(&self) {
        self.cache.invalidate_all();
    }

    pub(super) fn basic(&self, username: &str, password: &str) -> Credential {
        Credential::Basic(fingerprint(&format!("{}\0{username}\0{password}", self.salt)))
    }

    /// The principal of a credential, loaded once by all who ask at the same time. Refusals are not kept.
    pub(super) async fn get<F>(&self, credential: Credential, load: impl FnOnce() -> F) -> Result<Arc<Principal>>
    where
        F: Future<Output = Result<Principal>>,
    {
        if let Some(known) = self.cache.get(&credential).await {
            return Ok(known);
        }
        let load = Box::pin(async move { load().await.map(Arc::new) });
        Box::pin(self.cache.try_get_with(credential, load)).await.map_err(|e| match Arc::try_unwrap(e) {
            Ok(error) => error,
            Err(shared) => {
                let error = Error::new(shared.kind(), shared.code(), shared.message());
                match shared.retry_after() {
                    Some(after) => error.with_retry_after(after),
                    None => error,
                }
            }
        })
    }
}

impl Default for Principals {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenancy::access::Permission as P;
    use crate::tenancy::tenants::TenantStatus;

    fn membership(slug: &str, role: Option<TenantRole>) -> Membership {
        let name = slug.to_owned();
        Membership {
            id: TenantId::new(),
            slug: slug.to_owned(),
            name,
            status: TenantStatus::Active,
            role,
            requests_per_second: None,
        }
    }

    fn person(tenants: Vec<Membership>) -> Principal {
        Principal {
            actor: Actor::User(UserId::new()),
            user_id: UserId::new(),
            session: None,
            system_roles: vec![],
            must_change_password: false,
            tenants,
            projects: vec![],
            limits: None,
        }
    }

    #[test]
    fn the_only_tenant_needs_no_selecting_but_one_of_several_does() {
        let one = person(vec![membership("acme", Some(TenantRole::Viewer))]);
        assert_eq!(one.membership(None).unwrap().slug, "acme");
        let two = person(vec![membership("acme", None), membership("umbrella", None)]);
        assert!(two.membership(None).is_none());
        assert_eq!(two.membership(Some("umbrella")).unwrap().slug, "umbrella");
        let id = two.tenants[0].id.to_string();
        assert_eq!(two.membership(Some(&id)).unwrap().slug, "acme");
        assert!(two.membership(Some("other")).is_none());
    }

    #[test]
    fn a_role_on_a_project_adds_to_the_role_in_the_tenant() {
        let mut p = person(vec![membership("acme", Some(TenantRole::Viewer))]);
        let (tenant, project) = (p.tenants[0].clone(), ProjectId::new());
        p.projects = vec![ProjectGrant { tenant_id: tenant.id, project_id: project, role: TenantRole::Developer }];
        let caller = p.caller(Some(&tenant), RequestInfo::default());
        assert!(caller.has_in(P::BuildCreate, project));
        assert!(!caller.has_in(P::BuildCreate, ProjectId::new()));
    }

    #[test]
    fn a_key_never_exceeds_its_owner_nor_its_scopes() {
        let mut p = person(vec![membership("acme", Some(TenantRole::Viewer))]);
        let tenant = p.tenants[0].clone();
        let scopes = [P::BuildRead, P::BuildCreate].into_iter().collect();
        p.limits = Some(KeyLimits { tenant_id: tenant.id, scopes, project_id: None });
        let caller = p.caller(Some(&tenant), RequestInfo::default());
        assert!(caller.require(P::BuildRead).is_ok());
        assert!(caller.require(P::BuildCreate).is_err(), "the owner may not");
        assert!(caller.require(P::ProjectRead).is_err(), "not in its scopes");
    }

    #[test]
    fn a_key_of_one_project_opens_nothing_else() {
        let mut p = person(vec![membership("acme", Some(TenantRole::Owner))]);
        let (tenant, project) = (p.tenants[0].clone(), ProjectId::new());
        let scopes = [P::BuildCreate].into_iter().collect();
        p.limits = Some(KeyLimits { tenant_id: tenant.id, scopes, project_id: Some(project) });
        let caller = p.caller(Some(&tenant), RequestInfo::default());
        assert!(caller.require_in(P::BuildCreate, project).is_ok());
        assert!(caller.require_in(P::BuildCreate, ProjectId::new()).is_err());
        assert!(caller.require(P::BuildCreate).is_err());
    }
}
