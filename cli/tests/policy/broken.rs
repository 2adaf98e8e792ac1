//! Files with lines that cannot be used, cut files, and files that were changed.

use std::io::Write;

use super::*;

fn queue(t_s: u64, more: &str) -> String {
    format!(r#"{{"t_s":{t_s},"readings":{{"queue":40}}{more}}}"#)
}

const FIRST: &str = r#","replicas_wanted":4"#;

fn kinds(records: &[Value]) -> Vec<&str> {
    records.iter().filter_map(|record| record["record"].as_str()).collect()
}

#[test]
fn a_later_header_that_cannot_be_read_ends_the_case_before() {
    for header in [
        r#"{"version":1,"targets":{}}"#,
        r#"{"version":2}"#,
        r#"{"Version":1,"target":{}}"#,
        r#"{"version":1,"target":{"spec":{"maxReplicas":20,"#,
        "nonsense",
    ] {
        let snapshots = [queue(0, FIRST), queue(15, "")].join("\n");
        let input = format!("{0}\n{snapshots}\n{header}\n{snapshots}\n{0}\n{snapshots}\n", external(""));
        let output = eval("target", &input, &["-o", "json"]);
        assert_eq!(code(&output), 1);
        assert_eq!(
            kinds(&records(&output)),
            [
                "header", "decision", "decision", "error", "error", "error", "header", "decision",
                "decision", "summary"
            ],
            "{header}"
        );
        assert!(stderr(&output).contains("line 5: is not decided: line 4"), "{}", stderr(&output));
    }
}

#[test]
fn a_wrong_snapshot_before_any_header_costs_only_itself() {
    let input = r#"{"t_s":0,"reading":1}"#.to_owned() + "\n" + r#"{"t_s":1,"replicas_wanted":4}"# + "\n";
    let records = records(&eval("weighted", &input, &["-o", "json"]));
    assert_eq!(kinds(&records), ["error", "header", "decision", "summary"]);
}

#[test]
fn a_damaged_header_leaves_no_case_to_replay_by() {
    let case = format!("{}\n{}\n", external(""), queue(0, FIRST));
    let stored = stdout(&eval("target", &(case.clone() + &case), &["-o", "json"]));
    let (first, second) = stored.split_at(stored.rfind("{\"header\"").expect("there is a second header"));
    for (from, to) in [
        ("\"record\":\"header\"", "\"record\":\"heading\""),
        ("{\"header\":", "{\"header\""),
        ("\"policy\":\"target\"", "\"policy\":\"guess\""),
        ("\"maxReplicas\":20", "\"maxReplicas\":0"),
    ] {
        let damaged = second.replacen(from, to, 1);
        assert_ne!(damaged, second, "{from}");
        let replayed = ostler(&["replay", "-"], &format!("{first}{damaged}"));
        assert_eq!(code(&replayed), 1);
        let told = stderr(&replayed);
        assert!(told.contains("line 3: ") && told.contains("line 4: no header"), "{told}");
        assert!(stdout(&replayed).contains("1 of 1 decisions come out the same"), "{}", stdout(&replayed));
        if to.contains("guess") {
            assert!(
                told.contains("no policy is called \"guess\"; this version knows target, panic"),
                "{told}"
            );
        }
    }
}

#[test]
fn what_was_decided_before_the_input_broke_off_is_told() {
    // Without compression, so that the part that is left can be unpacked.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let input: String = (0..50).map(|step| queue(step * 15, FIRST) + "\n").collect();
    packer.write_all(format!("{}\n{input}", external("")).as_bytes()).expect("it is packed");
    let packed = packer.finish().expect("it is packed");
    let cut = |packed: &[u8]| {
        let mut file = tempfile::NamedTempFile::new().expect("a file is made");
        file.write_all(&packed[..packed.len() - 200]).expect("it is written");
        file
    };
    let file = cut(&packed);
    let path = file.path().to_str().expect("a path of text");
    for (more, part) in [(&[][..], "DECIDED"), (&["-o", "json"], "\"record\":\"summary\"")] {
        let output = ostler(&[&["policy", "eval", "target", "-i", path], more].concat(), "");
        assert_eq!(code(&output), 1);
        assert!(stdout(&output).contains(part), "{}", stdout(&output));
        assert!(stdout(&output).lines().count() > 40);
        assert!(stderr(&output).contains("cannot be read"), "{}", stderr(&output));
    }
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let whole = eval("target", &format!("{}\n{input}", external("")), &["-o", "json"]);
    packer.write_all(&whole.stdout).expect("it is packed");
    let file = cut(&packer.finish().expect("it is packed"));
    let replayed = ostler(&["replay", file.path().to_str().expect("a path of text")], "");
    assert_eq!(code(&replayed), 1);
    assert!(stdout(&replayed).contains("decisions come out the same"), "{}", stdout(&replayed));
    assert!(stderr(&replayed).contains("cannot be read"), "{}", stderr(&replayed));
}

#[test]
fn decisions_that_are_gone_and_a_summary_that_was_changed_are_told() {
    let expecting = queue(15, r#","expect":{"replicas":4}"#);
    let input = format!("{}\n{}\n{expecting}\n{{\"t_s\":20}}x\n", external(""), queue(0, FIRST));
    let stored = stdout(&eval("target", &input, &["-o", "json"]));
    let replay = |text: &str| {
        let output = ostler(&["replay", "-"], text);
        (code(&output), stdout(&output), stderr(&output))
    };
    let same = (0, "2 of 2 decisions come out the same, bit for bit\n".to_owned(), String::new());
    assert_eq!(replay(&stored), same);
    let (code_twice, told, _) = replay(&(stored.clone() + &stored));
    assert_eq!((code_twice, told.as_str()), (0, "4 of 4 decisions come out the same, bit for bit\n"));

    let lines: Vec<&str> = stored.lines().collect();
    let [header, first, second, error, summary] = lines[..] else { panic!("{stored}") };
    let file = |lines: &[&str]| lines.join("\n") + "\n";
    let (code, told, _) = replay(&file(&[header, first, error, summary]));
    assert_eq!(code, 1);
    assert!(told.contains("line 4: decisions: 2 was stored, 1 comes out"), "{told}");
    for (from, to, part) in [
        ("\"agreed\":1", "\"agreed\":0", "agreed: 0 was stored, 1 comes out"),
        ("\"bad_lines\":1", "\"bad_lines\":0", "bad_lines: 0 was stored"),
        ("\"compared\":1,", "", "compared: nothing was stored, 1 comes out"),
    ] {
        let changed = summary.replacen(from, to, 1);
        assert_ne!(changed, summary);
        let (code, told, why) = replay(&file(&[header, first, second, error, &changed]));
        assert_eq!(code, 1);
        assert!(told.contains(part), "{told}");
        assert!(why.contains("1 summaries say otherwise"), "{why}");
    }
    let (code, told, why) = replay(&file(&[header, first, second, error]));
    assert_eq!((code, told.as_str()), (1, "2 of 2 decisions come out the same, bit for bit\n"));
    assert!(why.contains("cut short"), "{why}");
}

#[test]
fn notes_have_an_end() {
    let wrong = "{}\n".repeat(300);
    for output in [eval("weighted", &wrong, &[]), ostler(&["replay", "-"], &wrong)] {
        let told = stderr(&output);
        assert!((100..105).contains(&told.lines().count()), "{told}");
        assert!(told.contains("300 lines could not be used"), "{told}");
    }
}

#[test]
fn a_first_line_without_the_header_it_needs_is_told_once_with_a_line_that_helps() {
    let output = eval("target", &(queue(0, FIRST) + "\n"), &["-o", "json"]);
    assert_eq!(kinds(&records(&output)), ["error", "summary"]);
    assert!(stderr(&output).contains("1 lines could not be used"), "{}", stderr(&output));
    for (policy, example) in [
        ("target", r#"{"version":1,"target":{"spec":{"maxReplicas":20,"metrics":[...]}}}"#),
        ("threshold", r#"{"version":1,"threshold":{"rules":[{"metric":"cpu_percent"}]}}"#),
        (
            "schedule",
            r#"{"version":1,"schedule":{"windows":[{"from":"Mon 08:00","until":"Fri 18:00","at_least":6}]}}"#,
        ),
    ] {
        let told = stderr(&eval(policy, &(queue(0, FIRST) + "\n"), &[]));
        assert!(told.contains(example), "{told}");
        if !example.contains("...") {
            let moment = r#"{"time":"2026-01-05T08:00:00Z","replicas_wanted":4}"#;
            assert_eq!(counts(&decisions(policy, &format!("{example}\n{moment}\n"))).len(), 1);
        }
    }
}

#[test]
fn times_before_which_nothing_could_lie_are_refused() {
    let at = |time: &str| format!(r#"{{"time":"{time}","replicas_wanted":4}}"#) + "\n";
    let output =
        eval("weighted", &(at("1970-01-01T23:59:59Z") + &at("1970-01-02T00:00:00Z")), &["-o", "json"]);
    assert_eq!(kinds(&records(&output)), ["header", "error", "decision", "summary"]);
    assert!(stderr(&output).contains("time: must be 1970-01-02T00:00:00Z or later"), "{}", stderr(&output));
    let header = r#"{"version":1,"start":"1970-01-01T00:00:00Z"}"#.to_owned() + "\n";
    assert!(stderr(&eval("weighted", &header, &[])).contains("line 1: start: must be 1970-01-02"));
}

#[test]
fn only_what_a_policy_can_say_may_be_expected_of_it() {
    let snapshot = queue(0, &format!(r#"{FIRST},"expect":{{"asked":4}}"#)) + "\n";
    let output = eval("weighted", &snapshot, &[]);
    assert_eq!(code(&output), 1);
    assert!(stderr(&output).contains("line 1: expect.asked: only the metrics of target ask"));
    assert_eq!(decisions("target", &format!("{}\n{snapshot}", external("")))[0]["agrees"], true);
}

#[test]
fn a_selector_is_read_and_two_series_of_one_name_are_refused() {
    let metric = |kind: &str, key: &str, more: &str| {
        format!(
            r#"{{"type":"{kind}","{key}":{{"metric":{{"name":"queue"{more}}},"target":{{"type":"AverageValue","averageValue":10}}}}}}"#
        )
    };
    let header = |metrics: [String; 2]| {
        let metrics = metrics.join(",");
        format!(r#"{{"version":1,"target":{{"spec":{{"maxReplicas":20,"metrics":[{metrics}]}}}}}}"#)
    };
    let a = r#","selector":{"matchLabels":{"pool":"a"}}"#;
    let b = r#","selector":{"matchLabels":{"pool":"b"}}"#;
    let [outside, inside] = [("External", "external"), ("Pods", "pods")];
    let input = |pair: [String; 2]| format!("{}\n{}\n", header(pair), queue(0, FIRST));
    for pair in [
        [metric(outside.0, outside.1, a), metric(outside.0, outside.1, a)],
        [metric(outside.0, outside.1, a), metric(inside.0, inside.1, b)],
    ] {
        assert_eq!(counts(&decisions("target", &input(pair))).len(), 1);
    }
    let output =
        eval("target", &input([metric(outside.0, outside.1, a), metric(outside.0, outside.1, b)]), &[]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("target.spec.metrics[1]: is called \"queue\" as spec.metrics[0] is"),
        "{}",
        stderr(&output)
    );
}
