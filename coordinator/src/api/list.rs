//! Lists and single entries: filter, field mask and paging, the same for every kind.

use ostler_proto::v1;
use tonic::Status;

use super::entity::Entity;
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

/// One page.
pub(super) struct Page<M> {
    pub(super) entries: Vec<M>,
    pub(super) next_page_token: String,
    pub(super) total_size: u32,
}

/// The page that the request asks for. The total counts what passes the filter.
pub(super) async fn page<M: Entity>(api: &Api, request: &v1::ListRequest) -> Result<Page<M>, Status> {
    let size = match request.page_size as usize {
        0 => PAGE_SIZE_DEFAULT,
        size => size.min(PAGE_SIZE_MAX),
    };
    let keep = mask_of::<M>(request.field_mask.as_ref())?;
    let filter =
        Filter::parse::<M>(&request.filter).map_err(|error| Status::invalid_argument(error.to_string()))?;
    let begin = decode_token(&request.page_token)?;
    let build = keep.with_bits(filter.fields() | 1);

    let mut page = collect::<M>(api, begin.as_deref(), size + 1, &build, &filter).await;
    let more = page.len() > size;
    page.truncate(size);
    let next_page_token =
        page.last().filter(|_| more).map(|last| encode_token(last.name())).unwrap_or_default();
    let total = if filter.is_all() {
        M::total(api)
    } else if begin.is_none() && !more {
        page.len()
    } else {
        collect::<M>(api, None, usize::MAX, &Mask::none().with_bits(filter.fields() | 1), &filter).await.len()
    };
    page.iter_mut().for_each(|entry| entry.keep(&keep));
    Ok(Page { entries: page, next_page_token, total_size: u32::try_from(total).unwrap_or(u32::MAX) })
}

/// Up to `limit` entries after a name that pass the filter.
async fn collect<M: Entity>(
    api: &Api,
    after: Option<&str>,
    limit: usize,
    build: &Mask,
    filter: &Filter,
) -> Vec<M> {
    // Without a filter it is known how many will come, and ten thousand entries are megabytes to move.
    let expected = if filter.is_all() { M::total(api).min(limit) } else { 0 };
    let mut entries: Vec<M> = Vec::with_capacity(expected);
    let mut after = after.map(str::to_owned);
    for turn in 1.. {
        let chunk = M::after(api, after.as_deref(), CHUNK, build);
        let ended = chunk.len() < CHUNK;
        after = chunk.last().map(|last| last.name().to_owned());
        entries.extend(chunk.into_iter().filter(|entry| filter.matches(entry)).take(limit - entries.len()));
        if ended || entries.len() == limit {
            break;
        }
        if turn % CHUNKS_PER_TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    entries
}

/// The entry that the request names.
pub(super) fn get<M: Entity>(api: &Api, request: &v1::GetRequest) -> Result<M, Status> {
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
