//! The screen without a terminal.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use ostler_proto::v1::{self, change};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::app::{App, Flow};
use super::draw::draw;
use crate::error::Error;
use crate::subscribe::Update;

const NOW: Duration = Duration::from_secs(5);

fn screen(app: &mut App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app, NOW)).unwrap();
    terminal.backend().to_string()
}

fn app() -> App {
    App::new("http://127.0.0.1:7400", String::new(), true)
}

fn node(name: &str, utilization: f64) -> change::Entry {
    change::Entry::Node(v1::Node {
        name: name.to_owned(),
        zone: "zone-a".to_owned(),
        state: v1::NodeState::Fresh.into(),
        gpu_utilization_percent: Some(utilization),
        simulated: true,
        age_ms: 300,
        ..v1::Node::default()
    })
}

fn hear(app: &mut App, entries: Vec<change::Entry>) {
    let changes = entries.into_iter().map(|entry| v1::Change { entry: Some(entry) }).collect();
    let response = v1::WatchResponse { changes, synced: true, ..Default::default() };
    app.hear(Update::Response(response), Duration::from_secs(4));
}

fn press(app: &mut App, keys: &str) {
    for letter in keys.chars() {
        app.press(KeyEvent::from(KeyCode::Char(letter)));
    }
}

fn fleet() -> App {
    let mut app = app();
    let zone = v1::Zone { name: "zone-a".to_owned(), ..v1::Zone::default() };
    let pool = v1::Pool { name: "llama".to_owned(), ..v1::Pool::default() };
    let entries = vec![
        change::Entry::Zone(zone),
        change::Entry::Pool(pool),
        node("n1", 61.0),
        node("n2", 100.0),
        node("n3", 9.0),
    ];
    hear(&mut app, entries);
    app
}

/// Names of the nodes on the screen, from top to bottom.
fn order(app: &mut App) -> Vec<String> {
    let text = screen(app, 120, 30);
    let words = text.lines().filter_map(|line| line.trim_start_matches('"').split_whitespace().next());
    words.filter(|word| ["n1", "n2", "n3"].contains(word)).map(str::to_owned).collect()
}

#[test]
fn it_draws_at_any_size_with_and_without_data() {
    for mut app in [app(), fleet()] {
        for (width, height) in [(1, 1), (10, 3), (40, 10), (80, 24), (250, 80)] {
            app.help = height > 20;
            screen(&mut app, width, height);
        }
    }
}

#[test]
fn without_data_it_says_what_it_waits_for() {
    assert!(screen(&mut app(), 80, 24).contains("Waiting for the coordinator at http://127.0.0.1:7400"));
    let mut empty = app();
    hear(&mut empty, Vec::new());
    assert!(screen(&mut empty, 100, 24).contains("No node has reported yet"));
}

#[test]
fn it_shows_zones_pools_nodes_and_that_they_are_simulated() {
    let text = screen(&mut fleet(), 120, 40);
    for word in ["zone-a", "llama", "n1", "n2", "61%", "SIMULATED", "live", "requests waiting"] {
        assert!(text.contains(word), "{word} is missing in\n{text}");
    }
}

#[test]
fn a_lost_stream_is_told_and_the_last_picture_stays() {
    let mut app = fleet();
    app.hear(Update::Lost(Error::Failed("gone".to_owned())), NOW);
    let text = screen(&mut app, 120, 30);
    assert!(text.contains("disconnected, retrying") && text.contains("n1"), "{text}");
}

#[test]
fn ages_grow_while_nothing_is_told() {
    assert!(screen(&mut fleet(), 120, 30).contains("1.3s"));
}

#[test]
fn sorting_follows_the_chosen_column_either_way() {
    let mut app = fleet();
    assert_eq!(order(&mut app), ["n1", "n2", "n3"]);
    press(&mut app, "ssssss");
    assert_eq!(order(&mut app), ["n3", "n1", "n2"]);
    press(&mut app, "r");
    assert_eq!(order(&mut app), ["n2", "n1", "n3"]);
}

#[test]
fn typing_filters_and_escape_shows_everything_again() {
    let mut app = fleet();
    press(&mut app, "/n2q");
    assert!(app.typing, "q is a letter while typing");
    app.press(KeyEvent::from(KeyCode::Backspace));
    assert_eq!(order(&mut app), ["n2"]);
    app.press(KeyEvent::from(KeyCode::Esc));
    assert_eq!(order(&mut app).len(), 3);
}

#[test]
fn a_pause_keeps_the_picture_until_it_ends() {
    let mut app = fleet();
    press(&mut app, " ");
    let removed = v1::Removed { kind: v1::Kind::Node.into(), name: "n1".to_owned() };
    hear(&mut app, vec![change::Entry::Removed(removed)]);
    assert_eq!(order(&mut app), ["n1", "n2", "n3"]);
    press(&mut app, " ");
    assert_eq!(order(&mut app), ["n2", "n3"]);
}

#[test]
fn scrolling_stops_at_the_end() {
    let mut app = fleet();
    (0..50).for_each(|_| press(&mut app, "j"));
    assert!(screen(&mut app, 80, 24).contains("n1"));
    assert_eq!(app.offset, 0);
}

#[test]
fn q_quits() {
    assert_eq!(app().press(KeyEvent::from(KeyCode::Char('q'))), Flow::Quit);
}
