//! ListShards

use std::sync::Arc;

use catalog_state::{CatalogState, Shard, Stream, StreamStatus};
use types::ShardId;
use types::limits::{LIST_SHARDS_DEFAULT, PAGE_MAX};

use crate::describe_stream::visible_after;
use crate::filter::{Selection, shard_id};
use crate::lookup::not_found;
use crate::page::page;
use crate::page_token::PageToken;
use crate::router::Inner;
use crate::{InUse, NotFound, Router, RouterError, ShardFilter, StreamRef};

/// Which listing, and which page of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListShards<'a> {
    /// The first page.
    First {
        /// The stream.
        stream: StreamRef<'a>,
        /// When it was created, to tell it from others of its name; compared by the second.
        created_ms: Option<i64>,
        /// The shard after which to begin.
        exclusive_start: Option<&'a str>,
        /// Which shards; all if absent.
        filter: Option<ShardFilter<'a>>,
    },
    /// The page to which a token of the page before leads.
    Next {
        /// The token.
        token: &'a str,
    },
}

/// One page of a stream's shards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardPage {
    /// By id.
    pub shards: Vec<Shard>,
    /// Leads to the next page, if one follows, for five minutes.
    pub next_token: Option<String>,
}

/// Where a page begins.
struct Cursor {
    selection: Selection,
    after: Option<ShardId>,
}

impl Router {
    /// One page of a stream's shards, 1,000 of them if there is no limit. All pages of a listing are filtered by the time of the first.
    ///
    /// # Errors
    /// For an unknown stream, one that is being created or deleted, and a token that is forged or expired.
    pub fn list_shards(&self, list: ListShards<'_>, limit: Option<u32>) -> Result<ShardPage, RouterError> {
        let inner = &self.inner;
        let catalog: Arc<CatalogState> = inner.control.catalog();
        let (stream, cursor) = match list {
            ListShards::First { stream, created_ms, exclusive_start, filter } => {
                let found = stream.find(&catalog, &inner.options)?;
                check_created(found, created_ms)?;
                let name = found.name().as_str();
                let after = exclusive_start.map(|id| shard_id(id, name)).transpose()?;
                (found, Cursor { selection: Selection::new(filter, found, inner.now())?, after })
            }
            ListShards::Next { token } => {
                let token = PageToken::open(&inner.pages, token, inner.now())?;
                let found = catalog.stream_by_id(token.stream).ok_or(NotFound::StreamOfToken)?;
                (found, Cursor { selection: token.selection, after: Some(token.after) })
            }
        };
        check_status(stream)?;
        let limit = limit.unwrap_or(LIST_SHARDS_DEFAULT).clamp(1, PAGE_MAX) as usize;
        Ok(inner.shard_page(stream, &cursor, limit))
    }
}

impl Inner {
    fn shard_page(&self, stream: &Stream, cursor: &Cursor, limit: usize) -> ShardPage {
        let selected = visible_after(stream, cursor.after).filter(|shard| cursor.selection.has(stream, shard));
        let (shards, more) = page(selected.cloned(), limit);
        let token = |last: &Shard| {
            let selection = cursor.selection;
            PageToken { stream: stream.id, after: last.id, selection, issued: self.now() }.seal(&self.pages)
        };
        let next_token = shards.last().filter(|_| more).map(token);
        ShardPage { shards, next_token }
    }
}

fn check_created(stream: &Stream, created_ms: Option<i64>) -> Result<(), RouterError> {
    let same = |ms: i64| u64::try_from(ms).is_ok_and(|ms| ms / 1_000 == stream.created.seconds());
    if created_ms.is_none_or(same) { Ok(()) } else { Err(not_found(stream.name().as_str())) }
}

/// The documentation of ListShards asks for an ACTIVE stream; one that is UPDATING must do, or consumers would stop while it is
/// resharded.
fn check_status(stream: &Stream) -> Result<(), RouterError> {
    match stream.status {
        StreamStatus::Active | StreamStatus::Updating => Ok(()),
        status @ (StreamStatus::Creating | StreamStatus::Deleting) => {
            Err(InUse::NotActive { stream: stream.name().as_str().to_owned(), status }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tests::stream;

    #[test]
    fn a_creation_time_tells_streams_of_one_name_apart_by_the_second() {
        let stream = stream(1);
        assert_eq!(check_created(&stream, None), Ok(()));
        assert_eq!(check_created(&stream, Some(1_999)), Ok(()));
        for other in [-1, 0, 999, 2_000] {
            assert_eq!(check_created(&stream, Some(other)), Err(not_found("flights")));
        }
    }

    #[test]
    fn only_streams_in_use_are_listed() {
        let mut stream = stream(1);
        for (status, listed) in [
            (StreamStatus::Creating, false),
            (StreamStatus::Active, true),
            (StreamStatus::Updating, true),
            (StreamStatus::Deleting, false),
        ] {
            stream.status = status;
            assert_eq!(check_status(&stream).is_ok(), listed);
        }
    }
}
