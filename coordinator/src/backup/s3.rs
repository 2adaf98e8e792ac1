//! Copies of backups as objects of a bucket, over the S3 protocol: Amazon's, or any server that speaks it.
//!
//! Each request is one with a signature in its address (SigV4, by `rusty-s3`) that is valid for a quarter of an hour. What
//! fails in a way that may pass, no answer or a status of 5xx, 409 or 429, is tried again; all of it can be done twice. An
//! object is put under the condition that there is none of its name (`If-None-Match: *`), which servers may ignore; so one
//! that nobody else can have named alike is the only one that is ever removed.

mod client;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Method, StatusCode};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Credentials, S3Action, UrlStyle};

use self::client::{Body, Client, Over, Trust};
use super::place::{PREFIX, Put, is_ours};

/// How long a signature is valid: longer than a request may take to begin. Servers look at it then, so that what goes up or
/// down afterwards may take longer.
const SIGNATURE_AGE_MAX: Duration = Duration::from_secs(900);

/// Attempts at one request.
const TRIES: u32 = 4;

/// Pages of a list that are read, of 1,000 backups each on Amazon's: one an hour for eleven years.
const PAGES_MAX: u32 = 100;

/// Longest page of a list: 1,000 objects of a key of 1,024 bytes, escaped to three times that, and 1 KiB beside it.
const PAGE_BYTES_MAX: usize = 1_000 * (3 * 1_024 + 1_024);

/// Longest object that one request may store, in bytes, on Amazon's. A whole etcd holds at most 8 GiB and a fleet 64 MiB.
const OBJECT_BYTES_MAX: u64 = 5 << 30;

/// How a bucket's name stands in addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Style {
    /// `host` without an endpoint, else `path`.
    #[default]
    Auto,
    /// https://ENDPOINT/BUCKET/KEY, as MinIO, Ceph and most others want it.
    Path,
    /// https://BUCKET.ENDPOINT/KEY, as Amazon, Huawei Cloud and Alibaba Cloud want it.
    Host,
}

/// How buckets are reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// URL of the server; none is Amazon's of the region.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// Where the bucket's name stands.
    pub style: Style,
    /// Who asks; none asks without a signature.
    pub login: Option<Login>,
    /// Authorities that may have signed the server's certificate (PEM); none means the system's.
    pub ca: Option<PathBuf>,
    /// How long to wait before a request is tried again.
    pub retry_after: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            endpoint: None,
            region: "us-east-1".to_owned(),
            style: Style::Auto,
            login: None,
            ca: None,
            retry_after: Duration::from_secs(2),
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub struct Login {
    /// Id of the access key.
    pub key: String,
    /// The key itself, which is never shown.
    pub secret: String,
    /// The token of a login that ends by itself.
    pub token: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Why the bucket did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings are wrong.
    #[error("{problem}")]
    Settings {
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The server refused.
    #[error("{url}: HTTP {status}{said}; {advice}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status.
        status: StatusCode,
        /// The server's words, if there are any, after a space.
        said: String,
        /// What to do.
        advice: &'static str,
    },
    /// Nothing came back, or not all of it.
    #[error("{url}: {problem}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What happened.
        problem: String,
        /// What the system says.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// There is an object of that name.
    #[error("{url} is there already and is not overwritten; choose another name, or a prefix")]
    Exists {
        /// The object.
        url: String,
    },
    /// The file is too long for one request.
    #[error(
        "the backup has {bytes} bytes and an object at most {OBJECT_BYTES_MAX}; choose a folder as the target"
    )]
    TooLong {
        /// Its length.
        bytes: u64,
    },
    /// There are more backups than are listed.
    #[error(
        "{url} holds more backups than {PAGES_MAX} pages list; name one, or choose another prefix and let this one's old ones run out"
    )]
    ListTooLong {
        /// The prefix.
        url: String,
    },
    /// What an object was read into failed.
    #[error("what was read cannot be written down")]
    Sink(#[source] std::io::Error),
    /// A file of this machine failed.
    #[error("cannot read or write {}", path.display())]
    Local {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// Whether it may pass.
    fn may_pass(&self) -> bool {
        match self {
            Error::Refused { status, .. } => {
                status.is_server_error() && !self.knows_no_condition()
                    || matches!(*status, StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT)
            }
            Error::Unreachable { .. } => true,
            Error::Settings { .. }
            | Error::Exists { .. }
            | Error::TooLong { .. }
            | Error::ListTooLong { .. }
            | Error::Sink(_)
            | Error::Local { .. } => false,
        }
    }

    /// Whether the server does not know the header of a condition. It says so with 501, or with this word and another status.
    fn knows_no_condition(&self) -> bool {
        matches!(self, Error::Refused { status, said, .. }
            if *status == StatusCode::NOT_IMPLEMENTED || said.starts_with(" NotImplemented"))
    }
}

/// A bucket and a prefix in it.
pub(super) struct Bucket {
    bucket: rusty_s3::Bucket,
    prefix: String,
    credentials: Option<Credentials>,
    client: Client,
    retry_after: Duration,
}

impl Bucket {
    /// Connects to nobody yet. The prefix is empty or ends in a slash.
    pub(super) fn open(settings: &Settings, bucket: &str, prefix: &str) -> Result<Bucket, Error> {
        let Settings { endpoint, region, style, login, ca, retry_after } = settings;
        let wrong = |problem: String| Error::Settings { problem };
        let style = match (style, endpoint) {
            (Style::Host, _) | (Style::Auto, None) => UrlStyle::VirtualHost,
            (Style::Path, _) | (Style::Auto, Some(_)) => UrlStyle::Path,
        };
        let url = endpoint.clone().unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
        let parsed = url.parse().map_err(|_| wrong(format!("the S3 endpoint {url:?} is no URL")))?;
        let bucket = rusty_s3::Bucket::new(parsed, style, bucket.to_owned(), region.clone())
            .map_err(|error| wrong(format!("the bucket {bucket:?} at {url} cannot be addressed: {error}")))?;
        let credentials = login.as_ref().map(|Login { key, secret, token }| match token {
            Some(token) => Credentials::new_with_token(key, secret, token),
            None => Credentials::new(key, secret),
        });
        let trust = match ca {
            _ if url.starts_with("http://") => Trust::Nobody,
            None => Trust::System,
            Some(path) => Trust::File(path.clone()),
        };
        let client = Client::new(&trust)?;
        Ok(Bucket { bucket, prefix: prefix.to_owned(), credentials, client, retry_after: *retry_after })
    }

    /// Puts a file under a new name.
    pub(super) async fn store(&self, staged: &Path, name: &str) -> Result<Put, Error> {
        let key = self.key(name);
        let local = |source| Error::Local { path: staged.to_owned(), source };
        let bytes = std::fs::metadata(staged).map_err(local)?.len();
        if bytes > OBJECT_BYTES_MAX {
            return Err(Error::TooLong { bytes });
        }
        // Beside the condition, for servers that ignore it.
        if self.exists(&key).await? {
            return Err(Error::Exists { url: self.url(name) });
        }
        let mut tries = 0;
        let mut put = async |over: Over| {
            tries += 1;
            let action = self.bucket.put_object(self.credentials.as_ref(), &key);
            let body = Body::file(staged, bytes, over).await.map_err(local)?;
            self.client.ask(Method::PUT, &self.sign(&action), body).await.map(drop)
        };
        let mut outcome = self.again(async || put(Over::Nothing).await).await;
        if outcome.as_ref().is_err_and(Error::knows_no_condition) {
            outcome = self.again(async || put(Over::Anything).await).await;
        }
        // A name of ours holds the checksum of what is put.
        let ours = is_ours(name);
        match outcome {
            Ok(()) => Ok(if ours { Put::Own } else { Put::Shared }),
            Err(Error::Refused { status: StatusCode::PRECONDITION_FAILED, .. }) if tries > 1 => {
                Ok(if ours { Put::Own } else { Put::Found })
            }
            Err(Error::Refused { status: StatusCode::PRECONDITION_FAILED, .. }) => {
                Err(Error::Exists { url: self.url(name) })
            }
            Err(error) => Err(error),
        }
    }

    /// Reads an object. What a broken attempt gave is not taken back, so that it is tried again only before the first byte.
    pub(super) async fn fetch(&self, name: &str, sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        let key = self.key(name);
        let answer = self
            .again(async || {
                let action = self.bucket.get_object(self.credentials.as_ref(), &key);
                self.client.ask(Method::GET, &self.sign(&action), Body::none()).await
            })
            .await?;
        answer.copy_to(sink).await
    }

    /// Names of backups that we made under the prefix.
    pub(super) async fn names(&self) -> Result<Vec<String>, Error> {
        let (mut names, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_MAX {
            let page = self.again(async || self.page(token.as_deref()).await).await?;
            let found = page.contents.iter().filter_map(|it| it.key.strip_prefix(&self.prefix));
            names.extend(found.filter(|name| is_ours(name)).map(str::to_owned));
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(names);
            }
        }
        Err(Error::ListTooLong { url: self.url("") })
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        let key = self.key(name);
        self.again(async || {
            let action = self.bucket.delete_object(self.credentials.as_ref(), &key);
            self.client.ask(Method::DELETE, &self.sign(&action), Body::none()).await.map(drop)
        })
        .await
    }

    pub(super) fn url(&self, name: &str) -> String {
        format!("s3://{}/{}", self.bucket.name(), self.key(name))
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn exists(&self, key: &str) -> Result<bool, Error> {
        let asked = self
            .again(async || {
                let action = self.bucket.head_object(self.credentials.as_ref(), key);
                self.client.ask(Method::HEAD, &self.sign(&action), Body::none()).await
            })
            .await;
        match asked {
            Ok(_) => Ok(true),
            Err(Error::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn page(&self, token: Option<&str>) -> Result<rusty_s3::actions::ListObjectsV2Response, Error> {
        let mut action = self.bucket.list_objects_v2(self.credentials.as_ref());
        action.with_prefix(self.key(PREFIX));
        // What lies deeper is none of ours.
        action.with_delimiter("/");
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let url = self.sign(&action);
        let answer = self.client.ask(Method::GET, &url, Body::none()).await?;
        let text = String::from_utf8_lossy(&answer.read(PAGE_BYTES_MAX).await?).into_owned();
        ListObjectsV2::parse_response(&text).map_err(|error| Error::Unreachable {
            url: self.url(""),
            problem: "the answer is no list of objects; is this the endpoint of an S3 server?".to_owned(),
            source: Some(Box::new(error)),
        })
    }

    fn sign<'a>(&self, action: &impl S3Action<'a>) -> String {
        action.sign(SIGNATURE_AGE_MAX).to_string()
    }

    /// Does it again while it fails in a way that may pass.
    async fn again<T>(&self, mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
        let mut tries = 1;
        loop {
            match attempt().await {
                Err(error) if error.may_pass() && tries < TRIES => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "tries again");
                    tokio::time::sleep(self.retry_after * tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }
}
