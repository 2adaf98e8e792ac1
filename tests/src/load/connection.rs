//! One agent's connection: a non-blocking socket, the flow-control windows, and what the coordinator said.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use ostler_proto::v1;
use prost::Message;

use super::http2;

/// Longest wait for the coordinator to take more bytes.
const STALL_MAX: Duration = Duration::from_secs(30);

/// A gRPC stream to `Agent.Report` whose messages are ready DATA frames.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    /// Bytes that the server lets us send on the connection and on the stream.
    window_connection: i64,
    window_stream: i64,
    /// What the server gives a new stream.
    window_initial: i64,
    /// Received and not yet a whole frame.
    received: Vec<u8>,
    /// Messages of the coordinator.
    pub messages: Vec<v1::CoordinatorMessage>,
    /// Why the server ended the stream.
    pub ended: Option<String>,
}

impl Connection {
    /// Connects and opens the stream.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.write_all(&http2::opening("/ostler.v1.Agent/Report", &address.to_string()))?;
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            window_connection: http2::WINDOW_DEFAULT,
            window_stream: http2::WINDOW_DEFAULT,
            window_initial: http2::WINDOW_DEFAULT,
            received: Vec::new(),
            messages: Vec::new(),
            ended: None,
        })
    }

    /// Sends a message as the coordinator's own encoder would have: for tests of hostile streams.
    pub fn send_message(&mut self, encoded: &[u8]) -> io::Result<()> {
        self.send(&http2::message(encoded))
    }

    /// Sends ready DATA frames, waiting while the server's windows are full.
    pub(super) fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        let mut rest = frames;
        while !rest.is_empty() {
            let payload = (usize::from(rest[0]) << 16) | (usize::from(rest[1]) << 8) | usize::from(rest[2]);
            let (one, after) = rest.split_at(http2::HEADER_BYTES + payload);
            self.wait_for_window(payload as i64)?;
            self.window_connection -= payload as i64;
            self.window_stream -= payload as i64;
            self.write(one)?;
            rest = after;
        }
        Ok(())
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)
    }

    fn wait_for_window(&mut self, payload: i64) -> io::Result<()> {
        let start = Instant::now();
        while self.window_connection < payload || self.window_stream < payload {
            self.receive()?;
            if let Some(why) = &self.ended {
                return Err(io::Error::new(ErrorKind::ConnectionAborted, why.clone()));
            }
            if self.window_connection < payload || self.window_stream < payload {
                stalled(start)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let start = Instant::now();
        while !bytes.is_empty() {
            match self.socket.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => stalled(start)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Takes in what has arrived, without waiting, and answers what HTTP/2 asks to be answered.
    pub fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.ended.get_or_insert_with(|| "the server closed the connection".to_owned());
                    break;
                }
                Ok(length) => {
                    self.received.extend_from_slice(&buffer[..length]);
                    if length < buffer.len() {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.parse()
    }

    /// Waits until `until` holds or `limit` has passed; true when it holds.
    pub fn receive_until(&mut self, limit: Duration, until: impl Fn(&Self) -> bool) -> io::Result<bool> {
        let start = Instant::now();
        loop {
            self.receive()?;
            if until(self) {
                return Ok(true);
            }
            if start.elapsed() > limit {
                return Ok(false);
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn parse(&mut self) -> io::Result<()> {
        let mut start = 0;
        let received = std::mem::take(&mut self.received);
        while let Some(header) = received.get(start..start + http2::HEADER_BYTES) {
            let length =
                (usize::from(header[0]) << 16) | (usize::from(header[1]) << 8) | usize::from(header[2]);
            let (kind, flags) = (header[3], header[4]);
            let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]) & 0x7fff_ffff;
            let begin = start + http2::HEADER_BYTES;
            let Some(payload) = received.get(begin..begin + length) else { break };
            self.on_frame(kind, flags, stream, payload)?;
            start = begin + length;
        }
        self.received = received;
        self.received.drain(..start);
        if self.received.is_empty() {
            self.received.shrink_to_fit();
        }
        Ok(())
    }

    fn on_frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        match kind {
            http2::SETTINGS if flags & http2::ACK == 0 => self.on_settings(payload),
            http2::PING if flags & http2::ACK == 0 => {
                let mut answer = Vec::new();
                http2::frame(&mut answer, payload.len(), http2::PING, http2::ACK, 0);
                answer.extend_from_slice(payload);
                self.write(&answer)
            }
            http2::WINDOW_UPDATE => {
                let more = i64::from(word(payload) & 0x7fff_ffff);
                *(if stream == 0 { &mut self.window_connection } else { &mut self.window_stream }) += more;
                Ok(())
            }
            http2::DATA => {
                self.on_data(payload);
                Ok(())
            }
            http2::RST_STREAM => {
                self.ended = Some(format!("the server reset the stream with code {}", word(payload)));
                Ok(())
            }
            http2::GOAWAY => {
                // Without an error it only says that the connection takes no second request.
                let (_, error) = payload.split_at_checked(4).unwrap_or_default();
                let (code, why) = error.split_at_checked(4).unwrap_or_default();
                if word(code) != http2::NO_ERROR {
                    let why = String::from_utf8_lossy(why);
                    self.ended.get_or_insert_with(|| format!("the server said GOAWAY: {why}"));
                }
                Ok(())
            }
            http2::HEADERS if flags & http2::END_STREAM != 0 => {
                self.ended = Some(format!("trailers: {}", String::from_utf8_lossy(payload)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn on_settings(&mut self, payload: &[u8]) -> io::Result<()> {
        for setting in payload.as_chunks::<6>().0 {
            if u16::from_be_bytes([setting[0], setting[1]]) == http2::INITIAL_WINDOW_SIZE {
                let initial = i64::from(word(&setting[2..]));
                self.window_stream += initial - self.window_initial;
                self.window_initial = initial;
            }
        }
        let mut answer = Vec::new();
        http2::frame(&mut answer, 0, http2::SETTINGS, http2::ACK, 0);
        self.write(&answer)
    }

    /// The coordinator's messages are far smaller than a frame, so each begins and ends in one.
    fn on_data(&mut self, mut payload: &[u8]) {
        while let Some(length) = payload.get(1..5).map(|bytes| word(bytes) as usize) {
            let Some(encoded) = payload.get(5..5 + length) else { return };
            self.messages.extend(v1::CoordinatorMessage::decode(encoded));
            payload = &payload[5 + length..];
        }
    }
}

fn word(bytes: &[u8]) -> u32 {
    bytes.iter().take(4).fold(0, |word, &byte| (word << 8) | u32::from(byte))
}

fn stalled(since: Instant) -> io::Result<()> {
    if since.elapsed() > STALL_MAX {
        return Err(io::Error::new(ErrorKind::TimedOut, "the server took no bytes for 30 s"));
    }
    thread::sleep(Duration::from_micros(200));
    Ok(())
}
