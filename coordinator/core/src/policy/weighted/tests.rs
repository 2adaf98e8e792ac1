use super::super::observation::Sample;
use super::*;

const START: Time = Time::from_millis(1_000_000_000);

fn at(minute: u64) -> Time {
    START + Duration::from_secs(minute * 60)
}

fn fresh(units: i64) -> Reading {
    Reading::Fresh(Sample { value: Milli::from_units(units), at: START, window: Duration::ZERO })
}

/// CPU, memory, response time and queue; none where there is no number.
fn pool(replicas: u32, values: [Option<i64>; 4]) -> Pool {
    let names = Term::source().map(|term| term.metric);
    let readings = names.into_iter().zip(values.map(|value| value.map_or(Reading::Missing, fresh)));
    Pool { replicas_wanted: replicas, readings: readings.collect(), ..Pool::default() }
}

const BUSY: [Option<i64>; 4] = [Some(100), Some(100), Some(5000), Some(300)];
const CALM: [Option<i64>; 4] = [Some(50), Some(60), Some(1000), Some(70)];
const IDLE: [Option<i64>; 4] = [Some(0), Some(0), Some(0), Some(0)];

fn config() -> Config {
    Config::source(Limits::new(1, 20).unwrap())
}

fn look(config: &Config, replicas: u32, values: [Option<i64>; 4]) -> Proposal {
    propose(&pool(replicas, values), config, &mut Memory::default(), START)
}

/// What the engine wants at once.
fn wanted(replicas: u32, values: [Option<i64>; 4]) -> u32 {
    look(&config().immediate(), replicas, values).replicas.unwrap()
}

fn score(proposal: &Proposal) -> (f64, f64) {
    let mut reasons = proposal.reasons.iter();
    let scored = reasons.find_map(|reason| {
        let proposal::Reason::Weighted(Reason::Scored { score, confidence }) = reason else { return None };
        Some((*score, *confidence))
    });
    scored.expect("it always scores")
}

#[test]
fn the_score_is_the_weighted_sum() {
    let config = config().immediate();
    let scored = |values| score(&look(&config, 4, values)).0;
    assert!((scored(BUSY) - 0.95).abs() < 1e-12, "all but the trend");
    assert!((scored(IDLE) + 0.95).abs() < 1e-12);
    assert_eq!(scored(CALM), 0.0);
    let mixed = scored([Some(85), Some(90), Some(100), Some(120)]);
    assert!((mixed - (0.3 * 0.5 + 0.25 * 0.5 - 0.25 * 0.8 + 0.15 * 0.6)).abs() < 1e-12);
}

#[test]
fn a_high_score_grows_the_pool_by_up_to_half() {
    assert_eq!(wanted(10, BUSY), 14, "10 * 0.95 * 0.5, cut off");
    assert_eq!(wanted(1, BUSY), 2, "by one at least");
    assert_eq!(wanted(18, BUSY), 20, "the maximum");
    assert_eq!(wanted(10, CALM), 10);
    assert_eq!(wanted(10, [Some(100), Some(60), Some(1000), Some(70)]), 10, "CPU alone is 0.3, not more");
}

#[test]
fn a_low_score_shrinks_the_pool_by_up_to_a_third() {
    assert_eq!(wanted(10, IDLE), 8, "10 * 0.95 * 0.3, cut off");
    assert_eq!(wanted(2, IDLE), 1);
    assert_eq!(wanted(1, IDLE), 1, "the minimum");
}

#[test]
fn a_metric_without_a_number_stops_shrinking_only() {
    for missing in 0..4 {
        let without = |mut values: [Option<i64>; 4]| {
            values[missing] = None;
            values
        };
        assert_eq!(wanted(10, without(IDLE)), 10);
        assert!(wanted(10, without(BUSY)) > 10);
        let proposal = look(&config().immediate(), 10, without(CALM));
        assert_eq!(proposal.evidence, Evidence::Lacking);
    }
}

#[test]
fn values_must_last_as_long_as_the_table_says() {
    let config = config();
    let mut memory = Memory::default();
    let mut wants = Vec::new();
    for minute in 0..=5 {
        let proposal = propose(&pool(10, BUSY), &config, &mut memory, at(minute));
        wants.push((proposal.replicas.unwrap(), (score(&proposal).0 * 100.0).round() as i64));
    }
    assert_eq!(wants, [(10, 0), (10, 0), (10, 0), (12, 40), (12, 40), (14, 95)]);
}

#[test]
fn a_trend_needs_ten_looks_and_bends_towards_one() {
    let config = config().immediate();
    let mut memory = Memory::default();
    let mut scores = Vec::new();
    for look in 0..10 {
        let values = [Some(31 + 4 * look), Some(60), Some(1000), Some(70)];
        let proposal = propose(&pool(4, values), &config, &mut memory, at(0));
        scores.push(score(&proposal).0);
    }
    assert_eq!(scores[..9], [0.0; 9]);
    assert!((scores[9] - 0.05 * 0.4_f64.tanh()).abs() < 1e-12, "{}", scores[9]);
    let silent = [None, Some(60), Some(1000), Some(70)];
    let proposal = propose(&pool(4, silent), &config, &mut memory, at(1));
    assert_eq!(score(&proposal).0, scores[9], "a look without a number is no point");
    (0..50).for_each(|_| drop(propose(&pool(4, CALM), &config, &mut memory, at(2))));
    assert_eq!(memory.points.len(), TREND_POINTS);
}

#[test]
fn after_a_change_there_is_a_pause() {
    let config = config().immediate();
    let mut memory = Memory::default();
    memory.scaled(START);
    let mut to = |millis| {
        let now = START + Duration::from_millis(millis);
        propose(&pool(10, BUSY), &config, &mut memory, now).replicas.unwrap()
    };
    assert_eq!([to(0), to(299_999), to(300_000)], [10, 10, 14]);
}

#[test]
fn terms_of_accelerators_are_terms_like_the_first() {
    let terms = [
        Term::gpu_utilization(40),
        Term::gpu_memory(20),
        Term::latency(30),
        Term::requests_per_second(10, Curve::new((8, 8), (2, 2))),
    ];
    let values = [85, 90, 3500, 12];
    let readings = terms.iter().zip(values).map(|(term, value)| (term.metric.clone(), fresh(value)));
    let pool = Pool { replicas_wanted: 8, readings: readings.collect(), ..Pool::default() };
    let config = Config { terms: terms.into(), ..config() }.immediate();
    let proposal = propose(&pool, &config, &mut Memory::default(), START);
    assert!((score(&proposal).0 - 0.5).abs() < 1e-12);
    assert_eq!(proposal.replicas, Some(10), "8 * 0.5 * 0.5");
}

#[test]
fn a_decision_explains_itself() {
    let proposal = look(&config().immediate(), 10, [Some(85), None, Some(5000), Some(300)]);
    let texts: Vec<_> = proposal.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "cpu_percent of 85 scores +0.50",
            "memory_percent is missing",
            "response_ms of 5000 scores +1.00",
            "queue_requests of 300 scores +1.00",
            "the score is +0.550, the confidence 0.55",
            "12 instead of 10"
        ]
    );
}
