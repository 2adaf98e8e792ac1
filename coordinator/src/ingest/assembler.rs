//! Cuts the bytes of a stream into gRPC messages: five bytes of prefix, then the message.
//!
//! Agents send each message in a frame of its own, so it is nearly always whole in the buffer and not copied.

use tonic::Status;

/// Bytes before each message: compressed or not, and the length.
const PREFIX_BYTES: usize = 5;

/// What has come and is not a whole message yet.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    begun: Vec<u8>,
}

impl Assembler {
    /// True when a message has begun and not ended.
    pub(super) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Takes in bytes and passes on each message that is whole now, until one fails.
    pub(super) fn push(
        &mut self,
        mut data: &[u8],
        length_max: usize,
        mut message: impl FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        while !data.is_empty() {
            if self.begun.is_empty() {
                if let Some(length) = length(data, length_max)?
                    && let Some((whole, rest)) = data.split_at_checked(PREFIX_BYTES + length)
                {
                    message(&whole[PREFIX_BYTES..])?;
                    data = rest;
                    continue;
                }
                self.begun.extend_from_slice(data);
                return Ok(());
            }
            self.finish(&mut data, length_max, &mut message)?;
        }
        Ok(())
    }

    /// Moves what the message that has begun lacks out of `data`, and passes the message on when it is whole.
    fn finish(
        &mut self,
        data: &mut &[u8],
        length_max: usize,
        message: &mut impl FnMut(&[u8]) -> Result<(), Status>,
    ) -> Result<(), Status> {
        let mut wanted = PREFIX_BYTES;
        if let Some(length) = length(&self.begun, length_max)? {
            wanted += length;
        }
        let missing = (wanted - self.begun.len()).min(data.len());
        let (part, rest) = data.split_at(missing);
        self.begun.extend_from_slice(part);
        *data = rest;
        if let Some(length) = length(&self.begun, length_max)?
            && self.begun.len() == PREFIX_BYTES + length
        {
            let whole = std::mem::take(&mut self.begun);
            message(&whole[PREFIX_BYTES..])?;
        }
        Ok(())
    }
}

/// Length of the message at the front of `data`, when its prefix is there.
fn length(data: &[u8], length_max: usize) -> Result<Option<usize>, Status> {
    let Some(prefix) = data.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
    if prefix[0] != 0 {
        return Err(Status::unimplemented(
            "a message is marked as compressed; report streams are not compressed",
        ));
    }
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if length > length_max {
        let problem = format!("a message has {length} bytes; at most {length_max} are allowed");
        return Err(Status::resource_exhausted(problem));
    }
    Ok(Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut out = vec![0];
        out.extend_from_slice(&(message.len() as u32).to_be_bytes());
        out.extend_from_slice(message);
        out
    }

    #[test]
    fn messages_come_out_whole_however_they_are_cut() {
        let messages: [&[u8]; 4] = [b"a", b"", b"three", &[7; 300]];
        let all: Vec<u8> = messages.iter().flat_map(|message| framed(message)).collect();
        for size in 1..=all.len() {
            let mut assembler = Assembler::default();
            let mut out = Vec::new();
            for part in all.chunks(size) {
                let push = |message: &[u8]| {
                    out.push(message.to_vec());
                    Ok(())
                };
                assembler.push(part, 300, push).unwrap();
            }
            assert_eq!(out, messages, "cut into {size}");
            assert!(!assembler.has_begun());
        }
    }

    #[test]
    fn a_message_that_is_too_long_or_compressed_is_refused_by_its_prefix() {
        let refused = |bytes: &[u8]| {
            let mut assembler = Assembler::default();
            let never = |_: &[u8]| panic!("no message may come out");
            assembler.push(bytes, 300, never).unwrap_err()
        };
        assert_eq!(refused(&[0, 0, 0, 1, 45]).message(), "a message has 301 bytes; at most 300 are allowed");
        assert_eq!(refused(&[1, 0, 0, 0, 1, 0]).code(), tonic::Code::Unimplemented);
    }
}
