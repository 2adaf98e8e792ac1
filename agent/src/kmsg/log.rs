//! An open kernel log: the device, which gives a record a read, or a plain file, which gives bytes.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The kernel gives at most 8 KiB a record; a plain file may have longer lines, whose rest is passed over.
pub(crate) const LINE_BYTES_MAX: usize = 8 * 1024;

/// What a look at the log gave.
pub(crate) enum Next {
    /// One line, without its end.
    Line,
    /// Records were overwritten before they were read.
    Overrun,
    /// There is nothing now.
    Nothing,
}

/// An open log.
pub(crate) struct Log {
    file: File,
    path: PathBuf,
    /// The kernel's device gives one record a read; a plain file gives bytes.
    pub(crate) is_device: bool,
    /// Bytes of a plain file that are not a whole line yet.
    pub(crate) pending: VecDeque<u8>,
    /// Bytes read of a plain file.
    offset: u64,
    /// Length of the unfinished last line at the last look; one that stays so is taken as it is.
    unfinished: usize,
    /// Whether the rest of a line that was taken already is being passed over.
    skipping: bool,
}

impl Log {
    /// Opens the log at its beginning.
    pub(crate) fn open(path: &Path) -> io::Result<Log> {
        let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let is_device = file.metadata()?.file_type().is_char_device();
        Ok(Log {
            file,
            path: path.to_owned(),
            is_device,
            pending: VecDeque::new(),
            offset: 0,
            unfinished: 0,
            skipping: false,
        })
    }

    /// Puts the next line into `line`; never waits.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        if self.is_device { self.next_record(line) } else { self.next_line(line) }
    }

    fn next_record(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        line.resize(LINE_BYTES_MAX, 0);
        match self.file.read(line) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed")),
            Ok(count) => {
                line.truncate(count);
                // Lines after the first are key=value pairs about the device.
                let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(count);
                line.truncate(end);
                Ok(Next::Line)
            }
            Err(error) if error.raw_os_error() == Some(libc::EPIPE) => Ok(Next::Overrun),
            // A record longer than any that the kernel makes; the next read goes past it.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(Next::Overrun),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Next::Nothing),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Next::Nothing),
            Err(error) => Err(error),
        }
    }

    fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        loop {
            while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                line.clear();
                line.extend(self.pending.drain(..=end).take(end));
                if !std::mem::take(&mut self.skipping) {
                    return Ok(Next::Line);
                }
            }
            if self.pending.len() > LINE_BYTES_MAX {
                line.clear();
                line.extend(self.pending.drain(..).take(LINE_BYTES_MAX));
                if !std::mem::replace(&mut self.skipping, true) {
                    return Ok(Next::Line);
                }
            }
            let mut buffer = [0; 4096];
            let count = match self.file.read(&mut buffer) {
                Ok(0) => return self.end_of_file(line),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Next::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.offset += count as u64;
            self.pending.extend(&buffer[..count]);
        }
    }

    /// At the end of a plain file: it may have been cut or replaced, and its last line may lack its end.
    fn end_of_file(&mut self, line: &mut Vec<u8>) -> io::Result<Next> {
        let unfinished = self.pending.len();
        if unfinished > 0 && std::mem::replace(&mut self.unfinished, unfinished) == unfinished {
            line.clear();
            line.extend(self.pending.drain(..));
            if !std::mem::replace(&mut self.skipping, true) {
                return Ok(Next::Line);
            }
        }
        if fs::metadata(&self.path)?.len() < self.offset {
            *self = Log::open(&self.path)?;
        }
        Ok(Next::Nothing)
    }
}
