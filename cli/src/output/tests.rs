//! What tables, JSON and YAML look like.

use ostler_proto::v1;

use super::*;

fn output(format: Format, colour: bool, width: Option<u16>) -> Output {
    Output { format, colour, width }
}

fn node(name: &str) -> Entry {
    Entry::Node(v1::Node {
        name: name.to_owned(),
        zone: "zone-a".to_owned(),
        state: v1::NodeState::Fresh.into(),
        age_ms: 412,
        gpu_count: 8,
        gpu_ok_count: 7,
        gpu_utilization_percent: Some(61.4),
        requests_waiting: Some(12.0),
        ..v1::Node::default()
    })
}

#[test]
fn a_table_has_a_line_for_each_entry_and_dashes_for_the_unknown() {
    let text = output(Format::Table, false, None).table(Kind::Nodes, &[node("n1"), node("n2")], &[]);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3);
    let words: Vec<&str> = lines[1].split_whitespace().collect();
    assert_eq!(words, ["n1", "zone-a", "fresh", "-", "0.4s", "7/8", "61%", "-", "0", "-", "12", "-", "no"]);
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn colours_come_only_when_asked_for() {
    assert!(output(Format::Table, true, None).table(Kind::Nodes, &[node("n1")], &[]).contains("\u{1b}["));
}

#[test]
fn a_table_fits_the_terminal() {
    let text = output(Format::Wide, false, Some(80)).table(Kind::Nodes, &[node("n1")], &[]);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn named_fields_become_the_columns() {
    let fields = ["name", "state", "zone.nothing"].map(str::to_owned);
    let text = output(Format::Table, false, None).table(Kind::Nodes, &[node("n1")], &fields);
    let words: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words, [vec!["NAME", "STATE", "ZONE.NOTHING"], vec!["n1", "NODE_STATE_FRESH", "-"]]);
}

#[test]
fn hostile_names_cannot_move_the_cursor() {
    let text = output(Format::Wide, true, None).table(Kind::Nodes, &[node("\u{1b}[2Jgone\nx")], &[]);
    assert!(!text.contains("\u{1b}[2J"), "{text:?}");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn every_kind_has_as_many_cells_as_titles() {
    let entries = [
        Entry::Node(v1::Node::default()),
        Entry::Gpu(v1::Gpu::default()),
        Entry::Engine(v1::Engine::default()),
        Entry::Pool(v1::Pool::default()),
        Entry::Zone(v1::Zone::default()),
        Entry::Event(v1::Event::default()),
        Entry::Decision(v1::Decision::default()),
        Entry::Action(v1::Action::default()),
        Entry::Hold(v1::Hold::default()),
    ];
    for entry in entries {
        for wide in [false, true] {
            assert_eq!(columns::cells(&entry, wide).len(), columns::titles(entry.kind(), wide).len());
        }
    }
}

#[test]
fn json_keeps_the_names_of_the_wire() {
    let json = node("n1").json();
    assert_eq!(json["gpu_ok_count"], 7);
    assert_eq!(json["state"], "NODE_STATE_FRESH");
    assert_eq!(field(&json, "gpu_utilization_percent"), Some(&Value::from(61.4)));
}
