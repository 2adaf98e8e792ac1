//! One series of a block: at most [`ROWS_MAX`] whole numbers in as few bits as a simple scheme gives.
//!
//! Five shapes cover what machines report: constant, scattered around a level, steady growth, noisy growth, and rare
//! changes. The writer works out the cost of each and takes the cheapest; all keep every bit. Numbers are stored as
//! their distance from the smallest, without the low zero bits that all of them share (memory comes in pages, clocks in
//! steps), all in the same width. Nothing here knows what the numbers mean.

/// Values of a column: with 64, the rows that changed fit a word.
pub(super) const ROWS_MAX: usize = 64;

const CONSTANT: u8 = 0;
const LEVEL: u8 = 1;
const GROWTH: u8 = 2;
const STEADY: u8 = 3;
const RARE: u8 = 4;

/// Bit of a frame's width byte: a byte with the shift follows.
const SHIFTED: u8 = 0x80;

/// Appends `values`, of which there are 1 to [`ROWS_MAX`].
pub(super) fn write(values: &[i64], out: &mut Vec<u8>) {
    let first = values[0];
    if values.iter().all(|&value| value == first) {
        return write_constant(first, out);
    }
    let mut growth = [0i64; ROWS_MAX];
    let growth = differences(values, &mut growth);
    let mut bend = [0i64; ROWS_MAX];
    let mut steps = [0i64; ROWS_MAX];
    let (steps, stepped) = nonzero(growth, &mut steps);
    // Only what counts up has a growth that can be foreseen, so that only there the growth's growth is worth a look.
    let bend = if growth.iter().all(|&it| it > 0) { differences(growth, &mut bend) } else { &[] };

    let frames = [Frame::around(values), Frame::around(growth), Frame::around(bend), Frame::around(steps)];
    let costs = [
        frames[0].bits(values.len()),
        frames[1].bits(growth.len()) + 16,
        if bend.is_empty() { usize::MAX } else { frames[2].bits(bend.len()) + 32 },
        frames[3].bits(steps.len()) + growth.len() + 16,
    ];
    let best = (0..4).min_by_key(|&shape| costs[shape]).expect("four shapes");
    let (shape, packed): (u8, &[i64]) = match best {
        0 => (LEVEL, values),
        1 => (GROWTH, growth),
        2 => (STEADY, bend),
        _ => (RARE, steps),
    };
    out.push(shape);
    if shape != LEVEL {
        write_signed(first, out);
    }
    if shape == STEADY {
        write_signed(growth[0], out);
    }
    frames[best].write(out);
    if shape == RARE {
        out.extend_from_slice(&stepped.to_le_bytes()[..growth.len().div_ceil(8)]);
    }
    frames[best].pack(packed, out);
}

/// Appends a column whose values are all the same.
pub(super) fn write_constant(value: i64, out: &mut Vec<u8>) {
    out.push(CONSTANT);
    write_signed(value, out);
}

/// Reads a column of `rows` values from the front of `bytes` and returns what follows it.
pub(super) fn read<'a>(bytes: &'a [u8], rows: usize, values: &mut [i64; ROWS_MAX]) -> &'a [u8] {
    let values = &mut values[..rows];
    let (shape, mut rest) = (bytes[0], &bytes[1..]);
    if shape == CONSTANT {
        values.fill(read_signed(&mut rest));
        return rest;
    }
    if shape == LEVEL {
        let frame = Frame::read(&mut rest);
        return frame.unpack(rest, values);
    }
    values[0] = read_signed(&mut rest);
    let growth = if shape == STEADY { read_signed(&mut rest) } else { 0 };
    let frame = Frame::read(&mut rest);
    match shape {
        GROWTH => {
            rest = frame.unpack(rest, &mut values[1..]);
            sum(values);
        }
        STEADY => {
            values[1] = growth;
            rest = frame.unpack(rest, &mut values[2..]);
            sum(&mut values[1..]);
            sum(values);
        }
        _ => {
            let (bitmap, packed) = rest.split_at((rows - 1).div_ceil(8));
            let stepped = word(bitmap);
            let mut steps = [0i64; ROWS_MAX];
            let steps = &mut steps[..stepped.count_ones() as usize];
            rest = frame.unpack(packed, steps);
            spread(stepped, steps, values);
        }
    }
    rest
}

/// What follows the first column of `bytes`, without working out its values.
pub(super) fn skip(bytes: &[u8], rows: usize) -> &[u8] {
    let (shape, mut rest) = (bytes[0], &bytes[1..]);
    if shape != LEVEL {
        read_signed(&mut rest);
    }
    if shape == CONSTANT {
        return rest;
    }
    if shape == STEADY {
        read_signed(&mut rest);
    }
    let frame = Frame::read(&mut rest);
    let count = match shape {
        LEVEL => rows,
        GROWTH => rows - 1,
        STEADY => rows - 2,
        _ => {
            let (bitmap, packed) = rest.split_at((rows - 1).div_ceil(8));
            rest = packed;
            word(bitmap).count_ones() as usize
        }
    };
    &rest[frame.bytes(count)..]
}

/// Appends a number in 1 to 10 bytes, small ones of either sign in few.
pub(super) fn write_signed(value: i64, out: &mut Vec<u8>) {
    write_unsigned(((value << 1) ^ (value >> 63)) as u64, out);
}

/// Takes a number that [`write_signed`] wrote from the front of `bytes`.
pub(super) fn read_signed(bytes: &mut &[u8]) -> i64 {
    let value = read_unsigned(bytes);
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Appends a number in 1 to 10 bytes, seven bits in each.
pub(super) fn write_unsigned(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number that [`write_unsigned`] wrote from the front of `bytes`.
#[inline]
pub(super) fn read_unsigned(bytes: &mut &[u8]) -> u64 {
    if let Some((&first, rest)) = bytes.split_first()
        && first < 0x80
    {
        *bytes = rest;
        return u64::from(first);
    }
    let mut value = 0;
    for (position, &byte) in bytes.iter().enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte < 0x80 {
            *bytes = &bytes[position + 1..];
            return value;
        }
    }
    unreachable!("only whole numbers are written")
}

/// A range of numbers: the smallest, how many low bits are zero in all distances from it, and the bits of the largest.
#[derive(Clone, Copy, Debug)]
struct Frame {
    smallest: i64,
    shift: u32,
    width: u32,
}

impl Frame {
    /// The frame of `values`. Differences of extreme numbers wrap; adding them back wraps again to the same number.
    fn around(values: &[i64]) -> Self {
        let smallest = values.iter().copied().min().unwrap_or(0);
        let used = values.iter().fold(0u64, |used, value| used | value.wrapping_sub(smallest) as u64);
        if used == 0 {
            return Self { smallest, shift: 0, width: 0 };
        }
        let shift = used.trailing_zeros();
        Self { smallest, shift, width: 64 - used.leading_zeros() - shift }
    }

    /// About what `count` numbers and the frame itself cost.
    fn bits(self, count: usize) -> usize {
        let smallest = 64 - self.smallest.unsigned_abs().leading_zeros() as usize;
        self.width as usize * count + smallest
    }

    /// Bytes of `count` packed numbers.
    fn bytes(self, count: usize) -> usize {
        (self.width as usize * count).div_ceil(8)
    }

    fn write(self, out: &mut Vec<u8>) {
        write_signed(self.smallest, out);
        if self.shift == 0 {
            out.push(self.width as u8);
        } else {
            out.push(self.width as u8 | SHIFTED);
            out.push(self.shift as u8);
        }
    }

    fn read(bytes: &mut &[u8]) -> Self {
        let smallest = read_signed(bytes);
        let width = bytes[0];
        let shift = if width & SHIFTED == 0 { 0 } else { u32::from(bytes[1]) };
        *bytes = &bytes[if width & SHIFTED == 0 { 1 } else { 2 }..];
        Self { smallest, shift, width: u32::from(width & !SHIFTED) }
    }

    fn pack(self, values: &[i64], out: &mut Vec<u8>) {
        let (mut pending, mut bits) = (0u128, 0);
        for value in values {
            let distance = value.wrapping_sub(self.smallest) as u64 >> self.shift;
            pending |= u128::from(distance) << bits;
            bits += self.width;
            if bits >= 64 {
                out.extend_from_slice(&(pending as u64).to_le_bytes());
                pending >>= 64;
                bits -= 64;
            }
        }
        out.extend_from_slice(&(pending as u64).to_le_bytes()[..bits.div_ceil(8) as usize]);
    }

    fn unpack<'a>(self, bytes: &'a [u8], values: &mut [i64]) -> &'a [u8] {
        let (packed, rest) = bytes.split_at(self.bytes(values.len()));
        let mask = if self.width == 0 { 0 } else { u64::MAX >> (64 - self.width) };
        let mut words = packed.chunks(8).map(word);
        let (mut pending, mut bits) = (0u128, 0);
        for value in values {
            if bits < self.width {
                pending |= u128::from(words.next().unwrap_or(0)) << bits;
                bits += 64;
            }
            let distance = (pending as u64 & mask) << self.shift;
            *value = self.smallest.wrapping_add(distance as i64);
            pending >>= self.width;
            bits -= self.width;
        }
        rest
    }
}

/// Up to eight bytes as a number, least significant first.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// What leads from each value to the next.
fn differences<'a>(values: &[i64], out: &'a mut [i64; ROWS_MAX]) -> &'a [i64] {
    for (difference, pair) in out.iter_mut().zip(values.windows(2)) {
        *difference = pair[1].wrapping_sub(pair[0]);
    }
    &out[..values.len().saturating_sub(1)]
}

/// The differences that are not zero, and a bitmap of where they are.
fn nonzero<'a>(growth: &[i64], out: &'a mut [i64; ROWS_MAX]) -> (&'a [i64], u64) {
    let (mut count, mut stepped) = (0, 0);
    for (row, &difference) in growth.iter().enumerate() {
        if difference != 0 {
            out[count] = difference;
            count += 1;
            stepped |= 1 << row;
        }
    }
    (&out[..count], stepped)
}

/// Turns a value and the differences after it into values.
fn sum(values: &mut [i64]) {
    for row in 1..values.len() {
        values[row] = values[row].wrapping_add(values[row - 1]);
    }
}

/// Turns a value and the steps at the rows of `stepped` into values.
fn spread(stepped: u64, steps: &[i64], values: &mut [i64]) {
    let mut steps = steps.iter();
    for row in 1..values.len() {
        let step = if stepped >> (row - 1) & 1 == 1 { steps.next().copied().unwrap_or(0) } else { 0 };
        values[row] = values[row - 1].wrapping_add(step);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(values: &[i64]) -> usize {
        let mut out = Vec::new();
        write(values, &mut out);
        out.len()
    }

    #[test]
    fn each_shape_costs_what_it_should() {
        let rows = |value: fn(i64) -> i64| (0..60).map(value).collect::<Vec<i64>>();
        assert_eq!(bytes(&rows(|_| 80)), 3, "constant");
        assert!(bytes(&rows(|row| 90 + row * 7 % 8)) <= 4 + 60 * 3 / 8 + 1, "three bits of noise");
        assert!(bytes(&rows(|row| 1_000_000_000 + 500_000 * row)) <= 12, "steady growth");
        assert!(bytes(&rows(|row| if row == 30 { 1980 } else { 1965 })) <= 16, "one outlier");
        assert!(bytes(&rows(|row| (row % 4) << 30)) <= 6 + 60 * 2 / 8, "pages of a gibibyte");
    }

    fn series() -> impl Strategy<Value = Vec<i64>> {
        let value = prop_oneof![
            4 => -50i64..50,
            2 => (0i64..9).prop_map(|value| value << 20),
            1 => any::<i64>(),
            1 => Just(i64::MIN),
            1 => Just(i64::MAX),
        ];
        let noise = proptest::collection::vec(value, 1..=ROWS_MAX);
        let growth =
            (any::<i64>(), proptest::collection::vec(0i64..1000, 0..ROWS_MAX)).prop_map(|(first, steps)| {
                let mut values = vec![first];
                for step in steps {
                    values.push(values[values.len() - 1].wrapping_add(step));
                }
                values
            });
        prop_oneof![noise, growth]
    }

    proptest! {
        #[test]
        fn every_bit_comes_back(values in series(), after in any::<u8>()) {
            let mut out = Vec::new();
            write(&values, &mut out);
            out.push(after);
            let mut read_back = [0; ROWS_MAX];
            prop_assert_eq!(read(&out, values.len(), &mut read_back), &[after]);
            prop_assert_eq!(&read_back[..values.len()], &values[..]);
            prop_assert_eq!(skip(&out, values.len()), &[after]);
        }
    }
}
