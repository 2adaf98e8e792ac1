//! The edge to C: return codes, version words, and pointers that may be null.
//!
//! Every write through a caller's pointer goes through [`Out`], so that the checks are in one place.

use std::ffi::{CStr, c_char};

pub(crate) use nvml_wrapper_sys::bindings::*;

/// What an NVML call returns.
pub(crate) type Code = nvmlReturn_t;

/// What the body of a call returns; `Err` never holds [`SUCCESS`].
pub(crate) type Outcome = Result<(), Code>;

pub(crate) const SUCCESS: Code = 0;
pub(crate) const UNINITIALIZED: Code = 1;
pub(crate) const INVALID_ARGUMENT: Code = 2;
pub(crate) const NOT_SUPPORTED: Code = 3;
pub(crate) const NOT_FOUND: Code = 6;
pub(crate) const INSUFFICIENT_SIZE: Code = 7;
pub(crate) const TIMEOUT: Code = 10;
pub(crate) const GPU_IS_LOST: Code = 15;
pub(crate) const ARGUMENT_VERSION_MISMATCH: Code = 25;

/// Number, name without `NVML_ERROR_`, and what `nvmlErrorString` says.
const CODES: &[(Code, &str, &CStr)] = &[
    (0, "SUCCESS", c"Success"),
    (1, "UNINITIALIZED", c"Uninitialized"),
    (2, "INVALID_ARGUMENT", c"Invalid Argument"),
    (3, "NOT_SUPPORTED", c"Not Supported"),
    (4, "NO_PERMISSION", c"Insufficient Permissions"),
    (5, "ALREADY_INITIALIZED", c"Already Initialized"),
    (6, "NOT_FOUND", c"Not Found"),
    (7, "INSUFFICIENT_SIZE", c"Insufficient Size"),
    (8, "INSUFFICIENT_POWER", c"Insufficient External Power"),
    (9, "DRIVER_NOT_LOADED", c"Driver Not Loaded"),
    (10, "TIMEOUT", c"Timeout"),
    (11, "IRQ_ISSUE", c"Interrupt Request Issue"),
    (12, "LIBRARY_NOT_FOUND", c"NVML Shared Library Not Found"),
    (13, "FUNCTION_NOT_FOUND", c"Function Not Found"),
    (14, "CORRUPTED_INFOROM", c"Corrupted infoROM"),
    (15, "GPU_IS_LOST", c"GPU is lost"),
    (16, "RESET_REQUIRED", c"GPU requires reset"),
    (17, "OPERATING_SYSTEM", c"GPU access blocked by the operating system"),
    (18, "LIB_RM_VERSION_MISMATCH", c"Driver/library version mismatch"),
    (19, "IN_USE", c"In use by another client"),
    (20, "MEMORY", c"Insufficient Memory"),
    (21, "NO_DATA", c"No data"),
    (22, "VGPU_ECC_NOT_SUPPORTED", c"vGPU ECC is not supported"),
    (23, "INSUFFICIENT_RESOURCES", c"Insufficient resources"),
    (24, "FREQ_NOT_SUPPORTED", c"Frequency not supported"),
    (25, "ARGUMENT_VERSION_MISMATCH", c"Argument version mismatch"),
    (26, "DEPRECATED", c"Requested functionality has been deprecated"),
    (27, "NOT_READY", c"System is not ready"),
    (28, "GPU_NOT_FOUND", c"No GPUs were found"),
    (29, "INVALID_STATE", c"Resource not in correct state to perform requested operation"),
    (30, "RESET_TYPE_NOT_SUPPORTED", c"Reset not supported for given device/parameters"),
    (999, "UNKNOWN", c"Unknown Error"),
];

/// The code of a name such as `GPU_IS_LOST`, with or without `NVML_ERROR_` in front.
pub(crate) fn code_of(name: &str) -> Option<Code> {
    let name = name.strip_prefix("NVML_ERROR_").unwrap_or(name);
    CODES.iter().find(|(_, known, _)| *known == name).map(|(code, _, _)| *code)
}

/// What `nvmlErrorString` says about a code.
pub(crate) fn text_of(code: Code) -> &'static CStr {
    CODES.iter().find(|(known, _, _)| *known == code).map_or(c"Unknown Error", |(_, _, text)| text)
}

/// The version word of a versioned struct, as `NVML_STRUCT_VERSION` makes it: size, and version in the top byte.
pub(crate) const fn version_word<T>(version: u32) -> u32 {
    size_of::<T>() as u32 | version << 24
}

/// A pointer that the caller gave for a result. Null is answered with `INVALID_ARGUMENT`, as NVML does.
///
/// It has the layout of the pointer itself, so it can stand in a C signature.
#[repr(transparent)]
pub(crate) struct Out<T>(*mut T);

impl<T: Copy> Out<T> {
    /// The same place, taken for a struct whose beginning is the same.
    pub(crate) fn cast<U>(&self) -> Out<U> {
        Out(self.0.cast())
    }

    pub(crate) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(crate) fn put(&self, value: T) -> Outcome {
        if self.0.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: not null, and nvml.h demands of the caller that it then points to one writable T.
        unsafe { self.0.write(value) };
        Ok(())
    }

    pub(crate) fn get(&self) -> Result<T, Code> {
        if self.0.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: not null, and nvml.h demands of the caller that an in-out argument points to one initialised T.
        Ok(unsafe { self.0.read() })
    }

    /// Writes a list under NVML's rule for arrays: `count` comes in as room and goes out as need, and a list that does not
    /// fit is `INSUFFICIENT_SIZE` with nothing written but the need.
    pub(crate) fn put_list(&self, count: &Out<u32>, list: &[T]) -> Outcome {
        let room = count.get()? as usize;
        count.put(u32::try_from(list.len()).unwrap_or(u32::MAX))?;
        if list.len() > room {
            return Err(INSUFFICIENT_SIZE);
        }
        if list.is_empty() {
            return Ok(());
        }
        if self.0.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: the caller says that there is room for `room` items, and the list is not longer.
        unsafe { self.0.copy_from_nonoverlapping(list.as_ptr(), list.len()) };
        Ok(())
    }
}

impl Out<nvmlFieldValue_t> {
    /// Answers `count` field requests in place.
    pub(crate) fn answer_each(&self, count: i32, mut answer: impl FnMut(&mut nvmlFieldValue_t)) -> Outcome {
        let count = usize::try_from(count).map_err(|_| INVALID_ARGUMENT)?;
        if self.0.is_null() || count == 0 {
            return Err(INVALID_ARGUMENT);
        }
        for position in 0..count {
            // SAFETY: the caller says that `count` initialised requests lie behind the pointer.
            answer(unsafe { &mut *self.0.add(position) });
        }
        Ok(())
    }
}

impl Out<c_char> {
    /// Writes a string with its terminator, or `INSUFFICIENT_SIZE` when it does not fit in `length` bytes.
    pub(crate) fn put_text(&self, length: u32, text: &str) -> Outcome {
        if self.0.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        if text.len() >= length as usize {
            return Err(INSUFFICIENT_SIZE);
        }
        // SAFETY: the caller says that `length` bytes can be written, and text and terminator need no more.
        unsafe {
            self.0.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            self.0.add(text.len()).write(0);
        }
        Ok(())
    }
}

/// A string that the caller passes in.
#[repr(transparent)]
pub(crate) struct Text(*const c_char);

impl Text {
    pub(crate) fn read(&self) -> Result<&str, Code> {
        if self.0.is_null() {
            return Err(INVALID_ARGUMENT);
        }
        // SAFETY: not null, and nvml.h demands a terminated string; it is not kept beyond the call.
        unsafe { CStr::from_ptr(self.0) }.to_str().map_err(|_| INVALID_ARGUMENT)
    }
}

/// A device as the caller sees it: an opaque pointer, here a number that is never followed.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Handle(pub(crate) nvmlDevice_t);

/// First address of device handles; far below anything mapped, so that following one by mistake faults at once.
const DEVICE_BASE: usize = 0x5f10;
/// Distance between GPUs: room for the GPU itself and its MIG devices.
const DEVICE_STRIDE: usize = 16;

impl Handle {
    pub(crate) fn of_gpu(index: usize) -> Self {
        Self(std::ptr::without_provenance_mut(DEVICE_BASE + index * DEVICE_STRIDE))
    }

    pub(crate) fn of_mig(index: usize, instance: usize) -> Self {
        Self(std::ptr::without_provenance_mut(DEVICE_BASE + index * DEVICE_STRIDE + 1 + instance))
    }

    /// GPU index and, for a MIG device, the position of its instance. Nothing is known about whether they exist.
    pub(crate) fn position(self) -> Option<(usize, Option<usize>)> {
        let offset = self.0.addr().checked_sub(DEVICE_BASE)?;
        Some((offset / DEVICE_STRIDE, (offset % DEVICE_STRIDE).checked_sub(1)))
    }
}

/// An event set as the caller sees it; a number that is never followed.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct SetHandle(pub(crate) nvmlEventSet_t);

impl SetHandle {
    pub(crate) fn of(id: usize) -> nvmlEventSet_t {
        std::ptr::without_provenance_mut(id)
    }

    pub(crate) fn id(self) -> usize {
        self.0.addr()
    }
}

/// Copies a string into a fixed C array, cut to fit, always terminated.
pub(crate) fn fixed<const N: usize>(text: &str) -> [c_char; N] {
    let mut array = [0; N];
    for (slot, byte) in array.iter_mut().take(N - 1).zip(text.bytes()) {
        *slot = byte.cast_signed() as c_char;
    }
    array
}
