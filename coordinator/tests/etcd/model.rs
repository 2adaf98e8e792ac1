//! The model of etcd that the election is proven against, beside a real etcd: both are asked the same, step by step, and
//! must answer the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ostler_coordinator::lead::Electorate as _;
use ostler_coordinator::store::etcd::Electorate;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use self::serve::serve;
use self::sim_etcd::SimEtcd;
use crate::server::{PATIENCE, Server};
use crate::{Answer, LeaseId, Request};

#[path = "../../core/src/lead/tests/serve.rs"]
mod serve;
#[path = "../../core/src/lead/tests/sim_etcd.rs"]
#[allow(dead_code, reason = "what only time or a new leader of etcd does cannot be compared step by step")]
mod sim_etcd;

/// Steps of one run, and runs.
const STEPS: u32 = 400;
const SEEDS: u64 = 3;

/// Long enough that no lease expires during a run: how leases expire has tests of its own in the model's crate.
const TTL: Duration = Duration::from_secs(600);

const KEYS: [&str; 3] = ["lead/candidates/a", "lead/candidates/b", "lead/candidates/c"];

struct Pair {
    real: Electorate,
    model: SimEtcd,
    /// Leases that were granted, as the real one and the model number them.
    leases: Vec<(LeaseId, LeaseId)>,
    /// The last create revision that was told of each key.
    numbers: BTreeMap<&'static str, u64>,
    random: SmallRng,
    /// Kinds of answers seen.
    kinds: BTreeSet<String>,
}

impl Pair {
    fn new(server: &Server, seed: u64) -> Pair {
        Pair {
            real: Electorate::open(&server.config()).unwrap(),
            model: SimEtcd::new(),
            leases: Vec::new(),
            numbers: BTreeMap::new(),
            random: SmallRng::seed_from_u64(seed),
            kinds: BTreeSet::new(),
        }
    }

    fn key(&mut self) -> &'static str {
        KEYS[self.random.random_range(0..KEYS.len())]
    }

    /// A lease that was granted, or one that never was.
    fn lease(&mut self) -> (LeaseId, LeaseId) {
        let nobody = (LeaseId(4_711), LeaseId(4_711));
        let at = self.random.random_range(0..=self.leases.len());
        self.leases.get(at).copied().unwrap_or(nobody)
    }

    /// A question to the real one and the same question to the model; only leases have different numbers.
    fn question(&mut self) -> (Request, Request) {
        let key = self.key();
        // The right number four times of five, else the next one; a candidate has always drawn one before it asks.
        let number = self.numbers.get(key).copied().unwrap_or(1) + self.random.random_range(0..5) / 4;
        let epoch_key: Box<str> = "lead/epoch".into();
        let key: Box<str> = key.into();
        let request = match self.random.random_range(0..10) {
            0 => Request::Grant { ttl: TTL },
            1 => {
                let (real, model) = self.lease();
                return (Request::KeepAlive { lease: real }, Request::KeepAlive { lease: model });
            }
            2 => {
                let (real, model) = self.lease();
                return (Request::Revoke { lease: real }, Request::Revoke { lease: model });
            }
            3 | 4 => {
                let (real, model) = self.lease();
                let put = |lease| Request::PutIfAbsent { key: key.clone(), value: "replica".into(), lease };
                return (put(real), put(model));
            }
            5 => Request::ReadKey { key },
            6 => Request::ReadQueue { key, create_revision: number, candidates: "lead/candidates/".into() },
            7 => Request::Claim { key, create_revision: number, epoch_key, epoch: number.to_be_bytes() },
            8 => Request::ReadEpoch { key, create_revision: number, epoch_key },
            _ => Request::SeedEpoch { epoch_key, epoch: 0_u64.to_be_bytes() },
        };
        (request.clone(), request)
    }

    async fn step(&mut self) {
        let (to_real, to_model) = self.question();
        let real = self.real.ask(to_real.clone()).await;
        let model = serve(&mut self.model, &to_model, 0);
        let kind = format!("{real:?}");
        self.kinds.insert(kind.split(' ').next().unwrap_or_default().to_owned());
        match (&real, &model) {
            (Answer::Granted { lease: a, ttl: x }, Answer::Granted { lease: b, ttl: y }) => {
                assert_eq!(x, y);
                self.leases.push((*a, *b));
            }
            (Answer::LeaseNotFound, Answer::Kept { ttl }) => {
                assert!(ttl.is_zero(), "{to_real:?}: a length of zero says the same");
            }
            _ => assert_eq!(real, model, "{to_real:?}"),
        }
        if let (Request::PutIfAbsent { key, .. }, Answer::Key { create_revision }) = (&to_real, &real) {
            let key = KEYS.into_iter().find(|it| **it == **key).expect("one of them");
            self.numbers.insert(key, *create_revision);
        }
    }

    /// A watch of the real one ends where the model knows a deletion.
    async fn compare_deletions(&self) {
        for key in KEYS {
            let Some(number) = self.numbers.get(key) else { continue };
            let deleted = self.model.deletions(key, *number).expect("nothing was compacted");
            let watch = self.real.deleted(key, *number);
            if deleted {
                tokio::time::timeout(PATIENCE, watch).await.expect("it is told").expect("it can be watched");
            } else {
                let there = self.real.ask(Request::ReadKey { key: key.into() }).await;
                assert_eq!(there, Answer::Key { create_revision: *number }, "{key} was never deleted");
            }
        }
    }
}

#[tokio::test]
async fn the_model_of_etcd_answers_like_etcd_at_every_step() {
    let mut kinds = BTreeSet::new();
    for seed in 0..SEEDS {
        let server = Server::start().await;
        let mut pair = Pair::new(&server, seed);
        for step in 0..STEPS {
            pair.step().await;
            if step % 50 == 0 {
                pair.compare_deletions().await;
            }
        }
        pair.compare_deletions().await;
        kinds.append(&mut pair.kinds);
    }
    let all = ["Claimed", "Epoch", "Granted", "Kept", "Key", "KeyGone", "LeaseNotFound", "Queue", "Seeded"];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), all, "every kind of answer came");
}
