//! ListStreams

use types::limits::{LIST_STREAMS_DEFAULT, PAGE_MAX};

use crate::lookup::parse_name;
use crate::page::page;
use crate::{Router, RouterError, StreamView};

/// One page of the account's streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// By name.
    pub streams: Vec<StreamView>,
    /// Whether a next page follows.
    pub has_more: bool,
    /// The `NextToken` if one follows: the last name, of which nothing needs to be kept secret.
    pub next_token: Option<String>,
}

impl Router {
    /// The streams whose names follow `exclusive_start` or, instead, a page's token; 100 of them if there is no limit.
    ///
    /// # Errors
    /// For a name that cannot be a stream's.
    pub fn list_streams(
        &self,
        exclusive_start: Option<&str>,
        next_token: Option<&str>,
        limit: Option<u32>,
    ) -> Result<StreamPage, RouterError> {
        let catalog = self.inner.control.catalog();
        let limit = limit.unwrap_or(LIST_STREAMS_DEFAULT).clamp(1, PAGE_MAX) as usize;
        let (streams, has_more) = match next_token.or(exclusive_start) {
            None => page(catalog.streams().map(StreamView::of), limit),
            Some(start) => page(catalog.streams_after(&parse_name(start)?).map(StreamView::of), limit),
        };
        let last = streams.last().map(|stream| stream.name().to_owned());
        Ok(StreamPage { streams, has_more, next_token: last.filter(|_| has_more) })
    }
}
