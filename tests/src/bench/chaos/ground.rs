//! Where everything runs: in zones of network namespaces, or on loopback where there can be none.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::zones::{ZONES, Zones};
use crate::servers::free_address;

/// A server of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Port {
    /// etcd's, for clients.
    Etcd,
    /// etcd's, for its other members.
    EtcdPeer,
    /// The replica's, for agents and others.
    Grpc,
    /// The replica's dashboard.
    Http,
    /// The proxy in front of a member of etcd, for the replica of its own zone.
    Proxy(usize),
    /// The agent's of a node.
    Agent(usize),
}

/// Where everything runs.
#[derive(Debug)]
pub(crate) enum Ground {
    /// One network; nothing is between zones but their names.
    Loopback(BTreeMap<(usize, Port), SocketAddr>),
    /// A network for each.
    Zones(Zones),
}

impl Ground {
    /// One network, with free ports for so many nodes a zone.
    pub(crate) fn loopback(nodes: usize) -> anyhow::Result<Ground> {
        let mut ports = BTreeMap::new();
        for zone in 0..ZONES {
            let servers = [Port::Etcd, Port::EtcdPeer, Port::Grpc, Port::Http];
            let proxies = (0..ZONES).map(Port::Proxy);
            for port in servers.into_iter().chain(proxies).chain((0..nodes).map(Port::Agent)) {
                ports.insert((zone, port), free_address()?);
            }
        }
        Ok(Ground::Loopback(ports))
    }

    /// The namespaces, where there are any.
    pub(crate) fn zones(&self) -> Option<&Zones> {
        match self {
            Ground::Loopback(_) => None,
            Ground::Zones(zones) => Some(zones),
        }
    }

    /// Where a server listens.
    pub(crate) fn listen(&self, zone: usize, port: Port) -> SocketAddr {
        match (self, port) {
            (Ground::Loopback(ports), _) => ports[&(zone, port)],
            (Ground::Zones(_), Port::Proxy(_)) => (Ipv4Addr::LOCALHOST, number(port)).into(),
            (Ground::Zones(_), _) => (Ipv4Addr::UNSPECIFIED, number(port)).into(),
        }
    }

    /// Where others reach it, through whatever is between the zones.
    pub(crate) fn seen(&self, zone: usize, port: Port) -> SocketAddr {
        match (self, port) {
            (Ground::Loopback(ports), _) => ports[&(zone, port)],
            (Ground::Zones(_), Port::Agent(node)) => (Zones::node_address(zone, node), number(port)).into(),
            (Ground::Zones(_), Port::Etcd | Port::EtcdPeer | Port::Grpc | Port::Http | Port::Proxy(_)) => {
                (Zones::address(zone), number(port)).into()
            }
        }
    }

    /// Where the bench reaches it, whatever is broken.
    pub(crate) fn outside(&self, zone: usize, port: Port) -> SocketAddr {
        match self {
            Ground::Loopback(ports) => ports[&(zone, port)],
            Ground::Zones(zones) => (zones.outside_address(zone), number(port)).into(),
        }
    }

    /// A program that will run in a zone.
    pub(crate) fn command(&self, zone: usize, program: &Path) -> Command {
        self.zones().map_or_else(|| Command::new(program), |zones| zones.command(zone, program))
    }

    /// A program that will run on a node.
    pub(crate) fn node_command(&self, zone: usize, node: usize, program: &Path) -> Command {
        let on_loopback = || Command::new(program);
        self.zones().map_or_else(on_loopback, |zones| zones.node_command(zone, node, program))
    }
}

/// The number of a port in a namespace, where nobody else has any.
fn number(port: Port) -> u16 {
    match port {
        Port::Etcd => 2379,
        Port::EtcdPeer => 2380,
        Port::Grpc => 7400,
        Port::Http => 7480,
        Port::Proxy(member) => 23790 + u16::try_from(member).expect("members are few"),
        Port::Agent(_) => 7410,
    }
}
