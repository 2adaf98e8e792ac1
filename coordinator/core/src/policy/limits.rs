//! How few and how many replicas a pool may have.

/// Replicas a pool can have at most: ten times the nodes of the largest fleet that is planned for.
pub const REPLICAS_MAX: u32 = 100_000;

/// The fewest and the most replicas of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    min: u32,
    max: u32,
}

impl Limits {
    /// Both inclusive; none unless `min <= max`, `1 <= max` and `max <= `[`REPLICAS_MAX`].
    pub const fn new(min: u32, max: u32) -> Option<Limits> {
        if min <= max && 1 <= max && max <= REPLICAS_MAX { Some(Limits { min, max }) } else { None }
    }

    /// The fewest, 0 for a pool that may sleep.
    pub const fn min(self) -> u32 {
        self.min
    }

    /// The most, at least 1.
    pub const fn max(self) -> u32 {
        self.max
    }

    /// The nearest count within.
    pub fn clamp(self, replicas: u32) -> u32 {
        replicas.clamp(self.min, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_cross_or_allow_nothing_are_refused() {
        assert_eq!(Limits::new(3, 2), None);
        assert_eq!(Limits::new(0, 0), None);
        assert_eq!(Limits::new(1, REPLICAS_MAX + 1), None);
        let limits = Limits::new(2, 5).unwrap();
        assert_eq!([0, 3, 9].map(|replicas| limits.clamp(replicas)), [2, 3, 5]);
    }
}
