//! Where everything runs: in zones of network namespaces, or on loopback where there can be none.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::zones::Zones;

/// Loopback networks that benches which run at once choose by their process id.
const LOOPBACKS: u32 = 250;

/// How much higher ports are on loopback, where a server of the machine may have the usual ones at all addresses.
const LOOPBACK_PORTS: u16 = 10_000;

/// A server of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// One network, in which zones differ by their addresses: 127.N.ZONE.x. Connections go out from 127.0.0.1, so that
    /// none can take the port of a server that is just not running.
    Loopback(u8),
    /// A network for each.
    Zones(Zones),
}

impl Ground {
    /// One network.
    pub(crate) fn loopback() -> Ground {
        let network = std::process::id() % LOOPBACKS + 1;
        Ground::Loopback(u8::try_from(network).expect("250 fit"))
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
            (Ground::Loopback(_), _) => self.seen(zone, port),
            (Ground::Zones(_), Port::Proxy(_)) => (Ipv4Addr::LOCALHOST, number(port)).into(),
            (Ground::Zones(_), _) => (Ipv4Addr::UNSPECIFIED, number(port)).into(),
        }
    }

    /// Where others reach it, through whatever is between the zones.
    pub(crate) fn seen(&self, zone: usize, port: Port) -> SocketAddr {
        let address = match port {
            Port::Agent(node) => Zones::node_address(zone, node),
            Port::Etcd | Port::EtcdPeer | Port::Grpc | Port::Http | Port::Proxy(_) => Zones::address(zone),
        };
        match self {
            Ground::Loopback(network) => {
                let [_, _, zone, host] = address.octets();
                (Ipv4Addr::new(127, *network, zone, host), number(port) + LOOPBACK_PORTS).into()
            }
            Ground::Zones(_) => (address, number(port)).into(),
        }
    }

    /// Where the bench reaches it, whatever is broken.
    pub(crate) fn outside(&self, zone: usize, port: Port) -> SocketAddr {
        match self {
            Ground::Loopback(_) => self.seen(zone, port),
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
