use std::time::Instant;

use proptest::prelude::*;

use super::captures::capture;
use super::*;

fn lenient(text: &str) -> Parsed<'_> {
    parse(text.as_bytes(), Mode::Lenient, &Limits::default())
}

fn only(text: &str) -> Sample<'_> {
    let parsed = lenient(text);
    assert_eq!(parsed.rejected, Rejections::default(), "{text}");
    assert_eq!(parsed.samples.len(), 1, "{text}");
    parsed.samples.into_iter().next().unwrap()
}

fn reason(text: &str) -> Reason {
    let parsed = lenient(text);
    assert_eq!(parsed.samples, [], "{text}");
    parsed.rejected.first.first().unwrap_or_else(|| panic!("{text} was accepted")).reason
}

/// File, samples, rejected lines. The counts are those of Python's prometheus_client.
const CAPTURES: &[(&str, usize, u32)] = &[
    ("conformance/prometheus_common_expfmt_text.prom.gz", 248, 0),
    ("conformance/prometheus_textparse_1histogram.om.txt.gz", 42, 0),
    ("conformance/prometheus_textparse_alltypes.237mfs.nometa.prom.txt.gz", 1857, 0),
    ("conformance/prometheus_textparse_alltypes.237mfs.prom.txt.gz", 1857, 0),
    ("conformance/prometheus_textparse_alltypes.5mfs.om.txt.gz", 53, 0),
    ("dcgm_exporter_ericsson_nohelp.prom", 20, 0),
    ("dcgm_exporter_kops_1.prom", 23, 0),
    ("dcgm_exporter_kops_2.prom", 23, 0),
    ("dcgm_exporter_rafay_partial.prom", 16, 0),
    ("dcgm_exporter_readme_space_after_comma.prom", 3, 0),
    ("dcgm_exporter_upcloud.prom", 23, 0),
    // Its author abbreviated labels with `...` in all lines but the first two.
    ("dcgm_exporter_viettel_l40s_nohelp.prom", 2, 18),
    ("dynamo_runtime_example.prom", 20, 0),
    ("llamacpp_ik_pr695.prom", 10, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01__idle.metrics.gz", 132, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h100-80gb-hbm3__590.48.01__load.metrics.gz", 138, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h100-mig__590.48.01__idle.metrics.gz", 122, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h100-mig__590.48.01__load.metrics.gz", 128, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h200-mig__590.48.01__idle.metrics.gz", 123, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h200-mig__590.48.01__load.metrics.gz", 129, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h200__590.48.01__idle.metrics.gz", 133, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-h200__590.48.01__load.metrics.gz", 139, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-l40s__595.80__idle.metrics.gz", 130, 0),
    ("nvidia_gpu_exporter/linux-x86_64__nvidia-l40s__595.80__load.metrics.gz", 134, 0),
    ("sglang_dynamo_docs_excerpt.prom", 3, 0),
    ("sglang_gemma2-9b_busy_old_namespace.prom", 135, 0),
    ("sglang_llama3.1-8b.prom", 91, 0),
    ("tgis_ibm_vllm_pr18_excerpt.prom", 15, 0),
    ("triton_datadog_fixture_prefix.prom", 153, 0),
    ("triton_histogram_docs_nonconformant.prom", 7, 0),
    ("triton_summary_docs.prom", 7, 0),
    ("triton_trtllm_base_zero.prom", 10, 0),
    ("triton_trtllm_inflight_batcher.prom", 20, 0),
    ("trtllm_dynamo_docs.prom", 15, 0),
    ("vllm_dynamo_docs_excerpt.prom", 6, 0),
    ("vllm_v1_qwen2.5-0.5b_idle.prom", 395, 0),
];

#[test]
fn every_capture_yields_as_many_samples_as_an_independent_reader_counts() {
    for (file, samples, rejected) in CAPTURES {
        let text = capture(file);
        let parsed = parse(&text, Mode::Lenient, &Limits::default());
        assert_eq!((parsed.samples.len(), parsed.rejected.total), (*samples, *rejected), "{file}");
    }
}

#[test]
fn abbreviated_labels_are_rejected_where_they_begin() {
    let text = capture("dcgm_exporter_viettel_l40s_nohelp.prom");
    let parsed = parse(&text, Mode::Lenient, &Limits::default());
    assert_eq!(
        parsed.rejected.first.first(),
        Some(&Rejected { line: 3, column: 31, reason: Reason::InvalidLabelName })
    );
    assert!(parsed.samples.iter().all(|sample| sample.value == 210.0));
}

#[test]
fn all_openmetrics_conformance_vectors_are_judged_as_the_standard_judges_them() {
    let vectors = String::from_utf8(capture("conformance/openmetrics_parser_vectors.jsonl.gz")).unwrap();
    let mut judged = 0;
    for vector in vectors.lines() {
        let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
        let input = vector["input"].as_str().unwrap();
        let parsed = parse(input.as_bytes(), Mode::OpenMetrics, &Limits::default());
        let valid = parsed.rejected.total == 0;
        assert_eq!(Some(valid), vector["shouldParse"].as_bool(), "{vector} {:?}", parsed.rejected);
        judged += 1;
    }
    assert_eq!(judged, 211);
}

#[test]
fn a_real_openmetrics_document_is_valid_and_one_with_a_negative_sum_is_not() {
    let text = capture("conformance/prometheus_textparse_1histogram.om.txt.gz");
    let parsed = parse(&text, Mode::OpenMetrics, &Limits::default());
    assert_eq!((parsed.samples.len(), parsed.rejected.total), (42, 0));
    assert_eq!(parsed.families.first().map(|family| family.kind), Some(Kind::Histogram));

    // Prometheus' own fixture breaks the rule that a histogram with negative observations has no sum.
    let text = capture("conformance/prometheus_textparse_alltypes.5mfs.om.txt.gz");
    let parsed = parse(&text, Mode::OpenMetrics, &Limits::default());
    assert_eq!(parsed.rejected.first.first().map(|it| it.reason), Some(Reason::Rule("a negative counter")));
}

#[test]
fn names_labels_and_values_come_in_many_spellings() {
    let sample = only(r#"vllm:x{a="1", b = "br{a}ce",c="q\"uo\\te\n\z",} 1.5e3 1700000000000"#);
    assert_eq!(sample.name, "vllm:x");
    assert_eq!(sample.label("b"), Some("br{a}ce"));
    assert_eq!(sample.label("c"), Some("q\"uo\\te\n\\z"));
    assert_eq!((sample.value, sample.timestamp), (1500.0, Some(1.7e12)));

    assert_eq!(only("a 1").value, 1.0);
    assert_eq!(only("  a\t1 \r").value, 1.0);
    assert_eq!(only("a{}1").value, 1.0);
    assert_eq!(only("a { } 1").value, 1.0);
    assert_eq!(only("a +Inf").value, f64::INFINITY);
    assert_eq!(only("a -Inf\n").value, f64::NEG_INFINITY);
    assert!(only("a NaN").value.is_nan());
    assert_eq!(only("a{b=\"\u{20ac}\"} 1").label("b"), Some("\u{20ac}"));
}

#[test]
fn names_in_quotes_stand_between_the_braces() {
    let sample = only(r#"{"http.server {dur}", "net.host"="x"} 2"#);
    assert_eq!((sample.name.as_ref(), sample.label("net.host")), ("http.server {dur}", Some("x")));
    assert_eq!(only(r#"{"a b"} 2"#).name, "a b");
    assert_eq!(reason(r#"a{"b"} 2"#), Reason::NameTwice);
    assert_eq!(reason(r#"{a="b"} 2"#), Reason::MissingName);
    assert_eq!(reason(r#"{} 2"#), Reason::MissingName);
}

#[test]
fn an_exemplar_is_read_with_its_time() {
    let sample = only("a_bucket{le=\"1\",x=\"} # {\"} 3 1.5 # {trace_id=\"#\"} 0.7 1600.25");
    let exemplar = sample.exemplar.unwrap();
    assert_eq!((exemplar.value, exemplar.timestamp), (0.7, Some(1600.25)));
    assert_eq!(exemplar.labels.first().map(|label| label.value.as_ref()), Some("#"));
    assert_eq!(reason("a 1 # {"), Reason::UnterminatedLabels);
    assert_eq!(reason("a 1 # {} x"), Reason::InvalidExemplar);
    assert_eq!(reason("a 1 # remark"), Reason::InvalidExemplar);
}

#[test]
fn each_fault_is_told_apart() {
    for (line, expected) in [
        ("a", Reason::MissingValue),
        ("a{b=\"c\"}", Reason::MissingValue),
        ("a.b 1", Reason::InvalidName),
        ("0a 1", Reason::InvalidName),
        ("\u{e9} 1", Reason::InvalidName),
        ("a one", Reason::InvalidValue),
        ("a 0x1", Reason::InvalidValue),
        ("a 1_0", Reason::InvalidValue),
        ("a 1 NaN", Reason::InvalidTimestamp),
        ("a 1 2 3", Reason::TrailingText),
        ("a{b} 1", Reason::MissingEquals),
        ("a{b=1} 1", Reason::UnquotedValue),
        ("a{b='1'} 1", Reason::UnquotedValue),
        ("a{b=\"1} 1", Reason::UnterminatedValue),
        ("a{b=\"1\\", Reason::UnterminatedValue),
        ("a{b=\"1\"", Reason::UnterminatedLabels),
        ("a{", Reason::UnterminatedLabels),
        ("a{b=\"1\",", Reason::UnterminatedLabels),
        ("a{b=\"1\"c=\"2\"} 1", Reason::MissingComma),
        ("a{b=\"1\",,c=\"2\"} 1", Reason::InvalidLabelName),
        ("a{,} 1", Reason::InvalidLabelName),
        ("a{0b=\"1\"} 1", Reason::InvalidLabelName),
        ("a{b:c=\"1\"} 1", Reason::InvalidLabelName),
        ("a{b=\"1\",b=\"1\"} 1", Reason::DuplicateLabel),
        ("# TYPE a meter", Reason::InvalidType),
        ("<html>", Reason::InvalidName),
    ] {
        assert_eq!(reason(line), expected, "{line}");
    }
}

#[test]
fn a_bad_line_loses_nothing_else() {
    let text = b"a 1\nb{x=\"\xff\"} 2\nc\n# HELP d \xfe\n\n# just a remark\nd 4\r\ne 5";
    let parsed = parse(text, Mode::Lenient, &Limits::default());
    let names: Vec<_> = parsed.samples.iter().map(|sample| (sample.name.as_ref(), sample.line)).collect();
    assert_eq!(names, [("a", 1), ("d", 7), ("e", 8)]);
    let rejected: Vec<_> = parsed.rejected.first.iter().map(|it| (it.line, it.column, it.reason)).collect();
    assert_eq!(
        rejected,
        [(2, 6, Reason::InvalidUtf8), (3, 2, Reason::MissingValue), (4, 10, Reason::InvalidUtf8)]
    );
}

#[test]
fn comments_tell_type_help_and_unit() {
    let parsed = lenient(
        "# TYPE a_seconds counter\n#\tHELP  a_seconds b \\n c\n# UNIT a_seconds seconds\n# TYPE b untyped\n# TYPE c\n# HELP\n#\n# EOF\n",
    );
    assert_eq!(parsed.rejected.total, 0);
    assert_eq!(
        parsed.families,
        [
            Family {
                name: "a_seconds".into(),
                kind: Kind::Counter,
                help: Some("b \\n c"),
                unit: Some("seconds")
            },
            Family { name: "b".into(), ..Family::default() },
        ]
    );
}

#[test]
fn limits_cost_only_what_is_over_them() {
    let limits = Limits { line_bytes: 40, labels: 2, samples: 3, rejected: 2 };
    let long = format!("a{{b=\"{}\"}} 1", "x".repeat(50));
    let text = format!("{long}\na{{a=\"\",b=\"\",c=\"\"}} 1\na 1\nb 2\n{long}\nc 3\nd 4\n");
    let parsed = parse(text.as_bytes(), Mode::Lenient, &limits);
    assert_eq!(parsed.samples.len(), 3);
    assert_eq!((parsed.rejected.total, parsed.rejected.first.len()), (4, 2));
}

#[test]
fn a_page_cut_anywhere_yields_the_lines_before_the_cut() {
    let text = capture("triton_trtllm_inflight_batcher.prom");
    for cut in 0..text.len() {
        let whole_lines = text[..cut].iter().filter(|byte| **byte == b'\n').count();
        let parsed = parse(&text[..cut], Mode::Lenient, &Limits::default());
        let counted = parsed.samples.len() + parsed.rejected.total as usize;
        assert!(counted <= whole_lines + 1 && parsed.rejected.total <= 1, "cut at {cut}");
    }
}

#[test]
fn time_grows_with_the_text_and_not_with_its_square() {
    let evil = ["a{b=\"\\", "a{b=\"1\",", "# {", "\"", "a 1 # {b=\"", "{\"a\",", " "];
    for piece in evil {
        let text = piece.repeat(4_000_000 / piece.len());
        let limits = Limits { line_bytes: usize::MAX, ..Limits::default() };
        let begun = Instant::now();
        parse(text.as_bytes(), Mode::Lenient, &limits);
        parse(text.as_bytes(), Mode::OpenMetrics, &limits);
        // Unoptimised code takes about 0.1 s for these 4 MB; a quadratic reader would take minutes.
        assert!(begun.elapsed().as_secs() < 20, "{piece}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse(&bytes, Mode::Lenient, &Limits::default());
        parse(&bytes, Mode::OpenMetrics, &Limits::default());
    }

    #[test]
    fn any_text_of_the_formats_own_characters_is_read_without_panic(
        text in "([a-c:\"\\\\{},=# \t\r\n0-9.+eE-]|_bucket|le|NaN|Inf|TYPE|HELP|EOF|histogram|\u{e9}){0,80}",
    ) {
        parse(text.as_bytes(), Mode::Lenient, &Limits::default());
        parse(text.as_bytes(), Mode::OpenMetrics, &Limits::default());
    }

    #[test]
    fn whatever_a_label_holds_is_read_back(value in "\\PC{0,20}|[\"\\\\\n{}#,= ]{0,20}", number in any::<f64>()) {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let text = format!("a{{b=\"{escaped}\"}} {number}\n");
        let sample = only(&text);
        prop_assert_eq!(sample.label("b"), Some(value.as_str()));
        prop_assert!(sample.value == number || (sample.value.is_nan() && number.is_nan()));
        let strict = format!("{text}# EOF\n");
        prop_assert_eq!(parse(strict.as_bytes(), Mode::OpenMetrics, &Limits::default()).rejected.total, 0);
    }
}
