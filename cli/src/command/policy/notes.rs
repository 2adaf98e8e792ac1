//! What is said on stderr beside the answers, with an end, so that a broken file of any length is told in one screen or two.

use crate::output::{Output, units};

/// Notes that are told; further ones are left off.
pub(super) const TOLD_MAX: u64 = 100;

/// Notes of one command.
pub(super) struct Notes {
    output: Output,
    /// How many there were, told or not.
    count: u64,
}

impl Notes {
    pub(super) fn new(output: Output) -> Notes {
        Notes { output, count: 0 }
    }

    pub(super) fn tell(&mut self, text: &str) {
        self.count += 1;
        if self.count <= TOLD_MAX {
            self.output.note(&units::clean(text));
        } else if self.count == TOLD_MAX + 1 {
            self.output.note("further notes are left off; the counts at the end hold them all");
        }
    }
}
