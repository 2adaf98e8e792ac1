//! One task for each coordinator: connects, says Hello, and lets a [`session::Session`] say the rest.
//!
//! This module is the only one that speaks the wire as a client. It waits for nothing but its coordinator and the
//! journal, so that neither NVML nor an engine nor another coordinator can delay a heartbeat. Whatever goes wrong ends
//! the connection with a reason; the next attempt comes after a delay with jitter.

pub mod order;
pub mod peer;
pub mod session;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use hyper_util::client::legacy::connect::HttpConnector;
use ostler_proto::v1::{self, agent_client::AgentClient, agent_message::Body, coordinator_message};
use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    Code, Streaming,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    describe,
    hub::{Hub, TermError, lock},
};
use session::{Session, Turn};

/// A coordinator that cannot be connected to or does not answer Hello in this time is tried again later.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection is given up when the other machine has not acknowledged for so long what was sent, which the kernel sees:
/// rows are sent each second, so that a coordinator whose machine is gone is missed without asking it anything.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(10);

/// A connection that is silent for so long is asked for a sign of life, and given up when none comes in time. Longer than
/// the time between two Acks, so that a coordinator of thousands of agents is rarely asked.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(25);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Coordinators acknowledge every 20 seconds; one whose transport lives but which says nothing for so long is stuck.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A stream that was up for so long was a good one: the delay before the next starts over.
const GOOD_STREAM: Duration = Duration::from_secs(10);

/// Messages on their way to the transport. More would age there while the journal could still batch them.
const OUTGOING_MAX: usize = 1;

/// Time to say Goodbye before the process ends.
const GOODBYE_TIMEOUT: Duration = Duration::from_secs(1);

/// Largest message a coordinator may send: a command with 16 addresses is a few KB.
const MESSAGE_BYTES_MAX: usize = 256 << 10;

/// Intervals a coordinator may ask for.
const INTERVAL_MS: std::ops::RangeInclusive<u32> = 100..=60_000;

/// Files for an `https://` coordinator, read anew at each connection so that renewed certificates are picked up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Authorities that may have signed the coordinator's certificate, PEM.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// The name in the coordinator's certificate, when it is not the one in the URL.
    pub server_name: Option<String>,
}

/// Where a coordinator is and how to reach it.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its position in the configuration.
    pub stream: usize,
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// Used with `https://`.
    pub tls: Tls,
    /// Delays between attempts.
    pub backoff: Backoff,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{} is not an address of a coordinator; use http://host:port or https://host:port", .0)]
    Address(String, #[source] tonic::transport::Error),
    #[error("cannot read {}; see the [tls] section of the configuration", .0.display())]
    Certificate(PathBuf, #[source] std::io::Error),
    #[error("the files of the [tls] section cannot be used; are they whole, and of one renewal?")]
    Files(#[source] tonic::transport::Error),
    #[error("cannot connect")]
    Connect(#[source] tonic::transport::Error),
    #[error("no answer within {CONNECT_TIMEOUT:?}")]
    NoAnswer,
    #[error("the coordinator refused the stream: {}", .0.message())]
    Refused(tonic::Status),
    #[error("the stream broke: {}", why(.0))]
    Status(tonic::Status),
    #[error("the coordinator ended the stream")]
    Ended,
    #[error("the coordinator said nothing for {SILENCE_MAX:?}")]
    Silent,
}

impl From<tonic::Status> for Broken {
    fn from(status: tonic::Status) -> Self {
        match status.code() {
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::ResourceExhausted
            | Code::PermissionDenied
            | Code::Unimplemented
            | Code::OutOfRange
            | Code::AlreadyExists => Self::Refused(status),
            // Its certificate counts no more; the next attempt shows the one that is in the file then.
            Code::Unauthenticated
            | Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::Aborted
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss => Self::Status(status),
        }
    }
}

/// What a coordinator says, or why it cannot be heard: the innermost cause tells of refused certificates and lost machines.
fn why(status: &tonic::Status) -> String {
    let Some(mut cause) = std::error::Error::source(status) else { return status.message().to_owned() };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Reports to one coordinator until told to stop; then says Goodbye.
pub async fn run(hub: Arc<Hub>, mut target: Target, stop: CancellationToken) {
    let mut rng = StdRng::from_rng(&mut rand::rng());
    loop {
        let begun = hub.now();
        let broken = match connection(&hub, &target, &stop).await {
            Ok(()) => return,
            Err(broken) => broken,
        };
        let state = &hub.streams()[target.stream];
        let was_up = state.up.swap(0, Ordering::Relaxed) == 1;
        hub.ask_interval(target.stream, None);
        state.breaks.fetch_add(1, Ordering::Relaxed);
        let reason = describe(&broken);
        if was_up && hub.now().saturating_sub(begun) >= GOOD_STREAM {
            target.backoff.reset();
        }
        let delay = if matches!(broken, Broken::Refused(_)) {
            target.backoff.longest_delay(&mut rng)
        } else {
            target.backoff.next_delay(&mut rng)
        };
        let fresh = {
            let mut known = lock(&state.reason);
            let fresh = *known != reason;
            known.clone_from(&reason);
            fresh
        };
        // The same reason again and again is told once.
        if fresh {
            warn!(coordinator = target.url, reason, retry_ms = delay.as_millis() as u64, "stream is down");
        }
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// The endpoint of a coordinator, with its certificates read from their files.
fn endpoint(target: &Target) -> Result<Endpoint, Broken> {
    let address = |source| Broken::Address(target.url.clone(), source);
    let endpoint = Endpoint::from_shared(target.url.clone())
        .map_err(address)?
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true);
    if !target.url.starts_with("https://") {
        return Ok(endpoint);
    }
    let read =
        |path: &PathBuf| std::fs::read(path).map_err(|source| Broken::Certificate(path.clone(), source));
    let Tls { ca, identity, server_name } = &target.tls;
    let mut tls = ClientTlsConfig::new();
    if let Some(ca) = ca {
        tls = tls.ca_certificate(Certificate::from_pem(read(ca)?));
    }
    if let Some((certificate, key)) = identity {
        tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    if let Some(name) = server_name {
        tls = tls.domain_name(name);
    }
    endpoint.tls_config(tls).map_err(Broken::Files)
}

/// What opens connections: tonic's own connector, and the kernel's limit, for which tonic has no setting.
fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX));
    connector
}

/// One connection from Hello to its end. `Ok` when we ended it.
async fn connection(hub: &Arc<Hub>, target: &Target, stop: &CancellationToken) -> Result<(), Broken> {
    let (outgoing, messages) = mpsc::channel(OUTGOING_MAX);
    let hello = hello(hub);
    let open = async {
        let opened = endpoint(target)?.connect_with_connector(connector()).await;
        let channel: Channel = opened.map_err(Broken::Connect)?;
        let mut client = AgentClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        outgoing.try_send(hello).map_err(|_| Broken::Ended)?;
        let inbound = client.report(ReceiverStream::new(messages)).await.map_err(Broken::from)?;
        Ok::<_, Broken>(inbound.into_inner())
    };
    let inbound = tokio::select! {
        () = stop.cancelled() => return Ok(()),
        opened = tokio::time::timeout(CONNECT_TIMEOUT, open) => opened.map_err(|_| Broken::NoAnswer)??,
    };
    let session = Session::new(target.stream, &hub.outbox(), hub.now());
    let (answers, answered) = mpsc::channel(order::IN_FLIGHT_MAX);
    let connected = Connected { hub: Arc::clone(hub), stream: target.stream, session, answers };
    connected.follow(inbound, outgoing, answered, stop).await
}

fn hello(hub: &Hub) -> v1::AgentMessage {
    let mut hello = hub.identity().hello.clone();
    hello.highest_term_seen = hub.highest_term();
    hello.sources = hub.latest().sample.sources.iter().map(crate::table::bounded).collect();
    v1::AgentMessage { body: Some(Body::Hello(hello)) }
}

/// An open stream.
struct Connected {
    hub: Arc<Hub>,
    stream: usize,
    session: Session,
    /// Where the tasks that carry out orders put their answers.
    answers: mpsc::Sender<Body>,
}

impl Connected {
    async fn follow(
        mut self,
        mut inbound: Streaming<v1::CoordinatorMessage>,
        outgoing: mpsc::Sender<v1::AgentMessage>,
        mut answered: mpsc::Receiver<Body>,
        stop: &CancellationToken,
    ) -> Result<(), Broken> {
        let mut news = self.hub.news();
        let mut heard = self.hub.now();
        let mut turn = Turn::Idle;
        loop {
            // What is ready stays so until the transport takes it: a turn is never thrown away.
            if !matches!(turn, Turn::Send(_)) {
                news.mark_unchanged();
                turn = self.turn();
            }
            let ready = matches!(turn, Turn::Send(_));
            let wake = match &turn {
                Turn::Wait(at) => (*at).min(heard + SILENCE_MAX),
                Turn::Send(_) | Turn::Idle => heard + SILENCE_MAX,
            };
            tokio::select! {
                permit = outgoing.reserve(), if ready => {
                    let permit = permit.map_err(|_| Broken::Ended)?;
                    if let Turn::Send(message) = std::mem::replace(&mut turn, Turn::Idle) {
                        permit.send(*message);
                    }
                }
                message = inbound.message() => {
                    heard = self.hub.now();
                    self.heard(message?.ok_or(Broken::Ended)?);
                }
                Some(body) = answered.recv() => {
                    self.session.reply(body);
                }
                changed = news.changed(), if !ready => changed.map_err(|_| Broken::Ended)?,
                () = stop.cancelled() => break,
                () = tokio::time::sleep_until(self.hub.instant(wake)) => {
                    if self.hub.now() >= heard + SILENCE_MAX {
                        return Err(Broken::Silent);
                    }
                }
            }
        }
        // A coordinator that does not take it in time will learn of our end by itself.
        let _ = tokio::time::timeout(GOODBYE_TIMEOUT, self.goodbye(turn, inbound, outgoing)).await;
        Ok(())
    }

    fn turn(&mut self) -> Turn {
        let now = self.hub.now();
        let turn = self.session.turn(&self.hub.outbox(), now);
        let sent = self.session.take_sent();
        let state = &self.hub.streams()[self.stream];
        state.rows_sent.fetch_add(sent.rows, Ordering::Relaxed);
        state.rows_dropped.fetch_add(sent.rows_dropped, Ordering::Relaxed);
        state.snapshots_sent.fetch_add(sent.snapshots, Ordering::Relaxed);
        state.events_sent.fetch_add(sent.events, Ordering::Relaxed);
        turn
    }

    fn heard(&mut self, message: v1::CoordinatorMessage) {
        match message.body {
            Some(coordinator_message::Body::Welcome(welcome)) => self.welcomed(&welcome),
            Some(coordinator_message::Body::Ack(ack)) => {
                self.session.acknowledge(ack.seq, ack.event_id, &mut self.hub.outbox());
                self.learn_term(ack.term);
            }
            Some(coordinator_message::Body::Resync(resync)) => {
                let state = &self.hub.streams()[self.stream];
                state.resyncs.fetch_add(1, Ordering::Relaxed);
                info!(coordinator = state.url, reason = resync.reason, "snapshot asked for");
                self.session.resync();
            }
            Some(coordinator_message::Body::Command(command)) => self.order(command),
            // A newer coordinator may say what we do not know.
            None => {}
        }
    }

    fn welcomed(&mut self, welcome: &v1::Welcome) {
        let state = &self.hub.streams()[self.stream];
        state.up.store(1, Ordering::Relaxed);
        lock(&state.reason).clear();
        let v1::Welcome { replica, leader, term, interval_ms, replicas: _ } = welcome;
        if *interval_ms != 0 {
            let interval_ms = (*interval_ms).clamp(*INTERVAL_MS.start(), *INTERVAL_MS.end());
            self.hub.ask_interval(self.stream, Some(Duration::from_millis(interval_ms.into())));
        }
        info!(coordinator = state.url, replica, leader, term, interval_ms, "stream is up");
        self.learn_term(*term);
    }

    /// A term that a replica tells of counts as seen, so that the orders of the leader before are refused.
    fn learn_term(&self, term: u64) {
        if term <= self.hub.highest_term() {
            return;
        }
        let hub = Arc::clone(&self.hub);
        // A disk that hangs must not hold up the stream.
        tokio::spawn(async move {
            if let Err(error @ TermError::NotStored(_)) = hub.accept_term(term).await {
                warn!(term, reason = describe(&error), "leader's term was not stored");
            }
        });
    }

    fn order(&mut self, command: v1::Command) {
        let Ok(permit) = self.answers.clone().try_reserve_owned() else {
            let detail = "too many orders are in flight; repeat it later".to_owned();
            self.session.reply(order::refusal(&command, detail));
            return;
        };
        let (hub, stream, received) = (Arc::clone(&self.hub), self.stream, self.hub.now());
        tokio::spawn(async move {
            permit.send(order::carry_out(&hub, stream, command, received).await);
        });
    }

    /// Says what there is still time for, then why we leave, and waits for the other side to have heard it.
    async fn goodbye(
        mut self,
        mut turn: Turn,
        mut inbound: Streaming<v1::CoordinatorMessage>,
        outgoing: mpsc::Sender<v1::AgentMessage>,
    ) {
        while let Turn::Send(message) = turn {
            if outgoing.send(*message).await.is_err() {
                return;
            }
            turn = self.turn();
        }
        let goodbye = v1::Goodbye {
            reason: v1::GoodbyeReason::Shutdown.into(),
            detail: "the agent was told to stop".to_owned(),
        };
        if outgoing.send(v1::AgentMessage { body: Some(Body::Goodbye(goodbye)) }).await.is_ok() {
            drop(outgoing);
            while let Ok(Some(_)) = inbound.message().await {}
        }
    }
}

#[cfg(test)]
mod tests;
