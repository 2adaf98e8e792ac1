//! The number of an order, which follows from what it is about.

use std::fmt;

use super::digest::put_text;
use super::{Digest, Effect};
use crate::id::Incarnation;

/// What the hash of an action's id begins with, so that it is never the hash of something else.
const DOMAIN: &[u8] = b"ostler.action.1";

/// Names an action for ever and everywhere: in the journal, at executors, and as a cloud's client token.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(Digest);

impl ActionId {
    /// The hash of the kind of the effect, the target's uid, its incarnation and the cause's generation.
    ///
    /// The bytes are: `ostler.action.1`, the kind's code (1 byte), the length of the uid (4), the uid in UTF-8, the
    /// incarnation (8) and the generation (8), numbers with the highest byte first. What the effect is set to is not part
    /// of it: one generation of a cause asks for one value.
    pub fn of(effect: Effect, uid: &str, incarnation: Incarnation, generation: u64) -> ActionId {
        let mut bytes = DOMAIN.to_vec();
        bytes.push(effect.code());
        put_text(&mut bytes, uid);
        bytes.extend(incarnation.0.to_be_bytes());
        bytes.extend(generation.to_be_bytes());
        ActionId(Digest::of(&bytes))
    }

    /// Reads what [`fmt::Display`] wrote.
    pub fn from_hex(text: &str) -> Option<ActionId> {
        Digest::from_hex(text).map(ActionId)
    }
}

impl fmt::Display for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ActionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_the_hash_of_the_documented_bytes() {
        let mut bytes = b"ostler.action.1\x08\x00\x00\x00\x03uid".to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 2]);
        let id = ActionId::of(Effect::Cordon, "uid", Incarnation(7), 258);
        assert_eq!(id.to_string(), Digest::of(&bytes).to_string());
        assert_eq!(ActionId::from_hex(&id.to_string()), Some(id));
    }

    #[test]
    fn each_part_makes_another_id_and_the_value_set_does_not() {
        let id = |effect, uid, incarnation, generation| {
            ActionId::of(effect, uid, Incarnation(incarnation), generation)
        };
        let first = id(Effect::Cordon, "a", 1, 1);
        assert_ne!(first, id(Effect::Drain, "a", 1, 1));
        assert_ne!(first, id(Effect::Cordon, "b", 1, 1));
        assert_ne!(first, id(Effect::Cordon, "a", 2, 1));
        assert_ne!(first, id(Effect::Cordon, "a", 1, 2));
        let (three, four) = (Effect::ScaleOut { replicas: 3 }, Effect::ScaleOut { replicas: 4 });
        assert_eq!(id(three, "a", 1, 1), id(four, "a", 1, 1));
    }
}
