//! Starting, stopping, and what the library says about itself.

use std::ffi::c_char;

use super::{code, system_calls};
use crate::{
    abi::{self, Code, Out, Outcome},
    library,
};

fn init(call: &str) -> Outcome {
    let view = library::enter_uninitialised(call)?;
    match view.scenario.library.init_error {
        Some(code) => Err(code),
        None => {
            library::lock().init();
            Ok(())
        }
    }
}

/// Part of NVML's C interface.
#[unsafe(no_mangle)]
extern "C" fn nvmlInit_v2() -> Code {
    code(init("nvmlInit_v2"))
}

/// Part of NVML's C interface. The flags only say what init may skip, and here there is nothing to skip.
#[unsafe(no_mangle)]
extern "C" fn nvmlInitWithFlags(_flags: u32) -> Code {
    code(init("nvmlInitWithFlags"))
}

/// Part of NVML's C interface.
#[unsafe(no_mangle)]
extern "C" fn nvmlShutdown() -> Code {
    code(library::enter_uninitialised("nvmlShutdown").and_then(|_| library::lock().shutdown()))
}

/// Part of NVML's C interface. Works before init, as the real one does.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(result: Code) -> *const c_char {
    abi::text_of(result).as_ptr()
}

/// Part of NVML's C interface. Works before init, as the real one does.
///
/// # Safety
///
/// As `nvml.h` says: the pointer is null or points to an int.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion(version: Out<i32>) -> Code {
    let view = library::enter_uninitialised("nvmlSystemGetCudaDriverVersion");
    code(view.and_then(|view| version.put(view.scenario.cuda_driver_version)))
}

/// Part of NVML's C interface. Works before init, as the real one does.
///
/// # Safety
///
/// As `nvml.h` says: the pointer is null or points to an int.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: Out<i32>) -> Code {
    let view = library::enter_uninitialised("nvmlSystemGetCudaDriverVersion_v2");
    code(view.and_then(|view| version.put(view.scenario.cuda_driver_version)))
}

system_calls! {
    nvmlSystemGetDriverVersion(scenario, text: Out<c_char>, length: u32) {
        text.put_text(length, &scenario.driver_version)
    }

    nvmlSystemGetNVMLVersion(scenario, text: Out<c_char>, length: u32) {
        text.put_text(length, &scenario.nvml_version)
    }
}
