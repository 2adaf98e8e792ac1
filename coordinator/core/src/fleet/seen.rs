//! Which happenings of an agent were folded already, so that one sent again after a reconnect is not told twice.

/// The highest id seen and which of the 128 below it were seen. An agent numbers its happenings upwards and repeats only
/// those that were not acknowledged, so an id below the window is an old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    highest: u64,
    /// Bit n: `highest` - 1 - n.
    below: u128,
}

impl Seen {
    /// The highest id seen; zero before the first.
    pub(super) fn highest(self) -> u64 {
        self.highest
    }

    /// Notes an id; false when it was seen before, or is older than the window.
    pub(super) fn note(&mut self, id: u64) -> bool {
        if id > self.highest {
            let step = u32::try_from(id - self.highest).unwrap_or(u32::MAX);
            let shifted = self.below.checked_shl(step).unwrap_or(0);
            let before = 1u128.checked_shl(step - 1).unwrap_or(0);
            // Zero is no id: before the first there is nothing to remember.
            self.below = if self.highest == 0 { 0 } else { shifted | before };
            self.highest = id;
            return true;
        }
        let Some(distance) = (self.highest - id).checked_sub(1) else { return false };
        let Some(bit) = u32::try_from(distance).ok().and_then(|distance| 1u128.checked_shl(distance)) else {
            return false;
        };
        let new = id != 0 && self.below & bit == 0;
        self.below |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_in_the_window_is_new_once() {
        let mut seen = Seen::default();
        let told: Vec<bool> = [5, 5, 3, 4, 3, 200, 199, 200, 72, 71, 5, 0].map(|id| seen.note(id)).to_vec();
        let new = [true, false, true, true, false, true, true, false, true, false, false, false];
        assert_eq!(told, new);
        assert_eq!(seen.highest(), 200);
        assert!(seen.note(u64::MAX));
        assert!(!seen.note(200));
    }
}
