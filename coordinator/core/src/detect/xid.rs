//! What an error of the GPU driver (an XID) asks for: a table that comes as data and can be overridden per pool.
//!
//! The vendors of health checks disagree about many codes, so the table is a value. The driver's own recovery verdict
//! (NVML field 230, or the words of XID 154) wins over it, and a code that it does not list is only reported.

use std::collections::BTreeMap;

use super::verdict::Verdict;

/// The table that is used unless another is given; the file names its source.
const STANDARD: &str = include_str!("../../data/xid.csv");

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What a code asks for at once, as NVIDIA's catalog sorts them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Its name in the table.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Action::$variant => $name,)*
                }
            }

            fn from_name(name: &str) -> Option<Action> {
                match name {
                    $($name => Some(Action::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

actions! {
    /// The application's fault, or the end of it. Counted, since repeats on one GPU point at the GPU.
    RestartApp = "restart_app";
    /// Of no consequence.
    Ignore = "ignore";
    /// Tells that work was stopped because of another code.
    FollowCompanion = "follow_companion";
    /// The GPU must be reset.
    ResetGpu = "reset_gpu";
    /// Uncorrectable memory error (48): reset.
    EccDoubleBit = "ecc_double_bit";
    /// NVLink error up to Hopper (74): reset.
    Nvlink = "nvlink";
    /// NVLink error from Blackwell on: what to do is in bits whose meaning changed with the driver, so it is left to the
    /// driver's own verdict.
    Nvlink5 = "nvlink5";
    /// The machine must be restarted.
    RestartVm = "restart_vm";
    /// The GPU fell off the bus; the machine must be restarted.
    RebootNode = "reboot_node";
    /// A power cable or the seating.
    CheckSeating = "check_seating";
    /// Software or firmware is too old.
    UpdateSoftware = "update_software";
    /// Matters only where unified memory or virtual GPUs are in use.
    CheckUvm = "check_uvm";
    /// The driver names its verdict in the message (154).
    DriverVerdict = "driver_verdict";
    /// The vendor has no advice.
    ContactSupport = "contact_support";
    /// Nothing is advised.
    Report = "report";
    /// Runs with less memory until it is restarted (168).
    ReducedMemory = "reduced_memory";
    /// Hardware to be looked at.
    Inspect = "inspect";
}

/// What would mend a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// Nothing is known to; watch it.
    Watch,
    /// Drain the GPU's peers.
    DrainPeers,
    /// Drain the GPU and reset it.
    ResetGpu,
    /// Recover the NVLink fabric's domain.
    RecoverFabric,
    /// Drain the node and restart it.
    RebootNode,
    /// Take the node out and look at the hardware.
    Inspect,
}

impl Remedy {
    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            Remedy::Watch => "watch it",
            Remedy::DrainPeers => "drain the GPUs that share memory with it",
            Remedy::ResetGpu => "drain the GPU and reset it",
            Remedy::RecoverFabric => "recover the IMEX domain",
            Remedy::RebootNode => "drain the node and reboot it",
            Remedy::Inspect => "cordon the node and have the hardware looked at",
        }
    }
}

/// What a code means to the detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Worth a line, no verdict.
    Reported,
    /// The application's; counted.
    Application,
    /// The GPU's.
    Fault(Verdict, Remedy),
}

impl Action {
    pub(super) fn meaning(self) -> Meaning {
        match self {
            Action::RestartApp => Meaning::Application,
            Action::ResetGpu | Action::EccDoubleBit | Action::Nvlink => {
                Meaning::Fault(Verdict::GpuDegraded, Remedy::ResetGpu)
            }
            Action::RebootNode => Meaning::Fault(Verdict::GpuLost, Remedy::RebootNode),
            Action::RestartVm | Action::ReducedMemory => {
                Meaning::Fault(Verdict::GpuDegraded, Remedy::RebootNode)
            }
            Action::CheckSeating | Action::Inspect => Meaning::Fault(Verdict::GpuDegraded, Remedy::Inspect),
            Action::Ignore
            | Action::FollowCompanion
            | Action::Nvlink5
            | Action::UpdateSoftware
            | Action::CheckUvm
            | Action::DriverVerdict
            | Action::ContactSupport
            | Action::Report => Meaning::Reported,
        }
    }
}

/// What the driver itself says is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing.
    None,
    /// This.
    Needed(Remedy),
}

impl Recovery {
    /// From the value of NVML field 230; none for one that this version does not know.
    pub fn from_field(value: u8) -> Option<Recovery> {
        Some(match value {
            0 => Recovery::None,
            1 | 4 => Recovery::Needed(Remedy::ResetGpu),
            2 => Recovery::Needed(Remedy::RebootNode),
            3 => Recovery::Needed(Remedy::DrainPeers),
            5 => Recovery::Needed(Remedy::RecoverFabric),
            _ => return None,
        })
    }

    /// From the words of XID 154, of which the last that is known counts: "... changed from 0x0 (None) to 0x2 (Node
    /// Reboot Required)".
    pub fn from_message(message: &str) -> Option<Recovery> {
        const WORDS: [(&str, Recovery); 5] = [
            ("(None)", Recovery::None),
            ("Drain P2P", Recovery::Needed(Remedy::DrainPeers)),
            ("Drain and Reset", Recovery::Needed(Remedy::ResetGpu)),
            ("GPU Reset Required", Recovery::Needed(Remedy::ResetGpu)),
            ("Node Reboot Required", Recovery::Needed(Remedy::RebootNode)),
        ];
        let found = WORDS.iter().filter_map(|(words, recovery)| Some((message.rfind(words)?, *recovery)));
        found.max_by_key(|(at, _)| *at).map(|(_, recovery)| recovery)
    }
}

/// Codes and what they ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table(BTreeMap<u32, Action>);

/// What is wrong with a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// A line that is no pair.
    #[error("line {line}: `{text}` is not `xid,action`")]
    Shape {
        /// Counted from 1.
        line: usize,
        /// The line.
        text: Box<str>,
    },
    /// An action that does not exist.
    #[error("line {line}: there is no action `{name}`")]
    Action {
        /// Counted from 1.
        line: usize,
        /// What it says.
        name: Box<str>,
    },
    /// A code that was listed before.
    #[error("line {line}: XID {xid} is listed twice")]
    Twice {
        /// Counted from 1.
        line: usize,
        /// The code.
        xid: u32,
    },
}

impl Table {
    /// NVIDIA's catalog, as the file beside this crate's sources tells it.
    pub fn standard() -> Table {
        Table::parse(STANDARD).expect("the crate's own table is right")
    }

    /// Reads `xid,action` lines; empty lines, `#` comments and the heading are passed over.
    pub fn parse(text: &str) -> Result<Table, TableError> {
        let mut table = BTreeMap::new();
        for (at, text) in text.lines().enumerate() {
            let line = at + 1;
            let row = text.trim();
            if row.is_empty() || row.starts_with('#') || row == "xid,action" {
                continue;
            }
            let pair =
                row.split_once(',').and_then(|(xid, name)| Some((xid.trim().parse().ok()?, name.trim())));
            let (xid, name) = pair.ok_or_else(|| TableError::Shape { line, text: Box::from(row) })?;
            let action =
                Action::from_name(name).ok_or_else(|| TableError::Action { line, name: Box::from(name) })?;
            if table.insert(xid, action).is_some() {
                return Err(TableError::Twice { line, xid });
            }
        }
        Ok(Table(table))
    }

    /// This table, with what another one says instead where it says something.
    #[must_use]
    pub fn overridden(&self, by: &Table) -> Table {
        let mut table = self.0.clone();
        table.extend(&by.0);
        Table(table)
    }

    /// What a code asks for; none when it is not listed.
    pub fn action(&self, xid: u32) -> Option<Action> {
        self.0.get(&xid).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_is_complete_and_says_what_its_source_says() {
        let table = Table::standard();
        assert!((1..=172).all(|xid| table.action(xid).is_some()));
        assert_eq!(table.0.len(), 172);
        for (xid, action) in [
            (13, Action::RestartApp),
            (43, Action::Ignore),
            (48, Action::EccDoubleBit),
            (54, Action::CheckSeating),
            (63, Action::Ignore),
            (74, Action::Nvlink),
            (79, Action::RebootNode),
            (94, Action::RestartApp),
            (95, Action::ResetGpu),
            (119, Action::ResetGpu),
            (145, Action::Nvlink5),
            (154, Action::DriverVerdict),
        ] {
            assert_eq!(table.action(xid), Some(action), "{xid}");
        }
        let resets = (1..=172).filter(|xid| table.action(*xid) == Some(Action::ResetGpu));
        let expected = [46, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158];
        assert_eq!(resets.collect::<Vec<u32>>(), expected);
        assert_eq!(table.action(999), None);
    }

    #[test]
    fn a_pool_overrides_single_codes_and_mistakes_are_named() {
        let table = Table::standard().overridden(&Table::parse("# ours\n63,reset_gpu\n").unwrap());
        assert_eq!((table.action(63), table.action(64)), (Some(Action::ResetGpu), Some(Action::ResetGpu)));
        for (text, error) in [
            ("63", "line 1: `63` is not `xid,action`"),
            ("\nx,ignore", "line 2: `x,ignore` is not `xid,action`"),
            ("63,explode", "line 1: there is no action `explode`"),
            ("63,ignore\n63,ignore", "line 2: XID 63 is listed twice"),
        ] {
            assert_eq!(Table::parse(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn the_drivers_own_verdict_is_read_from_field_and_message() {
        let message = "NVRM: Xid (PCI:0000:18:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node \
                       Reboot Required)";
        assert_eq!(Recovery::from_message(message), Some(Recovery::Needed(Remedy::RebootNode)));
        let back = "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)";
        assert_eq!(Recovery::from_message(back), Some(Recovery::None));
        assert_eq!(Recovery::from_message("something else"), None);
        assert_eq!(Recovery::from_field(4), Some(Recovery::Needed(Remedy::ResetGpu)));
        assert_eq!(Recovery::from_field(77), None);
    }
}
