//! A load that rises and falls, and who serves it with how much.

use super::*;
use crate::lifecycle::Startup;
use crate::profile::Profile;
use crate::random::{self, Law};
use crate::setup::Zone;
use crate::time::{SimTime, Span};

/// Poisson arrivals of requests with long prompts that swing between 1 and 13 a second every five minutes.
fn swing(seed: u64) -> Vec<Request> {
    let mut stream = random::stream(seed, "contest", [0, 0]);
    let unit = Law::Exponential { mean: Span::from_seconds(1) };
    let mut drawn = move |mean: f64| unit.draw(&mut stream).as_seconds() * mean;
    let mut at_s = 0.0;
    let mut requests = Vec::new();
    while at_s < 600.0 {
        let rate = 7.0 - 6.0 * (at_s * std::f64::consts::TAU / 300.0).cos();
        at_s += drawn(1.0 / rate);
        let arrival = SimTime::after(Span::clamped_from_seconds(at_s));
        let mut tokens = |mean| (drawn(mean).ceil() as u32).max(1);
        let (input_tokens, output_tokens) = (tokens(6000.0), tokens(100.0));
        requests.push(Request { arrival, input_tokens, output_tokens, class: 0, prefix: None });
    }
    requests
}

fn arena(seeds: u64) -> Arena {
    let startup = Startup::constant(Span::from_seconds(30));
    let setup = Setup { startup, replicas_max: 20, ..Setup::new(Profile::llama_8b_h100()) };
    Arena::of(terms(setup, 0.99), (1..=seeds).map(|seed| swing(seed).into()).collect())
        .expect("it is in order")
}

fn terms(setup: Setup, goal: f64) -> Terms {
    Terms { trace: "swing".to_owned(), setup, start: Start::ByDemand, goal }
}

#[test]
fn the_clairvoyant_needs_least_and_a_static_pool_most_of_those_that_hold() {
    let mut told = Vec::new();
    let contenders = [Contender::Oracle, Contender::HpaQueue, Contender::StaticPeak];
    let report = arena(1).run(&contenders, &mut |progress| told.push(progress)).expect("it runs");
    let hours = |contender| {
        let entry = report.entry(contender).expect("it took part");
        assert!(entry.reaches_goal, "{contender}: {:?}", entry.figures.in_objective);
        entry.figures.gpu_hours.mean
    };
    let (oracle, peak) = (hours(Contender::Oracle), hours(Contender::StaticPeak));
    assert!(report.floor_gpu_hours < oracle && oracle < peak * 0.8, "{oracle} {peak}");
    let hpa = hours(Contender::HpaQueue);
    assert!(oracle <= hpa && hpa <= peak * 1.001, "with the right minimum it is no worse: {hpa} {peak}");
    assert_eq!(report.oracle_gpu_hours(), Some(oracle));
    assert!(told.iter().all(|it| it.runs <= it.runs_max), "{:?}", told.last());
}

#[test]
fn seeds_give_intervals_and_repeat_to_the_bit() {
    let arena = arena(3);
    let run = || arena.run(&[Contender::StaticPeak], &mut |_| ()).expect("it runs").entries[0].clone();
    let (one, two) = (run(), run());
    let ttft = one.figures.ttft_p95;
    assert_eq!(ttft, two.figures.ttft_p95);
    assert!(ttft.half.is_some_and(|half| half > 0.0 && half < ttft.mean), "{ttft:?}");
}

#[test]
fn a_run_that_is_given_up_has_missed_and_says_how_many_requests_there_were() {
    let arena = arena(1);
    let trial = |patience| arena.play(&Setting::Static(1), patience, &mut || ()).expect("it runs");
    let (whole, cut) = (trial(Patience::ToTheEnd), trial(Patience::WhileThereIsHope));
    assert!(whole.is_whole() && !cut.is_whole());
    assert!(cut.runs[0].outcome.requests.arrived < whole.runs[0].outcome.requests.arrived);
    assert_eq!(cut.requests, whole.requests);
    assert!(cut.attainment() < 0.99 && whole.attainment() < 0.99);
}

#[test]
fn the_timeline_adds_up_to_the_trace() {
    let mut requests = swing(1);
    requests.iter_mut().step_by(50).for_each(|it| it.input_tokens = 1_000_000);
    let setup = Setup { replicas_max: 20, ..Setup::new(Profile::llama_8b_h100()) };
    let arena = Arena::of(terms(setup, 0.99), vec![requests.into()]).expect("it is in order");
    let trial = arena.play(&Setting::Static(2), Patience::ToTheEnd, &mut || ()).expect("it runs");
    let Run { timeline, outcome, .. } = &trial.runs[0];
    assert!(outcome.requests.aborted.too_long > 50, "what is refused has no answer, and is missed too");
    let arrived: f64 = timeline.requests_per_second.iter().sum::<f64>() * timeline.slice_seconds;
    assert!((arrived - trial.requests as f64).abs() < 0.5, "{arrived} of {}", trial.requests);
    let missed: u64 = timeline.missed.iter().map(|it| u64::from(*it)).sum();
    assert_eq!(missed, trial.requests - outcome.requests.within);
    assert!(timeline.ready.iter().all(|it| *it == 2.0));
}

#[test]
fn what_cannot_be_is_refused() {
    let terms = |goal| terms(Setup::new(Profile::llama_8b_h100()), goal);
    let error =
        |goal, requests: Vec<Request>| Arena::of(terms(goal), vec![requests.into()]).unwrap_err().to_string();
    assert!(error(1.5, swing(1)).contains("goal of 1.5"));
    assert!(error(0.9, Vec::new()).contains("no request"));
}

#[test]
fn wrong_terms_are_told_before_the_trace_is_read() {
    let nowhere = Source::Table("/not/there.csv".into());
    let error = |seeds, change: fn(&mut Terms)| {
        let mut terms = terms(Setup::new(Profile::llama_8b_h100()), 0.9);
        change(&mut terms);
        Arena::new(terms, &nowhere, Options::all, seeds).unwrap_err()
    };
    assert!(matches!(error(1, |it| it.goal = f64::NAN), Error::Goal(_)));
    assert!(matches!(error(0, |_| ()), Error::Seeds(0)));
    assert!(matches!(error(2, |it| it.setup.seed = u64::MAX), Error::SeedsEnd { first: u64::MAX, seeds: 2 }));
    assert!(matches!(error(1, |it| it.setup.seed = u64::MAX), Error::Trace(_)), "the last seed is one");
    let of_setup = |error| matches!(error, Error::Run(world::Error::Setup(_)));
    assert!(of_setup(error(1, |it| it.setup.replicas_min = 101)));
    assert!(of_setup(error(1, |it| it.setup.prices.on_demand = -1.0)));
    assert!(of_setup(error(1, |it| it.start = Start::Replicas(101))));
    assert!(matches!(error(1, |it| it.setup.replicas_max = 1), Error::Trace(_)), "a pool of one is one");
}

#[test]
fn as_many_may_miss_as_leave_the_goals_share() {
    let table =
        [(0.9, 100, 10), (0.999, 1000, 1), (0.999, 999, 0), (0.07, 100, 93), (1.0, 50, 0), (0.5, 1, 0)];
    for (goal, requests, missed) in table {
        assert_eq!(missed_max(goal, requests), missed, "{goal} of {requests}");
    }
    for requests in 1..400_u64 {
        for goal in [0.001, 0.3, 0.7, 0.95, 0.99, 0.9999] {
            let share = |missed: u64| (requests - missed) as f64 / requests as f64;
            let missed = missed_max(goal, requests);
            assert!(
                share(missed) >= goal && (missed == requests || share(missed + 1) < goal),
                "{goal} {requests}"
            );
        }
    }
}

#[test]
fn the_static_pool_is_the_least_within_the_limits_and_no_pool_runs_twice() {
    let arena = arena(1);
    let reaches = |replicas| {
        let trial = arena.play(&Setting::Static(replicas), Patience::ToTheEnd, &mut || ()).expect("it runs");
        trial.attainment() >= arena.goal
    };
    let mut told = 0;
    let pool = search::static_pool(&arena, &mut || told += 1).expect("it runs");
    let least = pool.holds.expect("twenty are enough");
    assert!(least > 2 && reaches(least) && !reaches(least - 1), "{least}");
    assert_eq!(pool.trial.setting, Setting::Static(least));
    assert_eq!(pool.runs, told);
    assert!(told <= 5, "four halve 19, and one more halves the rest: {told}");

    let with = |min, max| {
        let setup = Setup { replicas_min: min, replicas_max: max, ..arena.setup.clone() };
        Arena::of(terms(setup, 0.99), arena.traces.clone()).expect("it is in order")
    };
    let pool = |arena: &Arena| search::static_pool(arena, &mut || ()).expect("it runs");
    assert_eq!(pool(&with(least + 3, 20)).holds, Some(least + 3), "the minimum is the least there can be");
    let short = pool(&with(1, least - 1));
    assert_eq!((short.holds, &short.trial.setting), (None, &Setting::Static(least - 1)));
    let zones = arena.setup.zones.iter().map(|it| Zone { replicas_max: 1, ..it.clone() }).collect();
    let setup = Setup { zones, ..arena.setup.clone() };
    let narrow = Arena::of(terms(setup, 0.99), arena.traces.clone()).expect("it is in order");
    assert_eq!(pool(&narrow).trial.setting, Setting::Static(3), "three zones have room for one each");
}

#[test]
fn runs_for_the_static_pool_are_its_own_and_the_oracle_needs_none() {
    let arena = arena(1);
    let play = |contenders: &[Contender]| {
        let mut told = Vec::new();
        let report = arena.run(contenders, &mut |progress| told.push(progress)).expect("it runs");
        assert!(told.iter().all(|it| it.runs <= it.runs_max), "{:?}", told.last());
        let counted: u32 = report.entries.iter().map(|it| it.search_runs).sum();
        (told, counted)
    };
    let (told, counted) = play(&[Contender::Oracle]);
    assert!(told.iter().all(|it| it.contender == Contender::Oracle));
    assert_eq!(counted as usize, told.len());
    let (told, counted) = play(&[Contender::StaticPeak, Contender::Weighted]);
    assert_eq!(counted as usize, told.len(), "every run is somebody's");
}
