//! Reads a row where it lies in the buffer.
//!
//! Of ten thousand messages a second nearly all are rows, and the generated decoder would allocate three times for each.
//! This reader knows the fields of `Row` and nothing else: whatever it does not expect, from an unknown field to a broken
//! one, it leaves to the generated decoder, which alone decides what is wrong. A test holds the two equal.

use std::time::Duration;

use ostler_core::event::{AGE_MAX, RowFact};

/// Wire types of protobuf.
const VARINT: u64 = 0;
const LENGTH: u64 = 2;

/// `AgentMessage.row`, with its wire type.
const ROW: u64 = 3 << 3 | LENGTH;

/// The row that the message holds, its changes decoded into `change`, and once more as they lie there; none when it holds
/// something else, or something that wants a closer look.
pub(super) fn row<'a>(message: &'a [u8], change: &'a mut Vec<i64>) -> Option<(RowFact<'a>, &'a [u8])> {
    let mut rest = message;
    if varint(&mut rest)? != ROW {
        return None;
    }
    let length = varint(&mut rest)?;
    if length != rest.len() as u64 {
        return None;
    }
    change.clear();
    let empty: &[u8] = &[];
    let (mut seq, mut age_ms, mut absent_changed) = (0, 0, 0);
    let (mut changed, mut packed, mut sampled, mut absent) = (empty, empty, empty, empty);
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        match (key >> 3, key & 7) {
            (1, VARINT) => seq = varint(&mut rest)?,
            (2, VARINT) => age_ms = varint(&mut rest)?,
            (3, LENGTH) => changed = bytes(&mut rest)?,
            (4, LENGTH) if packed.is_empty() => {
                packed = bytes(&mut rest)?;
                unpack(packed, change)?;
            }
            (5, LENGTH) => sampled = bytes(&mut rest)?,
            (6, LENGTH) => absent = bytes(&mut rest)?,
            (7, VARINT) => absent_changed = varint(&mut rest)?,
            _ => return None,
        }
    }
    let age = Duration::from_millis(age_ms);
    let absent = (absent_changed != 0).then_some(absent);
    let row = RowFact { seq, age, changed, change, sampled, absent, sources: &[] };
    (age <= AGE_MAX).then_some((row, packed))
}

fn unpack(mut bytes: &[u8], change: &mut Vec<i64>) -> Option<()> {
    while !bytes.is_empty() {
        let value = varint(&mut bytes)?;
        change.push((value >> 1) as i64 ^ -((value & 1) as i64));
    }
    Some(())
}

fn bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

/// A number of at most ten bytes; none when it does not end, or is longer.
#[inline]
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let (&first, after) = rest.split_first()?;
    if first < 0x80 {
        *rest = after;
        return Some(u64::from(first));
    }
    let mut value = u64::from(first & 0x7f);
    for (position, &byte) in after.iter().take(9).enumerate() {
        let shift = 7 * (position as u32 + 1);
        if shift == 63 && byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            *rest = &after[position + 1..];
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use ostler_proto::v1;
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    fn decode(message: &[u8]) -> Option<v1::Row> {
        let body = v1::AgentMessage::decode(message).ok()?.body?;
        let v1::agent_message::Body::Row(row) = body else { return None };
        Some(row)
    }

    fn as_row(fact: &RowFact<'_>) -> v1::Row {
        v1::Row {
            seq: fact.seq,
            age_ms: fact.age.as_millis() as u32,
            changed: fact.changed.to_vec().into(),
            change: fact.change.to_vec(),
            sampled: fact.sampled.to_vec().into(),
            absent: fact.absent.unwrap_or_default().to_vec().into(),
            absent_changed: fact.absent.is_some(),
            sources: Vec::new(),
        }
    }

    prop_compose! {
        fn any_row()(
            seq in any::<u64>(),
            age_ms in 0u32..=3_600_000,
            changed in proptest::collection::vec(any::<u8>(), 0..40),
            change in proptest::collection::vec(any::<i64>(), 0..80),
            sampled in proptest::collection::vec(any::<u8>(), 0..4),
            absent in proptest::option::of(proptest::collection::vec(any::<u8>(), 1..4)),
        ) -> v1::Row {
            let absent_changed = absent.is_some();
            let absent = absent.unwrap_or_default().into();
            v1::Row {
                seq, age_ms, changed: changed.into(), change, sampled: sampled.into(), absent, absent_changed,
                sources: Vec::new(),
            }
        }
    }

    proptest! {
        #[test]
        fn a_row_reads_as_the_generated_decoder_reads_it(row in any_row()) {
            let body = Some(v1::agent_message::Body::Row(row.clone()));
            let encoded = v1::AgentMessage { body }.encode_to_vec();
            let mut change = Vec::new();
            let (fact, packed) = super::row(&encoded, &mut change).expect("an ordinary row is read here");
            prop_assert_eq!(as_row(&fact), row.clone());
            prop_assert_eq!(packed, crate::history::pack(&row.change));
        }

        #[test]
        fn broken_bytes_are_never_read_otherwise_than_by_the_generated_decoder(
            row in any_row(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let body = Some(v1::agent_message::Body::Row(row));
            let mut encoded = v1::AgentMessage { body }.encode_to_vec();
            for (index, byte) in damage {
                let length = encoded.len();
                encoded[index.index(length)] = byte;
            }
            let mut change = Vec::new();
            if let Some((fact, _)) = super::row(&encoded, &mut change) {
                let mut decoded = decode(&encoded).expect("what is read here can be decoded");
                if !decoded.absent_changed {
                    decoded.absent = Default::default();
                }
                prop_assert_eq!(as_row(&fact), decoded);
            }
        }
    }
}
