//! Setting up the desk: what it goes by, who carries its actions out, and which store it is over.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use ostler_core::brake::{Mode, Modes};
use ostler_core::class::Class;
use ostler_core::desk::{Executor, Policy};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Actions};
use crate::desk::executor::{Hand, Webhook};
use crate::desk::{self, Clerk, Counter, Counters, Papers, WebhookError};
use crate::driver::Driver;
use crate::lead::{Leadership, Standing};
use crate::store::embedded::Embedded;
use crate::store::{self, etcd};

/// What the desk is set up with, but for its store and the lead.
pub(super) struct Office {
    /// What is stored, for readers.
    pub(super) papers: Papers,
    /// Where orders are handed in.
    pub(super) counter: Counter,
    /// The engine that is looked at.
    pub(super) driver: Driver,
    policy: Policy,
    hand: Hand,
    slips: Counters,
}

impl Office {
    pub(super) fn set_up(driver: Driver, actions: Actions) -> Result<Office, WebhookError> {
        let hand = hand(&actions)?;
        let (counter, slips) = Counter::open();
        let Actions { brake, floor, valid, webhook: _ } = actions;
        let executor = match hand {
            Hand::Idle => Executor::None,
            Hand::Webhook(_) => Executor::There,
        };
        let policy = Policy { brake, executor, valid, floor, ..Policy::default() };
        Ok(Office { papers: Papers::default(), counter, driver, policy, hand, slips })
    }

    /// The desk at work, over the store that replicas share.
    pub(super) fn open(
        self,
        kept: &config::Store,
        own: &Embedded,
        lead: (Leadership, watch::Receiver<Standing>),
        shutdown: &CancellationToken,
    ) -> Result<BoxFuture<'static, ()>, store::Error> {
        let shutdown = shutdown.clone();
        Ok(match kept {
            config::Store::Memory | config::Store::Folder(_) => {
                Box::pin(desk::run(self.clerk(own.clone(), lead), shutdown))
            }
            config::Store::Etcd { folder: _, etcd } => {
                let store = etcd::Etcd::open(etcd)?;
                Box::pin(desk::run(self.clerk(store, lead), shutdown))
            }
        })
    }

    fn clerk<S>(self, store: S, lead: (Leadership, watch::Receiver<Standing>)) -> Clerk<S> {
        let Office { papers, counter: _, driver, policy, hand, slips } = self;
        let (leadership, standing) = lead;
        Clerk { driver, store: Arc::new(store), leadership, standing, policy, hand, papers, slips }
    }
}

/// Who carries actions out, as configured.
fn hand(actions: &Actions) -> Result<Hand, WebhookError> {
    if let Some(settings) = &actions.webhook {
        return Webhook::open(settings).map(|webhook| Hand::Webhook(Box::new(webhook)));
    }
    let acts = |modes: &Modes| Class::BRAKED.iter().any(|class| modes.of(*class) == Mode::Act);
    if acts(&actions.brake.modes) || actions.brake.pools.values().any(acts) {
        tracing::warn!("actions are switched on and there is no executor (webhook_url): all is a dry run");
    }
    Ok(Hand::Idle)
}
