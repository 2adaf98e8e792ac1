//! What `top` knows and what was typed. Time is passed in, counted from the start.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::order;
use crate::kind::{Entry, Kind};
use crate::output::columns::{self, Cell};
use crate::output::units;
use crate::subscribe::Update;
use crate::view::View;

/// Points of the queue's history: as many as a wide terminal shows, one for each answer.
const HISTORY_MAX: usize = 240;

/// Longest filter that can be typed.
const FILTER_CHARS_MAX: usize = 60;

/// The tables that can be shown, in the order of their keys 1-4.
pub(super) const TABS: [Kind; 4] = [Kind::Nodes, Kind::Gpus, Kind::Engines, Kind::Events];

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Continue,
    Quit,
}

/// How the stream is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// No answer yet.
    Connecting,
    /// Answers come.
    Live,
    /// The stream broke for this reason.
    Lost(String),
}

/// How a table is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Place of the column.
    pub(super) column: usize,
    /// Largest first.
    pub(super) descending: bool,
}

/// The state of the screen.
#[derive(Debug)]
pub(super) struct App {
    pub(super) server: String,
    pub(super) colour: bool,
    pub(super) link: Link,
    /// The newest view.
    live: View,
    /// The view from the moment of the pause, while paused.
    frozen: Option<(View, Duration)>,
    /// When each entry was last told, for its present age.
    told: BTreeMap<(Kind, String), Duration>,
    /// Requests waiting in the whole fleet, oldest first.
    pub(super) waiting: VecDeque<f64>,
    /// Place in [`TABS`].
    pub(super) tab: usize,
    orders: [Order; TABS.len()],
    pub(super) filter: String,
    /// Whether keys go into the filter.
    pub(super) typing: bool,
    /// First row shown.
    pub(super) offset: usize,
    pub(super) help: bool,
}

impl App {
    pub(super) fn new(server: &str, filter: String, colour: bool) -> App {
        let newest_first = Order { column: 0, descending: false };
        App {
            server: server.to_owned(),
            colour,
            link: Link::Connecting,
            live: View::default(),
            frozen: None,
            told: BTreeMap::new(),
            waiting: VecDeque::new(),
            tab: 0,
            orders: [Order::default(), Order::default(), Order::default(), newest_first],
            filter,
            typing: false,
            offset: 0,
            help: false,
        }
    }

    /// What is to be shown.
    pub(super) fn view(&self) -> &View {
        self.frozen.as_ref().map_or(&self.live, |(view, _)| view)
    }

    /// Whether the picture stands still.
    pub(super) fn paused(&self) -> bool {
        self.frozen.is_some()
    }

    /// The kind of the table shown.
    pub(super) fn kind(&self) -> Kind {
        TABS[self.tab]
    }

    /// The order of the table shown.
    pub(super) fn order(&self) -> Order {
        self.orders[self.tab]
    }

    /// Takes one update of the watch.
    pub(super) fn hear(&mut self, update: Update, now: Duration) {
        let response = match update {
            Update::Lost(error) => {
                self.link = Link::Lost(error.to_string());
                return;
            }
            Update::Response(response) => response,
        };
        self.link = Link::Live;
        if response.reset {
            self.told.clear();
        }
        for entry in response.changes.iter().filter_map(|change| change.entry.clone()) {
            match Entry::from_change(entry) {
                Ok(entry) => drop(self.told.insert((entry.kind(), entry.name().to_owned()), now)),
                Err(removed) => self.told.retain(|(_, name), _| *name != removed.name),
            }
        }
        self.live.apply(response);
        self.remember_waiting();
    }

    fn remember_waiting(&mut self) {
        let pools = self.live.pools.values().filter_map(|pool| pool.signals.as_ref()?.requests_waiting);
        if self.waiting.len() == HISTORY_MAX {
            self.waiting.pop_front();
        }
        self.waiting.push_back(pools.fold(0.0, |all, one| all + one));
    }

    /// The rows of the table shown: filtered, ordered, with present ages.
    pub(super) fn rows(&self, now: Duration) -> Vec<Vec<Cell>> {
        let now = self.frozen.as_ref().map_or(now, |(_, at)| *at);
        let mut rows: Vec<Vec<Cell>> = self
            .entries()
            .map(|entry| columns::cells(&self.aged(entry, now), false))
            .filter(|row| self.matches(row))
            .collect();
        let Order { column, descending } = self.order();
        rows.sort_by(|one, two| {
            let cell = |row: &[Cell]| row.get(column).map_or(String::new(), |cell| cell.text.clone());
            let order = order::compare(&cell(one), &cell(two));
            if descending { order.reverse() } else { order }
        });
        rows
    }

    fn entries(&self) -> Box<dyn Iterator<Item = Entry> + '_> {
        let view = self.view();
        match self.kind() {
            Kind::Gpus => Box::new(view.gpus.values().cloned().map(Entry::Gpu)),
            Kind::Engines => Box::new(view.engines.values().cloned().map(Entry::Engine)),
            Kind::Events => Box::new(view.events.iter().rev().cloned().map(Entry::Event)),
            Kind::Nodes | Kind::Pools | Kind::Zones | Kind::Decisions | Kind::Actions | Kind::Holds => {
                Box::new(view.nodes.values().cloned().map(Entry::Node))
            }
        }
    }

    /// The entry with the age it has now, not the one it had when it was told.
    fn aged(&self, mut entry: Entry, now: Duration) -> Entry {
        let told = self.told.get(&(entry.kind(), entry.name().to_owned())).copied().unwrap_or(now);
        let since = now.saturating_sub(told).as_millis() as u64;
        let grow = |age: &mut u32| *age = age.saturating_add(u32::try_from(since).unwrap_or(u32::MAX));
        match &mut entry {
            Entry::Node(node) => grow(&mut node.age_ms),
            Entry::Gpu(gpu) => grow(&mut gpu.age_ms),
            Entry::Engine(engine) => grow(&mut engine.age_ms),
            Entry::Event(event) => event.age_ms = event.age_ms.saturating_add(since),
            Entry::Pool(_) | Entry::Zone(_) | Entry::Decision(_) | Entry::Action(_) | Entry::Hold(_) => {}
        }
        entry
    }

    fn matches(&self, row: &[Cell]) -> bool {
        let wanted = self.filter.to_lowercase();
        wanted.is_empty() || row.iter().any(|cell| cell.text.to_lowercase().contains(&wanted))
    }

    /// Takes one key.
    #[expect(clippy::wildcard_enum_match_arm, reason = "keys that mean nothing here are most of them")]
    pub(super) fn press(&mut self, key: KeyEvent) -> Flow {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return Flow::Quit;
        }
        if self.typing {
            self.type_filter(key.code);
            return Flow::Continue;
        }
        if self.help {
            self.help = false;
            return Flow::Continue;
        }
        match key.code {
            KeyCode::Char('q') => return Flow::Quit,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Char(' ' | 'p') => self.pause(),
            KeyCode::Char(digit @ '1'..='4') => self.show(usize::from(digit as u8 - b'1')),
            KeyCode::Tab | KeyCode::Right => self.show((self.tab + 1) % TABS.len()),
            KeyCode::BackTab | KeyCode::Left => self.show((self.tab + TABS.len() - 1) % TABS.len()),
            KeyCode::Char('s') => self.order_by(1),
            KeyCode::Char('S') => self.order_by(-1),
            KeyCode::Char('r') => self.orders[self.tab].descending ^= true,
            KeyCode::Up | KeyCode::Char('k') => self.offset = self.offset.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.offset = self.offset.saturating_add(1),
            KeyCode::PageUp => self.offset = self.offset.saturating_sub(PAGE_ROWS),
            KeyCode::PageDown => self.offset = self.offset.saturating_add(PAGE_ROWS),
            KeyCode::Home => self.offset = 0,
            _ => {}
        }
        Flow::Continue
    }

    fn show(&mut self, tab: usize) {
        self.tab = tab;
        self.offset = 0;
    }

    fn order_by(&mut self, step: isize) {
        let count = columns::titles(self.kind(), false).len() as isize;
        let order = &mut self.orders[self.tab];
        order.column = (order.column as isize + step).rem_euclid(count) as usize;
    }

    fn pause(&mut self) {
        self.frozen = match self.frozen.take() {
            Some(_) => None,
            None => {
                let newest = self.told.values().copied().max().unwrap_or_default();
                Some((self.live.clone(), newest))
            }
        };
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "keys that mean nothing here are most of them")]
    fn type_filter(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => drop(self.filter.pop()),
            KeyCode::Char(letter) if self.filter.chars().count() < FILTER_CHARS_MAX => {
                self.filter.push_str(&units::clean(letter.encode_utf8(&mut [0; 4])));
            }
            _ => {}
        }
        self.offset = 0;
    }
}

/// Rows that a page key moves by.
const PAGE_ROWS: usize = 15;
