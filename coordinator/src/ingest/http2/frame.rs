//! Frames (RFC 9113, section 4): nine bytes of header, then the payload.

/// What a client sends first of all.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes before a payload.
pub(super) const HEADER_BYTES: usize = 9;

/// Longest payload, in both directions: what HTTP/2 begins with, and what neither side asks to change.
pub(super) const PAYLOAD_BYTES_MAX: usize = 16_384;

/// Bytes that a side may send ahead before the other says otherwise. The general server's settings, with which agents are
/// greeted too, leave it so.
pub(crate) const WINDOW_BYTES: u32 = 65_535;

/// Highest value of a window.
pub(super) const WINDOW_BYTES_MAX: u32 = 0x7fff_ffff;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const PRIORITY: u8 = 2;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

/// Flag of SETTINGS and PING.
pub(super) const ACK: u8 = 0x1;
/// Flag of DATA and HEADERS: the sender is done with the stream.
pub(super) const END_STREAM: u8 = 0x1;
/// Flag of HEADERS and CONTINUATION.
pub(super) const END_HEADERS: u8 = 0x4;
/// Flag of DATA and HEADERS.
pub(super) const PADDED: u8 = 0x8;
/// Flag of HEADERS: five bytes of priority come first.
pub(super) const PRIORITIZED: u8 = 0x20;

/// Setting: bytes that a new stream's receiver lets be sent ahead.
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;

/// Error codes (section 7).
pub(super) const NO_ERROR: u32 = 0x0;
pub(super) const PROTOCOL_ERROR: u32 = 0x1;
pub(super) const FLOW_CONTROL_ERROR: u32 = 0x3;
pub(super) const FRAME_SIZE_ERROR: u32 = 0x6;
pub(super) const REFUSED_STREAM: u32 = 0x7;
pub(super) const ENHANCE_YOUR_CALM: u32 = 0xb;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    /// The header at the front of `bytes`, when it is whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Head> {
        let &[a, b, c, kind, flags, s, t, u, v] = bytes.first_chunk::<HEADER_BYTES>()?;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        Some(Head { length, kind, flags, stream: u32::from_be_bytes([s & 0x7f, t, u, v]) })
    }

    /// Whether it has a flag.
    pub(super) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without padding; none when there is more padding than payload.
    pub(super) fn unpadded(self, payload: &[u8]) -> Option<&[u8]> {
        if !self.has(PADDED) {
            return Some(payload);
        }
        let (&padding, rest) = payload.split_first()?;
        rest.get(..rest.len().checked_sub(usize::from(padding))?)
    }
}

/// Appends a frame.
pub(super) fn write(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    debug_assert!(payload.len() <= PAYLOAD_BYTES_MAX);
    out.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// A number of four bytes at the front of `payload`.
pub(super) fn word(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}
