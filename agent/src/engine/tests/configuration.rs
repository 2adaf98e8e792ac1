use crate::engine::config::{Config, Error};

fn read(text: &str) -> Result<Config, String> {
    let config: Config = toml::from_str(text).map_err(|error| error.to_string())?;
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

#[test]
fn nothing_written_is_the_default_and_valid() {
    assert_eq!(read(""), Ok(Config::default()));
}

#[test]
fn the_example_of_the_documentation_is_valid() {
    let source = include_str!("../config.rs");
    let example: Vec<&str> = source
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").trim_start())
        .collect();
    let document: toml::Table = example.join("\n").parse().unwrap();
    let config: Config = document["engines"].clone().try_into().unwrap();
    assert_eq!(config.validate(), Ok(()));
    assert_eq!(config.targets.len(), 2);
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    for (text, expected) in [
        ("intervall_ms = 5", "unknown field `intervall_ms`"),
        ("interval_ms = 5", "engines.interval_ms is 5; it must be within 100 and 600000"),
        ("timeout_ms = 2000", "engines.timeout_ms is 2000; it must be within 10 and 1000"),
        ("rate_window_s = 90", "engines.rate_window_s is 90; it must be within 1 and 60"),
        ("[[static]]\nurl = \"127.0.0.1:8000\"", "is not a URL"),
        ("[[static]]\nurl = \"ftp://a/\"", "is not a URL"),
        ("[[static]]\nurl = \"http://a/\"\nkind = \"vlm\"", "unknown variant `vlm`"),
        ("[[static]]\nurl = \"http://a/\"\nkind = \"generic\"", "needs at least one entry in its metrics"),
        (
            "[[static]]\nurl = \"http://a/\"\nmetrics = [{ signal = \"running\", name = \"x\", scale = 0.0 }]",
            "needs a name and a positive scale",
        ),
        (
            "[[static]]\nurl = \"http://a/\"\nname = \"x\"\n[[static]]\nurl = \"http://b/\"\nname = \"x\"",
            "two engines are named \"x\"",
        ),
        ("[kubelet]\nurl = \"\"", "is not a URL"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
    let error = Error::Url("x".to_owned()).to_string();
    assert!(error.contains("http://127.0.0.1:8000/metrics"), "an error says what to write instead");
}
