//! Calls that go wrong on order: the `[[fault]]` entries of a scenario.

use std::{collections::BTreeMap, process, thread, time::Duration};

use serde::Deserialize;

use crate::{
    abi::{self, Code},
    scenario,
};

/// One entry. The first entry that matches a call and is due decides; `action = "ok"` shields a call from later entries.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// C name of the call, for example "nvmlDeviceGetTemperature"; a `*` at the end stands for any rest.
    call: String,
    /// Only calls on this GPU.
    gpu: Option<usize>,
    action: Action,
    /// What "error" answers, and "delay" too when given.
    #[serde(default, deserialize_with = "scenario::optional_code")]
    code: Option<Code>,
    /// How long "delay" takes.
    #[serde(default)]
    delay_ms: u64,
    /// Lets this many matching calls pass first. Counted in each process, and kept when the file changes elsewhere.
    #[serde(default)]
    after_calls: u64,
    /// Goes off this often at most.
    times: Option<u64>,
    /// Share of matching calls that go wrong, spread evenly but irregularly, the same way each time.
    probability: Option<f64>,
    /// With "hang": every later call in the process hangs too, as when the driver's global lock is held.
    #[serde(default)]
    locks_driver: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Ok,
    Error,
    Delay,
    /// The thread never returns; only the end of the process ends it.
    Hang,
    /// The process dies at once, as by a fault inside the driver's library.
    Crash,
}

/// What a call is to do before it answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    action: Action,
    code: Option<Code>,
    delay: Duration,
    pub(crate) locks_driver: bool,
}

/// How often each fault has matched, by its whole text.
pub(crate) type Counters = BTreeMap<String, u64>;

impl Fault {
    /// Checks what the format alone cannot; the error is one line for a person.
    pub(crate) fn check(&self, gpus: usize) -> Result<(), String> {
        if self.gpu.is_some_and(|gpu| gpu >= gpus) {
            return Err(format!("fault on {}: there are only {gpus} GPUs", self.call));
        }
        if self.action == Action::Error && self.code.is_none() {
            return Err(format!("fault on {}: action = \"error\" needs a code", self.call));
        }
        Ok(())
    }

    fn matches(&self, call: &str, gpu: Option<usize>) -> bool {
        let named = match self.call.strip_suffix('*') {
            Some(start) => call.starts_with(start),
            None => call == self.call,
        };
        named && (self.gpu.is_none() || self.gpu == gpu)
    }

    /// Counts one matching call and says whether it goes wrong.
    fn due(&self, counters: &mut Counters) -> bool {
        let seen = counters.entry(format!("{self:?}")).or_insert(0);
        let number = *seen;
        *seen += 1;
        let in_turn = number >= self.after_calls
            && self.times.is_none_or(|times| number < self.after_calls.saturating_add(times));
        in_turn && self.probability.is_none_or(|probability| spread(number) < probability)
    }
}

/// Decides about one call.
pub(crate) fn consult(
    faults: &[Fault],
    counters: &mut Counters,
    call: &str,
    gpu: Option<usize>,
) -> Option<Verdict> {
    let fault = faults.iter().find(|fault| fault.matches(call, gpu) && fault.due(counters))?;
    Some(Verdict {
        action: fault.action,
        code: fault.code,
        delay: Duration::from_millis(fault.delay_ms),
        locks_driver: fault.locks_driver && fault.action == Action::Hang,
    })
}

impl Verdict {
    /// Carries it out. Must not be called while the library is locked.
    pub(crate) fn carry_out(self) -> abi::Outcome {
        match self.action {
            Action::Ok => Ok(()),
            Action::Error => Err(self.code.unwrap_or(abi::NOT_SUPPORTED)),
            Action::Delay => {
                thread::sleep(self.delay);
                self.code.map_or(Ok(()), Err)
            }
            Action::Hang => hang(),
            Action::Crash => process::abort(),
        }
    }
}

/// Never returns.
pub(crate) fn hang() -> ! {
    loop {
        thread::park();
    }
}

/// A number in [0, 1) that looks random and depends on `number` alone (the golden ratio's multiples, well mixed).
fn spread(number: u64) -> f64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
