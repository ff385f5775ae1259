//! An audit event, and the hash that ties it to the one before it.

use crate::kernel::Digest;
use crate::kernel::ids::{TenantId, UserId};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::{self, Write};
use utoipa::ToSchema;
use uuid::Uuid;

/// What was done to what.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `noun.verb`, past tense, such as `project.created`.
    pub action: &'static str,
    /// The thing: `project:<id>`.
    pub resource: String,
    /// The state before, without secrets.
    pub before: Option<Value>,
    /// The state after, without secrets.
    pub after: Option<Value>,
}

/// One line of the audit trail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Unique.
    pub id: Uuid,
    /// The tenant; none for the installation's own chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// Position in the chain, from 1, without gaps.
    pub sequence: i64,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// `user:<id>`, `api_key:<id>`, `robot:<id>`, `execution:<id>`, `system:<part>` or `anonymous`.
    pub actor: String,
    /// The person, also behind an API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// `noun.verb`, past tense.
    pub action: String,
    /// The thing: `project:<id>`.
    pub resource: String,
    /// The state before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The state after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// The address of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The program that sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Which events to list.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Exactly this action.
    pub action: Option<String>,
    /// Exactly this actor.
    pub actor: Option<String>,
    /// Exactly this resource.
    pub resource: Option<String>,
    /// At or after.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
}

/// What a verification found. Shown as a line for each chain.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Every chain of the installation.
    pub chains: Vec<ChainReport>,
}

impl Verification {
    /// Whether every chain holds.
    pub fn is_intact(&self) -> bool {
        self.chains.iter().all(|c| c.fault.is_none())
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, chain) in self.chains.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            match chain.tenant_id {
                Some(id) => write!(f, "tenant {id}: ")?,
                None => f.write_str("installation: ")?,
            }
            match &chain.fault {
                None => write!(f, "{} events, intact", chain.events)?,
                Some(fault) => write!(f, "BROKEN at event {}: {}", fault.sequence, fault.what)?,
            }
        }
        Ok(())
    }
}

/// What a verification found in one chain.
#[derive(Debug, Clone, Serialize)]
pub struct ChainReport {
    /// The tenant; none for the installation's own chain.
    pub tenant_id: Option<TenantId>,
    /// Events read up to the end or to the fault.
    pub events: i64,
    /// Where the chain is broken.
    pub fault: Option<ChainFault>,
}

/// The first place where a chain does not hold.
#[derive(Debug, Clone, Serialize)]
pub struct ChainFault {
    /// Position of the event that does not fit.
    pub sequence: i64,
    /// What is wrong with it.
    pub what: &'static str,
}

/// An event with its place in the chain, as stored.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub event: AuditEvent,
    pub previous_hash: Vec<u8>,
    pub hash: Vec<u8>,
}

impl AuditEvent {
    /// SHA-256 over the hash before it and every field, as JSON with sorted keys.
    pub(super) fn hash(&self, previous: &[u8]) -> Vec<u8> {
        let fields = json!([
            hex::encode(previous),
            self.tenant_id,
            self.sequence,
            self.id,
            self.occurred_at.timestamp_micros(),
            self.actor,
            self.user_id,
            self.action,
            self.resource,
            self.before,
            self.after,
            self.ip,
            self.user_agent,
            self.request_id,
        ]);
        Digest::of(canonical(&fields).as_bytes()).bytes().to_vec()
    }
}

/// A walk along one chain.
pub(super) struct Walk {
    pub sequence: i64,
    pub hash: Vec<u8>,
}

impl Walk {
    /// Before the first event.
    pub fn start() -> Self {
        Self { sequence: 0, hash: FIRST.to_vec() }
    }

    /// Steps onto the next event, or says why it is not the next.
    pub fn step(&mut self, link: &Link) -> Result<(), ChainFault> {
        let expected = self.sequence + 1;
        let fault = |what| Err(ChainFault { sequence: expected, what });
        if link.event.sequence != expected {
            return fault("the event is missing");
        }
        if link.previous_hash != self.hash {
            return fault("the event does not follow the one before it");
        }
        if link.event.hash(&self.hash) != link.hash {
            return fault("the event was changed");
        }
        self.sequence = expected;
        self.hash.clone_from(&link.hash);
        Ok(())
    }
}

/// What the first event of a chain follows.
pub(super) const FIRST: [u8; 32] = [0; 32];

/// JSON with the keys of every object sorted, so that the database may store objects in its own order.
fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write_canonical(value, &mut out);
    out
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(k, _)| *k);
            out.push('{');
            for (i, (k, v)) in entries.into_iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                let _ = write!(out, "{}:", Value::from(k.as_str()));
                write_canonical(v, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, v) in items.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                write_canonical(v, out);
            }
            out.push(']');
        }
        plain => {
            let _ = write!(out, "{plain}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(sequence: i64) -> AuditEvent {
        AuditEvent {
            id: Uuid::nil(),
            tenant_id: None,
            sequence,
            occurred_at: DateTime::UNIX_EPOCH,
            actor: "system:test".into(),
            user_id: None,
            action: "thing.changed".into(),
            resource: "thing:1".into(),
            before: Some(json!({"b": 1, "a": [1.5, {"z": null, "y": "\""}]})),
            after: None,
            ip: None,
            user_agent: None,
            request_id: None,
        }
    }

    fn chain(n: i64) -> Vec<Link> {
        let mut previous = FIRST.to_vec();
        (1..=n)
            .map(|sequence| {
                let event = event(sequence);
                let hash = event.hash(&previous);
                Link { event, previous_hash: std::mem::replace(&mut previous, hash.clone()), hash }
            })
            .collect()
    }

    fn walk(links: &[Link]) -> Result<(), ChainFault> {
        let mut walk = Walk::start();
        links.iter().try_for_each(|l| walk.step(l))
    }

    #[test]
    fn keys_are_sorted_at_every_depth() {
        let value = json!({"b": 1, "a": [{"z": 1, "y": "\n"}]});
        assert_eq!(canonical(&value), r#"{"a":[{"y":"\n","z":1}],"b":1}"#);
    }

    #[test]
    fn an_untouched_chain_holds() {
        assert!(walk(&chain(5)).is_ok());
    }

    #[test]
    fn a_changed_event_breaks_the_chain_where_it_stands() {
        let mut links = chain(5);
        links[2].event.actor = "user:somebody else".into();
        let fault = walk(&links).unwrap_err();
        assert_eq!((fault.sequence, fault.what), (3, "the event was changed"));
    }

    #[test]
    fn a_removed_event_breaks_the_chain() {
        let mut links = chain(5);
        links.remove(1);
        assert_eq!(walk(&links).unwrap_err().what, "the event is missing");
    }

    #[test]
    fn an_event_rehashed_after_a_change_no_longer_carries_its_successor() {
        let mut links = chain(3);
        links[1].event.action = "thing.hidden".into();
        links[1].hash = links[1].event.hash(&links[1].previous_hash);
        assert_eq!(walk(&links).unwrap_err().sequence, 3);
    }
}
