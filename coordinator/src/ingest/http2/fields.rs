//! Header fields: what a request says, and what a response says (HPACK, RFC 7541).
//!
//! Requests are read with a library. Responses are a few fields written without its tables, so that nothing is kept.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::frame::{self, Head};

/// Most fields of a request that is read here; one with more goes to the general server, which has limits of its own.
const FIELDS_MAX: usize = 64;

/// Most bytes of names and values, since a few bytes of a block can name a long field of its table many times.
const FIELD_BYTES_MAX: usize = 16 << 10;

/// `:status: 200` in the static table.
const STATUS_OK: u8 = 0x80 | 8;

/// The request in a HEADERS frame that has all of it; none when it is not understood.
pub(super) fn request(head: Head, payload: &[u8]) -> Option<Request<()>> {
    let mut block = head.unpadded(payload)?;
    if head.has(frame::PRIORITIZED) {
        block = block.get(5..)?;
    }
    let mut request = Request::new(());
    let (mut fields, mut bytes, mut understood) = (0, 0, true);
    let decoded = loona_hpack::Decoder::new().decode_with_cb(block, |name, value| {
        fields += 1;
        bytes += name.len() + value.len();
        understood = understood
            && fields <= FIELDS_MAX
            && bytes <= FIELD_BYTES_MAX
            && take(&mut request, &name, &value).is_some();
    });
    (decoded.is_ok() && understood).then_some(request)
}

fn take(request: &mut Request<()>, name: &[u8], value: &[u8]) -> Option<()> {
    match name {
        b":path" => *request.uri_mut() = value.try_into().ok()?,
        b":method" => *request.method_mut() = Method::from_bytes(value).ok()?,
        b":scheme" | b":authority" => {}
        _ => {
            let name = HeaderName::from_lowercase(name).ok()?;
            request.headers_mut().append(name, HeaderValue::from_bytes(value).ok()?);
        }
    }
    Some(())
}

/// The block of a response's headers.
pub(super) fn response(headers: &HeaderMap) -> Vec<u8> {
    let mut block = vec![STATUS_OK];
    block.extend(trailers(headers));
    block
}

/// The block of a response's trailers.
pub(super) fn trailers(headers: &HeaderMap) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        // A literal that enters no table, with a new name.
        block.push(0);
        string(name.as_str().as_bytes(), &mut block);
        string(value.as_bytes(), &mut block);
    }
    block
}

fn string(text: &[u8], out: &mut Vec<u8>) {
    let mut length = text.len();
    if length < 0x7f {
        out.push(length as u8);
    } else {
        out.push(0x7f);
        length -= 0x7f;
        while length >= 0x80 {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
    }
    out.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_the_library() {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-status", HeaderValue::from_static("8"));
        headers.insert("grpc-message", HeaderValue::from_str(&"x".repeat(20_000)).unwrap());
        let fields = loona_hpack::Decoder::new().decode(&response(&headers)).unwrap();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_slice(), value.len())).collect();
        assert_eq!(fields, [(&b":status"[..], 3), (b"grpc-status", 1), (b"grpc-message", 20_000)]);
    }

    #[test]
    fn a_block_that_unfolds_into_too_much_is_not_read() {
        // A field of 4,000 bytes enters the table, and each byte after it names that field again.
        let mut block = vec![0x40];
        string(b"x", &mut block);
        string(&[b'y'; 4000], &mut block);
        let head = |block: &[u8]| Head {
            length: block.len(),
            kind: frame::HEADERS,
            flags: frame::END_HEADERS,
            stream: 1,
        };
        assert!(request(head(&block), &block).is_some());
        block.extend([0x80 | 62; 10]);
        assert!(request(head(&block), &block).is_none());
        assert!(request(head(&[0xff]), &[0xff]).is_none());
    }
}
