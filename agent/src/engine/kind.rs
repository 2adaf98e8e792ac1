//! The engines that are known by name.

use ostler_proto::v1;
use serde::Deserialize;

/// Which engine it is, and so what its metrics are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are those of the engines")]
pub enum Kind {
    Vllm,
    Sglang,
    Tgi,
    /// Triton, with or without the TensorRT-LLM backend.
    Triton,
    /// `trtllm-serve`.
    #[serde(alias = "trtllm-serve", alias = "tensorrt-llm")]
    Trtllm,
    #[serde(alias = "llama.cpp")]
    Llamacpp,
    Lmdeploy,
    /// Anything else: its names are configured.
    Generic,
}

/// What every metric of an engine begins with, most telling first: Triton also fronts other engines.
const PREFIXES: [(&str, Kind); 8] = [
    ("vllm", Kind::Vllm),
    ("sglang", Kind::Sglang),
    ("trtllm_", Kind::Trtllm),
    ("lmdeploy", Kind::Lmdeploy),
    ("llamacpp", Kind::Llamacpp),
    ("tgi_", Kind::Tgi),
    ("nv_trt_llm_", Kind::Triton),
    ("nv_inference_", Kind::Triton),
];

impl Kind {
    /// As in configuration and in engine names.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::Tgi => "tgi",
            Self::Triton => "triton",
            Self::Trtllm => "trtllm",
            Self::Llamacpp => "llamacpp",
            Self::Lmdeploy => "lmdeploy",
            Self::Generic => "generic",
        }
    }

    /// The kind that a person names, however it is written: `llama.cpp`, `TensorRT-LLM`.
    pub fn from_name(name: &str) -> Option<Self> {
        let letters = name.chars().filter(char::is_ascii_alphanumeric);
        let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
        if name == "tensorrtllm" {
            return Some(Self::Trtllm);
        }
        let all = PREFIXES.into_iter().map(|(_, kind)| kind).chain([Self::Generic]);
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Which engine would have a metric of this name, and how telling that is: less is more.
    pub(super) fn of_metric(name: &str) -> Option<(usize, Self)> {
        let found = PREFIXES.iter().enumerate().find(|(_, (prefix, _))| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| prefix.ends_with('_') || rest.starts_with([':', '_']))
        })?;
        Some((found.0, found.1.1))
    }

    /// Where the engine serves its metrics unless told otherwise.
    pub(super) fn default_path(self) -> &'static str {
        match self {
            Self::Trtllm => "/prometheus/metrics",
            Self::Vllm
            | Self::Sglang
            | Self::Tgi
            | Self::Triton
            | Self::Llamacpp
            | Self::Lmdeploy
            | Self::Generic => "/metrics",
        }
    }
}

impl From<Kind> for v1::EngineKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Vllm => Self::Vllm,
            Kind::Sglang => Self::Sglang,
            Kind::Tgi => Self::Tgi,
            Kind::Triton => Self::Triton,
            Kind::Trtllm => Self::Trtllm,
            Kind::Llamacpp => Self::Llamacpp,
            Kind::Lmdeploy => Self::Lmdeploy,
            Kind::Generic => Self::Generic,
        }
    }
}
