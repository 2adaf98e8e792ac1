//! Blocks of the last while, oldest first, within a limit of time, of memory and of layouts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_core::time::Time;

use super::LAYOUTS_MAX;
use super::block::Block;

/// A bounded queue of blocks.
#[derive(Debug)]
pub(super) struct Ring {
    blocks: VecDeque<Block>,
    kept: Duration,
    /// Sum of the blocks' own.
    bytes: usize,
    /// Highest time of any row so far: how old a block is counts from here.
    newest: Time,
}

impl Ring {
    /// A ring that forgets a block once all its rows are older than `kept`.
    pub(super) fn new(kept: Duration) -> Self {
        Self { blocks: VecDeque::new(), kept, bytes: 0, newest: Time::ZERO }
    }

    /// Adds a block and forgets those that are too old. Returns how many rows went although they were not, so that the
    /// ring stays within `bytes_max` and [`LAYOUTS_MAX`].
    pub(super) fn push(&mut self, block: Block, bytes_max: usize) -> u64 {
        self.newest = self.newest.max(block.latest);
        self.bytes += block.memory_bytes();
        let new_layout = self.blocks.back().is_some_and(|last| !Arc::ptr_eq(&last.layout, &block.layout));
        if self.blocks.len() == self.blocks.capacity() {
            self.blocks.reserve_exact(4);
        }
        self.blocks.push_back(block);

        let oldest_kept = self.newest - self.kept;
        while self.blocks.front().is_some_and(|block| block.latest < oldest_kept) {
            self.pop();
        }
        let mut dropped = 0;
        while self.bytes > bytes_max {
            dropped += self.pop();
        }
        if new_layout {
            while self.layouts() > LAYOUTS_MAX {
                dropped += self.pop();
            }
        }
        dropped
    }

    /// Passes on the values of a metric in the blocks that may have some from `from` to `to`.
    pub(super) fn read(
        &self,
        owner: Owner,
        metric: Metric,
        from: Time,
        to: Time,
        take: &mut dyn FnMut(Time, i64),
    ) {
        for block in self.blocks.iter().filter(|block| block.latest >= from && block.earliest <= to) {
            if let Some(slot) = block.layout.find(owner, metric) {
                block.read(slot, &mut *take);
            }
        }
    }

    /// Lowest time of its rows.
    pub(super) fn earliest(&self) -> Option<Time> {
        self.blocks.iter().map(|block| block.earliest).min()
    }

    /// Memory it takes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes + (self.blocks.capacity() - self.blocks.len()) * size_of::<Block>()
    }

    fn layouts(&self) -> usize {
        let others = |pair: (&Block, &Block)| !Arc::ptr_eq(&pair.0.layout, &pair.1.layout);
        1 + self.blocks.iter().zip(self.blocks.iter().skip(1)).filter(|&pair| others(pair)).count()
    }

    fn pop(&mut self) -> u64 {
        let Some(block) = self.blocks.pop_front() else { return 0 };
        self.bytes -= block.memory_bytes();
        block.len() as u64
    }
}
