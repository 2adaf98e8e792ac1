//! Folding a happening: the inventory takes over a new state at once, and the journal tells what happened.

use super::ledger::{Ledger, Note};
use super::node::Node;
use super::snapshot::merge_sources;
use crate::event::{Maintenance, MaintenanceKind, What, Xid};
use crate::journal::{Kind, Severity};
use crate::time::Time;

/// Folds what happened at a moment; true when the node itself is different now.
pub(super) fn fold(node: &mut Node, what: What, ledger: &mut Ledger, at: Time) -> bool {
    match what {
        What::Xid(it) => {
            ledger.tell(xid(node, it, at));
            false
        }
        What::Maintenance(it) => {
            ledger.tell(maintenance(node, &it, at));
            false
        }
        What::Source(it) => merge_sources(node, &[it], ledger, at),
        What::Engine { engine, from, to, detail } => {
            let known = node.engines.iter().position(|it| it.id == engine);
            // A snapshot may have told it already.
            if known.is_some_and(|position| node.engines[position].state == to) {
                return false;
            }
            ledger.tell(Note::engine(node, at, &engine, (from, to), &detail));
            let Some(position) = known else { return false };
            node.engines[position].state = to;
            node.engines[position].detail = detail;
            node.owner_revisions[node.gpus.len() + position] = ledger.changes.revision() + 1;
            true
        }
        What::Gpu { gpu, from, to, detail } => {
            let known = node.gpus.iter().position(|it| it.id == gpu);
            if known.is_some_and(|position| node.gpus[position].state == to) {
                return false;
            }
            ledger.tell(Note::gpu(node, at, &gpu, from, to, &detail));
            let Some(position) = known else { return false };
            node.gpus[position].state = to;
            node.gpus[position].detail = detail;
            node.count_gpus();
            node.owner_revisions[position] = ledger.changes.revision() + 1;
            true
        }
    }
}

fn xid(node: &Node, xid: Xid, at: Time) -> Note {
    let name = if xid.nvswitch { "SXid" } else { "XID" };
    let separator = if xid.message.is_empty() { "" } else { ": " };
    let message = format!("{name} {}{separator}{}", xid.number, xid.message);
    let mut note = Note::of(node, at, Kind::Xid, Severity::Warning, message)
        .with("xid", &xid.number.to_string())
        .with("source", &xid.source)
        .with("pci_bus_id", &xid.pci_bus_id);
    note.place.gpu = xid.gpu;
    if let Some(instance) = xid.gpu_instance_id {
        note = note.with("gpu_instance_id", &instance.to_string());
    }
    if let Some(instance) = xid.compute_instance_id {
        note = note.with("compute_instance_id", &instance.to_string());
    }
    note
}

fn maintenance(node: &Node, notice: &Maintenance, at: Time) -> Note {
    let severity = match notice.kind {
        _ if notice.cancelled => Severity::Info,
        MaintenanceKind::SpotInterruption | MaintenanceKind::Terminate => Severity::Critical,
        MaintenanceKind::Unknown
        | MaintenanceKind::Rebalance
        | MaintenanceKind::Reboot
        | MaintenanceKind::Redeploy
        | MaintenanceKind::Freeze
        | MaintenanceKind::Migrate => Severity::Warning,
    };
    let verb = if notice.cancelled { "withdrew" } else { "announced" };
    let mut message = format!("{} {verb}: {}", notice.provider, notice.kind.name());
    if let Some(begins_in_ms) = notice.begins_in_ms.filter(|_| !notice.cancelled) {
        message.push_str(&format!(" in {} s", begins_in_ms / 1000));
    }
    if !notice.detail.is_empty() {
        message.push_str(&format!(" ({})", notice.detail));
    }
    let note = Note::of(node, at, Kind::Maintenance, severity, message)
        .with("provider", &notice.provider)
        .with("notice_id", &notice.notice_id)
        .with("cancelled", if notice.cancelled { "true" } else { "false" });
    match notice.begins_in_ms {
        Some(begins_in_ms) => note.with("begins_in_ms", &begins_in_ms.to_string()),
        None => note,
    }
}
