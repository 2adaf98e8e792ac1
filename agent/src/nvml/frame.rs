//! What parent and child say to each other over the child's standard streams.
//!
//! A frame is a length (u32, little endian), a kind (one byte) and a body of fixed-width numbers. The child calls into
//! a library that may corrupt its memory, so the parent believes nothing: a frame that is too long, too short or of an
//! unknown kind ends the child.

use std::io::{self, Read};

use ostler_proto::v1;
use prost::Message as _;

use crate::{
    nvml::{
        fault::Fault,
        section::{Section, VALUES_MAX, Values},
    },
    sample::GPUS_MAX,
};

/// Longest body: 16 GPUs x 3 sections x (64 values + 16 bytes) is 26 KB, an inventory of 16 GPUs with 8 instances
/// each is about 20 KB.
pub(crate) const BODY_MAX: usize = 64 * 1024;
const HEADER: usize = 5;
const TEXT_MAX: usize = 1024;

/// Why a byte stream was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    #[error("a frame of {0} bytes is longer than the {BODY_MAX} allowed")]
    TooLong(usize),
    #[error("a frame of kind {0} is malformed or unknown")]
    Malformed(u8),
}

/// Calls to leave out, one bit a call, for each GPU.
pub(crate) type Skips = [u64; GPUS_MAX];

/// What the parent asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// First frame: which library to load (empty: the system's), and whether to listen for events.
    Begin { library: String, events: bool, skips: Skips },
    /// Read the fast section of every GPU, and the others of those whose bit is set.
    Read { slow: u32, bandwidth: u32 },
    /// Replaces the calls to leave out.
    Skip(Skips),
    /// Shut NVML down and exit.
    Stop,
}

/// Whether a GPU answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Ok,
    /// NVML says GPU_IS_LOST, RESET_REQUIRED, or does not give a handle; the number is NVML's.
    Lost(u32),
    /// Every call failed with this other error.
    Unreadable(u32),
}

/// What the child answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// NVML is up; sent again when MIG instances change.
    Inventory { driver: String, gpus_found: u32, gpus: Vec<v1::GpuInfo> },
    /// One section of one GPU.
    Values { gpu: u8, section: Section, health: Health, values: Vec<Option<i64>> },
    /// The reading that was asked for is complete.
    Done,
    /// An event of the driver.
    Event { gpu: u8, bits: u64, data: u64, gpu_instance: u32, compute_instance: u32 },
    /// The child cannot go on and exits.
    Fault { fault: Fault, text: String },
}

struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn text(&mut self, text: &str) {
        let end = text.floor_char_boundary(TEXT_MAX);
        self.bytes(&text.as_bytes()[..end]);
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).unwrap_or(0));
        self.0.extend_from_slice(bytes);
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }
    fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
    }
    fn u64(&mut self) -> Option<u64> {
        self.take(8).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)))
    }
    fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(self.u32()?).ok()?;
        self.take(count)
    }
    fn text(&mut self) -> Option<String> {
        let bytes = self.bytes().filter(|bytes| bytes.len() <= TEXT_MAX)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }
    fn skips(&mut self) -> Option<Skips> {
        let mut skips = Skips::default();
        for skip in &mut skips {
            *skip = self.u64()?;
        }
        Some(skips)
    }
    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Appends one frame whose body `fill` writes.
fn append(buffer: &mut Vec<u8>, kind: u8, fill: impl FnOnce(&mut Writer<'_>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    buffer.push(kind);
    fill(&mut Writer(buffer));
    let body = u32::try_from(buffer.len() - start - HEADER).unwrap_or(u32::MAX);
    buffer[start..start + 4].copy_from_slice(&body.to_le_bytes());
}

/// Appends the values of one section without making a frame value of them first; this is the hot one.
pub(crate) fn append_values(
    buffer: &mut Vec<u8>,
    gpu: u8,
    section: Section,
    health: Health,
    values: &Values,
) {
    append(buffer, b'V', |body| {
        let (state, code) = match health {
            Health::Ok => (0, 0),
            Health::Lost(code) => (1, code),
            Health::Unreadable(code) => (2, code),
        };
        body.u8(gpu);
        body.u8(section as u8);
        body.u8(state);
        body.u32(code);
        let mut present = 0_u64;
        for (slot, value) in values.iter().enumerate() {
            present |= u64::from(value.is_some()) << slot;
        }
        body.u64(present);
        for value in values.iter().flatten() {
            body.u64(value.cast_unsigned());
        }
    });
}

impl Request {
    /// Appends the frame.
    pub(crate) fn append(&self, buffer: &mut Vec<u8>) {
        match self {
            Request::Begin { library, events, skips } => append(buffer, b'B', |body| {
                body.text(library);
                body.u8(u8::from(*events));
                skips.iter().for_each(|skip| body.u64(*skip));
            }),
            Request::Read { slow, bandwidth } => append(buffer, b'R', |body| {
                body.u32(*slow);
                body.u32(*bandwidth);
            }),
            Request::Skip(skips) => {
                append(buffer, b'K', |body| skips.iter().for_each(|skip| body.u64(*skip)));
            }
            Request::Stop => append(buffer, b'S', |_| {}),
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Option<Request> {
        let mut body = Reader(body);
        let request = match kind {
            b'B' => Request::Begin { library: body.text()?, events: body.u8()? != 0, skips: body.skips()? },
            b'R' => Request::Read { slow: body.u32()?, bandwidth: body.u32()? },
            b'K' => Request::Skip(body.skips()?),
            b'S' => Request::Stop,
            _ => return None,
        };
        body.end().map(|()| request)
    }

    /// Reads the next request; `None` when the parent closed the stream between two.
    pub(crate) fn read(input: &mut impl Read) -> io::Result<Option<Request>> {
        let mut header = [0; HEADER];
        match input.read_exact(&mut header) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let (length, kind) = split_header(header);
        if length > BODY_MAX {
            return Err(io::Error::other(Error::TooLong(length)));
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        Request::decode(kind, &body).map(Some).ok_or_else(|| io::Error::other(Error::Malformed(kind)))
    }
}

impl Answer {
    /// Appends the frame.
    pub(crate) fn append(&self, buffer: &mut Vec<u8>) {
        match self {
            Answer::Inventory { driver, gpus_found, gpus } => append(buffer, b'I', |body| {
                body.text(driver);
                body.u32(*gpus_found);
                body.u8(u8::try_from(gpus.len()).unwrap_or(u8::MAX));
                gpus.iter().for_each(|gpu| body.bytes(&gpu.encode_to_vec()));
            }),
            Answer::Values { gpu, section, health, values } => {
                let mut all = Values::none(*section);
                section.metrics().iter().zip(values).for_each(|(metric, value)| all.set(*metric, *value));
                append_values(buffer, *gpu, *section, *health, &all);
            }
            Answer::Done => append(buffer, b'D', |_| {}),
            Answer::Event { gpu, bits, data, gpu_instance, compute_instance } => {
                append(buffer, b'E', |body| {
                    body.u8(*gpu);
                    body.u64(*bits);
                    body.u64(*data);
                    body.u32(*gpu_instance);
                    body.u32(*compute_instance);
                });
            }
            Answer::Fault { fault, text } => append(buffer, b'F', |body| {
                let (kind, code) = fault.to_numbers();
                body.u8(kind);
                body.u32(code);
                body.text(text);
            }),
        }
    }

    fn decode(kind: u8, body: &[u8]) -> Option<Answer> {
        let mut body = Reader(body);
        let answer = match kind {
            b'I' => decode_inventory(&mut body)?,
            b'V' => decode_values(&mut body)?,
            b'D' => Answer::Done,
            b'E' => Answer::Event {
                gpu: body.u8()?,
                bits: body.u64()?,
                data: body.u64()?,
                gpu_instance: body.u32()?,
                compute_instance: body.u32()?,
            },
            b'F' => {
                let (kind, code) = (body.u8()?, body.u32()?);
                Answer::Fault { fault: Fault::from_numbers(kind, code)?, text: body.text()? }
            }
            _ => return None,
        };
        body.end().map(|()| answer)
    }
}

fn decode_inventory(body: &mut Reader<'_>) -> Option<Answer> {
    let (driver, gpus_found) = (body.text()?, body.u32()?);
    let count = usize::from(body.u8()?);
    if count > GPUS_MAX {
        return None;
    }
    let mut gpus = Vec::with_capacity(count);
    for _ in 0..count {
        gpus.push(v1::GpuInfo::decode(body.bytes()?).ok()?);
    }
    Some(Answer::Inventory { driver, gpus_found, gpus })
}

fn decode_values(body: &mut Reader<'_>) -> Option<Answer> {
    let (gpu, section) = (body.u8()?, Section::from_number(body.u8()?)?);
    let (state, code) = (body.u8()?, body.u32()?);
    let health = match state {
        0 => Health::Ok,
        1 => Health::Lost(code),
        2 => Health::Unreadable(code),
        _ => return None,
    };
    let count = section.metrics().len();
    let present = body.u64()?;
    if count < VALUES_MAX && present >> count != 0 {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    for slot in 0..count {
        values.push(if present >> slot & 1 == 1 { Some(body.u64()?.cast_signed()) } else { None });
    }
    Some(Answer::Values { gpu, section, health, values })
}

fn split_header(header: [u8; HEADER]) -> (usize, u8) {
    let [a, b, c, d, kind] = header;
    (usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX), kind)
}

/// Puts answers together from whatever pieces the pipe delivers.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pending: Vec<u8>,
}

impl Decoder {
    /// Takes bytes and gives every answer that they complete. After an error the stream has no meaning any more.
    pub(crate) fn push(&mut self, bytes: &[u8], mut give: impl FnMut(Answer)) -> Result<(), Error> {
        self.pending.extend_from_slice(bytes);
        let mut consumed = 0;
        while let Some((header, rest)) = self.pending[consumed..].split_first_chunk::<HEADER>() {
            let (length, kind) = split_header(*header);
            if length > BODY_MAX {
                return Err(Error::TooLong(length));
            }
            let Some(body) = rest.get(..length) else { break };
            give(Answer::decode(kind, body).ok_or(Error::Malformed(kind))?);
            consumed += HEADER + length;
        }
        self.pending.drain(..consumed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answers() -> Vec<Answer> {
        let gpu = v1::GpuInfo { uuid: "GPU-1".into(), index: 3, ..Default::default() };
        let mut values = vec![None; Section::Bandwidth.metrics().len()];
        values[1] = Some(-7);
        vec![
            Answer::Inventory { driver: "570.1".into(), gpus_found: 20, gpus: vec![gpu] },
            Answer::Values { gpu: 3, section: Section::Bandwidth, health: Health::Lost(15), values },
            Answer::Done,
            Answer::Event { gpu: 1, bits: 8, data: 79, gpu_instance: 1, compute_instance: u32::MAX },
            Answer::Fault { fault: Fault::Call(999), text: "Unknown Error".into() },
        ]
    }

    #[test]
    fn answers_survive_the_pipe_however_it_cuts_them() {
        let mut bytes = Vec::new();
        answers().iter().for_each(|answer| answer.append(&mut bytes));
        for size in [1, 2, 7, bytes.len()] {
            let (mut decoder, mut got) = (Decoder::default(), Vec::new());
            for piece in bytes.chunks(size) {
                decoder.push(piece, |answer| got.push(answer)).unwrap();
            }
            assert_eq!(got, answers(), "in pieces of {size}");
        }
    }

    #[test]
    fn requests_survive_the_pipe_and_its_end_is_seen() {
        let mut skips = Skips::default();
        skips[2] = 1 << 5;
        let requests = [
            Request::Begin { library: "libnvidia-ml.so.1".into(), events: true, skips },
            Request::Read { slow: 0b101, bandwidth: 1 },
            Request::Skip(skips),
            Request::Stop,
        ];
        let mut bytes = Vec::new();
        requests.iter().for_each(|request| request.append(&mut bytes));
        let mut input = bytes.as_slice();
        for request in requests {
            assert_eq!(Request::read(&mut input).unwrap(), Some(request));
        }
        assert_eq!(Request::read(&mut input).unwrap(), None);
    }

    #[test]
    fn an_oversize_frame_is_refused_before_it_is_gathered() {
        let mut decoder = Decoder::default();
        let refused = decoder.push(&[0xff, 0xff, 0xff, 0x7f, b'V'], |_| {});
        assert_eq!(refused, Err(Error::TooLong(0x7fff_ffff)));
    }

    #[test]
    fn unknown_kinds_and_trailing_bytes_are_refused() {
        assert_eq!(Decoder::default().push(&[0, 0, 0, 0, b'?'], |_| {}), Err(Error::Malformed(b'?')));
        assert_eq!(Decoder::default().push(&[1, 0, 0, 0, b'D', 9], |_| {}), Err(Error::Malformed(b'D')));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic_or_grow_without_bound(pieces in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut decoder = Decoder::default();
            for piece in pieces {
                if decoder.push(&piece, |_| {}).is_err() {
                    break;
                }
                prop_assert!(decoder.pending.len() <= HEADER + BODY_MAX + 200);
            }
        }

        #[test]
        fn no_body_makes_an_answer_decode_panic(kind in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Answer::decode(kind, &body);
            let _ = Request::decode(kind, &body);
        }
    }
}
