//! The operations of the service model.

macro_rules! operations {
    ($($name:ident)*) => {
        /// An operation of Kinesis, by its AWS name: the 39 of the service model in botocore 1.43.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each variant is the AWS name of the operation and documented by AWS")]
        pub enum Operation { $($name,)* }

        impl Operation {
            /// All operations, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The AWS name, as in the target header.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

operations! {
    AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteResourcePolicy DeleteStream
    DeregisterStreamConsumer DescribeAccountSettings DescribeLimits DescribeStream DescribeStreamConsumer
    DescribeStreamSummary DisableEnhancedMonitoring EnableEnhancedMonitoring GetRecords GetResourcePolicy
    GetShardIterator IncreaseStreamRetentionPeriod ListShards ListStreamConsumers ListStreams ListTagsForResource
    ListTagsForStream MergeShards PutRecord PutRecords PutResourcePolicy RegisterStreamConsumer RemoveTagsFromStream
    SplitShard StartStreamEncryption StopStreamEncryption SubscribeToShard TagResource UntagResource
    UpdateAccountSettings UpdateMaxRecordSize UpdateShardCount UpdateStreamMode UpdateStreamWarmThroughput
}

impl Operation {
    /// The operation of this AWS name, which is case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|operation| operation.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_name_and_no_other_is() {
        assert_eq!(Operation::ALL.len(), 39);
        for &operation in Operation::ALL {
            assert_eq!(Operation::from_name(operation.name()), Some(operation));
        }
        assert!(Operation::ALL.is_sorted_by_key(|operation| operation.name()));
        for unknown in ["", "ListStream", "liststreams", "ListStreams ", "CreateChannel"] {
            assert_eq!(Operation::from_name(unknown), None, "{unknown}");
        }
    }
}
