//! Options of `certs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Days that a certificate is valid unless told otherwise: a quarter, so that renewing is something that is done.
const DAYS: u32 = 90;

/// What to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct Certs {
    #[command(subcommand)]
    pub(crate) what: What,
}

/// What to make.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum What {
    /// Make an authority: ca.pem and an empty crl.pem, which go everywhere, and ca-key.pem, which goes nowhere
    Init {
        /// Folder for the files; it is made when it is not there
        folder: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Make a certificate and its key
    Issue(Issue),
    /// Put a certificate on the authority's list of revoked ones, crl.pem
    Revoke {
        /// Folder of the authority
        folder: PathBuf,
        /// The certificate
        certificate: PathBuf,
    },
}

/// Options of `issue`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Issue {
    /// Folder of the authority
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) whose: Whose,
    #[command(flatten)]
    pub(crate) how: How,
}

/// Whose certificate it is.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Whose {
    /// Of the agent of this node
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
    /// Of a coordinator, with all names and addresses that it is reached by; localhost comes by itself
    #[arg(long, value_name = "HOST", num_args = 1..)]
    pub(crate) coordinator: Option<Vec<String>>,
    /// Of a person or program that asks and orders
    #[arg(long, value_name = "NAME")]
    pub(crate) operator: Option<String>,
}

/// How to make it.
#[derive(Clone, Debug, Args)]
pub(crate) struct How {
    /// Days that it is valid [default: 90, an authority 3650]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
    /// Replace files that are there
    #[arg(long)]
    pub(crate) force: bool,
}

impl How {
    pub(crate) fn days(&self) -> u32 {
        self.days.unwrap_or(DAYS)
    }

    /// Of an authority, which everything else hangs on: ten years.
    pub(crate) fn days_of_authority(&self) -> u32 {
        self.days.unwrap_or(3_650)
    }
}
