//! Recorded removals of spot nodes: `milliseconds,add|remove,node`, without a header, as Bamboo and Parcae published them.
//!
//! Only removals are taken: each removes a node of the pool after its notice. When capacity came back is left out, since the
//! pool asks for a new node at once; how long that takes is the setup's.

use std::path::Path;

use super::Fault;
use crate::time::{SimTime, Span};
use crate::trace::{Error, Lines};

/// Most removals of a file; Bamboo's have 167.
const REMOVALS_MAX: usize = 100_000;

/// Reads removals in order of time, those of the same moment as one.
pub fn read_removals(file: &Path) -> Result<Vec<(SimTime, Fault)>, Error> {
    let mut removals: Vec<(SimTime, Fault)> = Vec::new();
    for line in Lines::open(file)? {
        let line = line?;
        let millis = line.number(0, "milliseconds", 0..=Span::MAX.as_micros() / 1000)?;
        match line.field(1) {
            "add" => continue,
            "remove" => {}
            other => {
                let problem = format!("`{other}` is neither");
                return Err(line.wrong(1, "add or remove", problem, "give the event of each node as a line"));
            }
        }
        let at = SimTime::after(Span::from_millis(millis));
        if removals.last().is_some_and(|(last, _)| *last > at) {
            return Err(line.wrong(0, "milliseconds", "is before the line above", "sort the file by time"));
        }
        match removals.last_mut() {
            Some((last, Fault::SpotNotice { nodes })) if *last == at => *nodes += 1,
            Some(_) | None => removals.push((at, Fault::SpotNotice { nodes: 1 })),
        }
        if removals.len() > REMOVALS_MAX {
            return Err(line.wrong(0, "milliseconds", "is one removal too many", "split the file"));
        }
    }
    Ok(removals)
}
