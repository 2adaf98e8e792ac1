//! Options of `backup` and `restore`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use ostler_coordinator::backup::{Target, s3};
use ostler_coordinator::config::Reach;

use crate::error::Error;

/// Options of `backup`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Backup {
    /// Where to: a folder, s3://BUCKET/PREFIX, or one of them with a name that ends in .backup
    #[arg(required_unless_present = "verify", value_name = "TARGET")]
    pub(crate) target: Option<Target>,
    /// And where else to; may be given several times
    #[arg(long, value_name = "TARGET", requires = "target")]
    pub(crate) also: Vec<Target>,
    /// Then remove all but the newest N backups in each folder and under each prefix
    #[arg(long, value_name = "N", requires = "target")]
    pub(crate) keep: Option<NonZeroUsize>,
    /// Make none: read a backup from end to end, check it, and list what is inside (of a folder the newest)
    #[arg(long, value_name = "SOURCE", conflicts_with = "target")]
    pub(crate) verify: Option<Target>,
    #[command(flatten)]
    pub(crate) store: Reach,
    #[command(flatten)]
    pub(crate) s3: S3,
}

/// Options of `restore`.
#[derive(Clone, Debug, Args)]
pub(crate) struct Restore {
    /// A backup; of a folder, or of s3://BUCKET/PREFIX, the newest
    #[arg(value_name = "SOURCE")]
    pub(crate) source: Target,
    /// First remove everything that the store holds: policies, holds, intents, records, events. Without it only an empty
    /// store is filled
    #[arg(long)]
    pub(crate) replace: bool,
    /// Restore nothing: read the backup from end to end, list what is inside, and say what would be removed and put, or
    /// what stands against it
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) store: Reach,
    #[command(flatten)]
    pub(crate) s3: S3,
}

/// How buckets are reached; the variables are those of Amazon's tools.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "S3")]
pub(crate) struct S3 {
    /// URL of an S3-compatible server [default: Amazon's of the region]
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    s3_endpoint: Option<String>,
    /// Region that requests are signed for
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1", value_name = "REGION")]
    s3_region: String,
    /// Where the bucket's name stands in addresses
    #[arg(long, env = "OSTLER_S3_STYLE", default_value = "auto", value_name = "STYLE")]
    s3_style: s3::Style,
    /// Id of the access key; without one requests are not signed
    #[arg(long, env = "AWS_ACCESS_KEY_ID", value_name = "ID")]
    s3_key: Option<String>,
    /// The access key; the variable keeps it out of the list of processes
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", value_name = "SECRET", hide_env_values = true)]
    s3_secret: Option<String>,
    /// Token of a login that ends by itself
    #[arg(long, env = "AWS_SESSION_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    s3_token: Option<String>,
    /// Authorities that may have signed the server's certificate (PEM) [default: the system's]
    #[arg(long, env = "AWS_CA_BUNDLE", value_name = "FILE")]
    s3_ca: Option<PathBuf>,
}

impl S3 {
    pub(crate) fn settings(self) -> Result<s3::Settings, Error> {
        let S3 { s3_endpoint, s3_region, s3_style, s3_key, s3_secret, s3_token, s3_ca } = self;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let login = match (given(s3_key), given(s3_secret)) {
            (Some(key), Some(secret)) => Some(s3::Login { key, secret, token: given(s3_token) }),
            (None, None) => None,
            (Some(_), None) | (None, Some(_)) => {
                return Err(Error::Usage("--s3-key and --s3-secret must be given together".to_owned()));
            }
        };
        Ok(s3::Settings {
            endpoint: given(s3_endpoint),
            region: s3_region,
            style: s3_style,
            login,
            ca: s3_ca.filter(|path| !path.as_os_str().is_empty()),
            ..s3::Settings::default()
        })
    }
}
