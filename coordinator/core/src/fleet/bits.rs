//! Bitmaps as the wire carries them: least significant bit first, trailing zero bytes left off.

/// Bytes that hold this many bits.
pub(crate) const fn bytes(bits: usize) -> usize {
    bits.div_ceil(8)
}

/// Whether a bit is set; one past the end is not.
pub(crate) fn get(bitmap: &[u8], bit: usize) -> bool {
    bitmap.get(bit / 8).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

/// Sets a bit. Panics when it is past the end.
pub(crate) fn set(bitmap: &mut [u8], bit: usize) {
    bitmap[bit / 8] |= 1 << (bit % 8);
}

/// Clears a bit. Panics when it is past the end.
pub(crate) fn clear(bitmap: &mut [u8], bit: usize) {
    bitmap[bit / 8] &= !(1 << (bit % 8));
}

/// How many bits are set.
pub(crate) fn count(bitmap: &[u8]) -> usize {
    bitmap.iter().map(|byte| byte.count_ones() as usize).sum()
}

/// Whether no bit at or past `length` is set and no byte stands wholly past it.
pub(crate) fn fits(bitmap: &[u8], length: usize) -> bool {
    let full = length / 8;
    match bitmap.len().cmp(&bytes(length)) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Equal => length.is_multiple_of(8) || bitmap[full] >> (length % 8) == 0,
        std::cmp::Ordering::Greater => false,
    }
}

/// Positions of the set bits, lowest first.
pub(crate) fn ones(bitmap: &[u8]) -> Ones<'_> {
    Ones { rest: bitmap, word: 0, base: 0, next_base: 0 }
}

/// See [`ones`]. Takes eight bytes at a time, because a row is walked twice and most of its bytes are full.
pub(crate) struct Ones<'a> {
    rest: &'a [u8],
    /// Bits of the current eight bytes that were not given yet.
    word: u64,
    /// Position of the current eight bytes' first bit.
    base: usize,
    next_base: usize,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            self.word = match self.rest.split_first_chunk::<8>() {
                Some((chunk, rest)) => {
                    self.rest = rest;
                    u64::from_le_bytes(*chunk)
                }
                None if self.rest.is_empty() => return None,
                None => {
                    let word = self.rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
                    self.rest = &[];
                    word
                }
            };
            self.base = self.next_base;
            self.next_base += 64;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.base + bit)
    }
}

/// Copies a bitmap into one of fixed length, filling up with zeros.
pub(crate) fn assign(target: &mut [u8], source: &[u8]) {
    let (head, tail) = target.split_at_mut(source.len());
    head.copy_from_slice(source);
    tail.fill(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bitmap_fits_when_it_sets_no_bit_past_the_end() {
        assert!(fits(&[], 0));
        assert!(fits(&[], 9));
        assert!(fits(&[0xff], 8));
        assert!(fits(&[0x7f], 7));
        assert!(!fits(&[0xff], 7));
        assert!(!fits(&[0], 0));
        assert!(!fits(&[0, 0], 8));
        assert!(fits(&[0, 1], 9));
        assert!(!fits(&[0, 2], 9));
    }

    #[test]
    fn set_bits_are_listed_in_order() {
        assert_eq!(ones(&[0b1000_0001, 0, 0b10]).collect::<Vec<_>>(), [0, 7, 17]);
        let long: Vec<u8> = (0..19).map(|byte| if byte % 9 == 0 { 0x81 } else { 0 }).collect();
        assert_eq!(ones(&long).collect::<Vec<_>>(), [0, 7, 72, 79, 144, 151]);
        assert_eq!(ones(&[0; 16]).next(), None);
        assert_eq!(count(&[0b1000_0001, 0, 0b10]), 3);
        let mut bitmap = [0xff, 0xff];
        assign(&mut bitmap, &[1]);
        assert_eq!(bitmap, [1, 0]);
        set(&mut bitmap, 9);
        clear(&mut bitmap, 0);
        assert!(get(&bitmap, 9) && !get(&bitmap, 0) && !get(&bitmap, 99));
    }
}
