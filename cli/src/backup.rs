//! `ostler backup` and `ostler restore`: the store itself is read and filled, so that both work while no coordinator does.

pub(crate) mod args;

use jiff::Timestamp;
use ostler_coordinator::backup::format::Contents;
use ostler_coordinator::backup::{self, Copy, Fetched, Pruned, Rehearsal, Report, Restored, Target, s3};
use ostler_coordinator::config::Store;
use ostler_coordinator::store::whole::Old;
use serde_json::{Value, json};

use self::args::{Backup, Restore};
use crate::error::Error;
use crate::output::columns::Cell;
use crate::output::{Output, Tone, units};

/// Makes a backup, or looks into one.
pub(crate) async fn run(options: Backup, output: Output) -> Result<(), Error> {
    let Backup { target, also, keep, verify, store, s3 } = options;
    let s3 = s3.settings()?;
    if let Some(source) = verify {
        return show(&fetch(&source, &s3).await?, output);
    }
    let targets: Vec<Target> = target.into_iter().chain(also).collect();
    if keep.is_some() && targets.iter().all(Target::is_one) {
        return Err(Error::Usage(
            "--keep is for folders and prefixes; name one, or leave --keep away".to_owned(),
        ));
    }
    let store = store.load().map_err(failed)?;
    let report = backup::back_up(&store, &targets, keep, &s3, Timestamp::now()).await.map_err(failed)?;
    tell(report, output)
}

/// Restores a backup, or says what it would.
pub(crate) async fn restore(options: Restore, output: Output) -> Result<(), Error> {
    let Restore { source, replace, dry_run, store, s3 } = options;
    let store = store.load().map_err(failed)?;
    let fetched = fetch(&source, &s3.settings()?).await?;
    let old = if replace { Old::Removed } else { Old::Refused };
    let (into, now) = (place(&store), Timestamp::now());
    if dry_run {
        let would = backup::rehearse(&fetched, &store, old, now).await.map_err(failed)?;
        return tell_rehearsal(&fetched, &would, &into, output);
    }
    let restored = backup::restore(&fetched, &store, old, now).await.map_err(failed)?;
    if output.for_programs() {
        return output
            .value(&with(json!(restored), [("source", json!(fetched.url)), ("store", json!(into))]));
    }
    let Restored { entries, removed, revision } = restored;
    let created = fetched.contents.header.created;
    output.line(&format!("restored {entries} entries of {created} from {} into {into}", fetched.url))?;
    if removed > 0 {
        output.line(&format!("removed {removed} entries that were there before"))?;
    }
    output.line(&format!("revisions and terms go on above {revision}; start the coordinators now"))
}

/// What is in a backup, and what restoring it would do.
fn tell_rehearsal(fetched: &Fetched, would: &Rehearsal, into: &str, output: Output) -> Result<(), Error> {
    if output.for_programs() {
        let fields = [("source", json!(fetched.url)), ("into", json!(into)), ("would", json!(would))];
        return output.value(&with(json!(fetched.contents), fields));
    }
    show(fetched, output)?;
    let Rehearsal { entries, removed, floor } = would;
    output.line("")?;
    output.line(&format!("would remove {removed} entries from {into}, and put {entries}"))?;
    output.line(&format!("revisions and terms would go on above {floor}"))
}

async fn fetch(source: &Target, s3: &s3::Settings) -> Result<Fetched, Error> {
    let fetched = backup::fetch(source, s3).await;
    fetched.map_err(|error| Error::Failed(format!("{source}: {}", text_of(error))))
}

/// What is in a backup.
fn show(fetched: &Fetched, output: Output) -> Result<(), Error> {
    let Fetched { url, contents, .. } = fetched;
    if output.for_programs() {
        return output.value(&with(json!(contents), [("source", json!(url))]));
    }
    output.line(&format!("{url} is whole: {}", headline(contents)))?;
    output.line(&format!("sha256 {}", contents.sha256))?;
    if contents.kinds.is_empty() {
        return Ok(());
    }
    let plain = |text: String| Cell { text, tone: Tone::Plain };
    let row = |(name, kind): (&String, &backup::format::Kind)| {
        vec![plain(units::text(name)), plain(kind.entries.to_string()), plain(kind.value_bytes.to_string())]
    };
    let titles = ["KIND", "ENTRIES", "BYTES"].map(str::to_owned).to_vec();
    output.line("")?;
    output.line(&output.grid(titles, contents.kinds.iter().map(row).collect()))
}

fn headline(contents: &Contents) -> String {
    let Contents { header, entries, value_bytes, .. } = contents;
    format!(
        "{entries} entries, {value_bytes} bytes, of {} at revision {} (highest term {}), {}",
        header.store, header.revision, header.term, header.created
    )
}

/// What became of a backup, target by target; an error when any has no copy, or keeps what was to be removed.
fn tell(report: Report, output: Output) -> Result<(), Error> {
    let Report { contents, bytes, copies } = report;
    let all = copies.len();
    let bad = copies.iter().filter(|copy| copy.outcome.is_err()).count();
    let full =
        copies.iter().filter(|copy| copy.outcome.as_ref().is_ok_and(|it| it.problem.is_some())).count();
    if output.for_programs() {
        let copies: Vec<Value> = copies.into_iter().map(json_of).collect();
        output.value(&with(json!(contents), [("bytes", json!(bytes)), ("copies", json!(copies))]))?;
    } else {
        output.line(&format!("backed up {}", headline(&contents)))?;
        for Copy { url, outcome } in copies {
            let (tone, word, more) = match outcome {
                Ok(pruned) => (Tone::Good, "ok", told(pruned)),
                Err(error) => (Tone::Bad, "FAILED", format!(": {}", text_of(error))),
            };
            output.line(&format!("{} {url}{more}", output.paint(&format!("{word:7}"), tone)))?;
        }
    }
    match (bad, full) {
        (0, 0) => Ok(()),
        (0, _) => Err(Error::Failed(format!(
            "every target has its copy, but at {full} of {all} older ones could not be removed"
        ))),
        (_, _) => Err(Error::Failed(format!("{bad} of {all} copies failed"))),
    }
}

/// What became of older backups, after the name of the new one.
fn told(pruned: Pruned) -> String {
    let Pruned { removed, problem } = pruned;
    let removed = match removed.len() {
        0 => String::new(),
        count => format!(", removed {count} older"),
    };
    let problem = problem.map(|error| format!("; older ones could not be removed: {}", text_of(error)));
    removed + &problem.unwrap_or_default()
}

fn json_of(copy: Copy) -> Value {
    let Copy { url, outcome } = copy;
    match outcome {
        Ok(Pruned { removed, problem: None }) => json!({ "target": url, "ok": true, "removed": removed }),
        Ok(Pruned { removed, problem: Some(error) }) => {
            json!({ "target": url, "ok": true, "removed": removed, "not_removed": text_of(error) })
        }
        Err(error) => json!({ "target": url, "ok": false, "error": text_of(error) }),
    }
}

/// An object with more fields.
fn with<const N: usize>(mut object: Value, fields: [(&str, Value); N]) -> Value {
    for (name, value) in fields {
        object[name] = value;
    }
    object
}

/// What an operator calls a store.
fn place(store: &Store) -> String {
    match store {
        Store::Memory => "memory".to_owned(),
        Store::Folder(folder) => folder.display().to_string(),
        Store::Etcd { folder: _, etcd } => format!("etcd {} under {}", etcd.endpoints.join(","), etcd.prefix),
    }
}

fn text_of(error: backup::Error) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::failed(&error.into())
}
