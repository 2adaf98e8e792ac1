//! What engines are asked for, whatever they call it.

/// Numbers that go up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gauge {
    Running,
    /// A second opinion on running, for engines that report both; the greater one counts.
    Scheduled,
    Waiting,
    /// Share of the KV cache in use, 0 to 1.
    KvUsage,
    KvUsedTokens,
    KvCapacityTokens,
    KvBlocks,
    KvBlockTokens,
    /// Share of prompt tokens found in the prefix cache, 0 to 1.
    PrefixHitRatio,
}

impl Gauge {
    pub(super) const COUNT: usize = Self::PrefixHitRatio as usize + 1;
}

/// Numbers that only go up, until the engine restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    PromptTokens,
    GenerationTokens,
    /// Requests that ended, well or not.
    Requests,
    /// Requests that ended without giving what was asked for.
    Errors,
    Preemptions,
    PrefixQueries,
    PrefixHits,
}

impl Counter {
    pub(super) const COUNT: usize = Self::PrefixHits as usize + 1;
}

/// Durations, in seconds once scaled: histograms, summaries, or only a sum and a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Latency {
    /// Time to first token.
    Ttft,
    /// Time between tokens.
    Itl,
    /// A whole request.
    E2e,
    QueueTime,
}

impl Latency {
    pub(super) const COUNT: usize = Self::QueueTime as usize + 1;
}
