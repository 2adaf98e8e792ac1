//! How far an action reaches: the one scale that verdicts, actions and the brake share.

use std::fmt;

/// How much harm an action could do, from none to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A0: notes and alerts. It needs no permit.
    Annotate,
    /// A1: moves traffic, and can be undone at once.
    Traffic,
    /// A2: adds capacity.
    Additive,
    /// A3: takes capacity or work away: cordon, drain, requeue, restart.
    Disruptive,
    /// A4: cannot be undone: terminate, reboot, delete by force.
    Irreversible,
}

impl Class {
    /// All of them, from little harm to much.
    pub const ALL: [Class; 5] =
        [Class::Annotate, Class::Traffic, Class::Additive, Class::Disruptive, Class::Irreversible];

    /// Those that need a permit, from little harm to much.
    pub const BRAKED: [Class; 4] = [Class::Traffic, Class::Additive, Class::Disruptive, Class::Irreversible];

    /// For example "A3".
    pub const fn code(self) -> &'static str {
        match self {
            Class::Annotate => "A0",
            Class::Traffic => "A1",
            Class::Additive => "A2",
            Class::Disruptive => "A3",
            Class::Irreversible => "A4",
        }
    }

    /// For example "disruptive".
    pub const fn name(self) -> &'static str {
        match self {
            Class::Annotate => "annotate",
            Class::Traffic => "traffic",
            Class::Additive => "additive",
            Class::Disruptive => "disruptive",
            Class::Irreversible => "irreversible",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.code())
    }
}
