//! Three members of etcd, three replicas and some agents, and what can be done to them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ostler_tests::faultproxy::{Faults, Flow, Lane, Proxy};
use ostler_tests::history::{Fact, Places, Recorder};
use tempfile::TempDir;

use super::disk::Disk;
use super::ground::{Ground, Port};
use super::process::Process;
use super::proxies::Proxies;
use super::wound::{Wound, node_name, replica_name, zone_name};
use super::zones::{Way, ZONES};
use crate::servers::{binary, fake_nvml};

/// Length of the lease, in seconds.
pub(crate) const LEASE_S: u64 = 3;

/// What replicas log: all but each request that they answer.
const LOG: &str = "info,ostler_coordinator::request_log=warn";

/// What calls at the sink are signed with.
pub(crate) const SINK_KEY: &str = "signed in a test of faults";

/// What all agents find.
const WELL: &str = "profile = \"H100\"\ncount = 2\n";

/// Longest wait for a server to listen.
const START_MAX: Duration = Duration::from_secs(60);

/// Everything that runs. Fields are dropped in this order: processes, then disks, then folders, then the ground.
#[derive(Debug)]
pub(crate) struct Yard {
    etcd: Vec<Process>,
    ways: Vec<Proxies>,
    replicas: Vec<Process>,
    /// By zone and node.
    agents: Vec<Vec<Process>>,
    disks: Vec<Option<Disk>>,
    /// The way of each replica to the sink.
    calls: Vec<Proxy>,
    recorder: Recorder,
    folder: TempDir,
    pub(crate) ground: Ground,
}

impl Yard {
    /// Starts all of it, with so many nodes a zone, and replicas that act at a sink.
    pub(crate) fn start(
        ground: Ground,
        nodes: usize,
        sink: SocketAddr,
        recorder: Recorder,
    ) -> anyhow::Result<Yard> {
        let folder = tempfile::tempdir()?;
        let mut yard = Yard {
            etcd: Vec::new(),
            ways: Vec::new(),
            replicas: Vec::new(),
            agents: Vec::new(),
            disks: Vec::new(),
            calls: Vec::new(),
            recorder,
            folder,
            ground,
        };
        for zone in 0..ZONES {
            yard.etcd.push(yard.start_etcd(zone)?);
        }
        for zone in 0..ZONES {
            yard.wait_for(zone, Port::Etcd)?;
            yard.ways.push(yard.start_ways(zone)?);
            yard.disks.push(yard.mount(zone)?);
            let bench = yard.ground.zones().map_or(Ipv4Addr::LOCALHOST, |zones| zones.bench_address(zone));
            yard.calls.push(Proxy::start((bench, 0).into(), sink)?);
            yard.replicas.push(yard.start_replica(zone)?);
        }
        for zone in 0..ZONES {
            yard.wait_for(zone, Port::Grpc)?;
        }
        for zone in 0..ZONES {
            let agents =
                (0..nodes).map(|node| yard.start_agent(zone, node)).collect::<anyhow::Result<_>>()?;
            yard.agents.push(agents);
        }
        Ok(yard)
    }

    /// What stands where.
    pub(crate) fn places(&self) -> Places {
        let mut places = Places::default();
        for (zone, agents) in self.agents.iter().enumerate() {
            places.zones.insert(zone_name(zone));
            places.nodes.extend((0..agents.len()).map(|node| (node_name(zone, node), zone_name(zone))));
        }
        places
    }

    /// Breaks something. What may excuse somebody is written down before, what accuses somebody after it.
    pub(crate) fn hurt(&mut self, wound: &Wound) -> anyhow::Result<()> {
        self.recorder.note(Fact::Hurt(wound.fault()));
        match wound {
            Wound::ReplicaKilled(zone) => self.replicas[*zone].kill(),
            Wound::ReplicaStopped(zone) => self.replicas[*zone].signal("STOP")?,
            Wound::EtcdKilled(zone) => self.etcd[*zone].kill(),
            Wound::Cut(from, to) => self.cut(*from, *to, Way::Lost)?,
            Wound::Ways(zone, order) => self.ways[*zone].order(ZONES, order)?,
            Wound::AgentKilled(zone, node) => self.agents[*zone][*node].kill(),
            Wound::AgentStopped(zone, node) => self.agents[*zone][*node].signal("STOP")?,
            Wound::NodeDark(zone, node) => self.darken(*zone, *node, Way::Lost)?,
            Wound::DiskFull(zone) => self.disk(*zone)?.fill()?,
            Wound::CallsHeld(zone) => self.hold_calls(*zone, Flow::Hold),
            Wound::CutOff(_) | Wound::Wait(_) => {}
        }
        Ok(())
    }

    /// Mends it.
    pub(crate) fn heal(&mut self, wound: &Wound) -> anyhow::Result<()> {
        match wound {
            Wound::ReplicaKilled(zone) => self.replicas[*zone].again()?,
            Wound::ReplicaStopped(zone) => self.replicas[*zone].signal("CONT")?,
            Wound::EtcdKilled(zone) => self.etcd[*zone].again()?,
            Wound::Cut(from, to) => self.cut(*from, *to, Way::Open)?,
            Wound::Ways(zone, _) => self.ways[*zone].order(ZONES, "pass")?,
            Wound::AgentKilled(zone, node) => self.agents[*zone][*node].again()?,
            Wound::AgentStopped(zone, node) => self.agents[*zone][*node].signal("CONT")?,
            Wound::NodeDark(zone, node) => self.darken(*zone, *node, Way::Open)?,
            Wound::DiskFull(zone) => self.disk(*zone)?.clear()?,
            Wound::CallsHeld(zone) => self.hold_calls(*zone, Flow::Pass),
            Wound::CutOff(_) | Wound::Wait(_) => {}
        }
        self.recorder.note(Fact::Healed(wound.fault()));
        Ok(())
    }

    /// Starts replicas again that have ended by themselves, as whatever runs them would; how many there were.
    pub(crate) fn revive(&mut self) -> anyhow::Result<usize> {
        let mut revived = 0;
        for replica in &mut self.replicas {
            if replica.ended() {
                replica.kill();
                replica.again()?;
                revived += 1;
            }
        }
        Ok(revived)
    }

    /// The ends of what all servers said, for a person who looks for a reason.
    pub(crate) fn logs(&self) -> String {
        let name = |(zone, log): (usize, &Process)| format!("{}:\n{}\n", replica_name(zone), log.log());
        self.replicas.iter().enumerate().map(name).collect()
    }

    fn cut(&self, from: usize, to: usize, way: Way) -> anyhow::Result<()> {
        self.ground.zones().context("there are zones")?.cut(from, to, way)
    }

    fn darken(&self, zone: usize, node: usize, way: Way) -> anyhow::Result<()> {
        self.ground.zones().context("there are zones")?.darken(zone, node, way)
    }

    fn hold_calls(&self, zone: usize, flow: Flow) {
        let up = Lane { flow, ..Lane::default() };
        self.calls[zone].set(Faults { up, ..Faults::default() });
    }

    fn disk(&self, zone: usize) -> anyhow::Result<&Disk> {
        self.disks[zone].as_ref().context("the replica has a disk of its own")
    }

    fn mount(&self, zone: usize) -> anyhow::Result<Option<Disk>> {
        // Whoever may make namespaces may mount.
        self.ground.zones().map(|_| Disk::mount(&self.data(zone))).transpose()
    }

    fn data(&self, zone: usize) -> PathBuf {
        self.folder.path().join(replica_name(zone))
    }

    fn url(&self, zone: usize, port: Port) -> String {
        format!("http://{}", self.ground.seen(zone, port))
    }

    /// The same address of all zones, separated by commas.
    fn urls(&self, port: Port) -> String {
        (0..ZONES).map(|zone| self.url(zone, port)).collect::<Vec<_>>().join(",")
    }

    fn start_etcd(&self, zone: usize) -> anyhow::Result<Process> {
        let name = format!("etcd-{zone}");
        let listen = |port| format!("http://{}", self.ground.listen(zone, port));
        let member = |zone| format!("etcd-{zone}={}", self.url(zone, Port::EtcdPeer));
        let mut command = self.ground.command(zone, Path::new("etcd"));
        command.args(["--name", &name, "--data-dir"]).arg(self.folder.path().join(&name));
        command.args(["--listen-client-urls", &listen(Port::Etcd)]);
        command.args(["--advertise-client-urls", &self.url(zone, Port::Etcd)]);
        command.args(["--listen-peer-urls", &listen(Port::EtcdPeer)]);
        command.args(["--initial-advertise-peer-urls", &self.url(zone, Port::EtcdPeer)]);
        command.args(["--initial-cluster", &(0..ZONES).map(member).collect::<Vec<_>>().join(",")]);
        Process::start(&name, self.folder.path(), command).context("install the package etcd-server")
    }

    fn start_ways(&self, zone: usize) -> anyhow::Result<Proxies> {
        let mut command = self.ground.command(zone, &binary("ostler-faultproxy")?);
        for member in 0..ZONES {
            let listen = self.ground.listen(zone, Port::Proxy(member));
            command.arg(format!("{listen}={}", self.ground.seen(member, Port::Etcd)));
        }
        Proxies::start(command)
    }

    fn start_replica(&self, zone: usize) -> anyhow::Result<Process> {
        let (name, lease) = (replica_name(zone), LEASE_S.to_string());
        let way = |member| format!("http://{}", self.ground.listen(zone, Port::Proxy(member)));
        let ways = (0..ZONES).map(way).collect::<Vec<_>>().join(",");
        let mut command = self.ground.command(zone, &binary("ostler-coordinator")?);
        command.args(["--replica", &name, "--store", "etcd", "--etcd-endpoints", &ways]);
        command.args(["--lead-ttl-s", &lease, "--ingest-threads", "1", "--log", LOG]);
        command.arg("--data-dir").arg(self.data(zone));
        command.args(["--grpc-listen", &self.ground.listen(zone, Port::Grpc).to_string()]);
        command.args(["--http-listen", &self.ground.listen(zone, Port::Http).to_string()]);
        command.args(["--peers", &self.urls(Port::Grpc)]);
        std::fs::create_dir_all(self.data(zone))?;
        let key = self.folder.path().join("sink.key");
        std::fs::write(&key, SINK_KEY)?;
        command
            .env("OSTLER_ACTIONS_TRAFFIC", "act")
            .env("OSTLER_ACTIONS_DISRUPTIVE", "act")
            .env("OSTLER_WEBHOOK_URL", format!("http://{}/actions", self.calls[zone].address()))
            .env("OSTLER_WEBHOOK_KEY_FILE", key);
        Process::start(&name, self.folder.path(), command)
    }

    fn start_agent(&self, zone: usize, node: usize) -> anyhow::Result<Process> {
        let name = node_name(zone, node);
        let folder = self.folder.path().join(&name);
        std::fs::create_dir_all(&folder)?;
        let mut command = self.ground.node_command(zone, node, &binary("ostler-agent")?);
        fake_nvml(&mut command, &folder, WELL)?;
        command
            .env("OSTLER_NODE", &name)
            .env("OSTLER_ZONE", zone_name(zone))
            .env("OSTLER_COORDINATORS", self.urls(Port::Grpc))
            .env("OSTLER_LISTEN", self.ground.listen(zone, Port::Agent(node)).to_string())
            .env("OSTLER_PROBE_ADDRESS", self.ground.seen(zone, Port::Agent(node)).to_string())
            .env("OSTLER_STATE_DIR", &folder)
            .env("OSTLER_KMSG_ENABLED", "false")
            .env("OSTLER_CLOUD_PROVIDER", "off");
        Process::start(&name, self.folder.path(), command)
    }

    fn wait_for(&mut self, zone: usize, port: Port) -> anyhow::Result<()> {
        let (address, began) = (self.ground.outside(zone, port), Instant::now());
        while std::net::TcpStream::connect(address).is_err() {
            if began.elapsed() > START_MAX {
                let etcd = self.etcd[zone].log();
                bail!("nobody listens on {address}; etcd said:\n{etcd}\n{}", self.logs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
