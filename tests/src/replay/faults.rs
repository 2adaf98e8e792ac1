//! Faults of GPU servers, as they were recorded, and what an agent or a prober would see of each.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::file::{self, Missing};

/// Servers of the cluster, those included that never failed, as the trace's authors say.
const SERVERS: usize = 400;

/// Faults of servers in the order in which they began.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// All servers.
    pub servers: usize,
    /// All faults.
    pub faults: Vec<Fault>,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Index of the server.
    pub server: usize,
    /// When it began, in seconds from the beginning of the trace.
    pub from_s: u64,
    /// When the server was well again.
    pub to_s: u64,
    /// What is to be seen of it.
    pub symptom: Symptom,
    /// What the trace calls it.
    pub name: Box<str>,
}

/// What is to be seen of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Symptom {
    /// The server says nothing more.
    Silence,
    /// A GPU leaves the bus.
    GpuLost,
    /// Calls on a GPU do not return.
    GpuHung,
    /// The driver reports this error of a GPU.
    Xid(u32),
    /// Nothing that Ostler looks at: networks of the workload, fans, file systems, bandwidth, and what has no name.
    Nothing,
}

impl Symptom {
    /// By what the trace calls a fault. It names no numbers of errors: a double bit error is XID 48, and "GPU xid Error" is
    /// taken for 79, the one after which a server is taken out.
    fn of(description: &str) -> Self {
        match description {
            "Server down" | "Kernel Panic" | "Motherboard Failed" => Self::Silence,
            "GPU Lost" | "GPU device not found" | "GPU device unknow error" => Self::GpuLost,
            "nvidia-smi Timeout" => Self::GpuHung,
            "GPU xid Error" => Self::Xid(79),
            "GPU DBE(Double Bit ECC) > Threshold" => Self::Xid(48),
            _ => Self::Nothing,
        }
    }
}

#[derive(Deserialize)]
struct Entry {
    node_id: Box<str>,
    event_time: f64,
    event_type: Box<str>,
    fault_type: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Kind {
    class: Box<str>,
    desc: Box<str>,
}

impl Faults {
    /// The InfiniteHBD trace of StepFun: 400 servers over 349 days.
    ///
    /// # Errors
    ///
    /// When its file is not there.
    ///
    /// # Panics
    ///
    /// When the file is not what it is.
    pub fn infinite_hbd() -> Result<Self, Missing> {
        Ok(Self::parse(&file::read("failures/infinitehbd_fault_trace.json.gz")?, SERVERS))
    }

    /// Reads a list of starts and ends of faults, of at least so many servers.
    ///
    /// # Panics
    ///
    /// When it is not such a list.
    pub fn parse(json: &str, servers: usize) -> Self {
        let mut entries: Vec<Entry> = serde_json::from_str(json).expect("a list of faults");
        entries.sort_by(|one, other| one.event_time.total_cmp(&other.event_time));
        let (mut names, mut open) = (BTreeMap::new(), BTreeMap::new());
        let mut faults: Vec<Fault> = Vec::new();
        for Entry { node_id, event_time, event_type, fault_type } in entries {
            let next = names.len();
            let server = *names.entry(node_id).or_insert(next);
            let at_s = (event_time * 86_400.0) as u64;
            let Kind { class, desc } = fault_type;
            if &*event_type == "fault_start" {
                open.entry((server, desc.clone())).or_insert_with(Vec::new).push(faults.len());
                let (symptom, name) = (Symptom::of(&desc), format!("{class}: {desc}").into());
                faults.push(Fault { server, from_s: at_s, to_s: u64::MAX, symptom, name });
            } else if let Some(at) = open.get_mut(&(server, desc)).and_then(Vec::pop) {
                faults[at].to_s = at_s;
            }
        }
        Self { servers: servers.max(names.len()), faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lasts_until_its_own_end_and_shows_as_its_class_says() {
        let entry = |node, time, event, desc| {
            format!(
                r#"{{"node_id":"{node}","event_time":{time},"event_type":"{event}",
                "fault_type":{{"Level":"l","Class":"GPU","Desc":"{desc}"}}}}"#
            )
        };
        let entries = [
            entry("b", 2.0, "fault_end", "GPU Lost"),
            entry("a", 1.0, "fault_start", "Server down"),
            entry("b", 1.5, "fault_start", "GPU Lost"),
            entry("b", 1.5, "fault_start", "Fan"),
        ];
        let faults = Faults::parse(&format!("[{}]", entries.join(",")), 3);
        let found: Vec<_> =
            faults.faults.iter().map(|it| (it.server, it.from_s, it.to_s, it.symptom)).collect();
        assert_eq!(
            found,
            [
                (0, 86_400, u64::MAX, Symptom::Silence),
                (1, 129_600, 172_800, Symptom::GpuLost),
                (1, 129_600, u64::MAX, Symptom::Nothing),
            ]
        );
        assert_eq!((faults.servers, &*faults.faults[1].name), (3, "GPU: GPU Lost"));
    }
}
