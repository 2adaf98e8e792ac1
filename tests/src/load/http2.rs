//! The few HTTP/2 frames that a gRPC client writes and reads (RFC 9113), without compression state.

/// Frame types.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;

/// Flag of SETTINGS and PING: this is the answer.
pub(super) const ACK: u8 = 1;
/// Flag of HEADERS: no CONTINUATION follows.
const END_HEADERS: u8 = 4;
/// Flag of DATA: the half stream ends.
pub(super) const END_STREAM: u8 = 1;
/// Error code of a GOAWAY that is no complaint.
pub(super) const NO_ERROR: u32 = 0;
/// Setting: window of a new stream.
pub(super) const INITIAL_WINDOW_SIZE: u16 = 4;

/// Bytes before the payload of each frame.
pub(super) const HEADER_BYTES: usize = 9;
/// Window of a stream and of a connection until the peer says otherwise.
pub(super) const WINDOW_DEFAULT: i64 = 65_535;
/// Largest payload that a peer takes until it says otherwise.
pub(super) const PAYLOAD_MAX: usize = 16_384;

/// Appends a frame header.
pub(super) fn frame(out: &mut Vec<u8>, length: usize, kind: u8, flags: u8, stream: u32) {
    let length = u32::try_from(length).expect("a frame is at most 16 KiB");
    out.extend_from_slice(&length.to_be_bytes()[1..]);
    out.push(kind);
    out.push(flags);
    out.extend_from_slice(&stream.to_be_bytes());
}

/// What a client writes first: preface, its settings (empty), and the request headers of stream 1.
pub(super) fn opening(path: &str, authority: &str) -> Vec<u8> {
    let mut out = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    frame(&mut out, 0, SETTINGS, 0, 0);
    // Static table entries: 3 `:method: POST`, 6 `:scheme: http`, 4 `:path`, 1 `:authority`, 31 `content-type`.
    let mut headers = vec![0x83, 0x86];
    literal(&mut headers, &[0x04], path);
    literal(&mut headers, &[0x01], authority);
    literal(&mut headers, &[0x0f, 0x10], "application/grpc");
    literal(&mut headers, b"\x00\x02te", "trailers");
    frame(&mut out, headers.len(), HEADERS, END_HEADERS, 1);
    out.extend_from_slice(&headers);
    out
}

/// A header that enters no table: `name` is already encoded, the value is written plainly.
fn literal(out: &mut Vec<u8>, name: &[u8], value: &str) {
    out.extend_from_slice(name);
    out.push(u8::try_from(value.len()).ok().filter(|&length| length < 127).expect("a value under 127 bytes"));
    out.extend_from_slice(value.as_bytes());
}

/// A gRPC message as DATA frames of stream 1, split where it is longer than a frame may be.
pub(super) fn message(encoded: &[u8]) -> Vec<u8> {
    let mut payload = Vec::with_capacity(5 + encoded.len());
    payload.push(0);
    payload.extend_from_slice(&u32::try_from(encoded.len()).expect("a message under 4 GiB").to_be_bytes());
    payload.extend_from_slice(encoded);
    let mut out = Vec::with_capacity(payload.len() + HEADER_BYTES);
    for part in payload.chunks(PAYLOAD_MAX) {
        frame(&mut out, part.len(), DATA, 0, 1);
        out.extend_from_slice(part);
    }
    out
}
