//! What is accepted, what wins, and what the errors say.
#![allow(clippy::wildcard_enum_match_arm)]

use std::{path::Path, time::Duration};

use super::{Config, DEFAULT, LogFormat, Override, from_environment, raw::Raw};
use crate::{describe, notice};

fn from(text: &str) -> Result<Config, String> {
    Config::from_text(Some((Path::new("agent.toml"), text)), &[]).map_err(|error| describe(&error))
}

fn refused(text: &str) -> String {
    from(text).expect_err("this configuration cannot be used")
}

fn over(key: &str, value: &str) -> Override {
    Override { origin: "the flag --set".to_owned(), key: key.to_owned(), value: value.to_owned() }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    let documented: Raw = toml::from_str(DEFAULT).unwrap();
    assert_eq!(documented, Raw::default());
}

#[test]
fn every_key_is_documented_with_its_variable() {
    let table: toml::Table = DEFAULT.parse().unwrap();
    for (key, value) in &table {
        let names: Vec<String> = match value {
            toml::Value::Table(section) => section.keys().map(|inner| format!("{key}_{inner}")).collect(),
            _ => vec![key.clone()],
        };
        for name in names {
            let variable = format!("[OSTLER_{}]", name.to_uppercase());
            assert!(DEFAULT.contains(&variable), "{variable} is not documented");
        }
    }
}

#[test]
fn an_empty_file_gives_a_usable_agent() {
    let config = from("").unwrap();
    assert!(!config.node.is_empty());
    assert_eq!(config.zone, "default");
    assert_eq!(config.coordinators.len(), 1);
    assert_eq!(config.interval, Duration::from_secs(1));
    assert!(config.probe_address.ends_with(":7410"), "{}", config.probe_address);
    assert!(config.sources.nvml.is_some() && config.sources.cloud.is_some());
}

#[test]
fn an_unknown_key_is_an_error_that_shows_its_line() {
    let error = refused("node = \"a\"\nzone = \"b\"\n[nvml]\nlibary = \"x\"\n");
    assert!(error.contains("agent.toml") && error.contains("line 4"), "{error}");
    assert!(error.contains("libary") && error.contains("library"), "{error}");
}

#[test]
fn a_value_of_the_wrong_type_is_an_error_that_shows_its_line() {
    let error = refused("zone = \"b\"\ninterval_ms = \"fast\"\n");
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn values_out_of_range_name_their_key_and_what_to_write() {
    for (text, words) in [
        ("interval_ms = 10", "interval_ms is 10; use 100 to 60000"),
        ("node = \"a b\"", "[A-Za-z0-9._-]"),
        ("zone = \"\"", "zone is \"\"; use 1 to 63"),
        ("listen = \"7410\"", "address:port"),
        ("coordinators = [\"localhost:7400\"]", "use http://host:port"),
        ("coordinators = [\"http://a\"]", "use http://host:port"),
        ("coordinators = [\"http://a:1/x\"]", "use http://host:port"),
        ("coordinators = [\"http://a:1\", \"http://a:1\"]", "name each replica once"),
        ("coordinators = [\"https://a:1\"]", "tls.ca"),
        ("[tls]\ncertificate = \"x\"", "tls.key"),
        ("[log]\nformat = \"xml\"", "use \"text\" or \"json\""),
        ("[cloud]\nprovider = \"acme\"", "cloud.provider"),
        ("[cloud]\nurl = \"ftp://x\"", "cloud.url"),
        ("[backoff]\nfirst_ms = 9000\nlongest_ms = 100", "[backoff]"),
        ("[buffer]\nbytes = 1", "buffer.bytes is 1"),
        ("[labels]\n\"\" = \"x\"", "labels"),
        ("[engines]\ntimeout_ms = 1", "engines.timeout_ms"),
    ] {
        let error = refused(text);
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn what_is_said_later_wins() {
    let file =
        Some((Path::new("agent.toml"), "zone = \"file\"\ninterval_ms = 2000\n[log]\nformat = \"json\"\n"));
    let overrides = [over("zone", "environment"), over("zone", "flag"), over("interval_ms", "500")];
    let config = Config::from_text(file, &overrides).unwrap();
    assert_eq!((config.zone.as_str(), config.interval), ("flag", Duration::from_millis(500)));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn the_text_of_an_override_is_taken_as_its_key_wants_it() {
    let overrides = [
        over("node", "12"),
        over("coordinators", "http://a:1, http://b:2"),
        over("nvml.enabled", "false"),
        over("engines.probe_ports", "[1, 2]"),
        over("cloud.provider", "azure"),
        over("labels.rack", "7"),
    ];
    let config = Config::from_text(None, &overrides).unwrap();
    assert_eq!(config.node, "12");
    assert_eq!(config.coordinators.len(), 2);
    assert!(config.sources.nvml.is_none());
    assert_eq!(config.sources.engines.unwrap().probe_ports, [1, 2]);
    let azure = notice::Choice::Only(notice::Provider::Azure);
    assert_eq!(config.sources.cloud.unwrap().provider, azure);
    assert_eq!(config.labels["rack"], "7");
}

#[test]
fn an_override_that_does_not_fit_says_where_it_came_from() {
    for (key, value) in [("interval_ms", "fast"), ("no.such", "1"), ("nvml", "1")] {
        let error = Config::from_text(None, &[over(key, value)]).unwrap_err();
        let error = describe(&error);
        assert!(error.contains("the flag --set sets") && error.contains(key), "{error}");
    }
}

#[test]
fn only_our_own_variables_are_taken() {
    let variables = [
        ("OSTLER_ZONE", "z"),
        ("OSTLER_NVML_CALL_DEADLINE_MS", "700"),
        ("OSTLER_STORE", "etcd"),
        ("PATH", "x"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = from_environment(variables.into_iter());
    let keys: Vec<&str> = overrides.iter().map(|change| change.key.as_str()).collect();
    assert_eq!(keys, ["zone", "nvml.call_deadline_ms"]);
    let nvml = Config::from_text(None, &overrides).unwrap().sources.nvml.unwrap();
    assert_eq!(nvml.call_deadline, Duration::from_millis(700));
}

#[test]
fn a_bare_agent_reads_and_serves_nothing() {
    let config = Config::bare("n", "z", &["http://127.0.0.1:1"]).unwrap();
    assert!(config.listen.is_none() && config.state_directory.is_none() && config.sources.nvml.is_none());
    assert_eq!(config.probe_address, "");
    assert!(Config::bare("n n", "z", &[]).is_err());
}
