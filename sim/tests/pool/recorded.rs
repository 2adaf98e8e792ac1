//! The published traces through whole pools, with figures that capacity arithmetic gives.

use std::path::{Path, PathBuf};

use ostler_sim::outcome::Outcome;
use ostler_sim::profile::Profile;
use ostler_sim::scaler::{Static, Wanted};
use ostler_sim::setup::Setup;
use ostler_sim::time::Span;
use ostler_sim::trace::{Options, Source};
use ostler_sim::world;

use crate::load;

fn shared(name: &str) -> PathBuf {
    let folder = match std::env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    folder.join("llm_arrivals").join(name)
}

fn play(source: &Source, options: &Options, profile: Profile, replicas: u32) -> Outcome {
    let setup = Setup { profile, ..load::setup(replicas) };
    let requests = source.requests(options).expect("OSTLER_SHARED_DATA can name another data folder");
    let mut scaler = Static(Wanted::on_demand(replicas));
    world::run(&setup, requests, &mut scaler, &mut |_| ()).expect("the trace is in order")
}

#[test]
fn the_azure_trace_needs_its_burst_and_not_its_mean() {
    let source = Source::Azure(shared("azure2023_code.csv.gz"));
    let with = |replicas| play(&source, &Options::all(1), Profile::llama_8b_h100(), replicas);
    let (one, six) = (with(1), with(6));
    assert_eq!((one.requests.arrived, six.requests.arrived), (8_819, 8_819));
    assert_eq!(six.requests.finished, 8_819);
    // 2.57 requests a second of 2,048 tokens are an eighth of what one replica reads, but a second has up to 26 times that.
    assert!(one.attainment() < 0.97, "{}", one.attainment());
    assert!(six.attainment() > 0.99, "{}", six.attainment());
}

#[test]
fn mooncakes_long_prompts_fill_a_replica() {
    let source = Source::Mooncake(shared("mooncake_conversation.jsonl.gz"));
    let with = |replicas| play(&source, &Options::all(1), Profile::llama_8b_h100(), replicas);
    // 3.4 prompts of 12,035 tokens a second cost 0.25 s each at least: nine tenths of a replica, without prefix reuse.
    let (one, four) = (with(1), with(4));
    assert!(one.attainment() < 0.3, "{}", one.attainment());
    assert!(four.attainment() > 0.9, "{}", four.attainment());
    assert!(four.ttft_seconds.p50 > 0.2 && four.ttft_seconds.p50 < 1.0, "{:?}", four.ttft_seconds);
}

#[test]
fn an_hour_of_deepseek_needs_as_many_replicas_as_its_tokens() {
    let source = Source::ServeGen {
        clients: shared("servegen_deepseek-r1_clients.csv.gz"),
        tokens: shared("servegen_deepseek-r1_tokens.csv.gz"),
    };
    let hour = Options::all(1).cut(Span::ZERO, Span::from_seconds(3600)).expect("an hour");
    let with = |replicas| play(&source, &hour, Profile::moe_671b_8xh200(), replicas);
    let (few, enough) = (with(3), with(16));
    assert!(few.requests.arrived > 40_000, "{:?}", few.requests);
    assert!(
        few.attainment() < 0.5 && enough.attainment() > 0.95,
        "{} {}",
        few.attainment(),
        enough.attainment()
    );
    // Some prompts are so long that no number of replicas answers them in time.
    let ceiling = 1.0 - enough.requests.hopeless as f64 / enough.requests.arrived as f64;
    assert!(ceiling < 0.9995 && enough.attainment() <= ceiling, "{} of {ceiling}", enough.attainment());
    assert!(enough.attainment() > ceiling - 0.005, "{} of {ceiling}", enough.attainment());
    assert!((enough.gpu_hours / (16.0 * 8.0 * enough.ended.as_seconds() / 3600.0) - 1.0).abs() < 1e-9);
}
