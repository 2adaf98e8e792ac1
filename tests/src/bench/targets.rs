//! An HTTP server for scrapers: the values of the synthetic nodes, or of one engine, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Context;
use ostler_tests::load::{ENGINE_METRICS, GPU_METRICS, GPUS, Trace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longest request that a scraper sends.
const REQUEST_BYTES_MAX: usize = 8 * 1024;

/// Makes the page for a target at this moment.
type Page = dyn Fn(SocketAddr) -> Arc<str> + Send + Sync;

/// Pages served so far.
pub(crate) type Served = Arc<AtomicU64>;

/// Serves `page` at every path of `address` until the runtime ends. The page is told at which address it was asked for.
pub(crate) async fn serve(address: SocketAddr, page: Arc<Page>) -> anyhow::Result<Served> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let served = Served::default();
    let count = Arc::clone(&served);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(connection(socket, Arc::clone(&page), Arc::clone(&count)));
        }
    });
    Ok(served)
}

/// Answers one request after the other. Scrapers send nothing but GET, so a blank line ends a request.
async fn connection(mut socket: TcpStream, page: Arc<Page>, served: Served) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let address = socket.local_addr()?;
    let mut request = Vec::new();
    loop {
        let mut part = [0; 2048];
        let length = socket.read(&mut part).await?;
        request.extend_from_slice(&part[..length]);
        if length == 0 || request.len() > REQUEST_BYTES_MAX {
            return Ok(());
        }
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            let body = page(address);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            socket.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
            served.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The pages of synthetic nodes, each made once a second for all the nodes that share a trace.
pub(crate) struct NodePages {
    traces: Vec<Arc<Trace>>,
    start: Instant,
    /// By trace: the second, and its page.
    made: Mutex<BTreeMap<usize, (usize, Arc<str>)>>,
}

impl NodePages {
    /// Pages that begin with the traces' first live rows, now.
    pub(crate) fn new(traces: &[Arc<Trace>]) -> Self {
        Self { traces: traces.to_vec(), start: Instant::now(), made: Mutex::default() }
    }

    /// The page of node `number`.
    pub(crate) fn page(&self, number: usize) -> Arc<str> {
        let trace = number % self.traces.len();
        let values = &self.traces[trace].values;
        let second = (self.start.elapsed().as_secs() as usize).min(values.len() - 1);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, page)) = made.get(&trace)
            && *known == second
        {
            return Arc::clone(page);
        }
        let page: Arc<str> = text(&values[second]).into();
        made.insert(trace, (second, Arc::clone(&page)));
        page
    }
}

/// All values of a node: eight GPUs with the two labels that tell them apart, and the engine.
fn text(values: &[i64]) -> String {
    let mut out = String::with_capacity(20_000);
    let mut slots = values.iter();
    let mut by_gpu = Vec::new();
    for _ in 0..GPUS {
        by_gpu.push(slots.by_ref().take(GPU_METRICS.len()).copied().collect::<Vec<i64>>());
    }
    let name = |metric: ostler_proto::v1::Metric| {
        metric.as_str_name().trim_start_matches("METRIC_").to_ascii_lowercase()
    };
    for (position, metric) in GPU_METRICS.into_iter().enumerate() {
        let name = name(metric);
        let _ = writeln!(out, "# TYPE {name} gauge");
        for (gpu, values) in by_gpu.iter().enumerate() {
            let _ = writeln!(out, "{name}{{gpu=\"{gpu}\",uuid=\"GPU-0000-{gpu}\"}} {}", values[position]);
        }
    }
    for (metric, value) in ENGINE_METRICS.into_iter().zip(slots) {
        let name = name(metric);
        let _ = writeln!(out, "# TYPE {name} gauge\n{name}{{engine=\"vllm-8000\"}} {value}");
    }
    out
}

/// The page of a vLLM server at work, so many seconds after its start.
pub(crate) fn vllm(seconds: f64) -> String {
    let mut out = String::new();
    let labels = "model_name=\"bench-70b\",engine=\"0\"";
    let requests = (14.0 * seconds) as u64;
    for (name, kind, value) in [
        ("vllm:num_requests_running", "gauge", 180 + requests % 40),
        ("vllm:num_requests_waiting", "gauge", requests % 7),
        ("vllm:prompt_tokens_total", "counter", (24_000.0 * seconds) as u64),
        ("vllm:generation_tokens_total", "counter", (9_000.0 * seconds) as u64),
        ("vllm:num_preemptions_total", "counter", requests / 100),
    ] {
        let _ = writeln!(out, "# HELP {name} .\n# TYPE {name} {kind}\n{name}{{{labels}}} {value}");
    }
    let usage = 0.6 + 0.2 * (seconds / 10.0).sin();
    let _ = writeln!(
        out,
        "# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc{{{labels}}} {usage:.4}"
    );
    let _ = writeln!(out, "# TYPE vllm:request_success_total counter");
    let _ = writeln!(out, "vllm:request_success_total{{finished_reason=\"stop\",{labels}}} {requests}");
    for name in [
        "vllm:time_to_first_token_seconds",
        "vllm:inter_token_latency_seconds",
        "vllm:e2e_request_latency_seconds",
        "vllm:request_queue_time_seconds",
    ] {
        let _ = writeln!(out, "# TYPE {name} histogram");
        let bounds = [
            "0.001", "0.005", "0.01", "0.02", "0.04", "0.08", "0.16", "0.32", "0.64", "1.28", "2.5", "5.0",
            "10.0", "+Inf",
        ];
        for (position, bound) in bounds.into_iter().enumerate() {
            let share = requests * (position as u64 + 1) / bounds.len() as u64;
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\",{labels}}} {share}");
        }
        let _ = writeln!(
            out,
            "{name}_sum{{{labels}}} {:.3}\n{name}_count{{{labels}}} {requests}",
            requests as f64 * 0.3
        );
    }
    out
}
