//! What `up` tells while it runs: where everything is, what happens, and what was seen of it.
//!
//! With `-o json` stdout is kept for the summary, and all of this goes to stderr.

use std::time::Duration;

use ostler_agent::simulated::Plan;
use ostler_agent::simulated::incident::{Phase, Step};
use ostler_proto::v1;

use super::demo::{Demo, Told};
use super::observer::{News, Observer};
use super::summary::Summary;
use crate::args::Up;
use crate::error::Error;
use crate::output::{Output, Tone, units};

/// How often a line tells the state of the fleet.
const STATUS: Duration = Duration::from_secs(10);

/// Prints.
#[derive(Debug)]
pub(crate) struct Console {
    output: Output,
    status_due: Duration,
}

impl Console {
    pub(crate) fn new(output: Output) -> Console {
        Console { output, status_due: Duration::from_secs(5) }
    }

    /// Where everything is.
    pub(crate) fn welcome(
        &self,
        grpc: &str,
        http: &str,
        options: &Up,
        plan: Option<&Plan>,
    ) -> Result<(), Error> {
        self.say(&format!(
            "ostler {}: {}",
            env!("CARGO_PKG_VERSION"),
            if options.no_agent { "coordinator" } else { "coordinator and agent" }
        ))?;
        self.say(&format!("  dashboard        {http}"))?;
        self.say(&format!("  agents and API   {grpc}"))?;
        if let Some(plan) = plan {
            let (nodes, gpus, engines) = Demo::sizes(plan);
            let banner = format!(
                "SIMULATED fleet: 3 zones, {nodes} nodes, {gpus} GPUs, {engines} engines, seed {}",
                plan.seed
            );
            self.say(&format!("  {}", self.output.paint(&banner, Tone::Warn)))?;
            self.say("  Incidents follow: a GPU at 15 s, a node at 25 s, a zone at 40 s; then it begins again elsewhere.")?;
        }
        let server =
            if grpc == "http://127.0.0.1:7400" { String::new() } else { format!(" --server {grpc}") };
        self.say(&format!("  In another terminal: ostler top{server}     ostler get decisions{server}"))?;
        self.say("  Ctrl-C stops.")
    }

    /// Something was made to happen, or put right.
    pub(crate) fn incident(&self, now: Duration, step: &Step, told: &Told) -> Result<(), Error> {
        let text = match step.phase {
            Phase::Begin => self.output.paint(&format!("injected: {}", told.text), Tone::Warn),
            Phase::End => format!("put right: {}", told.text),
        };
        self.line(now, &text)
    }

    /// Something was seen.
    pub(crate) fn news(&self, now: Duration, news: &News) -> Result<(), Error> {
        match news {
            News::Seen { text, after } => {
                let seen = format!("seen after {:.1} s: {text}", after.as_secs_f64());
                self.line(now, &self.output.paint(&seen, Tone::Bad))
            }
            News::Over { text } => {
                self.line(now, &self.output.paint(&format!("recovered: {text}"), Tone::Good))
            }
            News::ThisMachine(node) => self.line(now, &this_machine(node)),
        }
    }

    /// The state of the fleet, from time to time.
    pub(crate) fn tick(&mut self, now: Duration, observer: &Observer) -> Result<(), Error> {
        if now < self.status_due {
            return Ok(());
        }
        self.status_due = now + STATUS;
        let counts = observer.view.counts();
        let (running, waiting) = observer.requests();
        let nodes = units::of(counts.nodes_fresh, counts.nodes);
        let gpus = units::of(counts.gpus_ok, counts.gpus);
        let text = format!("nodes {nodes}  GPUs {gpus}  running {running:.0}  waiting {waiting:.0}");
        self.line(now, &self.output.paint(&text, Tone::Dim))
    }

    /// The summary.
    pub(crate) fn farewell(&mut self, summary: &Summary) -> Result<(), Error> {
        if self.output.for_programs() {
            let value = serde_json::to_value(summary).map_err(std::io::Error::other)?;
            return self.output.value(&value);
        }
        self.output.line(&summary.text())
    }

    fn line(&self, now: Duration, text: &str) -> Result<(), Error> {
        self.say(&format!("[{:>6.1}s] {text}", now.as_secs_f64()))
    }

    fn say(&self, text: &str) -> Result<(), Error> {
        if self.output.for_programs() {
            self.output.note(text);
            return Ok(());
        }
        self.output.line(text)
    }
}

/// What the agent found on this machine, and what it could not read.
fn this_machine(node: &v1::Node) -> String {
    let gpus = match node.gpu_count {
        0 => "no GPU".to_owned(),
        1 => "1 GPU".to_owned(),
        count => format!("{count} GPUs"),
    };
    let mut text =
        format!("this machine is {}: {gpus}, {} engines", units::clean(&node.name), node.engine_count);
    for source in &node.sources {
        if !source.detail.is_empty() && matches!(source.name.as_str(), "nvml" | "engines") {
            text.push_str(&format!(
                "\n           {}: {}",
                units::clean(&source.name),
                units::clean(&source.detail)
            ));
        }
    }
    text
}
