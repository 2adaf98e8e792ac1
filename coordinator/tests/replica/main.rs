//! A replica, started with its ports and asked over the network.

mod lists;
mod mirror;
mod restart;
mod services;
mod support;
mod watches;
