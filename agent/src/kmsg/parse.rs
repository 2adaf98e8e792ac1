//! Finds the driver's errors in lines of the kernel log. Pure.
//!
//! Lines come as the kernel gives them (`prio,seq,usec,flags;text`) or as people and tools keep them (`dmesg`, with or
//! without time, `journalctl`, syslog). Everything that is not an error of the NVIDIA driver is passed over.

use std::collections::BTreeMap;

use ostler_proto::v1;

use crate::xid::PciAddress;

/// Longest message on the wire.
const MESSAGE_BYTES_MAX: usize = 1024;
/// The driver's words begin within this many bytes of a line; what comes later is quoted by someone else.
const PREFIX_BYTES_MAX: usize = 120;
/// Devices that are remembered for their names and for what was said about them.
const DEVICES_MAX: usize = 64;
/// "Fallen off the bus" is said in several lines; they count as one within this time.
const FALLEN_WINDOW_US: u64 = 60_000_000;
/// The XID that means that a GPU has fallen off the bus.
const XID_FALLEN: u32 = 79;

/// One record of the kernel's ring buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'line> {
    /// Position in the log of this boot; `None` for a line that does not come from the kernel directly.
    pub sequence: Option<u64>,
    /// Microseconds since boot, where the line tells.
    pub at_us: Option<u64>,
    /// The text.
    pub text: &'line str,
}

impl Record<'_> {
    /// Takes a line apart; a line in no known form is all text.
    #[must_use]
    pub fn parse(line: &str) -> Record<'_> {
        kernel_record(line).unwrap_or_else(|| {
            let (at_us, text) = since_boot(line);
            Record { sequence: None, at_us, text }
        })
    }
}

/// `prio,seq,usec,flags[,more];text`
fn kernel_record(line: &str) -> Option<Record<'_>> {
    let (prefix, text) = line.split_once(';')?;
    let mut fields = prefix.split(',');
    let _priority: u32 = fields.next()?.parse().ok()?;
    let sequence = fields.next()?.parse().ok()?;
    let at_us = fields.next()?.parse().ok()?;
    // Continuation lines begin with a space and carry key=value pairs of the record before; they have no prefix.
    Some(Record { sequence: Some(sequence), at_us: Some(at_us), text })
}

/// The seconds since boot in `<6>[    2.608284] text`, if the line has them.
fn since_boot(line: &str) -> (Option<u64>, &str) {
    let start = line.strip_prefix('<').and_then(|rest| rest.split_once('>')).map_or(line, |(_, rest)| rest);
    let Some((time, text)) = start.strip_prefix('[').and_then(|rest| rest.split_once(']')) else {
        return (None, line);
    };
    let seconds: Option<f64> = time.trim().parse().ok();
    let micros =
        seconds.filter(|seconds| (0.0..1e12).contains(seconds)).map(|seconds| (seconds * 1e6) as u64);
    (micros, text.trim_start())
}

/// Reads lines one after the other; what the driver says about a device may be spread over several.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    /// Names that the driver gave for addresses.
    uuids: BTreeMap<PciAddress, String>,
    /// When a device was last said to have fallen off the bus, in microseconds since boot.
    fallen: BTreeMap<PciAddress, u64>,
    /// The device that a message of several lines is about.
    subject: Option<PciAddress>,
}

impl Parser {
    /// The error that the record tells of, if it does.
    pub fn read(&mut self, record: &Record<'_>) -> Option<v1::XidEvent> {
        // The kernel writes a line break within a record as `\x0a`.
        let text = record.text.replace("\\x0a", " ").replace('\n', " ");
        if let Some(message) = after(&text, "NVRM: ") {
            return self.read_driver(message, record);
        }
        after(&text, "nvidia-nvswitch").and_then(read_switch)
    }

    fn read_driver(&mut self, message: &str, record: &Record<'_>) -> Option<v1::XidEvent> {
        let words = message.strip_prefix("NVRM: ").unwrap_or(message);
        if let Some(rest) = words.strip_prefix("Xid ") {
            let mut event = read_xid(rest)?;
            let address = PciAddress::parse(&event.pci_bus_id);
            if event.gpu_uuid.is_empty()
                && let Some(uuid) = address.and_then(|address| self.uuids.get(&address))
            {
                event.gpu_uuid.clone_from(uuid);
            }
            event.message = bounded(message);
            if let Some(address) = address.filter(|_| event.xid == XID_FALLEN) {
                self.remember_fallen(address, record);
            }
            return Some(event);
        }
        if let Some((address, uuid)) = read_name(words) {
            if self.uuids.len() < DEVICES_MAX || self.uuids.contains_key(&address) {
                self.uuids.insert(address, uuid.to_owned());
            }
            return None;
        }
        self.read_fallen(message, words, record)
    }

    /// A GPU that fell off the bus before the driver could give the error its number.
    fn read_fallen(&mut self, message: &str, words: &str, record: &Record<'_>) -> Option<v1::XidEvent> {
        let addresses = words.split(|character: char| character.is_whitespace() || character == ',');
        let named =
            addresses.filter_map(|word| PciAddress::parse(word.trim_end_matches([':', '.', ';']))).next();
        if words.starts_with("The NVIDIA GPU") {
            self.subject = named;
        }
        if !words.contains("fallen off the bus") {
            return None;
        }
        let address = named.or(self.subject.take())?;
        if !self.remember_fallen(address, record) {
            return None;
        }
        Some(v1::XidEvent {
            gpu_uuid: self.uuids.get(&address).cloned().unwrap_or_default(),
            pci_bus_id: address.to_string(),
            xid: XID_FALLEN,
            source: "kmsg".to_owned(),
            message: bounded(message),
            ..Default::default()
        })
    }

    /// True when that was not known.
    fn remember_fallen(&mut self, address: PciAddress, record: &Record<'_>) -> bool {
        let at_us = record.at_us.unwrap_or(0);
        if let Some(before) = self.fallen.get(&address)
            && at_us.abs_diff(*before) < FALLEN_WINDOW_US
        {
            return false;
        }
        if self.fallen.len() < DEVICES_MAX || self.fallen.contains_key(&address) {
            self.fallen.insert(address, at_us);
        }
        true
    }
}

/// The text from `marker` on, where it begins the line or follows the time and the name of the log.
fn after<'text>(text: &'text str, marker: &str) -> Option<&'text str> {
    let position = text.find(marker).filter(|position| *position <= PREFIX_BYTES_MAX)?;
    let starts_word = position == 0 || text.as_bytes()[position - 1].is_ascii_whitespace();
    starts_word.then(|| &text[position..])
}

/// `(PCI:0000:18:00 GPU-I:05 GPU-CI:01): 79, pid=1234, name=python, words`; older drivers leave out `PCI:`, MIG adds the
/// instances.
fn read_xid(rest: &str) -> Option<v1::XidEvent> {
    let (place, rest) = rest.strip_prefix('(')?.split_once(')')?;
    let mut event = v1::XidEvent { source: "kmsg".to_owned(), ..Default::default() };
    for word in place.split([' ', ',']).filter(|word| !word.is_empty()) {
        if let Some(number) = word.strip_prefix("GPU-I:") {
            event.gpu_instance_id = number.parse().ok();
        } else if let Some(number) = word.strip_prefix("GPU-CI:") {
            event.compute_instance_id = number.parse().ok();
        } else if let Some(address) = PciAddress::parse(word) {
            event.pci_bus_id = address.to_string();
        } else if is_uuid(word) {
            event.gpu_uuid = word.to_owned();
        }
    }
    if event.pci_bus_id.is_empty() && event.gpu_uuid.is_empty() {
        return None;
    }
    event.xid = leading_number(rest.strip_prefix(':')?)?;
    Some(event)
}

/// `nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 ...`
fn read_switch(message: &str) -> Option<v1::XidEvent> {
    let (_, rest) = message.split_once("SXid (")?;
    let (place, rest) = rest.split_once(')')?;
    Some(v1::XidEvent {
        pci_bus_id: PciAddress::parse(place)?.to_string(),
        xid: leading_number(rest.strip_prefix(':')?)?,
        source: "kmsg".to_owned(),
        message: bounded(message),
        nvswitch: true,
        ..Default::default()
    })
}

/// `GPU at PCI:0000:9b:00: GPU-509665ad-...`
fn read_name(words: &str) -> Option<(PciAddress, &str)> {
    let (address, uuid) = words.strip_prefix("GPU at ")?.rsplit_once(": ")?;
    let uuid = uuid.trim();
    is_uuid(uuid).then_some(())?;
    Some((PciAddress::parse(address)?, uuid))
}

fn is_uuid(word: &str) -> bool {
    word.len() <= 64
        && word.strip_prefix("GPU-").is_some_and(|rest| {
            rest.len() >= 32 && rest.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        })
}

/// The number that the text begins with; it must end there.
fn leading_number(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let ends = text[end..].chars().next().is_none_or(|next| !next.is_alphanumeric());
    ends.then(|| text[..end].parse().ok()).flatten()
}

fn bounded(message: &str) -> String {
    message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Option<v1::XidEvent> {
        Parser::default().read(&Record::parse(line))
    }

    fn data(name: &str) -> String {
        let folder = std::env::var_os("OSTLER_SHARED_DATA").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let path = folder.join("kernel_logs").join(name);
        let bytes = std::fs::read(&path);
        let bytes = bytes.unwrap_or_else(|error| panic!("{} is needed: {error}", path.display()));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn read_all(text: &str) -> Vec<v1::XidEvent> {
        let mut parser = Parser::default();
        text.lines().filter_map(|line| parser.read(&Record::parse(line))).collect()
    }

    #[test]
    fn the_log_of_a_gsp_timeout_has_its_five_errors_with_the_name_of_the_gpu() {
        let events = read_all(&data("gpud__xid__dmesg-with-xid-119.log"));
        assert_eq!(events.len(), 5);
        for event in &events {
            assert_eq!(event.xid, 119);
            assert_eq!(event.pci_bus_id, "00000000:9b:00.0");
            assert_eq!(event.gpu_uuid, "GPU-509665ad-b600-ac93-3616-d754b23d636d");
            assert!(event.message.starts_with("NVRM: Xid (PCI:0000:9b:00): 119, pid="));
        }
    }

    #[test]
    fn logs_without_errors_of_the_driver_give_none() {
        for name in [
            "gpud__kmsg__kmsg.1.log",
            "gpud__kmsg__kmsg.2.peermem.log",
            "gpud__nccl__dmesg.decode.iso.log",
            "gpud__testdata__dmesg.txt",
            "gpud__fabric-manager__fabricmanager.log",
        ] {
            let text = data(name);
            assert!(text.lines().count() > 0, "{name} is empty");
            assert_eq!(read_all(&text), [], "{name}");
        }
    }

    #[test]
    fn a_record_of_the_kernel_is_taken_apart() {
        let record = Record::parse("6,3973,227986636,-;IPv6: link; becomes ready");
        let expected =
            Record { sequence: Some(3973), at_us: Some(227_986_636), text: "IPv6: link; becomes ready" };
        assert_eq!(record, expected);
        assert_eq!(Record::parse("<6>[    2.608284] mlx5").at_us, Some(2_608_284));
        assert_eq!(Record::parse("[Sun Feb 23 16:24:18 2025] x").at_us, None);
        assert_eq!(Record::parse(" SUBSYSTEM=pci").sequence, None);
    }

    #[test]
    fn every_way_to_write_an_xid_is_read() {
        for (line, pci, xid) in [
            (
                "3,1,2,-;NVRM: Xid (PCI:0000:18:00): 79, pid=1, name=a b, GPU has fallen off the bus.",
                "18",
                79,
            ),
            ("NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.", "18", 79),
            ("NVRM: Xid (PCI:0000:18:00): 48", "18", 48),
            ("[ 12.5] NVRM: Xid (0000:0f:00): 13, Graphics Exception", "0f", 13),
            ("Sep 19 10:30:06 node kernel: NVRM: Xid (PCI:0000:01:00.0): 149, NETIR_INT", "01", 149),
            ("kern  :warn  : 2025-01-21T04:41:44,285060+00:00 NVRM: Xid (PCI:0000:01:00): 94, x", "01", 94),
            ("3,1,2,-,caller=T1;NVRM: Xid (PCI:0000:18:00): 62, 0x1", "18", 62),
        ] {
            let event = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((event.xid, event.pci_bus_id), (xid, format!("00000000:{pci}:00.0")), "{line}");
            assert!(event.message.starts_with("NVRM: Xid ("), "{}", event.message);
        }
    }

    #[test]
    fn mig_instances_are_read_and_the_words_of_xid_154_are_kept() {
        let event = read("NVRM: Xid (PCI:0000:01:00 GPU-I:05 GPU-CI:01): 43, pid=1").unwrap();
        assert_eq!((event.gpu_instance_id, event.compute_instance_id), (Some(5), Some(1)));
        let words = "NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x2 (Node \
                     Reboot Required)";
        assert_eq!(read(words).unwrap().message, words);
    }

    #[test]
    fn an_error_of_an_nvswitch_says_so() {
        let line = "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, Non-fatal, Link 32 egress (First)";
        let event = read(line).unwrap();
        assert!(event.nvswitch);
        assert_eq!((event.xid, event.pci_bus_id.as_str()), (12028, "00000000:05:00.0"));
        assert_eq!(event.message, line);
        assert_eq!(read("nvidia-nvswitch2: open (major=510)"), None);
    }

    #[test]
    fn a_gpu_that_fell_off_the_bus_is_told_once_with_or_without_a_number() {
        let both = "1,1,100,-;NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.\n\
                    1,2,200,-;NVRM: GPU 0000:01:00.0: GPU has fallen off the bus.";
        assert_eq!(read_all(both).len(), 1);
        let without = "NVRM: The NVIDIA GPU 0000:b3:00.0\nNVRM: (PCI ID: 10de:26b5) installed in this system has\n\
                       NVRM: fallen off the bus and is not responding to commands.";
        let events = read_all(without);
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].xid, events[0].pci_bus_id.as_str()), (79, "00000000:b3:00.0"));
        let at = read("NVRM: GPU at 0000:01:00.0 has fallen off the bus").unwrap();
        assert_eq!((at.xid, at.pci_bus_id.as_str()), (79, "00000000:01:00.0"));
        let one_record = "3,1,2,-;NVRM: The NVIDIA GPU 0000:b3:00.0\\x0aNVRM: (PCI ID: 10de:26b5) installed in this \
                          system has\\x0aNVRM: fallen off the bus and is not responding to commands.";
        assert_eq!(read(one_record).unwrap().pci_bus_id, "00000000:b3:00.0");
    }

    #[test]
    fn what_only_looks_like_an_error_is_passed_over() {
        for line in [
            "",
            ";",
            "3,1,2,-;",
            "NVRM: Xid",
            "NVRM: Xid (",
            "NVRM: Xid (PCI:0000:66:00): abc, pid=1",
            "NVRM: Xid (PCI:0000:66:00): 99999999999999",
            "NVRM: Xid (PCI:nowhere): 79, x",
            "NVRM: Xid (PCI:0000:66:00) 79",
            "my-app[12]: tells users to grep for `NVRM: Xid (PCI:0000:66:00): 79`",
            "nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): garbled, Fatal",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_name_in_the_message_cannot_make_up_another_error() {
        let line = "NVRM: Xid (PCI:0000:01:00): 13, pid=1, name=NVRM: Xid (PCI:0000:02:00): 79, x";
        let event = read(line).unwrap();
        assert_eq!((event.xid, event.pci_bus_id.as_str()), (13, "00000000:01:00.0"));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_parser_panic(line in "\\PC{0,200}", tail in "(NVRM: Xid \\(|nvidia-nvswitch0: SXid \\()?\\PC{0,60}") {
            let _ = read(&line);
            let _ = read(&tail);
            if let Some(event) = read(&format!("NVRM: Xid (PCI:0000:01:00): 13, {line}")) {
                prop_assert!(event.message.len() <= MESSAGE_BYTES_MAX);
            }
        }
    }
}
