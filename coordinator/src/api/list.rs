//! Lists and single entries: filter, field mask and paging, the same for every kind.

use std::ops::ControlFlow;

use ostler_proto::v1;
use prost::Message;
use tonic::Status;

use super::entity::{self, Entity, demanded_node, encode_entry};
use super::{Api, mask_of};
use crate::filter::Filter;
use crate::mask::Mask;

/// Entries of a page when the request does not say.
const PAGE_SIZE_DEFAULT: usize = 1_000;

/// Entries of a page at most.
const PAGE_SIZE_MAX: usize = 10_000;

/// Entries copied out under one lock: about a quarter of a millisecond, little beside the second between two reports.
const CHUNK: usize = 256;

/// Chunks made before other tasks of the thread get their turn.
const CHUNKS_PER_TURN: usize = 4;

/// About the bytes of an entry, to make room at once.
const ENTRY_BYTES: usize = 128;

/// One page.
pub(super) struct Page<M> {
    pub(super) entries: Vec<M>,
    pub(super) next_page_token: String,
    pub(super) total_size: u32,
}

/// What a request asks for.
struct Asked {
    size: usize,
    /// Fields of the answer.
    keep: Mask,
    /// Fields that are made: those, the name, and what the filter looks at.
    build: Mask,
    filter: Filter,
    /// The last entry of the page before.
    after: Option<String>,
}

impl Asked {
    fn of<M: Entity>(request: &v1::ListRequest) -> Result<Asked, Status> {
        let size = match request.page_size as usize {
            0 => PAGE_SIZE_DEFAULT,
            size => size.min(PAGE_SIZE_MAX),
        };
        let keep = mask_of::<M>(request.field_mask.as_ref())?;
        let filter = Filter::parse::<M>(&request.filter)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let after = decode_token(&request.page_token)?;
        Ok(Asked { size, build: keep.with_bits(filter.fields() | 1), keep, filter, after })
    }

    /// Without a filter it is known how many entries will come.
    fn expected<M: Entity>(&self, api: &Api) -> usize {
        if self.filter.is_all() { M::total(api).min(self.size) } else { 0 }
    }

    /// Whether it is for whole entries, with the fields that are shown unless a mask says otherwise.
    fn is_plain<M: Entity>(&self) -> bool {
        self.filter.is_all() && self.keep == Mask::default_of::<M>()
    }

    /// Passes on the page's entries. Returns the token of the next page, empty after the last, and how many entries pass
    /// the filter on all pages.
    async fn answer<M: Entity>(self, api: &Api, mut take: impl FnMut(M)) -> (String, u32) {
        let Asked { size, keep, build, filter, after } = self;
        let first = after.is_none();
        let (mut count, mut last, mut more) = (0, String::new(), false);
        each::<M>(api, after, &build, &filter, |mut entry| {
            more = count == size;
            if more {
                return ControlFlow::Break(());
            }
            count += 1;
            last.clear();
            last.push_str(entry.name());
            entry.keep(&keep);
            take(entry);
            ControlFlow::Continue(())
        })
        .await;
        let total = if filter.is_all() {
            M::total(api)
        } else if first && !more {
            count
        } else {
            let mut total = 0;
            let count = |_| {
                total += 1;
                ControlFlow::Continue(())
            };
            each::<M>(api, None, &Mask::none().with_bits(filter.fields() | 1), &filter, count).await;
            total
        };
        let token = if more { encode_token(&last) } else { String::new() };
        (token, u32::try_from(total).unwrap_or(u32::MAX))
    }
}

/// What is in the store is not there before it was listed once, and is not said to be nothing then.
pub(super) fn there<M: Entity>(api: &Api) -> Result<(), Status> {
    if M::FROM_STORE && !api.papers.are_there() {
        return Err(Status::unavailable(format!(
            "{} are not read from the store yet; try again in a second, or ask another replica",
            M::PLURAL
        )));
    }
    Ok(())
}

/// The page that the request asks for. The total counts what passes the filter.
pub(super) async fn page<M: Entity>(api: &Api, request: &v1::ListRequest) -> Result<Page<M>, Status> {
    there::<M>(api)?;
    let asked = Asked::of::<M>(request)?;
    let mut entries = Vec::with_capacity(asked.expected::<M>(api));
    let (next_page_token, total_size) = asked.answer(api, |entry| entries.push(entry)).await;
    Ok(Page { entries, next_page_token, total_size })
}

/// The same page as bytes of its message. All list responses have the same three fields. Each entry is encoded as soon as
/// it is made, so that ten thousand of them are never in memory at once and none is touched twice.
pub(super) async fn encoded<M: Entity + Message>(
    api: &Api,
    request: &v1::ListRequest,
) -> Result<Vec<u8>, Status> {
    there::<M>(api)?;
    let asked = Asked::of::<M>(request)?;
    let mut bytes = Vec::with_capacity(ENTRY_BYTES * asked.expected::<M>(api));
    let (next_page_token, total_size) = if asked.is_plain::<M>() {
        plain::<M>(api, asked, &mut bytes).await
    } else {
        asked.answer(api, |entry: M| encode_entry(&entry, &[], &mut bytes)).await
    };
    let rest = v1::ListNodesResponse { nodes: Vec::new(), next_page_token, total_size };
    rest.encode(&mut bytes).expect("a vector grows");
    Ok(bytes)
}

/// Appends a page of whole entries. Returns what [`Asked::answer`] does.
async fn plain<M: Entity>(api: &Api, asked: Asked, bytes: &mut Vec<u8>) -> (String, u32) {
    let Asked { size, mut after, .. } = asked;
    let mut left = size;
    for turn in 1.. {
        let wanted = left.min(CHUNK);
        let (count, last) = M::encode_after(api, after.as_deref(), wanted, bytes);
        left -= count;
        if count > 0 {
            after = Some(last);
        }
        if count < wanted || left == 0 {
            break;
        }
        if turn % CHUNKS_PER_TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    let more = left == 0 && !M::after(api, after.as_deref(), 1, &Mask::none()).is_empty();
    let token = after.filter(|_| more).map(|last| encode_token(&last)).unwrap_or_default();
    (token, u32::try_from(M::total(api)).unwrap_or(u32::MAX))
}

/// Passes on the entries after a name that pass the filter, until told to stop.
async fn each<M: Entity>(
    api: &Api,
    mut after: Option<String>,
    build: &Mask,
    filter: &Filter,
    mut take: impl FnMut(M) -> ControlFlow<()>,
) {
    let node = demanded_node::<M>(filter);
    for turn in 1.. {
        let chunk = entity::after::<M>(api, node.as_ref(), after.as_deref(), CHUNK, build);
        let ended = chunk.len() < CHUNK;
        after = chunk.last().map(|last| last.name().to_owned());
        for entry in chunk.into_iter().filter(|entry| filter.matches(entry)) {
            if take(entry).is_break() {
                return;
            }
        }
        if ended {
            return;
        }
        if turn % CHUNKS_PER_TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// The entry that the request names.
pub(super) fn get<M: Entity>(api: &Api, request: &v1::GetRequest) -> Result<M, Status> {
    there::<M>(api)?;
    let keep = mask_of::<M>(request.field_mask.as_ref())?;
    if request.name.is_empty() {
        return Err(Status::invalid_argument(format!(
            "name: is empty; give the name of one of the {}",
            M::PLURAL
        )));
    }
    let mut entry = M::get(api, &request.name, &keep.with_bits(1)).ok_or_else(|| {
        let name: String = request.name.chars().take(253).collect();
        Status::not_found(format!(
            "there is no {name:?} among the {}; list them to see which there are",
            M::PLURAL
        ))
    })?;
    entry.keep(&keep);
    Ok(entry)
}

/// A token names the last entry of the page before, so that entries that come and go shift no other.
fn encode_token(name: &str) -> String {
    name.bytes().fold(String::from("n"), |token, byte| format!("{token}{byte:02x}"))
}

fn decode_token(token: &str) -> Result<Option<String>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let decode = |token: &str| {
        let digits = token.strip_prefix('n')?.as_bytes();
        let whole = digits.len() % 2 == 0 && digits.iter().all(u8::is_ascii_hexdigit) && digits.len() < 4_096;
        let bytes: Option<Vec<u8>> = if whole { digits.chunks(2).map(byte).collect() } else { None };
        String::from_utf8(bytes?).ok()
    };
    let invalid = || {
        Status::invalid_argument(
            "page_token: is not one that this API gave; leave it empty to begin with the first page",
        )
    };
    decode(token).map(Some).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back_to_names_and_others_are_refused() {
        for name in ["n1", "node-1.example/vllm-8000", "ü"] {
            assert_eq!(decode_token(&encode_token(name)).unwrap().as_deref(), Some(name));
        }
        assert_eq!(decode_token("").unwrap(), None);
        for token in ["x", "n1", "nzz", "n+1", "nff", &format!("n{}", "00".repeat(5_000))] {
            assert_eq!(decode_token(token).unwrap_err().code(), tonic::Code::InvalidArgument, "{token}");
        }
    }
}
