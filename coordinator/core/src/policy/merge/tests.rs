use super::*;
use crate::policy::limits::REPLICAS_MAX;
use crate::policy::proposal::Bounds;

const CURRENT: u32 = 5;

fn wants(rank: u8, replicas: impl Into<Option<u32>>) -> Ranked {
    let proposal = Proposal {
        replicas: replicas.into(),
        bounds: Bounds::NONE,
        evidence: Evidence::Enough,
        reasons: Vec::new(),
        conditions: Vec::new(),
    };
    Ranked { rank, proposal }
}

fn lacking(rank: u8, replicas: impl Into<Option<u32>>) -> Ranked {
    let mut ranked = wants(rank, replicas);
    ranked.proposal.evidence = Evidence::Lacking;
    ranked
}

fn bounds(floor: u32, ceiling: u32) -> Ranked {
    let mut ranked = wants(9, None);
    ranked.proposal.bounds = Bounds { floor, ceiling };
    ranked
}

fn decide(rule: Rule, proposals: &[Ranked], vetoes: &[Veto]) -> Decision {
    merge(rule, CURRENT, Limits::new(1, 20).unwrap(), proposals, vetoes)
}

fn replicas(rule: Rule, proposals: &[Ranked]) -> u32 {
    decide(rule, proposals, &[]).replicas
}

#[test]
fn each_rule_chooses_its_own() {
    let proposals = [wants(1, 7), wants(0, 4), wants(2, 9), wants(0, None)];
    assert_eq!(replicas(Rule::Max, &proposals), 9);
    assert_eq!(replicas(Rule::Min, &proposals), 4);
    assert_eq!(replicas(Rule::Priority, &proposals), 4);
    assert_eq!(replicas(Rule::Priority, &[wants(0, None), wants(1, 7), wants(1, 8)]), 7);
}

#[test]
fn without_an_opinion_nothing_changes() {
    for rule in [Rule::Max, Rule::Min, Rule::Priority] {
        let decision = decide(rule, &[wants(0, None)], &[]);
        assert_eq!(decision, Decision { replicas: CURRENT, reasons: vec![Reason::NoOpinion] });
        assert_eq!(replicas(rule, &[]), CURRENT);
    }
}

#[test]
fn while_one_knows_too_little_the_pool_grows_and_does_not_shrink() {
    for rule in [Rule::Max, Rule::Min, Rule::Priority] {
        assert_eq!(replicas(rule, &[wants(0, 2), lacking(1, None)]), CURRENT);
        assert_eq!(replicas(rule, &[lacking(0, 3), wants(1, 2)]), CURRENT);
        assert_eq!(replicas(rule, &[lacking(0, 8), wants(1, 8)]), 8);
    }
    let decision = decide(Rule::Max, &[wants(0, 2), lacking(1, None)], &[]);
    let texts: Vec<_> = decision.reasons.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["proposal 1 was chosen: 2", "not 2: proposal 2 knows too little to shrink by"]);
}

#[test]
fn bounds_hold_the_chosen_count_and_a_ceiling_beats_a_floor() {
    assert_eq!(replicas(Rule::Max, &[wants(0, 2), bounds(4, REPLICAS_MAX), bounds(3, 9)]), 4);
    assert_eq!(replicas(Rule::Max, &[wants(0, 12), bounds(0, 9)]), 9);
    assert_eq!(replicas(Rule::Max, &[wants(0, 6), bounds(8, 9), bounds(0, 7)]), 7);
    assert_eq!(replicas(Rule::Max, &[bounds(8, 9)]), 8, "also of the current count");
    assert_eq!(replicas(Rule::Max, &[lacking(0, None), bounds(0, 3)]), 3, "an order is not a guess");
}

#[test]
fn the_limits_of_the_pool_come_last() {
    assert_eq!(replicas(Rule::Max, &[wants(0, 300)]), 20);
    assert_eq!(replicas(Rule::Max, &[wants(0, 0)]), 1);
    assert_eq!(replicas(Rule::Max, &[bounds(30, 40)]), 20);
    let low = merge(Rule::Max, 50, Limits::new(1, 20).unwrap(), &[lacking(0, None)], &[]);
    assert_eq!(low.replicas, 20, "a pool beyond its maximum comes back whatever is known");
}

#[test]
fn a_veto_stops_what_it_forbids() {
    let veto = |forbids| Veto { forbids, reason: "a zone is down".into() };
    let to = |wanted: u32, forbids| decide(Rule::Max, &[wants(0, wanted)], &[veto(forbids)]).replicas;
    assert_eq!([to(2, Forbids::ScaleIn), to(9, Forbids::ScaleIn)], [CURRENT, 9]);
    assert_eq!([to(2, Forbids::ScaleOut), to(9, Forbids::ScaleOut)], [2, CURRENT]);
    assert_eq!([to(2, Forbids::Change), to(9, Forbids::Change)], [CURRENT; 2]);
    let decision = decide(Rule::Max, &[wants(0, 2)], &[veto(Forbids::ScaleIn), veto(Forbids::Change)]);
    let vetoed = |reason: &&Reason| matches!(reason, Reason::Vetoed { .. });
    assert_eq!(decision.reasons.iter().filter(vetoed).count(), 1, "the second had nothing to stop");
    assert_eq!(decision.reasons.last().unwrap().to_string(), "not 2: a zone is down");
}
