//! Zones as network namespaces: each has a router, which also runs etcd and a replica, and its nodes behind it.
//!
//! ```text
//! node 198.18.Z.1N -- router 198.18.Z.1 -- the routers of the other two zones
//!                         |
//!                      outside: the bench, which every fault leaves alone
//! ```
//!
//! All neighbours are set by hand, so a direction is cut by giving the sender a wrong hardware address for the next hop:
//! what it sends is dropped on arrival without a word to anybody, as on a line that is dead one way. That needs neither
//! iptables nor tc. Addresses are those set aside for benchmarks (RFC 2544). Names carry the bench's process id; what a bench
//! left behind that was itself killed is removed by the next one.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Zones, as many as etcd has members and the coordinator replicas.
pub(crate) const ZONES: usize = 3;

/// Begin of all names of namespaces.
const PREFIX: &str = "ostler-chaos-";

/// A hardware address that nobody has.
const NOBODY: &str = "02:00:ff:ff:ff:ff";

/// Networks to the outside, of which benches that run at once choose by their process id: 80 times three fit in a /16.
const BLOCKS: u32 = 80;

/// The namespaces, which are removed with all that runs in them when this is dropped.
#[derive(Debug)]
pub(crate) struct Zones {
    id: u32,
    nodes: usize,
}

impl Zones {
    /// Why there cannot be any, if so.
    pub(crate) fn hindrance() -> Option<String> {
        let name = format!("{PREFIX}{}-try", std::process::id());
        let made = ip(&["netns", "add", &name]);
        let _ = ip(&["netns", "del", &name]);
        made.err().map(|error| format!("network namespaces need root and the package iproute2 ({error:#})"))
    }

    /// Builds them with so many nodes each.
    pub(crate) fn build(nodes: usize) -> anyhow::Result<Zones> {
        sweep()?;
        let zones = Zones { id: std::process::id(), nodes };
        for zone in 0..ZONES {
            zones.add(&zones.router(zone), Self::address(zone))?;
            let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
            run(Command::new("ip").args(["netns", "exec", &zones.router(zone), "sh", "-c", forward]))?;
            zones.link_outside(zone)?;
            (0..nodes).try_for_each(|node| zones.link_node(zone, node))?;
            (0..zone).try_for_each(|other| zones.link_zones(other, zone))?;
        }
        Ok(zones)
    }

    /// Where others reach what runs in a zone.
    pub(crate) fn address(zone: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, octet(zone) + 1, 1)
    }

    /// Where others reach a node.
    pub(crate) fn node_address(zone: usize, node: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, octet(zone) + 1, octet(node) + 10)
    }

    /// Where the bench reaches what runs in a zone, whatever is cut.
    pub(crate) fn outside_address(&self, zone: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.block(zone), 1)
    }

    /// Where what runs in a zone reaches the bench, whatever is cut.
    pub(crate) fn bench_address(&self, zone: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 19, self.block(zone), 254)
    }

    /// A program that will run in a zone.
    pub(crate) fn command(&self, zone: usize, program: &Path) -> Command {
        inside(&self.router(zone), program)
    }

    /// A program that will run on a node.
    pub(crate) fn node_command(&self, zone: usize, node: usize, program: &Path) -> Command {
        inside(&self.node(zone, node), program)
    }

    /// Loses what a zone sends to another one, or no longer.
    pub(crate) fn cut(&self, from: usize, to: usize, way: Way) -> anyhow::Result<()> {
        let hop = way.hop(zone_mac(to, from));
        self.neighbour(&self.router(from), Self::address(to), &hop, &zone_port(to))
    }

    /// Loses what comes from a node and what goes to it, or no longer.
    pub(crate) fn darken(&self, zone: usize, node: usize, way: Way) -> anyhow::Result<()> {
        let out = way.hop(port_mac(zone, node));
        self.neighbour(&self.node(zone, node), Self::address(zone), &out, "eth0")?;
        let back = way.hop(node_mac(zone, node));
        self.neighbour(&self.router(zone), Self::node_address(zone, node), &back, &node_port(node))
    }

    fn add(&self, name: &str, address: Ipv4Addr) -> anyhow::Result<()> {
        ip(&["netns", "add", name])?;
        ip(&["-n", name, "link", "set", "lo", "up"])?;
        ip(&["-n", name, "addr", "add", &format!("{address}/32"), "dev", "lo"])
    }

    fn link_zones(&self, a: usize, b: usize) -> anyhow::Result<()> {
        veth(
            (&self.router(a), &zone_port(b), &zone_mac(a, b)),
            (&self.router(b), &zone_port(a), &zone_mac(b, a)),
        )?;
        for (from, to) in [(a, b), (b, a)] {
            let (name, via, port) = (self.router(from), Self::address(to).to_string(), zone_port(to));
            self.cut(from, to, Way::Open)?;
            let (net, own) = (format!("198.18.{}.0/24", to + 1), Self::address(from).to_string());
            ip(&["-n", &name, "route", "add", &net, "via", &via, "dev", &port, "onlink", "src", &own])?;
        }
        Ok(())
    }

    fn link_node(&self, zone: usize, node: usize) -> anyhow::Result<()> {
        let (name, router) = (self.node(zone, node), self.router(zone));
        let (own, gateway) = (Self::node_address(zone, node), Self::address(zone).to_string());
        self.add(&name, own)?;
        let port = node_port(node);
        veth((&name, "eth0", &node_mac(zone, node)), (&router, &port, &port_mac(zone, node)))?;
        self.darken(zone, node, Way::Open)?;
        let source = own.to_string();
        ip(&[
            "-n", &name, "route", "add", "default", "via", &gateway, "dev", "eth0", "onlink", "src", &source,
        ])?;
        ip(&["-n", &router, "route", "add", &format!("{own}/32"), "dev", &port, "src", &gateway])
    }

    fn link_outside(&self, zone: usize) -> anyhow::Result<()> {
        let (router, outer) = (self.router(zone), format!("oc{}", self.block(zone)));
        let (theirs, ours) = (self.outside_address(zone).to_string(), self.bench_address(zone).to_string());
        ip(&["link", "add", &outer, "type", "veth", "peer", "name", "outside", "netns", &router])?;
        ip(&["addr", "add", &ours, "peer", &theirs, "dev", &outer])?;
        ip(&["link", "set", &outer, "up"])?;
        ip(&["-n", &router, "addr", "add", &theirs, "peer", &ours, "dev", "outside"])?;
        ip(&["-n", &router, "link", "set", "outside", "up"])
    }

    fn neighbour(&self, name: &str, of: Ipv4Addr, hop: &str, port: &str) -> anyhow::Result<()> {
        let of = of.to_string();
        ip(&["-n", name, "neigh", "replace", &of, "lladdr", hop, "dev", port, "nud", "permanent"])
    }

    fn router(&self, zone: usize) -> String {
        format!("{PREFIX}{}-z{zone}", self.id)
    }

    fn node(&self, zone: usize, node: usize) -> String {
        format!("{PREFIX}{}-z{zone}-n{node}", self.id)
    }

    fn block(&self, zone: usize) -> u8 {
        u8::try_from(self.id % BLOCKS * 3).expect("80 times three fit") + octet(zone)
    }
}

impl Drop for Zones {
    fn drop(&mut self) {
        for zone in 0..ZONES {
            (0..self.nodes).for_each(|node| remove(&self.node(zone, node)));
            remove(&self.router(zone));
        }
    }
}

/// Whether what is sent arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    Lost,
}

impl Way {
    /// The hardware address of the next hop.
    fn hop(self, right: String) -> String {
        match self {
            Way::Open => right,
            Way::Lost => NOBODY.to_owned(),
        }
    }
}

fn octet(number: usize) -> u8 {
    u8::try_from(number).expect("zones and nodes are few")
}

/// Hardware address of a zone's port to another zone.
fn zone_mac(zone: usize, other: usize) -> String {
    format!("02:00:01:00:{zone:02x}:{other:02x}")
}

fn node_mac(zone: usize, node: usize) -> String {
    format!("02:00:02:00:{zone:02x}:{node:02x}")
}

/// Hardware address of the router's port to a node.
fn port_mac(zone: usize, node: usize) -> String {
    format!("02:00:03:00:{zone:02x}:{node:02x}")
}

fn zone_port(zone: usize) -> String {
    format!("zone{zone}")
}

fn node_port(node: usize) -> String {
    format!("node{node}")
}

fn inside(name: &str, program: &Path) -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", name]).arg(program);
    command
}

/// Makes a cable; each end is a namespace, the port's name and its hardware address.
fn veth(a: (&str, &str, &str), b: (&str, &str, &str)) -> anyhow::Result<()> {
    let ((in_a, port_a, mac_a), (in_b, port_b, mac_b)) = (a, b);
    ip(&[
        "-n", in_a, "link", "add", port_a, "address", mac_a, "type", "veth", "peer", "name", port_b,
        "address", mac_b, "netns", in_b,
    ])?;
    ip(&["-n", in_a, "link", "set", port_a, "up"])?;
    ip(&["-n", in_b, "link", "set", port_b, "up"])
}

/// Removes what benches left behind that do not run any more.
fn sweep() -> anyhow::Result<()> {
    let list = Command::new("ip").args(["netns", "list"]).output()?;
    for name in
        String::from_utf8_lossy(&list.stdout).lines().filter_map(|line| line.split_whitespace().next())
    {
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove(name);
        }
    }
    Ok(())
}

/// Removes a namespace and ends what runs in it.
fn remove(name: &str) {
    if let Ok(pids) = Command::new("ip").args(["netns", "pids", name]).stderr(Stdio::null()).output() {
        let pids = String::from_utf8_lossy(&pids.stdout).into_owned();
        for pid in pids.split_whitespace() {
            let _ = Command::new("kill").args(["-s", "KILL", pid]).stderr(Stdio::null()).status();
        }
    }
    let _ = ip(&["netns", "del", name]);
}

fn ip(arguments: &[&str]) -> anyhow::Result<()> {
    run(Command::new("ip").args(arguments))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
