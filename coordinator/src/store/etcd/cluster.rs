//! The members of etcd, asked one at a time, and what it means when one does not answer.
//!
//! All questions go to one member until it fails; then the next one is asked. That is not how the client's own balancing
//! does it, which keeps sending a share of all questions to a member that was stopped and says nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::{Certificate, Client, ConnectOptions, Error as EtcdError, Identity, TlsOptions};
use tokio::sync::{Mutex, OnceCell};
use tonic::Code;

use super::config::{Config, Tls, User};
use super::revisions::Revisions;
use super::whole::offset_key;
use crate::store::Error;

/// A connection that is silent for so long is asked for a sign of life. etcd closes connections that ask more often than
/// every 5 s.
const PING_INTERVAL: Duration = Duration::from_secs(10);

/// How long the sign of life may take.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// A failure, and what is known of the question.
#[derive(Debug)]
pub(super) enum Failure {
    /// etcd refused it: it did not happen.
    Refused(EtcdError),
    /// It may have happened or not.
    Unknown(Box<dyn std::error::Error + Send + Sync>),
}

/// No answer came in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer from {endpoint} within {} ms", .limit.as_millis())]
struct Late {
    endpoint: String,
    limit: Duration,
}

/// The members. Clones are the same cluster and share its connections.
#[derive(Clone)]
pub(super) struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    members: Vec<Member>,
    options: ConnectOptions,
    timeout: Duration,
    /// The key of the offset, in etcd's words.
    offset_key: String,
    /// Made at the first question that needs them.
    revisions: OnceCell<Revisions>,
    /// Which member is asked; any number, taken by the count of members.
    turn: AtomicUsize,
}

struct Member {
    endpoint: String,
    /// Made at the first question, because logging in asks the member.
    client: Mutex<Option<Client>>,
}

impl Cluster {
    /// Reads the files; connects to nobody yet.
    pub(super) fn open(config: &Config) -> Result<Cluster, Error> {
        config.check()?;
        let Config { endpoints, prefix, tls, user, timeout } = config;
        let mut options = ConnectOptions::new()
            .with_connect_timeout(*timeout)
            .with_keep_alive(PING_INTERVAL, PING_TIMEOUT)
            .with_require_leader(true)
            .with_auto_token_refresh(true);
        if let Some(User { name, password }) = user {
            options = options.with_user(name, password);
        }
        if *tls != Tls::default() {
            options = options.with_tls(tls_options(tls)?);
        }
        let member = |endpoint: &String| Member { endpoint: endpoint.clone(), client: Mutex::new(None) };
        let members = endpoints.iter().map(member).collect();
        let inner = Inner {
            members,
            options,
            timeout: *timeout,
            offset_key: offset_key(prefix),
            revisions: OnceCell::new(),
            turn: AtomicUsize::new(0),
        };
        Ok(Cluster { inner: Arc::new(inner) })
    }

    /// How revisions correspond, which is asked once.
    pub(super) async fn revisions(&self) -> Result<Revisions, Failure> {
        let read = || async {
            let key = self.inner.offset_key.clone();
            let answer = self.ask(async |client: Client| client.kv_client().get(key, None).await).await?;
            let Some(found) = answer.kvs().first() else { return Ok(Revisions::default()) };
            let bytes = found.value().try_into().map_err(|_| {
                let text = format!("the key {} holds no number of eight bytes", self.inner.offset_key);
                Failure::Refused(EtcdError::InvalidArgs(text))
            })?;
            Ok(Revisions { offset: u64::from_be_bytes(bytes) })
        };
        self.inner.revisions.get_or_try_init(read).await.copied()
    }

    /// Asks the member whose turn it is. After a failure that is not a refusal it is the next one's turn.
    pub(super) async fn ask<T, A>(&self, question: impl FnOnce(Client) -> A + Send) -> Result<T, Failure>
    where
        A: Future<Output = Result<T, EtcdError>> + Send,
    {
        let turn = self.inner.turn.load(Ordering::Relaxed);
        let member = &self.inner.members[turn % self.inner.members.len()];
        let limit = self.inner.timeout;
        let asked = async { question(self.client(member).await?).await };
        let failure = match tokio::time::timeout(limit, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if is_refusal(&error) => return Err(Failure::Refused(error)),
            Ok(Err(error)) => Failure::Unknown(Box::new(error)),
            Err(_) => Failure::Unknown(Box::new(Late { endpoint: member.endpoint.clone(), limit })),
        };
        self.pass_on(turn);
        Err(failure)
    }

    /// Lets the next member be asked, unless another question saw to that already.
    fn pass_on(&self, turn: usize) {
        let next = turn.wrapping_add(1);
        let _ = self.inner.turn.compare_exchange(turn, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    async fn client(&self, member: &Member) -> Result<Client, EtcdError> {
        let mut client = member.client.lock().await;
        match &*client {
            Some(client) => Ok(client.clone()),
            None => {
                let options = self.inner.options.clone();
                let made = Client::connect([&member.endpoint], Some(options)).await?;
                Ok(client.insert(made).clone())
            }
        }
    }
}

fn tls_options(tls: &Tls) -> Result<TlsOptions, Error> {
    let read = |key: &str, path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|source| Error::Settings {
            problem: format!("{key} names {}, which cannot be read", path.display()),
            source: Some(Box::new(source)),
        })
    };
    let Tls { ca, identity } = tls;
    let mut options = TlsOptions::new();
    if let Some(ca) = ca {
        options = options.ca_certificate(Certificate::from_pem(read("etcd_ca", ca)?));
    }
    if let Some((certificate, key)) = identity {
        let certificate = read("etcd_certificate", certificate)?;
        options = options.identity(Identity::from_pem(certificate, read("etcd_key", key)?));
    }
    Ok(options)
}

/// Whether an error says that nothing happened. etcd answers `Unavailable` also for what it lost sight of, such as a
/// proposal during a change of its leader (`ErrTimeoutDueToLeaderFail`), so that only codes for what it checks before it
/// proposes, or refuses while it applies, count.
fn is_refusal(error: &EtcdError) -> bool {
    match error {
        EtcdError::GRpcStatus(status) => match status.code() {
            Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::OutOfRange
            | Code::Unimplemented => true,
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => false,
        },
        EtcdError::InvalidArgs(_)
        | EtcdError::InvalidUri(_)
        | EtcdError::InvalidMetadataValue(_)
        | EtcdError::EndpointsNotManaged => true,
        EtcdError::IoError(_)
        | EtcdError::TransportError(_)
        | EtcdError::WatchError(_)
        | EtcdError::Utf8Error(_)
        | EtcdError::LeaseKeepAliveError(_)
        | EtcdError::ElectError(_)
        | EtcdError::EndpointError(_)
        | EtcdError::Internal(_) => false,
    }
}
