//! Talks to a coordinator: one place for deadlines, paging and errors.

use std::path::Path;
use std::time::Duration;

use ostler_proto::v1;
use ostler_proto::v1::control_client::ControlClient;
use ostler_proto::v1::fleet_client::FleetClient;
use pbjson_types::FieldMask;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

use crate::args::Server;
use crate::error::Error;
use crate::kind::{Entry, Kind};

/// Time in which a coordinator must accept the connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);

/// Time in which it must answer a question.
const CALL_DEADLINE: Duration = Duration::from_secs(10);

/// Entries of one page: large enough that 10,000 nodes are few round trips, small enough for an answer of a few MiB.
const PAGE_SIZE: u32 = 1_000;

/// Largest answer that is read: a page of entries with all their readings (1,000 x 30 KB) fits twice.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Bytes that the server may send ahead: with HTTP/2's own 64 KiB, a long list stops every time until we had our turn.
const WINDOW_BYTES: u32 = 4 << 20;

/// A coordinator.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    server: String,
    fleet: FleetClient<Channel>,
    control: ControlClient<Channel>,
}

impl Client {
    /// Connects to the coordinator, or says that nobody answers.
    pub(crate) async fn connect(server: &Server) -> Result<Client, Error> {
        let endpoint = endpoint(server)?;
        let server = endpoint.uri().to_string().trim_end_matches('/').to_owned();
        let channel = endpoint.connect().await.map_err(|error| Error::Unavailable {
            server: server.clone(),
            reason: reason(&server, &error),
        })?;
        let control = ControlClient::new(channel.clone());
        let fleet = FleetClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Ok(Client { server, fleet, control })
    }

    /// The summary of the whole fleet.
    pub(crate) async fn fleet(&self) -> Result<v1::FleetSummary, Error> {
        let mut fleet = self.fleet.clone();
        self.ask(fleet.get_fleet(v1::GetFleetRequest {})).await
    }

    /// Everything of this kind that matches, all pages of it. `progress` hears how many of how many are there.
    pub(crate) async fn list(
        &self,
        kind: Kind,
        filter: &str,
        fields: &[String],
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = v1::ListRequest {
                page_size: PAGE_SIZE,
                page_token,
                filter: filter.to_owned(),
                field_mask: mask(fields),
            };
            let (page, next, total) = self.page(kind, request).await?;
            let last = page.is_empty() || next.is_empty();
            entries.extend(page);
            progress(entries.len(), total as usize);
            if last {
                return Ok(entries);
            }
            page_token = next;
        }
    }

    /// The one with this name.
    pub(crate) async fn get(&self, kind: Kind, name: &str, fields: &[String]) -> Result<Entry, Error> {
        let request = v1::GetRequest { name: name.to_owned(), field_mask: mask(fields) };
        let mut fleet = self.fleet.clone();
        let answer = match kind {
            Kind::Nodes => self.ask(fleet.get_node(request)).await.map(Entry::Node),
            Kind::Gpus => self.ask(fleet.get_gpu(request)).await.map(Entry::Gpu),
            Kind::Engines => self.ask(fleet.get_engine(request)).await.map(Entry::Engine),
            Kind::Pools => self.ask(fleet.get_pool(request)).await.map(Entry::Pool),
            Kind::Zones => self.ask(fleet.get_zone(request)).await.map(Entry::Zone),
            Kind::Events => self.ask(fleet.get_event(request)).await.map(Entry::Event),
            Kind::Decisions => self.ask(fleet.get_decision(request)).await.map(Entry::Decision),
            Kind::Actions => self.ask(fleet.get_action(request)).await.map(Entry::Action),
            Kind::Holds => self.ask(fleet.get_hold(request)).await.map(Entry::Hold),
        };
        answer.map_err(|error| match error {
            Error::Failed(reason) => {
                Error::Failed(format!("{reason}; `ostler get {}s` lists what there is", kind.singular()))
            }
            Error::Usage(_)
            | Error::Unavailable { .. }
            | Error::NotNow(_)
            | Error::Order { .. }
            | Error::Io(_) => error,
        })
    }

    /// Recent history of one metric.
    pub(crate) async fn query_range(
        &self,
        request: v1::QueryRangeRequest,
    ) -> Result<v1::QueryRangeResponse, Error> {
        let mut fleet = self.fleet.clone();
        self.ask(fleet.query_range(request)).await
    }

    /// Why something was or was not done: a decision by its name, or the newest about a node.
    pub(crate) async fn explain(&self, name: &str) -> Result<v1::Explanation, Error> {
        let mut fleet = self.fleet.clone();
        self.ask(fleet.explain(v1::ExplainRequest { decision: name.to_owned() })).await
    }

    /// Has nothing done in a scope.
    pub(crate) async fn hold(&self, request: v1::HoldRequest) -> Result<v1::ControlResponse, Error> {
        let mut control = self.control.clone();
        self.ask(control.hold(request)).await
    }

    /// Ends holds and latches of a scope.
    pub(crate) async fn release(&self, request: v1::ReleaseRequest) -> Result<v1::ControlResponse, Error> {
        let mut control = self.control.clone();
        self.ask(control.release(request)).await
    }

    /// Begins a watch.
    pub(crate) async fn watch(
        &self,
        request: v1::WatchRequest,
    ) -> Result<tonic::Streaming<v1::WatchResponse>, Error> {
        let mut fleet = self.fleet.clone();
        self.ask(fleet.watch(request)).await
    }

    async fn page(&self, kind: Kind, request: v1::ListRequest) -> Result<(Vec<Entry>, String, u32), Error> {
        let mut fleet = self.fleet.clone();
        macro_rules! page {
            ($call:ident, $list:ident, $entry:path) => {{
                let answer = self.ask(fleet.$call(request)).await?;
                Ok((
                    answer.$list.into_iter().map($entry).collect(),
                    answer.next_page_token,
                    answer.total_size,
                ))
            }};
        }
        match kind {
            Kind::Nodes => page!(list_nodes, nodes, Entry::Node),
            Kind::Gpus => page!(list_gpus, gpus, Entry::Gpu),
            Kind::Engines => page!(list_engines, engines, Entry::Engine),
            Kind::Pools => page!(list_pools, pools, Entry::Pool),
            Kind::Zones => page!(list_zones, zones, Entry::Zone),
            Kind::Events => page!(list_events, events, Entry::Event),
            Kind::Decisions => page!(list_decisions, decisions, Entry::Decision),
            Kind::Actions => page!(list_actions, actions, Entry::Action),
            Kind::Holds => page!(list_holds, holds, Entry::Hold),
        }
    }

    /// Waits for an answer, but not for ever.
    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>,
    ) -> Result<T, Error> {
        match tokio::time::timeout(CALL_DEADLINE, call).await {
            Ok(Ok(answer)) => Ok(answer.into_inner()),
            Ok(Err(status)) => Err(Error::from_status(&status, &self.server)),
            Err(_) => Err(Error::Unavailable {
                server: self.server.clone(),
                reason: format!("no answer within {} s", CALL_DEADLINE.as_secs()),
            }),
        }
    }
}

/// Where and how to connect; `HOST:PORT` alone means http.
fn endpoint(server: &Server) -> Result<Endpoint, Error> {
    let given = &server.url;
    let url = if given.contains("://") { given.clone() } else { format!("http://{given}") };
    let usage = |reason: &str| {
        Error::Usage(format!(
            "--server {given:?}: {reason}; write http://HOST:PORT or https://HOST:PORT, for example http://127.0.0.1:7400"
        ))
    };
    let secure = url.starts_with("https://");
    if !secure && !url.starts_with("http://") {
        return Err(usage("only http and https are spoken here"));
    }
    let mut endpoint = Endpoint::from_shared(url).map_err(|_| usage("not an address"))?;
    if endpoint.uri().host().is_none_or(str::is_empty) {
        return Err(usage("it names no host"));
    }
    if secure {
        let unusable = |error| Error::Usage(format!("--ca, --cert or --key: {}", root_cause(&error)));
        endpoint = endpoint.tls_config(tls(server)?).map_err(unusable)?;
    } else if server.ca.is_some() || server.cert.is_some() || server.key.is_some() {
        return Err(usage("--ca, --cert and --key (OSTLER_CA, OSTLER_CERT, OSTLER_KEY) are for https only"));
    }
    Ok(endpoint
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .connect_timeout(CONNECT_DEADLINE)
        .keep_alive_while_idle(true)
        .http2_keep_alive_interval(CALL_DEADLINE))
}

fn tls(server: &Server) -> Result<ClientTlsConfig, Error> {
    let read = |flag: &str, path: &Path| {
        let failed = |error| Error::Usage(format!("{flag}: cannot read {}: {error}", path.display()));
        std::fs::read(path).map_err(failed)
    };
    let Server { url, ca, cert, key } = server;
    let Some(ca) = ca else {
        let text = format!("--server {url:?} needs --ca, the file with the authority of its certificate");
        return Err(Error::Usage(text));
    };
    // The kernel accepts connections for a process that is stopped, too: the handshake needs a limit of its own.
    let tls = ClientTlsConfig::new().timeout(CONNECT_DEADLINE);
    let tls = tls.ca_certificate(Certificate::from_pem(read("--ca", ca)?));
    match (cert, key) {
        (Some(cert), Some(key)) => {
            Ok(tls.identity(Identity::from_pem(read("--cert", cert)?, read("--key", key)?)))
        }
        (None, None) => Ok(tls),
        (Some(_), None) | (None, Some(_)) => {
            Err(Error::Usage("--cert and --key must be given together".to_owned()))
        }
    }
}

fn mask(fields: &[String]) -> Option<FieldMask> {
    (!fields.is_empty()).then(|| FieldMask { paths: fields.to_vec() })
}

/// How it is told that the other side hung up, by how far it was when it noticed.
const HUNG_UP: [&str; 3] = ["reset", "roken pipe", "closed"];

/// Why nobody answers, and what to do when that is known.
pub(crate) fn reason(server: &str, error: &dyn std::error::Error) -> String {
    let cause = root_cause(error);
    let remedies = [
        ("CertificateRequired", "it wants to see a certificate: give --cert and --key"),
        ("CertificateExpired", "the certificate of --cert has expired: get a new one"),
        ("CertificateRevoked", "the certificate of --cert was revoked: get a new one"),
        ("UnknownCA", "it does not know the authority of --cert"),
        ("UnknownIssuer", "its certificate is by another authority than --ca"),
        ("InvalidContentType", "it speaks no TLS: name it with http://"),
    ];
    match remedies.iter().find(|(sign, _)| cause.contains(sign)) {
        Some((_, remedy)) => format!("{cause}; {remedy}"),
        // A port that speaks TLS hangs up on whoever does not.
        None if server.starts_with("http://") && HUNG_UP.iter().any(|sign| cause.contains(sign)) => {
            format!("{cause}; it may speak TLS: then name it with https://")
        }
        None => cause,
    }
}

/// The innermost cause: "Connection refused" says more than "transport error".
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs;

    #[test]
    fn an_address_needs_a_host_and_may_leave_the_scheme_out() {
        let endpoint = |url: &str| endpoint(&Server { url: url.to_owned(), ..Server::default() });
        assert_eq!(endpoint("localhost:7400").unwrap().uri().to_string(), "http://localhost:7400/");
        for wrong in ["", "http://", "https://x:1", "ftp://x", "a b", "http://:7400"] {
            assert!(matches!(endpoint(wrong), Err(Error::Usage(_))), "{wrong}");
        }
    }

    #[test]
    fn certificates_are_not_forgotten_over_a_scheme_that_has_none() {
        let file = Some("it.pem".into());
        let plain = Server { url: "http://localhost:7400".to_owned(), ..Server::default() };
        for server in [
            Server { ca: file.clone(), ..plain.clone() },
            Server { cert: file.clone(), ..plain.clone() },
            Server { key: file, url: "localhost:7400".to_owned(), ..plain },
        ] {
            let Err(Error::Usage(text)) = endpoint(&server) else { panic!("{server:?} is used") };
            assert!(text.contains("for https only"), "{text}");
        }
    }

    #[tokio::test]
    async fn a_coordinator_that_is_stopped_is_told_from_one_that_answers() {
        let folder = tempfile::tempdir().unwrap();
        certs::init(folder.path(), 1, certs::Put::New).unwrap();
        let ca = folder.path().join("ca.pem");
        // The kernel accepts, and nobody answers.
        let stopped = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", stopped.local_addr().unwrap());
        let server = Server { url, ca: Some(ca), ..Server::default() };
        let connecting = tokio::time::timeout(5 * CONNECT_DEADLINE, Client::connect(&server));
        let error = connecting.await.unwrap().unwrap_err();
        assert!(
            matches!(&error, Error::Unavailable { reason, .. } if reason.contains("handshake")),
            "{error}"
        );
    }
}
