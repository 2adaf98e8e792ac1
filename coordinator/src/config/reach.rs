//! Flags of tools that talk to the store itself, beside or instead of a coordinator.

use std::path::PathBuf;

use super::{Error, Raw, Store, StoreKind, read};

/// How the store is reached: as a coordinator's file says, overridden by variables, overridden by flags. The flags are those
/// of a coordinator once more, because serde cannot flatten a part of a structure that refuses unknown keys.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Reach {
    /// Configuration file of a coordinator (TOML), to take the store from
    #[arg(long, env = "OSTLER_COORDINATOR_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// "embedded" for a replica's file, "etcd" for what replicas share [default: embedded]
    #[arg(long, env = "OSTLER_STORE", value_name = "KIND")]
    store: Option<StoreKind>,
    /// Folder of the file [default: $XDG_STATE_HOME/ostler or ~/.local/state/ostler]
    #[arg(long, env = "OSTLER_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Members of etcd, http:// or https://, separated by commas [default: http://127.0.0.1:2379]
    #[arg(long, env = "OSTLER_ETCD_ENDPOINTS", value_name = "URL", value_delimiter = ',')]
    etcd_endpoints: Option<Vec<String>>,
    /// Begin of all keys in etcd [default: ostler/]
    #[arg(long, env = "OSTLER_ETCD_PREFIX", value_name = "PREFIX")]
    etcd_prefix: Option<String>,
    /// Authorities that may have signed etcd's certificates (PEM) [default: none]
    #[arg(long, env = "OSTLER_ETCD_CA", value_name = "FILE")]
    etcd_ca: Option<PathBuf>,
    /// Certificate that is shown to etcd (PEM) [default: none]
    #[arg(long, env = "OSTLER_ETCD_CERTIFICATE", value_name = "FILE")]
    etcd_certificate: Option<PathBuf>,
    /// Its key (PEM) [default: none]
    #[arg(long, env = "OSTLER_ETCD_KEY", value_name = "FILE")]
    etcd_key: Option<PathBuf>,
    /// User that logs in to etcd [default: none]
    #[arg(long, env = "OSTLER_ETCD_USER", value_name = "NAME")]
    etcd_user: Option<String>,
    /// Its password; a variable or the file keeps it out of the list of processes [default: none]
    #[arg(long, env = "OSTLER_ETCD_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    etcd_password: Option<String>,
    /// Milliseconds that one operation on etcd may take [default: 1000]
    #[arg(long, env = "OSTLER_ETCD_TIMEOUT_MS", value_name = "MILLISECONDS")]
    etcd_timeout_ms: Option<u64>,
}

impl Reach {
    /// The store that is meant.
    pub fn load(self) -> Result<Store, Error> {
        let Reach {
            config,
            store,
            data_dir,
            etcd_endpoints,
            etcd_prefix,
            etcd_ca,
            etcd_certificate,
            etcd_key,
            etcd_user,
            etcd_password,
            etcd_timeout_ms,
        } = self;
        let file = config.as_deref().map_or_else(|| Ok(Raw::default()), read)?;
        let flags = Raw {
            store,
            data_dir,
            etcd_endpoints,
            etcd_prefix,
            etcd_ca,
            etcd_certificate,
            etcd_key,
            etcd_user,
            etcd_password,
            etcd_timeout_ms,
            ..Raw::default()
        };
        flags.over(file).store()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::store::etcd;

    #[derive(Parser)]
    struct Tool {
        #[command(flatten)]
        reach: Reach,
    }

    #[test]
    fn the_store_is_the_coordinators_file_under_flags() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(
            &path,
            "store = \"etcd\"\netcd_prefix = \"fleet/\"\ndata_dir = \"/d\"\nwatchers_max = 7",
        )
        .unwrap();
        let path = path.to_str().unwrap();
        let load = |arguments: &[&str]| {
            Tool::parse_from([&["tool"], arguments].concat()).reach.load().map_err(|error| error.to_string())
        };
        let flags = ["--config", path, "--etcd-endpoints", "http://a:1,http://b:2"];
        let Ok(Store::Etcd { folder, etcd }) = load(&flags) else { panic!("etcd is meant") };
        assert_eq!((folder, etcd.prefix.as_str()), (PathBuf::from("/d"), "fleet/"));
        assert_eq!(etcd.endpoints, ["http://a:1", "http://b:2"]);
        assert_eq!(etcd.timeout, etcd::TIMEOUT_DEFAULT);
        assert_eq!(load(&["--config", path, "--store", "embedded"]), Ok(Store::Folder("/d".into())));
        assert!(load(&["--store", "etcd", "--etcd-key", "k"]).unwrap_err().contains("etcd_key"));
    }
}
