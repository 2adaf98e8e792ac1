//! Zones and pools, computed from the whole fleet, and so shared by everyone who asks within a short while.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ostler_core::detect::{Finding, Subject};
use ostler_core::id::ZoneId;
use ostler_core::signals::{self, Summing, Total};
use ostler_core::time::Time;
use ostler_proto::v1;

use crate::convert;
use crate::driver::Driver;

/// A summary is used again for this many times what it took to make, so that making them takes at most a tenth of a core.
const REST_FACTOR: u32 = 9;

/// Longest time that a summary is used again although the fleet changed.
const AGE_MAX: Duration = Duration::from_secs(1);

/// Nodes summed under one lock: about a quarter of a millisecond.
const PART_KEYS: usize = 256;

/// Names of gone zones and pools that are remembered for watches. A fleet has tens of zones and hundreds of pools.
const REMOVED_MAX: usize = 1_000;

/// What is summarized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A zone.
    Zone,
    /// A pool.
    Pool,
}

/// An entry and the revision at which it last changed.
#[derive(Clone, Debug)]
pub struct Versioned<M> {
    /// The entry.
    pub entry: M,
    /// Revision of the fleet that first gave it so.
    pub revision: u64,
}

/// All zones and pools at one moment.
#[derive(Clone, Debug)]
pub struct Summary {
    /// When it was made.
    pub at: Time,
    /// The fleet's revision then.
    pub revision: u64,
    /// All nodes together.
    pub fleet: Total,
    /// By name.
    pub zones: BTreeMap<String, Versioned<v1::Zone>>,
    /// By name.
    pub pools: BTreeMap<String, Versioned<v1::Pool>>,
    /// What is gone, and since which revision; zones and pools.
    pub removed: BTreeMap<(Of, String), u64>,
    /// The same before conversion, for history.
    pub signals: Arc<signals::Summary>,
}

/// A summary, when it was made and how long that took.
type Made = (Instant, Duration, Arc<Summary>);

/// Makes summaries. Clones share them.
#[derive(Clone)]
pub struct Summaries {
    driver: Driver,
    newest: Arc<Mutex<Option<Made>>>,
}

impl Summaries {
    /// Of the driver's fleet.
    pub fn new(driver: Driver) -> Summaries {
        Summaries { driver, newest: Arc::default() }
    }

    /// The newest summary, or one that is young for what it took. Who asks while another makes one waits for it.
    pub fn get(&self) -> Arc<Summary> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, took, summary)) = &*newest
            && made.elapsed() < (*took * REST_FACTOR).min(AGE_MAX)
        {
            return Arc::clone(summary);
        }
        let began = Instant::now();
        let mut summing = Summing::default();
        // What changes while the parts are added may be in the summary, and will be in the next.
        let (revision, now) = self.driver.view(|view| (view.fleet.revision(), view.now));
        while self.driver.view(|view| summing.add(view.fleet, PART_KEYS, view.now)) {}
        let signals = summing.finish();
        let zones = self.driver.view(|view| {
            let zone = |(subject, found): (&Subject, &Finding)| match subject {
                Subject::Zone(zone) => Some((zone.clone(), found.clone())),
                Subject::Observer | Subject::Fleet => None,
                Subject::Node(_) | Subject::Gpu(..) | Subject::Engine(..) => None,
            };
            view.detector.findings().filter_map(zone).collect()
        });
        let before = newest.as_ref().map(|(_, _, summary)| &**summary);
        let summary = Arc::new(Summary::after(before, signals, &zones, (revision, now)));
        *newest = Some((Instant::now(), began.elapsed(), Arc::clone(&summary)));
        summary
    }
}

impl Summary {
    fn after(
        before: Option<&Summary>,
        signals: signals::Summary,
        found: &BTreeMap<ZoneId, Finding>,
        (revision, at): (u64, Time),
    ) -> Summary {
        let zones =
            signals.zones.iter().map(|(name, total)| convert::signals::zone(name, total, found.get(name)));
        let pools = signals.pools.iter().map(|(name, pool)| convert::signals::pool(name, pool));
        let zones = versions(before.map(|it| &it.zones), zones, revision, |it| (&it.name, &mut it.signals));
        let pools = versions(before.map(|it| &it.pools), pools, revision, |it| (&it.name, &mut it.signals));
        let mut removed = before.map(|it| it.removed.clone()).unwrap_or_default();
        if let Some(before) = before {
            let gone = |kind, name: &String| ((kind, name.clone()), revision);
            removed.extend(
                before.zones.keys().filter(|it| !zones.contains_key(*it)).map(|it| gone(Of::Zone, it)),
            );
            removed.extend(
                before.pools.keys().filter(|it| !pools.contains_key(*it)).map(|it| gone(Of::Pool, it)),
            );
        }
        removed.retain(|(kind, name), _| match kind {
            Of::Zone => !zones.contains_key(name),
            Of::Pool => !pools.contains_key(name),
        });
        while removed.len() > REMOVED_MAX {
            let oldest = removed.iter().min_by_key(|(_, revision)| **revision).map(|(key, _)| key.clone());
            oldest.and_then(|key| removed.remove(&key));
        }
        Summary { at, revision, fleet: signals.fleet, zones, pools, removed, signals: Arc::new(signals) }
    }
}

/// Gives each entry the revision at which it last differed in more than its age.
fn versions<M: Clone + PartialEq>(
    before: Option<&BTreeMap<String, Versioned<M>>>,
    entries: impl Iterator<Item = M>,
    revision: u64,
    parts: impl Fn(&mut M) -> (&String, &mut Option<v1::Signals>),
) -> BTreeMap<String, Versioned<M>> {
    let ageless = |entry: &M| {
        let mut entry = entry.clone();
        if let Some(signals) = parts(&mut entry).1 {
            signals.age_ms = 0;
        }
        entry
    };
    let version = |mut entry: M| {
        let name = parts(&mut entry).0.clone();
        let old = before.and_then(|before| before.get(&name));
        let same = old.filter(|old| ageless(&old.entry) == ageless(&entry));
        let revision = same.map_or(revision, |old| old.revision);
        (name, Versioned { entry, revision })
    };
    entries.map(version).collect()
}
