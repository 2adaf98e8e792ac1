//! Kinds of GPU, with the values of real ones; `tests/fake_nvml_profiles.rs` compares them with recorded data.

use serde::Deserialize;

/// A profile that a scenario can name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Profile {
    A100,
    #[default]
    H100,
    H200,
    B200,
}

impl Profile {
    /// Its values in a scenario's own format.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::A100 => include_str!("../profiles/a100.toml"),
            Self::H100 => include_str!("../profiles/h100.toml"),
            Self::H200 => include_str!("../profiles/h200.toml"),
            Self::B200 => include_str!("../profiles/b200.toml"),
        }
    }

    /// Version of the driver on the machine that the values were read from.
    pub(crate) fn driver_version(self) -> &'static str {
        match self {
            Self::A100 => "570.148.08",
            Self::H100 | Self::B200 => "580.105.08",
            Self::H200 => "590.48.01",
        }
    }

    /// The newest CUDA that driver offers, as NVML counts: major times 1000 plus minor times 10.
    pub(crate) fn cuda_driver_version(self) -> i32 {
        match self {
            Self::A100 => 12_080,
            Self::H100 | Self::B200 => 13_000,
            Self::H200 => 13_010,
        }
    }
}
