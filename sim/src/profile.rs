//! What an iteration of an inference engine costs, and how much it can hold.
//!
//! An iteration takes `iteration + seq * decoding + kv_token * context`, and when it reads prompts also
//! `prefill_pass + prompt_token * tokens + prompt_pair * (end² - start²)` for each chunk from `start` to `end` of its
//! prompt. The last term is the attention of a prompt with itself: over all chunks of a prompt it adds up to the square of its
//! length however it was cut. The form is that of Dynamo's, aiconfigurator's and Vidur's models
//! (reference/autoscaling.md §5).
//!
//! Constants are published ones where there are any; each derivation stands with its profile. They are means: nothing here
//! varies from one iteration to the next.

use crate::time::Span;

/// Tokens in a block of KV cache: vLLM's default.
pub const BLOCK_TOKENS: u32 = 16;

/// An engine on its GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// For people.
    pub name: &'static str,
    /// GPUs of one replica.
    pub gpus: u32,
    /// Replicas that share a node of eight GPUs.
    pub replicas_per_node: u32,
    /// KV cache in blocks of [`BLOCK_TOKENS`].
    pub kv_blocks: u32,
    /// Most requests in the batch.
    pub seqs_max: u32,
    /// Most tokens in an iteration, one for each decoding request and the rest for prompts; more than `seqs_max`.
    pub budget_tokens: u32,
    /// Of every iteration: reading the weights.
    pub iteration: Span,
    /// For each request that decodes.
    pub seq: Span,
    /// For each token of context of the requests that decode.
    pub kv_token: Span,
    /// Of an iteration that reads prompts, on top.
    pub prefill_pass: Span,
    /// For each prompt token.
    pub prompt_token: Span,
    /// For each pair of prompt tokens of one request.
    pub prompt_pair: Span,
    /// What is loaded at start.
    pub weights_bytes: u64,
}

impl Profile {
    /// Llama-3.1-8B on one H100 (80 GB).
    ///
    /// `iteration` 5.74 ms: Dynamo's decode polynomial at an empty cache. `seq` 60 us: aiconfigurator's queueing oracle.
    /// `kv_token` 39.1 ns: 128 KiB (llm-d-inference-sim's profile) over the 3.35 TB/s of an H100 SXM. `prompt_token`
    /// 15.18 us, `prompt_pair` 421 ps, `prefill_pass` 16.50 ms less the 5.74 of any iteration: Dynamo's prefill
    /// polynomial. Cache: vLLM's 90 % of 80 GB less 16 GB of bf16 weights = 427,246 tokens. Batch and budget: vLLM's
    /// 256 and, for even token times, 2,048.
    pub fn llama_8b_h100() -> Profile {
        Profile {
            name: "8b-1xh100",
            gpus: 1,
            replicas_per_node: 8,
            kv_blocks: 26_702,
            seqs_max: 256,
            budget_tokens: 2048,
            iteration: Span::from_micros(5_740),
            seq: Span::from_micros(60),
            kv_token: Span::from_picos(39_126),
            prefill_pass: Span::from_micros(10_761),
            prompt_token: Span::from_picos(15_183_440),
            prompt_pair: Span::from_picos(421),
            weights_bytes: 16_000_000_000,
        }
    }

    /// Llama-3.1-70B over eight H100 by tensor parallelism.
    ///
    /// The 8B profile times the ratios of llm-d-inference-sim's two: token time 25/12 for `iteration`, prompt 500/250
    /// for `prompt_token`, start of a prompt 80/30 for `prefill_pass`, and for `seq` the growth over a batch, 25 ms x (3 - 1)
    /// over 12 ms x (2 - 1). `kv_token`: its 320 KiB over 8 x 3.35 TB/s. `prompt_pair`: 8B's times 5 (80 layers of
    /// 8,192 over 32 of 4,096) over 8. Cache: 90 % of 640 GB less 140 GB = 1,330,566 tokens.
    pub fn llama_70b_8xh100() -> Profile {
        Profile {
            name: "70b-8xh100",
            gpus: 8,
            replicas_per_node: 1,
            kv_blocks: 83_160,
            seqs_max: 256,
            budget_tokens: 2048,
            iteration: Span::from_micros(11_958),
            seq: Span::from_micros(250),
            kv_token: Span::from_picos(12_227),
            prefill_pass: Span::from_micros(28_696),
            prompt_token: Span::from_picos(30_366_880),
            prompt_pair: Span::from_picos(263),
            weights_bytes: 140_000_000_000,
        }
    }

    /// A mixture of experts of DeepSeek-V3's size (671B, 37B active) over eight H200 (141 GB).
    ///
    /// §5 has no constants for one. `iteration` 17.5 ms: 671 GB of fp8 weights over 8 x 4.8 TB/s, since a batch of some tens
    /// touches every expert; a lone request is faster than that in truth. `seq` 150 us and `prompt_token` 36.1 us: GPUStack's
    /// measurements of DeepSeek-V3.2 on 8 x H200 (39.45 ms a token at 3,704 tokens/s, which is 146 requests, less 17.5;
    /// 27,712 tokens/s where prompts dominate). `kv_token`: 70,272 bytes of latent cache (576 values x 2 bytes x 61 layers)
    /// over 38.4 TB/s. `prefill_pass`: as 70B's. `prompt_pair`: 8B's times 7.6 (61 layers x 128 heads x 128 over
    /// 32 x 4,096) over 8. Cache: 90 % of 1,128 GB less 671 GB = 4,898,110 tokens.
    pub fn moe_671b_8xh200() -> Profile {
        Profile {
            name: "moe-671b-8xh200",
            gpus: 8,
            replicas_per_node: 1,
            kv_blocks: 306_131,
            seqs_max: 512,
            budget_tokens: 2048,
            iteration: Span::from_micros(17_474),
            seq: Span::from_micros(150),
            kv_token: Span::from_picos(1_830),
            prefill_pass: Span::from_micros(28_696),
            prompt_token: Span::from_picos(36_085_000),
            prompt_pair: Span::from_picos(400),
            weights_bytes: 671_000_000_000,
        }
    }

    /// What makes an engine of it impossible, if anything does.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.seqs_max == 0 || self.kv_blocks == 0 {
            return Err("no room for a request");
        }
        if self.budget_tokens <= self.seqs_max {
            return Err("no room for prompts beside a full batch");
        }
        if self.iteration == Span::ZERO {
            return Err("iterations that take no time");
        }
        if self.gpus == 0 || self.replicas_per_node == 0 {
            return Err("no GPU, or nodes without a replica");
        }
        Ok(())
    }

    /// What an iteration costs in which so many requests with so much context decode, without prompts.
    pub fn decode(&self, decoding: u64, context_tokens: u64) -> Span {
        self.iteration + self.seq * decoding + self.kv_token * context_tokens
    }

    /// What reading the prompt from token `start` to token `end` adds, without the pass.
    pub fn prefill(&self, start: u64, end: u64) -> Span {
        self.prompt_token * (end - start) + self.prompt_pair * (end * end - start * start)
    }

    /// How long a prompt takes to its first token on an engine that has nothing else to do.
    pub fn ttft_alone(&self, prompt_tokens: u64) -> Span {
        let passes = prompt_tokens.div_ceil(u64::from(self.budget_tokens));
        (self.iteration + self.prefill_pass) * passes + self.prefill(0, prompt_tokens)
    }

    /// The replica time that a request takes when the batch is full: what routers weigh requests with.
    pub fn work(&self, prompt_tokens: u64, output_tokens: u64) -> Span {
        let shared = Span::from_picos(self.iteration.as_picos() / u64::from(self.seqs_max));
        self.prefill(0, prompt_tokens) + (shared + self.seq) * output_tokens
    }

    /// Whether prompt and answer fit the KV cache, alone in the engine.
    pub fn fits(&self, prompt_tokens: u32, output_tokens: u32) -> bool {
        let tokens = u64::from(prompt_tokens) + u64::from(output_tokens);
        Profile::blocks(tokens) <= u64::from(self.kv_blocks)
    }

    /// Blocks that so many tokens take.
    pub(crate) fn blocks(tokens: u64) -> u64 {
        tokens.div_ceil(u64::from(BLOCK_TOKENS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(span: Span) -> f64 {
        span.as_seconds() * 1e3
    }

    #[test]
    fn the_8b_profile_follows_the_polynomials_it_is_made_from() {
        let profile = Profile::llama_8b_h100();
        for tokens in [500_u64, 2_000, 8_000, 16_000] {
            let t = tokens as f64;
            let published = 4.209_989e-7 * t * t + 1.518_344e-2 * t + 16.501_42;
            let ours = millis(profile.iteration + profile.prefill_pass + profile.prefill(0, tokens));
            assert!((ours / published - 1.0).abs() < 0.01, "{tokens}: {ours} for {published}");
        }
        // Where the batch has a thousand tokens of context each.
        for use_share in [0.1, 0.3, 0.5, 0.6] {
            let published = -25.74 * use_share * use_share + 54.01 * use_share + 5.74;
            let tokens = (use_share * f64::from(profile.kv_blocks * BLOCK_TOKENS)) as u64;
            let ours = millis(profile.decode(tokens / 1000, tokens));
            assert!((ours / published - 1.0).abs() < 0.2, "{use_share}: {ours} for {published}");
        }
    }

    #[test]
    fn a_prompt_costs_the_same_however_it_is_cut() {
        let profile = Profile::llama_70b_8xh100();
        let cut = profile.prefill(0, 100) + profile.prefill(100, 2148) + profile.prefill(2148, 5000);
        assert_eq!(cut, profile.prefill(0, 5000));
    }

    #[test]
    fn every_profile_leaves_room_for_prompts_beside_a_full_batch() {
        for profile in [Profile::llama_8b_h100(), Profile::llama_70b_8xh100(), Profile::moe_671b_8xh200()] {
            assert_eq!(profile.check(), Ok(()), "{}", profile.name);
            assert_eq!(profile.gpus * profile.replicas_per_node, 8, "{}", profile.name);
        }
    }
}
