//! The audit log shows any change of it.

use proptest::prelude::*;

use super::super::Digest;
use super::super::audit::{Broken, Deed, Entry, Head, Malformed, TEXT_LENGTH_MAX, Verb, verify};
use crate::id::Term;
use crate::time::Time;

fn deed(subject: &str) -> Deed<'_> {
    Deed { verb: Verb::ActionIssued, actor: "replica-a", subject, detail: "attempt 1" }
}

fn log(length: u64) -> Vec<Entry> {
    let mut head = Head::EMPTY;
    (0..length)
        .map(|number| {
            let entry = head.append(deed(&format!("node {number}")), Term(5), Time::from_millis(number));
            head = entry.head();
            entry
        })
        .collect()
}

fn head_of(log: &[Entry]) -> Head {
    log.last().map_or(Head::EMPTY, Entry::head)
}

#[test]
fn the_bytes_are_the_documented_ones() {
    let entry = Entry {
        sequence: 2,
        at: Time::from_millis(3),
        term: Term(4),
        previous: Digest([9; 32]),
        verb: Verb::ActionIssued,
        actor: "a".into(),
        subject: "é".into(),
        detail: "".into(),
    };
    let mut bytes = b"ostler.audit.1".to_vec();
    for number in [2, 3, 4_u64] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend([9; 32]);
    bytes.extend(b"\x04\0\0\0\x01a\0\0\0\x02\xc3\xa9\0\0\0\0");
    assert_eq!(entry.encode(), bytes);
    assert_eq!(entry.head().hash, Digest::of(&bytes));
}

#[test]
fn codes_of_verbs_stay_what_they_are() {
    let codes: Vec<u8> = Verb::ALL.iter().map(|verb| verb.code()).collect();
    assert_eq!(codes, (1..=16).collect::<Vec<u8>>());
    assert_eq!((Verb::TermBegan.code(), Verb::HoldPlaced.code(), Verb::ActionsForgotten.code()), (1, 10, 16));
}

#[test]
fn the_first_broken_link_is_found() {
    let whole = log(6);
    let head = head_of(&whole);
    assert_eq!(verify(Head::EMPTY, &whole, head), Ok(()));
    assert_eq!(verify(whole[2].head(), &whole[3..], head), Ok(()), "from any point on");
    assert_eq!(verify(Head::EMPTY, &[], Head::EMPTY), Ok(()));

    let mut changed = whole.clone();
    changed[2].detail = "attempt 2".into();
    assert_eq!(verify(Head::EMPTY, &changed, head), Err(Broken::Link { sequence: 4 }));
    let mut changed = whole.clone();
    changed[5].actor = "somebody else".into();
    assert_eq!(verify(Head::EMPTY, &changed, head), Err(Broken::Head { sequence: 6 }));
    let mut dropped = whole.clone();
    dropped.remove(3);
    assert_eq!(verify(Head::EMPTY, &dropped, head), Err(Broken::Sequence { expected: 4, found: 5 }));
    assert_eq!(verify(Head::EMPTY, &whole[..4], head), Err(Broken::Short { expected: 6, found: 4 }));
    assert_eq!(verify(Head::EMPTY, &whole[1..], head), Err(Broken::Sequence { expected: 1, found: 2 }));
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let long = "é".repeat(TEXT_LENGTH_MAX);
    let entry = Head::EMPTY.append(deed(&format!("x{long}")), Term(1), Time::ZERO);
    assert_eq!(entry.subject.len(), TEXT_LENGTH_MAX - 1);
    assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
}

#[test]
fn bytes_that_are_no_entry_are_told_where() {
    let bytes = log(1)[0].encode();
    assert_eq!(Entry::decode(&bytes[..20]), Err(Malformed { at: 14, length: 20 }));
    assert_eq!(Entry::decode(b"something else"), Err(Malformed { at: 0, length: 14 }));
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(Entry::decode(&longer), Err(Malformed { at: bytes.len(), length: bytes.len() + 1 }));
}

fn entry() -> impl Strategy<Value = (usize, String, String, String, u64, u64)> {
    (0..Verb::ALL.len(), ".{0,20}", ".{0,20}", ".{0,40}", any::<u64>(), any::<u64>())
}

fn chain(parts: &[(usize, String, String, String, u64, u64)]) -> Vec<Entry> {
    let mut head = Head::EMPTY;
    parts
        .iter()
        .map(|(verb, actor, subject, detail, term, at)| {
            let deed = Deed { verb: Verb::ALL[*verb], actor, subject, detail };
            let entry = head.append(deed, Term(*term), Time::from_millis(*at));
            head = entry.head();
            entry
        })
        .collect()
}

proptest! {
    #[test]
    fn any_entry_reads_back(parts in proptest::collection::vec(entry(), 1..4)) {
        for entry in chain(&parts) {
            prop_assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic_and_only_what_is_written_so_is_an_entry(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        mut part in entry(),
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        prop_assert!(Entry::decode(&bytes).is_err());
        part.1.push('a');
        let mut bytes = chain(&[part])[0].encode();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(entry) = Entry::decode(&bytes) {
            prop_assert_eq!(entry.encode(), bytes);
        }
    }

    #[test]
    fn a_changed_dropped_doubled_or_swapped_entry_is_found_at_or_right_after_its_place(
        parts in proptest::collection::vec(entry(), 2..12),
        at in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        bit in 0..8_u8,
        how in 0..4_u8,
    ) {
        let whole = chain(&parts);
        let head = head_of(&whole);
        prop_assert_eq!(verify(Head::EMPTY, &whole, head), Ok(()));
        let (at, to) = (at.index(whole.len()), to.index(whole.len()));
        let mut changed = whole.clone();
        let first = match how {
            0 => {
                let mut bytes = whole[at].encode();
                let byte = byte.index(bytes.len());
                bytes[byte] ^= 1 << bit;
                let Ok(entry) = Entry::decode(&bytes) else { return Ok(()) };
                changed[at] = entry;
                at
            }
            1 => { changed.remove(at); at }
            2 => { changed.insert(to, whole[at].clone()); to }
            _ if at != to => { changed.swap(at, to); at.min(to) }
            _ => return Ok(()),
        };
        let broken = verify(Head::EMPTY, &changed, head).expect_err("it was changed");
        let place = match broken {
            Broken::Sequence { expected, .. } => expected,
            Broken::Link { sequence } | Broken::Head { sequence } => sequence,
            Broken::Short { found, .. } => found + 1,
        };
        let first = u64::try_from(first).unwrap() + 1;
        prop_assert!((first..=first + 1).contains(&place), "{broken:?}, changed at {first}");
    }
}
