//! TLS of the gRPC port: who this replica is, whom it lets in, and what becomes of that while it runs.
//!
//! Certificates are files that something else renews. They are read again and again ([`Keeper`]), and what has changed and
//! is whole counts at once for whoever comes. Whoever came with a certificate before is judged anew by it ([`Trust`]): as
//! long as the certificate would still be let in nothing happens to the connection, whatever was renewed around it.

mod addresses;
mod files;
mod keeper;
mod lists;
mod nodes;
mod pass;
mod trust;

pub use self::addresses::Addresses;
pub(crate) use self::addresses::root_cause;
pub(crate) use self::files::ALPN;
pub use self::files::{Error, Files, Naming};
pub(crate) use self::keeper::{Keeper, chain};
pub(crate) use self::pass::Certified;
pub(crate) use self::trust::Trust;
