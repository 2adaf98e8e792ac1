//! Recorded cases as others may have written them.

use super::*;

/// A case of two pods at their target, with more keys for the case, the step and the first pod.
fn case(of_case: &str, of_step: &str, pods: &str) -> String {
    format!(
        r#"{{"target_milli":10000,"Min":1,"Max":20{of_case},"steps":[{{"t_s":0,"current":2,"pods":{pods}{of_step}}}]}}"#
    ) + "\n"
}

fn pods(more: &str) -> String {
    format!(
        r#"[{{"phase":"Running","ready":true,"value_milli":30000{more}}},{{"phase":"Running","ready":true,"value_milli":10000}}]"#
    )
}

fn decided(line: &str) -> Value {
    let output = eval("target", line, &["--format", "hpa", "-o", "json"]);
    assert_eq!(code(&output), 0, "{line}: {}", stderr(&output));
    records(&output).into_iter().find(|record| record["record"] == "decision").expect("it is decided")
}

#[test]
fn a_case_is_not_lost_to_how_it_was_written() {
    let asked = |line: &str| decided(line)["proposal"]["asked"].clone();
    assert_eq!(asked(&case("", "", &pods(""))), 4);
    assert_eq!(asked(&case("", "", "null")), Value::Null, "no pods, no answer");
    assert_eq!(asked(&case("", "", "[]")), Value::Null);
    assert_eq!(asked(&case("", r#","conditions":[],"seen":{"a":1}"#, &pods(""))), 4);
    assert_eq!(asked(&case(r#","name":"x""#, "", &pods(r#","start_time":"2026-01-05T08:00:00Z""#))), 4);
    assert_eq!(asked(&case("", "", &pods("").replace("\"ready\":true,", ""))), 4);
    assert_eq!(asked(&case("", "", &pods("").replace("Running", "Unknown"))), 4);
    for gone in [r#","deletionTimestamp":"2026-01-05T08:00:00Z""#, r#","deleted":true"#, r#","leaving":5"#] {
        assert_eq!(asked(&case("", "", &pods(gone))), 2, "the other is at its target, and two is the count");
    }
    assert_eq!(asked(&case("", "", &pods(r#","deletionTimestamp":null"#))), 4);
}

#[test]
fn an_error_of_the_metric_is_a_text_or_a_truth() {
    for (error, agrees) in [("true", false), ("false", true), ("\"\"", true), ("\"no metrics\"", false)] {
        let line = case("", &format!(r#","metric_error":{error}"#), &pods(""));
        let output = eval("target", &line, &["--format", "hpa", "-o", "json"]);
        assert_eq!(code(&output), i32::from(!agrees), "{error}");
        assert_eq!(records(&output)[1]["agrees"], agrees, "{error}: {}", stderr(&output));
    }
}

#[test]
fn no_limits_of_the_rate_are_what_kubernetes_takes_them_for() {
    let decided = |select: &str| {
        let behavior = format!(
            r#","behavior":{{"scaleUp":{{"policies":[],"selectPolicy":"{select}"}},"scaleDown":{{"policies":[]}}}}"#
        );
        decided(&case(&behavior, "", &pods("")))["decision"]["replicas"].clone()
    };
    assert_eq!(["Max", "Min", "Disabled"].map(decided), [2, 4, 2]);
}

#[test]
fn a_key_that_is_not_used_is_told_once_and_a_wrong_type_is_refused() {
    let surprising = case(r#","extra":1"#, r#","conditions":[]"#, &pods(r#","node":"n1""#));
    let output = eval("target", &surprising.repeat(3), &["--format", "hpa"]);
    assert_eq!(code(&output), 0);
    assert_eq!(
        stderr(&output),
        "line 1: extra is not used, here and further on\n\
         line 1: steps[].conditions is not used, here and further on\n\
         line 1: steps[].pods[].node is not used, here and further on\n"
    );
    for (line, part) in [
        (case("", "", "5"), "steps[0].pods: invalid type: integer `5`"),
        (case("", r#","metric_error":5"#, &pods("")), "true, false, or the text of an error"),
        (case("", "", &pods("").replace("30000", "\"30\"")), "steps[0].pods[0].value_milli: invalid type"),
        (
            case("", "", &pods("").replace("Running", "Gone")),
            "steps[0].pods[0].phase: unknown variant `Gone`",
        ),
        (case("", "", &pods("")).replace("\"current\"", "\"Current\""), "missing field `current`"),
    ] {
        let told = stderr(&eval("target", &line, &["--format", "hpa"]));
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn a_file_of_the_other_format_is_told_as_such() {
    let line = case("", "", &pods(""));
    let output = eval("target", &line, &[]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("line 1: looks like a recorded case"), "{}", stderr(&output));
    assert!(stderr(&output).contains("--format hpa"));
    let snapshots = format!("{}\n{}\n", external(""), r#"{"t_s":0,"replicas_wanted":4}"#);
    let output = eval("target", &snapshots, &["--format", "hpa"]);
    assert_eq!(code(&output), 1);
    let told = stderr(&output);
    for line in ["line 1", "line 2"] {
        assert!(told.contains(&format!("{line}: is a header or a snapshot")), "{told}");
    }
    assert!(told.contains("leave --format hpa off"), "{told}");
}
