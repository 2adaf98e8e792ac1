//! How etcd is reached, checked once.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::store::Error;

/// Members that may be named. Clusters of etcd have three, five or seven.
const ENDPOINTS_MAX: usize = 16;

/// Longest prefix of keys, in bytes, so that a key of the store's greatest length stays far below etcd's limit.
const PREFIX_LENGTH_MAX: usize = 256;

/// How long one operation may take unless told otherwise: the control plane's limit for one operation on etcd.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);

/// How etcd is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Members, each `http://host:port` or `https://host:port`; at least one.
    pub endpoints: Vec<String>,
    /// Begin of all keys, ends in a slash, so that several fleets can share a cluster of etcd.
    pub prefix: String,
    /// Files for `https://`.
    pub tls: Tls,
    /// Who logs in; none when etcd asks for nobody.
    pub user: Option<User>,
    /// How long one operation may take, 100 ms to 10 s.
    pub timeout: Duration,
}

/// Files for `https://`, PEM, read when the store is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities that may have signed the members' certificates.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password, which is never shown.
    pub password: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Config {
    /// These members, without TLS and login, with keys under `ostler/`.
    pub fn new(endpoints: Vec<String>) -> Config {
        Config {
            endpoints,
            prefix: "ostler/".to_owned(),
            tls: Tls::default(),
            user: None,
            timeout: TIMEOUT_DEFAULT,
        }
    }

    /// Says what is wrong, if anything is.
    pub fn check(&self) -> Result<(), Error> {
        let Config { endpoints, prefix, tls, user, timeout } = self;
        let secure = endpoints.iter().filter(|it| it.starts_with("https://")).count();
        let plain = endpoints.iter().filter(|it| it.starts_with("http://")).count();
        let wants_tls = *tls != Tls::default();
        let problem = if endpoints.is_empty() || endpoints.len() > ENDPOINTS_MAX {
            format!("etcd_endpoints names {} members; name 1 to {ENDPOINTS_MAX}", endpoints.len())
        } else if secure + plain < endpoints.len() {
            "each of etcd_endpoints must be http://host:port or https://host:port".to_owned()
        } else if wants_tls && plain > 0 {
            "etcd_ca, etcd_certificate and etcd_key are for https:// endpoints only".to_owned()
        } else if !prefix.ends_with('/') || prefix.len() > PREFIX_LENGTH_MAX {
            format!(
                "etcd_prefix is {prefix:?}; it must end in \"/\" and have at most {PREFIX_LENGTH_MAX} bytes"
            )
        } else if user.as_ref().is_some_and(|user| user.name.is_empty() || user.password.is_empty()) {
            "etcd_user and etcd_password must be given together".to_owned()
        } else if !(Duration::from_millis(100)..=Duration::from_secs(10)).contains(timeout) {
            format!("etcd_timeout_ms is {}; it must be 100 to 10000", timeout.as_millis())
        } else {
            return Ok(());
        };
        Err(Error::Settings { problem, source: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Config)) -> Result<(), String> {
        let mut config = Config::new(vec!["http://127.0.0.1:2379".to_owned()]);
        change(&mut config);
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn settings_that_cannot_work_are_refused_with_the_key_to_change() {
        assert_eq!(with(|_| {}), Ok(()));
        type Change = fn(&mut Config);
        let cases: [(Change, &str); 7] = [
            (|it| it.endpoints.clear(), "etcd_endpoints"),
            (|it| it.endpoints.push("127.0.0.1:1".into()), "http://host:port"),
            (|it| it.tls.ca = Some("ca.pem".into()), "etcd_ca"),
            (|it| it.prefix = "ostler".into(), "etcd_prefix"),
            (|it| it.user = Some(User { name: "a".into(), password: String::new() }), "etcd_password"),
            (|it| it.timeout = Duration::from_millis(99), "etcd_timeout_ms"),
            (|it| it.timeout = Duration::from_secs(11), "etcd_timeout_ms"),
        ];
        for (change, expected) in cases {
            let error = with(change).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let user = User { name: "ostler".into(), password: "secret".into() };
        assert!(!format!("{user:?}").contains("secret"));
    }
}
