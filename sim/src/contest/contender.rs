//! Who takes part, and how each can be set.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::policy::limits::Limits;
use ostler_core::time::Time;

use crate::random::Law;
use crate::scaler::{Scaler, Static, Wanted};
use crate::scalers::fixed::Plan;
use crate::scalers::target::Signal;
use crate::scalers::weighted::{FirstTerm, Lasting};
use crate::scalers::{panic, target, threshold, weighted};
use crate::setup::Setup;
use crate::time::Span;

/// A policy by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// Kubernetes' HPA on processors.
    HpaCpu,
    /// Kubernetes' HPA on GPUs.
    HpaGpu,
    /// Kubernetes' HPA on requests in the engines.
    HpaQueue,
    /// KEDA on requests in the engines and before them.
    KedaQueue,
    /// Knative's KPA on requests in flight.
    Kpa,
    /// The weighted score.
    Weighted,
    /// GPUs above a limit for a time.
    Threshold,
    /// The same number at all times, the least that holds.
    StaticPeak,
    /// A plan made with the whole trace known.
    Oracle,
}

impl Contender {
    /// All of them.
    pub const ALL: [Contender; 9] = [
        Contender::HpaCpu,
        Contender::HpaGpu,
        Contender::HpaQueue,
        Contender::KedaQueue,
        Contender::Kpa,
        Contender::Weighted,
        Contender::Threshold,
        Contender::StaticPeak,
        Contender::Oracle,
    ];

    /// As it is written on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Contender::HpaCpu => "hpa-cpu",
            Contender::HpaGpu => "hpa-gpu",
            Contender::HpaQueue => "hpa-queue",
            Contender::KedaQueue => "keda-queue",
            Contender::Kpa => "kpa",
            Contender::Weighted => "weighted",
            Contender::Threshold => "threshold",
            Contender::StaticPeak => "static-peak",
            Contender::Oracle => "oracle",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Contender> {
        Contender::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Whether it is Kubernetes' HPA, whatever it goes by.
    pub const fn is_hpa(self) -> bool {
        match self {
            Contender::HpaCpu | Contender::HpaGpu | Contender::HpaQueue => true,
            Contender::KedaQueue
            | Contender::Kpa
            | Contender::Weighted
            | Contender::Threshold
            | Contender::StaticPeak
            | Contender::Oracle => false,
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One way to set a contender.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// Of an HPA or KEDA.
    Target(target::Setting),
    /// Of the KPA.
    Panic(panic::Setting),
    /// Of the weighted score.
    Weighted(weighted::Setting),
    /// Of the threshold rule.
    Threshold(threshold::Setting),
    /// Another setting with a minimum of its own.
    AtLeast(u32, Box<Setting>),
    /// So many replicas.
    Static(u32),
    /// When to want how many, for starts that take as long as they take on average.
    Plan(Arc<[(Time, u32)]>),
}

/// Between two looks of an adapter; each decides at its own pace.
const LOOK_EVERY: Span = Span::from_seconds(5);

/// Of the KPA, which has windows of seconds.
const LOOK_OFTEN: Span = Span::from_seconds(2);

impl Setting {
    /// The pool as this contender has it, with the luck of a seed.
    pub(crate) fn setup(&self, shared: &Setup, seed: u64) -> Setup {
        if let Setting::AtLeast(floor, setting) = self {
            let setup = setting.setup(shared, seed);
            let initial = Wanted::on_demand(setup.initial.total().max(*floor));
            return Setup { replicas_min: setup.replicas_min.max(*floor), initial, ..setup };
        }
        let setup = Setup { seed, decide_every: LOOK_EVERY, ..shared.clone() };
        match self {
            Setting::Panic(_) => Setup { decide_every: LOOK_OFTEN, ..setup },
            Setting::Static(replicas) => Setup { initial: Wanted::on_demand(*replicas), ..setup },
            Setting::Plan(steps) => {
                let first = steps.first().map_or(setup.initial.total(), |(_, replicas)| *replicas);
                Setup { initial: Wanted::on_demand(first), ..known_starts(setup) }
            }
            Setting::Target(_) | Setting::Weighted(_) | Setting::Threshold(_) | Setting::AtLeast(..) => setup,
        }
    }

    /// A scaler that is set this way.
    pub(crate) fn scaler(&self, setup: &Setup) -> Box<dyn Scaler> {
        let limits = Limits::new(setup.replicas_min, setup.replicas_max).expect("the setup was checked");
        match self {
            Setting::Target(setting) => Box::new(target::Target::new("target", *setting, limits)),
            Setting::Panic(setting) => Box::new(panic::Panic::new(*setting)),
            Setting::Weighted(setting) => Box::new(weighted::Weighted::new(*setting, limits)),
            Setting::Threshold(setting) => Box::new(threshold::Threshold::new(*setting, limits)),
            Setting::AtLeast(_, setting) => setting.scaler(setup),
            Setting::Static(replicas) => Box::new(Static(Wanted::on_demand(*replicas))),
            Setting::Plan(steps) => {
                Box::new(Plan::new("oracle", steps.to_vec()).expect("plans have steps in order"))
            }
        }
    }
}

/// Starts that take their mean time, on nodes that are there with the image on them: who knows the future has asked for
/// the node in time.
fn known_starts(mut setup: Setup) -> Setup {
    let startup = &mut setup.startup;
    startup.pending_node = Law::Constant(Span::ZERO);
    startup.pull = Law::Constant(Span::ZERO);
    startup.load = Law::Constant(startup.load.mean());
    startup.warm = Law::Constant(startup.warm.mean());
    setup
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |duration: &Duration| duration.as_secs();
        match self {
            Setting::Target(target::Setting { signal, target, window, stabilization }) => {
                let (signal, of) = match signal {
                    Signal::Replicas(gauge) => (gauge.name(), "a replica"),
                    Signal::Pool(gauge) => (gauge.name(), "of the sum a replica"),
                };
                let (window, stabilization) = (seconds(window), seconds(stabilization));
                write!(
                    f,
                    "{signal} {target:.1} {of}, mean of {window} s, larger counts hold {stabilization} s"
                )
            }
            Setting::Panic(panic::Setting { target, stable_window }) => {
                write!(f, "{target:.1} in flight a replica, window {} s", seconds(stable_window))
            }
            Setting::Weighted(weighted::Setting { first_term, threshold_percent, lasting }) => {
                let first = match first_term {
                    FirstTerm::Cpu => "CPU",
                    FirstTerm::Gpu => "GPU",
                };
                let lasting = match lasting {
                    Lasting::Minutes => "after minutes",
                    Lasting::Immediate => "at once",
                };
                write!(f, "{first} first, beyond 0.{threshold_percent:02}, {lasting}")
            }
            Setting::Threshold(threshold::Setting { above_percent, lasting }) => {
                write!(f, "GPUs above {above_percent:.0} % for {} s", seconds(lasting))
            }
            Setting::AtLeast(floor, setting) => write!(f, "at least {floor} replicas, {setting}"),
            Setting::Static(replicas) => write!(f, "{replicas} replicas"),
            Setting::Plan(steps) => write!(f, "a plan of {} steps", steps.len()),
        }
    }
}
