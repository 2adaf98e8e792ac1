//! `ostler top`: the fleet live in a terminal.
//!
//! [`app::App`] holds what is known and what was typed, and is tested without a terminal; [`draw`] paints it; this file
//! connects both to the watch, the keyboard and the clock.

mod app;
mod draw;
mod order;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use ostler_proto::v1;
use ratatui::DefaultTerminal;

use crate::args::{Server, Top};
use crate::error::Error;
use crate::output::Output;
use crate::subscribe::{Update, subscribe};
use crate::view::KINDS;
use app::{App, Flow};

/// How often the picture is drawn again when nothing happens, so that ages grow.
const REDRAW: Duration = Duration::from_millis(500);

/// Shows the fleet until `q` is pressed.
pub(crate) async fn run(server: &Server, options: Top, output: Output) -> Result<(), Error> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(Error::Usage(
            "top needs a terminal; for a pipe or a file use `ostler get` or `ostler watch`".into(),
        ));
    }
    let interval_ms = options.interval.as_millis().min(60_000) as u32;
    let kinds = KINDS.iter().filter_map(|kind| kind.watched()).map(i32::from).collect();
    let request = v1::WatchRequest { kinds, interval_ms, ..v1::WatchRequest::default() };
    let app = App::new(&server.url, options.filter, output.colour);
    let mut terminal = ratatui::try_init()?;
    let result = show(&mut terminal, app, subscribe(server.clone(), request)).await;
    ratatui::restore();
    result
}

async fn show(
    terminal: &mut DefaultTerminal,
    mut app: App,
    mut updates: tokio::sync::mpsc::Receiver<Update>,
) -> Result<(), Error> {
    let started = Instant::now();
    let mut keys = EventStream::new();
    let mut redraw = tokio::time::interval(REDRAW);
    loop {
        let now = started.elapsed();
        terminal.draw(|frame| draw::draw(frame, &mut app, now))?;
        tokio::select! {
            Some(update) = updates.recv() => {
                app.hear(update, started.elapsed());
                // What has queued up meanwhile needs no picture of its own.
                while let Ok(update) = updates.try_recv() {
                    app.hear(update, started.elapsed());
                }
            }
            event = keys.next() => match event {
                Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => {
                    if app.press(key) == Flow::Quit {
                        return Ok(());
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Ok(()),
            },
            _ = redraw.tick() => {}
        }
    }
}
