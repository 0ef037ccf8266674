//! How a request names its stream: pure.

use catalog_state::{CatalogState, Stream};
use types::{StreamArn, StreamName};

use crate::{InvalidArgument, NotFound, Options, RouterError};

/// The three ways in which a request names a stream. Any combination is fine as long as all mean the same one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamRef<'a> {
    /// `StreamName`
    pub name: Option<&'a str>,
    /// `StreamARN`
    pub arn: Option<&'a str>,
    /// `StreamId`
    pub id: Option<&'a str>,
}

impl<'a> StreamRef<'a> {
    /// A stream by its name alone.
    #[must_use]
    pub fn named(name: &'a str) -> StreamRef<'a> {
        StreamRef { name: Some(name), ..StreamRef::default() }
    }

    /// Whether it names none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == StreamRef::default()
    }

    /// The stream that is meant.
    ///
    /// # Errors
    /// [`InvalidArgument`] when none is named, or not the same one by all; [`NotFound::Stream`].
    pub(crate) fn find<'c>(&self, catalog: &'c CatalogState, options: &Options) -> Result<&'c Stream, RouterError> {
        let by_arn = self.arn.map(|arn| name_of_arn(arn, options)).transpose()?;
        let name = match (self.name, by_arn) {
            (Some(name), Some(of_arn)) if name != of_arn.as_str() => {
                let arn = self.arn.unwrap_or_default().to_owned();
                return Err(InvalidArgument::StreamNamesDiffer { name: name.to_owned(), arn }.into());
            }
            (_, Some(of_arn)) => of_arn,
            (Some(name), None) => parse_name(name)?,
            (None, None) => return self.find_by_id(catalog),
        };
        let stream = catalog.stream(&name).ok_or_else(|| not_found(name.as_str()))?;
        match self.id {
            Some(id) if id.parse() != Ok(stream.id) => {
                let differ = InvalidArgument::StreamNamesDiffer { name: id.to_owned(), arn: name.as_str().to_owned() };
                Err(differ.into())
            }
            _ => Ok(stream),
        }
    }

    fn find_by_id<'c>(&self, catalog: &'c CatalogState) -> Result<&'c Stream, RouterError> {
        let text = self.id.ok_or(InvalidArgument::StreamMissing)?;
        let found = text.parse().ok().and_then(|id| catalog.stream_by_id(id));
        found.ok_or_else(|| not_found(text))
    }
}

pub(crate) fn not_found(stream: &str) -> RouterError {
    NotFound::Stream { stream: stream.to_owned() }.into()
}

/// Checks a stream's name; the API has refused others before, in the words of the service model.
pub(crate) fn parse_name(name: &str) -> Result<StreamName, RouterError> {
    StreamName::parse(name).map_err(|_| InvalidArgument::StreamName { name: name.to_owned() }.into())
}

/// Any partition will do: clients derive it from the region.
fn name_of_arn(text: &str, options: &Options) -> Result<StreamName, RouterError> {
    let parsed: Option<StreamArn> = text.parse().ok();
    let ours = parsed.filter(|arn| arn.region() == options.region && arn.account() == options.account);
    ours.map(|arn| arn.name().clone()).ok_or_else(|| InvalidArgument::ArnUnusable { arn: text.to_owned() }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog_state::{AccountLimits, CatalogCommand, ClusterId, StreamMode};
    use types::{NodeId, TimestampMs};

    const FLIGHTS: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/flights";

    fn options() -> Options {
        Options { region: "us-east-1".into(), account: "000000000000".into(), account_limits: AccountLimits::OFF }
    }

    /// Streams `flights` with id 1 and `trains` with id 2.
    fn catalog() -> CatalogState {
        let mut catalog = CatalogState::new();
        let at = TimestampMs(1);
        catalog.apply(1, &CatalogCommand::Initialise { cluster_id: ClusterId(1), iterator_key: [0; 32], at });
        let (api_addr, peer_addr, zone) = (String::new(), String::new(), String::new());
        catalog.apply(
            2,
            &CatalogCommand::JoinNode {
                incarnation: 1,
                preferred: None,
                api_addr,
                peer_addr,
                zone,
                catalog: 0,
                starts_over: false,
            },
        );
        for (index, name) in [(3, "flights"), (4, "trains")] {
            let arn = StreamArn::new("us-east-1", "000000000000", StreamName::parse(name).unwrap()).unwrap();
            let (mode, replicas, limits) = (StreamMode::Provisioned, vec![vec![NodeId(1)]], AccountLimits::OFF);
            let (shard_count, replication) = (1, 1);
            let create = CatalogCommand::CreateStream { arn, shard_count, mode, at, replication, replicas, limits };
            catalog.apply(index, &create);
        }
        catalog
    }

    fn find(name: Option<&str>, arn: Option<&str>, id: Option<&str>) -> Result<u64, RouterError> {
        StreamRef { name, arn, id }.find(&catalog(), &options()).map(|stream| stream.id)
    }

    #[test]
    fn name_arn_and_id_each_find_the_stream_and_together_when_they_agree() {
        for (name, arn, id) in [
            (Some("flights"), None, None),
            (None, Some(FLIGHTS), None),
            (None, None, Some("1")),
            (Some("flights"), Some(FLIGHTS), Some("1")),
        ] {
            assert_eq!(find(name, arn, id), Ok(1));
        }
    }

    #[test]
    fn names_that_disagree_are_refused() {
        let differ = |name: &str, arn: &str| {
            Err(InvalidArgument::StreamNamesDiffer { name: name.into(), arn: arn.into() }.into())
        };
        assert_eq!(find(Some("trains"), Some(FLIGHTS), None), differ("trains", FLIGHTS));
        assert_eq!(find(Some("flights"), None, Some("2")), differ("2", "flights"));
        assert_eq!(find(Some("flights"), None, Some("x")), differ("x", "flights"));
    }

    #[test]
    fn unknown_streams_are_not_found() {
        let missing = |stream: &str| Err(NotFound::Stream { stream: stream.into() }.into());
        assert_eq!(find(Some("ships"), None, None), missing("ships"));
        assert_eq!(find(None, Some("arn:aws:kinesis:us-east-1:000000000000:stream/ships"), None), missing("ships"));
        assert_eq!(find(None, None, Some("3")), missing("3"));
    }

    #[test]
    fn other_accounts_regions_and_services_are_no_streams_here() {
        for arn in [
            "arn:aws:kinesis:us-east-1:000000000001:stream/flights",
            "arn:aws:kinesis:us-east-2:000000000000:stream/flights",
            "arn:aws:firehose:us-east-1:000000000000:stream/flights",
            "arn:aws:kinesis:us-east-1:000000000000:stream/flights/consumer/c:1",
            "flights",
        ] {
            assert_eq!(find(None, Some(arn), None), Err(InvalidArgument::ArnUnusable { arn: arn.into() }.into()));
        }
        assert_eq!(find(None, None, None), Err(InvalidArgument::StreamMissing.into()));
    }
}
