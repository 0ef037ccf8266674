use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ParseError, StreamName};

/// The full name of a stream: `arn:aws:kinesis:REGION:ACCOUNT:stream/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamArn {
    partition: String,
    region: String,
    account: String,
    name: StreamName,
}

impl StreamArn {
    /// An ARN of the partition `aws`.
    ///
    /// # Errors
    /// [`ParseError::StreamArn`] unless the region is letters, digits and `-`, and the account twelve digits.
    pub fn new(region: &str, account: &str, name: StreamName) -> Result<StreamArn, ParseError> {
        StreamArn::with_partition("aws", region, account, name)
    }

    fn with_partition(partition: &str, region: &str, account: &str, name: StreamName) -> Result<StreamArn, ParseError> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let account_is_good = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        if !partition.starts_with("aws") || !plain(partition) || !plain(region) || region.is_empty() || !account_is_good
        {
            return Err(ParseError::StreamArn);
        }
        Ok(StreamArn { partition: partition.into(), region: region.into(), account: account.into(), name })
    }

    /// The region, such as `us-east-1`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The account: twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &StreamName {
        &self.name
    }
}

impl fmt::Display for StreamArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:kinesis:{}:{}:stream/{}", self.partition, self.region, self.account, self.name)
    }
}

impl FromStr for StreamArn {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<StreamArn, ParseError> {
        let mut parts = text.splitn(6, ':');
        let mut part = || parts.next().ok_or(ParseError::StreamArn);
        let (arn, partition, service, region, account, resource) =
            (part()?, part()?, part()?, part()?, part()?, part()?);
        let name = resource.strip_prefix("stream/").ok_or(ParseError::StreamArn)?;
        if arn != "arn" || service != "kinesis" {
            return Err(ParseError::StreamArn);
        }
        let name = StreamName::parse(name).map_err(|_| ParseError::StreamArn)?;
        StreamArn::with_partition(partition, region, account, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_read_and_printed_unchanged() {
        for text in [
            "arn:aws:kinesis:us-east-1:000000000000:stream/flights",
            "arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b-c_d",
        ] {
            assert_eq!(text.parse::<StreamArn>().unwrap().to_string(), text);
        }
        let arn: StreamArn = "arn:aws:kinesis:eu-west-1:123456789012:stream/flights".parse().unwrap();
        assert_eq!((arn.region(), arn.account(), arn.name().as_str()), ("eu-west-1", "123456789012", "flights"));
        assert_eq!(StreamArn::new("eu-west-1", "123456789012", StreamName::parse("flights").unwrap()), Ok(arn));
    }

    #[test]
    fn other_arns_are_refused() {
        for bad in [
            "",
            "arn:aws:kinesis:us-east-1:000000000000",
            "arn:aws:firehose:us-east-1:000000000000:stream/flights",
            "arn:aws:kinesis:us-east-1:00000000000:stream/flights",
            "arn:aws:kinesis::000000000000:stream/flights",
            "arn:aws:kinesis:us-east-1:000000000000:flights",
            "arn:aws:kinesis:us-east-1:000000000000:stream/",
            "arn:aws:kinesis:us-east-1:000000000000:stream/flights/consumer/c:1",
            "urn:aws:kinesis:us-east-1:000000000000:stream/flights",
            "arn:gcp:kinesis:us-east-1:000000000000:stream/flights",
        ] {
            assert_eq!(bad.parse::<StreamArn>(), Err(ParseError::StreamArn), "{bad}");
        }
    }
}
