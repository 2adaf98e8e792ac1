mod naive;

use proptest::prelude::*;

use super::*;

const SECOND: Span = Span::from_seconds(1);

/// A cache of 40 blocks, small enough to run full.
fn small() -> Profile {
    Profile { kv_blocks: 40, seqs_max: 8, budget_tokens: 64, ..Profile::llama_8b_h100() }
}

fn job(id: u32, prompt_tokens: u32, output_tokens: u32) -> Job {
    Job { id: RequestId(id), prompt_tokens, output_tokens }
}

/// Runs until idle and gives everything that finished, in order.
fn run(replica: &mut Replica) -> Vec<Finished> {
    let mut finished = Vec::new();
    while let Some(due) = replica.due() {
        replica.advance(due, &mut finished);
    }
    finished
}

/// Submits each at its time, advancing in between; with `scrape`, catches up all the time.
fn play(profile: Profile, jobs: &[(Span, Job)], scrape: Span) -> (Vec<Finished>, Replica) {
    let mut replica = Replica::new(profile);
    let mut finished = Vec::new();
    for (offset, job) in jobs {
        let at = SimTime::after(*offset);
        let mut scraped = replica.due().unwrap_or(at);
        while let Some(due) = replica.due().filter(|due| *due <= at) {
            replica.advance(due, &mut finished);
            scraped = due;
        }
        while scrape > Span::ZERO && scraped < at {
            replica.catch_up(scraped);
            scraped = scraped + scrape;
        }
        let _ = replica.submit(*job, at);
    }
    finished.extend(run(&mut replica));
    (finished, replica)
}

#[test]
fn a_lone_request_takes_its_prompt_and_then_its_tokens() {
    let profile = Profile::llama_8b_h100();
    let mut replica = Replica::new(profile.clone());
    replica.submit(job(1, 1000, 4), SimTime::ZERO).unwrap();
    let finished = run(&mut replica);
    let first = profile.iteration + profile.prefill_pass + profile.prefill(0, 1000);
    let rest: Span = (1001..1004).map(|context| profile.decode(1, context)).sum();
    assert_eq!(
        finished,
        [Finished {
            id: RequestId(1),
            first_token: SimTime::after(first),
            last_token: SimTime::after(first + rest),
            gap_max: profile.decode(1, 1003),
        }]
    );
    assert_eq!(replica.kv_blocks_used(), 0);
}

#[test]
fn a_long_prompt_is_read_in_chunks_that_fill_the_budget() {
    let profile = Profile::llama_8b_h100();
    let mut replica = Replica::new(profile.clone());
    replica.submit(job(1, 5000, 1), SimTime::ZERO).unwrap();
    let finished = run(&mut replica);
    let passes = (profile.iteration + profile.prefill_pass) * 3;
    assert_eq!(finished[0].first_token, SimTime::after(passes + profile.prefill(0, 5000)));
    assert_eq!(finished[0].first_token, SimTime::after(profile.ttft_alone(5000)));
}

#[test]
fn a_prompt_that_arrives_makes_one_long_gap_for_those_that_decode() {
    let profile = Profile::llama_8b_h100();
    let jobs = [(Span::ZERO, job(1, 10, 200)), (Span::from_millis(500), job(2, 2000, 2))];
    let (finished, _) = play(profile.clone(), &jobs, Span::ZERO);
    let first = finished.iter().find(|it| it.id == RequestId(1)).unwrap();
    let gap = first.gap_max.as_seconds();
    let prompt = (profile.prefill_pass + profile.prefill(0, 2000)).as_seconds();
    assert!(gap > prompt && gap < prompt + 0.007, "{gap} for {prompt}");
}

#[test]
fn a_request_that_can_never_fit_is_refused() {
    let mut replica = Replica::new(small());
    assert_eq!(replica.submit(job(1, 600, 41), SimTime::ZERO), Err(Refused::TooLong));
    assert_eq!(replica.submit(job(2, 600, 40), SimTime::ZERO), Ok(()));
    assert_eq!(run(&mut replica).len(), 1);
}

#[test]
fn a_full_cache_throws_out_the_youngest_which_pays_with_a_long_gap() {
    let jobs: Vec<(Span, Job)> = (0..4).map(|id| (Span::ZERO, job(id, 100, 150))).collect();
    let (finished, replica) = play(small(), &jobs, Span::ZERO);
    assert_eq!(finished.len(), 4);
    assert!(replica.preemptions() > 0);
    let mut sorted = finished.clone();
    sorted.sort_by_key(|it| (it.last_token, it.id));
    assert_eq!(sorted, naive::run(&small(), &jobs));
    assert_eq!(finished[0].id, RequestId(0), "the oldest is never thrown out");
    let gap = |id| finished.iter().find(|it| it.id == RequestId(id)).unwrap().gap_max;
    assert!(gap(3) > gap(0) * 3, "{:?} {:?}", gap(3), gap(0));
}

#[test]
fn waiting_requests_keep_their_order() {
    let jobs: Vec<(Span, Job)> =
        (0..50).map(|id| (Span::from_micros(u64::from(id)), job(id, 20, 30))).collect();
    let (finished, _) = play(small(), &jobs, Span::ZERO);
    assert!(finished.is_sorted_by_key(|it| (it.first_token, it.id)), "{finished:?}");
}

#[test]
fn a_crash_names_every_request_and_leaves_nothing() {
    let mut replica = Replica::new(small());
    for id in 0..12 {
        replica.submit(job(id, 50, 50), SimTime::ZERO).unwrap();
    }
    let due = replica.due().unwrap();
    replica.advance(due, &mut Vec::new());
    assert_eq!(replica.abort(), (0..12).map(RequestId).collect::<Vec<_>>());
    assert_eq!((replica.kv_blocks_used(), replica.due()), (0, None));
    assert_eq!((replica.waiting(), replica.running()), (0, 0));
}

#[test]
fn a_scrape_shows_rates_of_the_interval() {
    let mut replica = Replica::new(Profile::llama_8b_h100());
    replica.read(SimTime::ZERO);
    replica.submit(job(1, 10, 100_000), SimTime::ZERO).unwrap();
    replica.advance(replica.due().unwrap(), &mut Vec::new());
    let reading = replica.read(SimTime::after(SECOND));
    let rates = reading.rates.unwrap();
    assert!((rates.generation_tokens_per_second - 171.0).abs() < 3.0, "{rates:?}");
    assert!(rates.busy_share > 0.98 && reading.running == 1, "{reading:?}");
    assert!(reading.itl_p95.unwrap() >= Span::from_micros(5_800));
}

prop_compose! {
    fn jobs()(parts in prop::collection::vec((0_u64..400_000, 1_u32..400, 1_u32..120), 1..40)) -> Vec<(Span, Job)> {
        let mut at = 0;
        parts
            .into_iter()
            .enumerate()
            .map(|(id, (gap, prompt, output))| {
                at += gap;
                (Span::from_micros(at), job(id as u32, prompt, output))
            })
            .collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn all_that_is_taken_finishes_in_order_of_time(jobs in jobs()) {
        let (finished, replica) = play(small(), &jobs, Span::ZERO);
        prop_assert_eq!(finished.len(), jobs.len());
        prop_assert!(finished.is_sorted_by_key(|it| it.last_token));
        prop_assert_eq!(replica.kv_blocks_used(), 0);
        for it in &finished {
            let (arrival, job) = jobs[it.id.0 as usize];
            prop_assert!(it.first_token > SimTime::after(arrival));
            let gaps = u64::from(job.output_tokens - 1);
            let decoding = it.last_token.since(it.first_token);
            prop_assert!(it.gap_max * gaps >= decoding, "no mean exceeds its maximum");
        }
    }

    #[test]
    fn looking_at_it_changes_nothing(jobs in jobs()) {
        let (seldom, _) = play(small(), &jobs, Span::ZERO);
        let (often, _) = play(small(), &jobs, Span::from_millis(7));
        prop_assert_eq!(seldom, often);
    }

    #[test]
    fn the_cache_is_never_over_full(jobs in jobs()) {
        let mut replica = Replica::new(small());
        for (_, job) in &jobs {
            replica.submit(*job, SimTime::ZERO).unwrap();
        }
        let mut finished = Vec::new();
        let mut now = SimTime::ZERO;
        while let Some(due) = replica.due() {
            prop_assert!(due > now, "time goes on");
            now = due;
            replica.advance(due, &mut finished);
            prop_assert!(replica.kv_blocks_used() <= 40, "{}", replica.kv_blocks_used());
            prop_assert!(replica.running() <= 8);
        }
    }

    #[test]
    fn stretches_in_closed_form_are_the_iterations_one_by_one(jobs in jobs()) {
        let (mut finished, _) = play(small(), &jobs, Span::ZERO);
        finished.sort_by_key(|it| (it.last_token, it.id));
        prop_assert_eq!(finished, naive::run(&small(), &jobs));
    }
}
