//! A coordinator that folds nothing: it writes down when an agent's messages come and what they say of hangs.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use ostler_proto::v1::agent_server::{Agent, AgentServer};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

/// What was written down. Clones are the same notes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder {
    notes: Arc<Mutex<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    /// When each row or snapshot came.
    heartbeats: Vec<Instant>,
    /// When a source or GPU was first said to hang.
    hang: Option<Instant>,
    /// GPUs that the newest snapshot lists as OK.
    gpus_ok: usize,
}

impl Recorder {
    /// Serves agents at `address` until the runtime ends.
    pub(crate) fn serve(&self, address: SocketAddr) {
        let service = AgentServer::new(self.clone());
        tokio::spawn(tonic::transport::Server::builder().add_service(service).serve(address));
    }

    /// Rows and snapshots that came so far.
    pub(crate) fn heartbeats(&self) -> usize {
        self.lock().heartbeats.len()
    }

    /// Longest time without a row or snapshot since `from`.
    pub(crate) fn gap_max(&self, from: Instant) -> Duration {
        let notes = self.lock();
        let before = notes.heartbeats.iter().rev().find(|at| **at < from);
        let times: Vec<Instant> = before
            .into_iter()
            .chain(notes.heartbeats.iter().filter(|at| **at >= from))
            .copied()
            .chain([Instant::now()])
            .collect();
        times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    /// When a hang was first told of.
    pub(crate) fn hang(&self) -> Option<Instant> {
        self.lock().hang
    }

    /// GPUs that the newest snapshot lists as OK.
    pub(crate) fn gpus_ok(&self) -> usize {
        self.lock().gpus_ok
    }

    fn note(&self, body: Option<Body>) {
        let now = Instant::now();
        let mut notes = self.lock();
        let (sources, gpus) = match body {
            Some(Body::Snapshot(snapshot)) => {
                notes.heartbeats.push(now);
                let ok = v1::GpuState::Ok as i32;
                notes.gpus_ok = snapshot.gpus.iter().filter(|gpu| gpu.state == ok).count();
                (snapshot.sources, snapshot.gpus)
            }
            Some(Body::Row(row)) => {
                notes.heartbeats.push(now);
                (row.sources, Vec::new())
            }
            Some(Body::Event(event)) => match event.kind {
                Some(v1::agent_event::Kind::Source(source)) => (vec![source], Vec::new()),
                Some(v1::agent_event::Kind::Gpu(gpu)) => {
                    (Vec::new(), vec![v1::GpuInfo { state: gpu.to, ..v1::GpuInfo::default() }])
                }
                _ => return,
            },
            _ => return,
        };
        let hangs = sources.iter().any(|source| source.state() == v1::SourceState::Hung)
            || gpus.iter().any(|gpu| gpu.state() == v1::GpuState::Hung);
        if hangs && notes.hang.is_none() {
            notes.hang = Some(now);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl Agent for Recorder {
    type ReportStream = Pin<Box<dyn Stream<Item = Result<v1::CoordinatorMessage, Status>> + Send>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (answers, receive) = tokio::sync::mpsc::channel(4);
        let welcome =
            v1::Welcome { replica: "bench".to_owned(), interval_ms: 1000, ..v1::Welcome::default() };
        let welcome = v1::CoordinatorMessage { body: Some(v1::coordinator_message::Body::Welcome(welcome)) };
        let recorder = self.clone();
        tokio::spawn(async move {
            let mut messages = request.into_inner();
            let _ = answers.send(Ok(welcome)).await;
            while let Some(Ok(message)) = messages.next().await {
                recorder.note(message.body);
            }
            drop(answers);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }

    async fn probe(&self, _: Request<v1::ProbeRequest>) -> Result<Response<v1::ProbeResponse>, Status> {
        Err(Status::unimplemented("a bench answers no probes"))
    }
}
