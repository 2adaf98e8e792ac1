//! What may be done, how much at a time, and by whom: the table `[actions]`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ostler_core::brake::{Limits, Mode, Modes, Policy};
use ostler_core::id::PoolId;
use serde::Deserialize;
use tonic::transport::Uri;

use super::{Error, within};
use crate::desk::WebhookSettings as Settings;

/// Pools with modes of their own.
const POOLS_MAX: usize = 1_000;

/// What may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    /// Modes and limits.
    pub brake: Policy,
    /// Endpoints of a pool in a zone that must serve in any case, 0 to 1,000.
    pub floor: u32,
    /// How long an action may be begun after it was decided, 10 s to 600 s.
    pub valid: Duration,
    /// Who carries actions out; none, and nothing is more than a rehearsal.
    pub webhook: Option<Settings>,
}

impl Default for Actions {
    fn default() -> Actions {
        let policy = ostler_core::desk::Policy::default();
        Actions { brake: policy.brake, floor: policy.floor, valid: policy.valid, webhook: None }
    }
}

/// The table, as in the file, the variables and the flags.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawActions {
    /// What is done about traffic (A1): "off", "dry-run" or "act" [default: dry-run].
    #[arg(long = "actions-traffic", env = "OSTLER_ACTIONS_TRAFFIC", value_name = "MODE")]
    traffic: Option<Word>,
    /// What is done to add capacity (A2) [default: dry-run].
    #[arg(long = "actions-additive", env = "OSTLER_ACTIONS_ADDITIVE", value_name = "MODE")]
    additive: Option<Word>,
    /// What is done that disrupts (A3): drain, restart [default: dry-run].
    #[arg(long = "actions-disruptive", env = "OSTLER_ACTIONS_DISRUPTIVE", value_name = "MODE")]
    disruptive: Option<Word>,
    /// What is done that cannot be undone (A4) [default: dry-run].
    #[arg(long = "actions-irreversible", env = "OSTLER_ACTIONS_IRREVERSIBLE", value_name = "MODE")]
    irreversible: Option<Word>,
    /// URL of the webhook that carries actions out, http:// or https:// [default: none, nothing is done].
    #[arg(long, env = "OSTLER_WEBHOOK_URL", value_name = "URL")]
    webhook_url: Option<String>,
    /// File with the key that calls of the webhook are signed with [default: none].
    #[arg(long, env = "OSTLER_WEBHOOK_KEY_FILE", value_name = "FILE")]
    webhook_key_file: Option<PathBuf>,
    /// Endpoints of a pool in a zone that must serve in any case, where there are so many [default: 1].
    #[arg(long = "actions-floor", env = "OSTLER_ACTIONS_FLOOR", value_name = "COUNT")]
    floor: Option<u32>,
    /// Seconds in which an action may be begun after it was decided [default: 60].
    #[arg(long = "actions-valid-s", env = "OSTLER_ACTIONS_VALID_S", value_name = "SECONDS")]
    valid_s: Option<u64>,
    /// Percent of a pool's endpoints in a zone that verdicts may take out of traffic [default: 50].
    #[arg(
        long = "actions-removed-percent-max",
        env = "OSTLER_ACTIONS_REMOVED_PERCENT_MAX",
        value_name = "PERCENT"
    )]
    removed_percent_max: Option<u32>,
    /// Seconds between two disruptive actions in a zone [default: 10].
    #[arg(
        long = "actions-disruptive-interval-s",
        env = "OSTLER_ACTIONS_DISRUPTIVE_INTERVAL_S",
        value_name = "SECONDS"
    )]
    disruptive_interval_s: Option<u64>,
    /// Percent of a zone's nodes that disruptive actions may run on at a time, one at least [default: 5].
    #[arg(
        long = "actions-running-percent-max",
        env = "OSTLER_ACTIONS_RUNNING_PERCENT_MAX",
        value_name = "PERCENT"
    )]
    running_percent_max: Option<u32>,
    /// Percent of a zone's nodes that are disrupted in five minutes when the latch opens [default: 20].
    #[arg(long = "actions-latch-percent", env = "OSTLER_ACTIONS_LATCH_PERCENT", value_name = "PERCENT")]
    latch_percent: Option<u32>,
    /// Modes of single pools, in the file only.
    #[arg(skip)]
    pools: BTreeMap<String, RawModes>,
}

/// Modes of a pool; what is left out is as for all.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawModes {
    traffic: Option<Word>,
    additive: Option<Word>,
    disruptive: Option<Word>,
    irreversible: Option<Word>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
enum Word {
    Off,
    DryRun,
    Act,
}

impl Word {
    const fn mode(self) -> Mode {
        match self {
            Word::Off => Mode::Off,
            Word::DryRun => Mode::DryRun,
            Word::Act => Mode::Act,
        }
    }
}

impl RawModes {
    /// These where they are given, else the others.
    fn over(self, modes: Modes) -> Modes {
        let of = |word: Option<Word>, mode| word.map_or(mode, Word::mode);
        Modes {
            traffic: of(self.traffic, modes.traffic),
            additive: of(self.additive, modes.additive),
            disruptive: of(self.disruptive, modes.disruptive),
            irreversible: of(self.irreversible, modes.irreversible),
        }
    }
}

impl RawActions {
    /// These values where there are any, else the others.
    pub(super) fn over(self, other: RawActions) -> RawActions {
        RawActions {
            traffic: self.traffic.or(other.traffic),
            additive: self.additive.or(other.additive),
            disruptive: self.disruptive.or(other.disruptive),
            irreversible: self.irreversible.or(other.irreversible),
            webhook_url: self.webhook_url.or(other.webhook_url),
            webhook_key_file: self.webhook_key_file.or(other.webhook_key_file),
            floor: self.floor.or(other.floor),
            valid_s: self.valid_s.or(other.valid_s),
            removed_percent_max: self.removed_percent_max.or(other.removed_percent_max),
            disruptive_interval_s: self.disruptive_interval_s.or(other.disruptive_interval_s),
            running_percent_max: self.running_percent_max.or(other.running_percent_max),
            latch_percent: self.latch_percent.or(other.latch_percent),
            pools: if self.pools.is_empty() { other.pools } else { self.pools },
        }
    }

    pub(super) fn check(self) -> Result<Actions, Error> {
        let default = Actions::default();
        let webhook = self.webhook()?;
        let RawActions { traffic, additive, disruptive, irreversible, .. } = self;
        let modes = RawModes { traffic, additive, disruptive, irreversible }.over(Modes::default());
        let pools = self.pools.iter().map(|(name, raw)| (PoolId::from(name.as_str()), raw.over(modes)));
        let pools: BTreeMap<PoolId, Modes> = pools.collect();
        within(pools.len() <= POOLS_MAX, "actions.pools", pools.len(), "at most 1000")?;
        let percent = |key, value: Option<u32>, default| {
            let value = value.unwrap_or(default);
            within((1..=100).contains(&value), key, value, "1 to 100").map(|()| value)
        };
        let known = default.brake.limits;
        let interval = self.disruptive_interval_s.unwrap_or(known.disruptive_interval.as_secs());
        within((1..=3_600).contains(&interval), "actions.disruptive_interval_s", interval, "1 to 3600")?;
        let floor = self.floor.unwrap_or(default.floor);
        within(floor <= 1_000, "actions.floor", floor, "0 to 1000")?;
        let valid = self.valid_s.unwrap_or(default.valid.as_secs());
        within((10..=600).contains(&valid), "actions.valid_s", valid, "10 to 600")?;
        let limits = Limits {
            removed_percent_max: percent(
                "actions.removed_percent_max",
                self.removed_percent_max,
                known.removed_percent_max,
            )?,
            disruptive_interval: Duration::from_secs(interval),
            running_percent_max: percent(
                "actions.running_percent_max",
                self.running_percent_max,
                known.running_percent_max,
            )?,
            latch_percent: percent("actions.latch_percent", self.latch_percent, known.latch_percent)?,
            ..known
        };
        let brake = Policy { limits, modes, pools };
        Ok(Actions { brake, floor, valid: Duration::from_secs(valid), webhook })
    }

    fn webhook(&self) -> Result<Option<Settings>, Error> {
        let given = match (&self.webhook_url, &self.webhook_key_file) {
            (None, None) => return Ok(None),
            (Some(url), Some(key_file)) => (url, key_file.clone()),
            (Some(_), None) => {
                return Err(alone("actions.webhook_url", "given together with actions.webhook_key_file"));
            }
            (None, Some(_)) => {
                return Err(alone("actions.webhook_key_file", "given together with actions.webhook_url"));
            }
        };
        let (text, key_file) = given;
        let usable = |uri: &Uri| {
            matches!(uri.scheme_str(), Some("http" | "https"))
                && uri.host().is_some()
                && uri.authority().is_some_and(|it| !it.as_str().contains('@'))
                && uri.query().is_none()
        };
        let range = "http:// or https:// with a host, without a user (@) or a query, for example \"http://127.0.0.1:9000/actions\"";
        let wrong = || Error::Range { key: "actions.webhook_url", value: text.clone(), range };
        let url = text.parse::<Uri>().ok().filter(usable).ok_or_else(wrong)?;
        Ok(Some(Settings { url, key_file }))
    }
}

fn alone(key: &'static str, range: &'static str) -> Error {
    Error::Range { key, value: "given alone".to_owned(), range }
}

#[cfg(test)]
mod tests {
    use ostler_core::class::Class;

    use super::*;

    fn read(text: &str) -> Actions {
        toml::from_str::<RawActions>(text).unwrap().check().unwrap()
    }

    #[test]
    fn nothing_acts_unless_it_is_said_and_a_pool_may_differ() {
        let none = read("");
        assert_eq!(none, Actions::default());
        assert!(Class::BRAKED.iter().all(|class| none.brake.modes.of(*class) == Mode::DryRun));
        let some = read(
            "traffic = \"act\"\nfloor = 3\n[pools.chat]\ntraffic = \"off\"\n[pools.code]\nadditive = \"act\"",
        );
        let mode = |class, pool: &str| some.brake.mode(class, &PoolId::from(pool));
        assert_eq!(mode(Class::Traffic, "other"), Mode::Act);
        assert_eq!(mode(Class::Traffic, "chat"), Mode::Off);
        assert_eq!((mode(Class::Traffic, "code"), mode(Class::Additive, "code")), (Mode::Act, Mode::Act));
        assert_eq!((mode(Class::Disruptive, "code"), some.floor), (Mode::DryRun, 3));
    }

    #[test]
    fn a_webhook_needs_a_key_and_a_url_without_a_user() {
        let refused =
            |text: &str| toml::from_str::<RawActions>(text).unwrap().check().unwrap_err().to_string();
        let url = |url: &str| format!("webhook_url = \"{url}\"\n");
        let key = "webhook_key_file = \"/k\"\n";
        assert!(refused(key).starts_with("actions.webhook_key_file"), "{}", refused(key));
        assert!(refused(&url("http://h/a")).starts_with("actions.webhook_url"));
        for wrong in ["http://ann:secret@h/a", "ftp://h/a", "http://h/a?b", "/a"] {
            assert!(refused(&format!("{}{key}", url(wrong))).contains("without a user"), "{wrong}");
        }
        assert!(read(&format!("{}{key}", url("https://h:9/a"))).webhook.is_some());
    }
}
