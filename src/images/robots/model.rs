//! Robot accounts, and what they may be.

use crate::images::registry::{Action, RepositoryPattern};
use crate::kernel::Fault;
use crate::kernel::ids::{ProjectId, RobotId};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A machine of a tenant at the registry. It signs in with its login name and a secret, and stays when the person who made
/// it leaves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RobotAccount {
    /// Unique.
    pub id: RobotId,
    /// Unique in the tenant. Never changes.
    pub name: String,
    /// With what it signs in: `<tenant>+<name>`.
    pub login: String,
    /// For people.
    pub description: String,
    /// The only project in which it works, where it is limited to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project_id: Option<ProjectId>,
    /// Patterns of `<project>/<image>`, in which `*` stands for any characters.
    pub repositories: Vec<String>,
    /// What it may do with them.
    pub actions: Vec<Action>,
    /// Whether it is kept out.
    pub disabled: bool,
    /// When it stops working.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it last signed in, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// For `ETag`.
    #[serde(skip)]
    pub version: i32,
}

impl RobotAccount {
    /// Whether it works at this time.
    pub(super) fn is_alive(&self, now: DateTime<Utc>) -> bool {
        !self.disabled && self.expires_at.is_none_or(|at| at > now)
    }

    /// Every fault of its repositories, actions and expiry.
    pub(super) fn faults(&self, now: DateTime<Utc>) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (i, text) in self.repositories.iter().enumerate() {
            if let Err(error) = text.parse::<RepositoryPattern>() {
                faults.push(Fault::new(format!("/repositories/{i}"), "wrong_format", error.message()));
            }
        }
        if self.actions.contains(&Action::Push) && !self.actions.contains(&Action::Pull) {
            let text = "clients look before they push: a robot that may push may pull, too";
            faults.push(Fault::new("/actions", "needs_pull", text));
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            faults.push(Fault::new("/expires_at", "in_the_past", "the robot would have expired already"));
        }
        faults
    }
}

/// A robot account to make.
#[derive(Debug, Clone)]
pub struct NewRobot {
    /// Unique in the tenant.
    pub name: String,
    /// For people.
    pub description: String,
    /// Limits it to one project.
    pub project_id: Option<ProjectId>,
    /// Patterns of `<project>/<image>`.
    pub repositories: Vec<String>,
    /// What it may do; must be within what its maker may do.
    pub actions: Vec<Action>,
    /// When it stops working; none: when it is deleted.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What to change of a robot account; what is none stays.
#[derive(Debug, Clone, Default)]
pub struct RobotChange {
    /// For people.
    pub description: Option<String>,
    /// Patterns of `<project>/<image>`.
    pub repositories: Option<Vec<String>>,
    /// What it may do.
    pub actions: Option<Vec<Action>>,
    /// Whether it is kept out.
    pub disabled: Option<bool>,
    /// When it stops working, or that it does not.
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

impl RobotChange {
    /// Whether it only describes or takes away: who may not do what the robot does may still stop it.
    pub(super) fn only_restricts(&self) -> bool {
        self.repositories.is_none()
            && self.actions.is_none()
            && self.expires_at.is_none()
            && self.disabled != Some(false)
    }
}

/// A robot account with a new secret.
#[derive(Debug)]
pub struct RobotCreated {
    /// What is kept of it.
    pub robot_account: RobotAccount,
    /// Its password, shown once.
    pub secret: SecretString,
}
