//! What an election goes by, checked once.

use std::time::Duration;

use super::LeaseId;

/// Shortest lease: what etcd grants at its defaults, one and a half election timeouts.
pub const TTL_MIN: Duration = Duration::from_secs(2);

/// Longest lease: a leader that dies leaves the fleet without one for this long.
pub const TTL_MAX: Duration = Duration::from_secs(60);

/// What of a lease is never used, at least: clocks of two machines may run at different rates, and the two may
/// have been looked at at different moments.
const MARGIN_MIN: Duration = Duration::from_secs(1);

/// What an election goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    replica: Box<str>,
    prefix: Box<str>,
    ttl: Duration,
}

/// Why settings make no election.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The name of the replica is empty.
    #[error("the replica has no name; set one that differs from those of the other replicas")]
    NoName,
    /// The prefix is empty or does not end in a slash.
    #[error("the prefix {0:?} of the election's keys must end in \"/\", so that no other key begins with it")]
    Prefix(Box<str>),
    /// The lease is too short or too long.
    #[error("a lease of {} ms is outside {} to {} ms", .0.as_millis(), TTL_MIN.as_millis(), TTL_MAX.as_millis())]
    Ttl(Duration),
}

impl Config {
    /// An election of replicas that share a prefix. `replica` is only for people to read; `ttl` is the length of a lease
    /// in whole seconds, [`TTL_MIN`] to [`TTL_MAX`]; a fraction is cut off, as etcd counts seconds.
    pub fn try_new(replica: &str, prefix: &str, ttl: Duration) -> Result<Config, ConfigError> {
        let ttl = Duration::from_secs(ttl.as_secs());
        if replica.is_empty() {
            return Err(ConfigError::NoName);
        }
        if !prefix.ends_with('/') {
            return Err(ConfigError::Prefix(prefix.into()));
        }
        if !(TTL_MIN..=TTL_MAX).contains(&ttl) {
            return Err(ConfigError::Ttl(ttl));
        }
        Ok(Config { replica: replica.into(), prefix: prefix.into(), ttl })
    }

    /// The replica's name.
    pub fn replica(&self) -> &str {
        &self.replica
    }

    /// Length of a lease.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Time between two keepalives: two may be lost before a lease is.
    pub fn keepalive_every(&self) -> Duration {
        self.ttl / 3
    }

    /// Begin of all candidates' keys.
    pub fn candidates(&self) -> Box<str> {
        format!("{}candidates/", self.prefix).into()
    }

    /// A candidate's key: one a lease, so that no session finds what an earlier one left.
    pub fn candidate(&self, lease: LeaseId) -> Box<str> {
        format!("{}candidates/{:016x}", self.prefix, lease.0).into()
    }

    /// The key that holds the highest term so far, as eight bytes with the highest first, so that comparing bytes compares
    /// numbers.
    pub fn epoch(&self) -> Box<str> {
        format!("{}epoch", self.prefix).into()
    }

    /// How long a lease of this length is used, from the moment its request was sent.
    pub(super) fn usable(ttl: Duration) -> Duration {
        ttl.saturating_sub(MARGIN_MIN.max(ttl / 5))
    }
}
