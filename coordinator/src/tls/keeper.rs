//! Reads the files again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::files::{Contents, Error, Files};
use super::trust::Trust;

/// How often the files are read. What has changed counts when it is the same twice, so that files which are being written
/// are not taken for whole: after a second at most, of the five in which a connection with a revoked certificate ends.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Keeps a [`Trust`] as the files say.
pub(crate) struct Keeper {
    files: Files,
    trust: Arc<Trust>,
    /// What was found when the files were last read.
    found: Result<Contents, String>,
    /// Whether what was found is in use, or was refused.
    settled: bool,
}

impl Keeper {
    /// Reads the files for the first time, when nothing may be wrong with them.
    pub(crate) fn open(files: Files) -> Result<Keeper, Error> {
        let found = files.read()?;
        let trust = Arc::new(Trust::new(files.material(&found)?, files.naming));
        Ok(Keeper { files, trust, found: Ok(found), settled: true })
    }

    pub(crate) fn trust(&self) -> Arc<Trust> {
        Arc::clone(&self.trust)
    }

    /// Looks until shut down. It reads files and verifies signatures on its own thread, which has nothing else to do.
    pub(crate) async fn run(mut self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look();
            self.trust.end_expired();
        }
    }

    fn look(&mut self) {
        let found = self.files.read().map_err(|error| chain(&error));
        if found != self.found {
            (self.found, self.settled) = (found, false);
            return;
        }
        if self.settled {
            return;
        }
        self.settled = true;
        let material = match &self.found {
            Ok(contents) => self.files.material(contents).map_err(|error| chain(&error)),
            Err(error) => Err(error.clone()),
        };
        match material {
            Ok(material) => {
                self.trust.replace(material);
                tracing::info!("certificates were renewed");
            }
            Err(error) => tracing::error!(
                error,
                "new certificates cannot be used, and those before stay in use; put whole files in place, all of one renewal"
            ),
        }
    }
}

/// An error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
