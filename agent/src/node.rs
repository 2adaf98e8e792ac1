//! This machine as a source: GPUs, kernel log, engines, host and cloud notices put together into one reading.
//!
//! Each part reads on its own time and its own thread, task or process; here their newest results are only looked up,
//! so that nothing that hangs in one of them can hold up another or the heartbeat.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ostler_proto::v1::{self, agent_event::Kind};
use tokio::sync::Notify;

use crate::{
    config::Sources,
    engine, host, kmsg, notice, nvml,
    sample::{NodeSample, Source},
    xid::{self, Deduplicator},
};

/// This machine.
pub struct NodeSource {
    nvml: Option<nvml::Monitor>,
    kmsg: Option<kmsg::Monitor>,
    engines: Option<engine::Monitor>,
    host: Option<host::Sampler>,
    cloud: Option<notice::Monitor>,
    /// Makes one of what NVML and the kernel log both tell.
    xids: Deduplicator,
    /// Told by NVML when a GPU changes its state.
    news: Arc<Notify>,
}

impl NodeSource {
    /// Starts every source that the configuration does not switch off, on the current runtime; returns at once.
    #[must_use]
    pub fn start(sources: Sources, interval: Duration) -> Self {
        let Sources { nvml, kmsg, engines, host, cloud } = sources;
        let news = Arc::new(Notify::new());
        let told = Arc::clone(&news);
        let nvml = nvml.map(|config| {
            let notify: nvml::Notify = Arc::new(move || told.notify_one());
            nvml::Monitor::start(nvml::Config { interval, notify: Some(notify), ..config })
        });
        Self {
            nvml,
            kmsg: kmsg.map(kmsg::Monitor::start),
            engines: engines.map(engine::Monitor::start),
            host: host.map(|config| host::Sampler::start(config, interval)),
            cloud: cloud.map(notice::Monitor::start),
            xids: Deduplicator::default(),
            news,
        }
    }

    fn read_gpus(&mut self, sample: &mut NodeSample) -> Vec<v1::XidEvent> {
        let Some(nvml) = &mut self.nvml else { return Vec::new() };
        let nvml::Reading { gpus, status, events } = nvml.latest();
        sample.gpus = gpus;
        sample.sources.push(status);
        let mut xids = Vec::new();
        for event in events {
            match event {
                Kind::Xid(xid) => xids.push(xid),
                other @ (Kind::Engine(_) | Kind::Maintenance(_) | Kind::Source(_) | Kind::Gpu(_)) => {
                    sample.events.push(other);
                }
            }
        }
        xids
    }

    fn read_xids(&mut self, mut reports: Vec<v1::XidEvent>, sample: &mut NodeSample) {
        if let Some(kmsg) = &self.kmsg {
            let (events, status) = kmsg.latest();
            reports.extend(events);
            sample.sources.push(status);
        }
        let mut events = self.xids.fold(reports, Instant::now());
        xid::name_gpus(&mut events, &sample.gpus);
        sample.events.extend(events.into_iter().map(Kind::Xid));
    }
}

impl Source for NodeSource {
    fn read(&mut self) -> NodeSample {
        let mut sample = NodeSample::default();
        let xids = self.read_gpus(&mut sample);
        self.read_xids(xids, &mut sample);
        if let Some(host) = &mut self.host {
            let (group, status) = host.read();
            sample.host = Some(group);
            sample.sources.push(status);
        }
        if let Some(engines) = &mut self.engines {
            let engine::Reading { engines, status, events } = engines.latest();
            sample.engines = engines;
            sample.sources.push(status);
            sample.events.extend(events);
        }
        if let Some(cloud) = &mut self.cloud {
            let (events, status) = cloud.latest();
            sample.sources.push(status);
            sample.events.extend(events);
        }
        sample
    }

    fn set_interval(&mut self, interval: Duration) {
        if let Some(nvml) = &self.nvml {
            nvml.set_interval(interval);
        }
        if let Some(host) = &mut self.host {
            host.set_period(interval);
        }
    }

    fn news(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.news))
    }

    fn release_nvml(&mut self, hold: Duration) -> Result<(), String> {
        match &self.nvml {
            Some(nvml) => {
                nvml.release(hold);
                Ok(())
            }
            None => Err("NVML is switched off in the agent's configuration".to_owned()),
        }
    }
}
