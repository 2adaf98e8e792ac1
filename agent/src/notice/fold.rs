//! From the notices that stand at each moment to the news: once each, and again when one changes or is withdrawn.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ostler_proto::v1::{self, MaintenanceKind};

/// Notices that stand at once; a machine has a few.
const STANDING_MAX: usize = 64;

/// A notice whose time moves by less is the same: some providers give the time left, others round it.
const MOVED_SECONDS: i64 = 5;

/// A provider's notice, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What tells it from others of the same provider that stand at the same time.
    pub key: String,
    /// Whether the key is the provider's own id, which no later notice will have again.
    pub unique: bool,
    /// What will happen.
    pub kind: MaintenanceKind,
    /// When, if the provider says.
    pub begins: Option<Timestamp>,
    /// The provider's words.
    pub detail: String,
}

/// The notices that stand.
#[derive(Debug)]
pub struct Standing {
    provider: &'static str,
    /// By key, with the id under which each was reported.
    known: BTreeMap<String, (String, Notice)>,
}

impl Standing {
    /// Nothing stands.
    #[must_use]
    pub fn new(provider: &'static str) -> Self {
        Self { provider, known: BTreeMap::new() }
    }

    /// Takes in everything that stands at `now`; returns what is new, has changed, or was withdrawn.
    pub fn fold(&mut self, notices: Vec<Notice>, now: Timestamp) -> Vec<v1::MaintenanceNotice> {
        let mut news = Vec::new();
        let mut standing = BTreeMap::new();
        for notice in notices.into_iter().take(STANDING_MAX) {
            let before = self.known.remove(&notice.key);
            let changed = before.as_ref().is_none_or(|(_, before)| differs(before, &notice));
            let id = match before {
                Some((id, _)) => id,
                None if notice.unique => notice.key.clone(),
                // The provider has no ids: the moment it was first seen tells this notice from a later one.
                None => format!("{}-{}", notice.key, now.as_second()),
            };
            if changed {
                news.push(self.told(&id, &notice, now, false));
            }
            standing.insert(notice.key.clone(), (id, notice));
        }
        let gone = std::mem::replace(&mut self.known, standing);
        let withdrawn = gone.values().filter(|(_, notice)| notice.begins.is_none_or(|begins| begins > now));
        news.extend(withdrawn.map(|(id, notice)| self.told(id, notice, now, true)));
        news
    }

    fn told(&self, id: &str, notice: &Notice, now: Timestamp, cancelled: bool) -> v1::MaintenanceNotice {
        v1::MaintenanceNotice {
            provider: self.provider.to_owned(),
            kind: notice.kind.into(),
            notice_id: id.to_owned(),
            begins_in_ms: notice
                .begins
                .map(|begins| begins.as_millisecond().saturating_sub(now.as_millisecond()).max(0)),
            cancelled,
            detail: notice.detail.clone(),
        }
    }
}

fn differs(before: &Notice, now: &Notice) -> bool {
    let moved = match (before.begins, now.begins) {
        (Some(before), Some(now)) => (before.as_second() - now.as_second()).abs() >= MOVED_SECONDS,
        (None, None) => false,
        _ => true,
    };
    before.kind != now.kind || moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second).unwrap()
    }

    fn notice(key: &str, begins: Option<i64>) -> Notice {
        Notice {
            key: key.to_owned(),
            unique: true,
            kind: MaintenanceKind::Reboot,
            begins: begins.map(at),
            detail: String::new(),
        }
    }

    fn shape(news: &[v1::MaintenanceNotice]) -> Vec<(&str, Option<i64>, bool)> {
        news.iter().map(|news| (news.notice_id.as_str(), news.begins_in_ms, news.cancelled)).collect()
    }

    #[test]
    fn a_standing_notice_is_told_once() {
        let mut standing = Standing::new("aws");
        let news = standing.fold(vec![notice("a", Some(120))], at(0));
        assert_eq!(shape(&news), [("a", Some(120_000), false)]);
        assert_eq!(standing.fold(vec![notice("a", Some(121))], at(5)), []);
    }

    #[test]
    fn a_notice_that_is_moved_is_told_again_under_its_id() {
        let mut standing = Standing::new("aws");
        standing.fold(vec![notice("a", Some(120))], at(0));
        let news = standing.fold(vec![notice("a", Some(600))], at(10));
        assert_eq!(shape(&news), [("a", Some(590_000), false)]);
    }

    #[test]
    fn a_notice_that_goes_before_its_time_was_withdrawn() {
        let mut standing = Standing::new("aws");
        standing.fold(vec![notice("a", Some(120)), notice("b", None)], at(0));
        let news = standing.fold(vec![], at(10));
        assert_eq!(shape(&news), [("a", Some(110_000), true), ("b", None, true)]);
        assert_eq!(standing.fold(vec![], at(20)), []);
    }

    #[test]
    fn a_notice_that_goes_after_its_time_is_over() {
        let mut standing = Standing::new("aws");
        standing.fold(vec![notice("a", Some(120))], at(0));
        assert_eq!(standing.fold(vec![], at(121)), []);
    }

    #[test]
    fn a_notice_without_an_id_gets_another_each_time_it_comes() {
        let mut standing = Standing::new("gcp");
        let preempted = || vec![Notice { unique: false, ..notice("preempted", None) }];
        let first = standing.fold(preempted(), at(0))[0].notice_id.clone();
        standing.fold(vec![], at(10));
        assert_ne!(standing.fold(preempted(), at(20))[0].notice_id, first);
    }

    #[test]
    fn no_more_notices_stand_than_the_bound() {
        let many = (0..200).map(|at| notice(&at.to_string(), None)).collect();
        assert_eq!(Standing::new("aws").fold(many, at(0)).len(), STANDING_MAX);
    }
}
