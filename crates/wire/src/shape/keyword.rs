//! Enumerations of the model.

use serde::{Serialize, Serializer};

macro_rules! keywords {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The names, in the order in which AWS lists them in messages where that is known.
            pub const NAMES: &'static [&'static str] = &[$($text,)*];

            /// The name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of this name, which is case-sensitive.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

keywords! {
    /// What a stream does at the moment.
    StreamStatus {
        /// Not yet usable.
        Creating = "CREATING",
        /// Soon gone.
        Deleting = "DELETING",
        /// At rest and in use.
        Active = "ACTIVE",
        /// Its shards change; it can be used all the while.
        Updating = "UPDATING",
    }
}

keywords! {
    /// Who decides on the number of shards.
    StreamMode {
        /// The owner of the stream.
        Provisioned = "PROVISIONED",
        /// The service, by the load.
        OnDemand = "ON_DEMAND",
    }
}

keywords! {
    /// How records are encrypted at rest.
    EncryptionType {
        /// Not by a key of the stream's owner.
        None = "NONE",
        /// By a key of KMS.
        Kms = "KMS",
    }
}

keywords! {
    /// Where an iterator begins.
    ShardIteratorType {
        /// Behind the record of a sequence number.
        AfterSequenceNumber = "AFTER_SEQUENCE_NUMBER",
        /// Behind the newest record.
        Latest = "LATEST",
        /// At the first record that is as new as a time.
        AtTimestamp = "AT_TIMESTAMP",
        /// At the record of a sequence number.
        AtSequenceNumber = "AT_SEQUENCE_NUMBER",
        /// At the oldest record.
        TrimHorizon = "TRIM_HORIZON",
    }
}

keywords! {
    /// Which shards ListShards returns.
    ShardFilterType {
        /// Those with a greater id.
        AfterShardId = "AFTER_SHARD_ID",
        /// Those that were open at the trim horizon.
        AtTrimHorizon = "AT_TRIM_HORIZON",
        /// Those with records since the trim horizon.
        FromTrimHorizon = "FROM_TRIM_HORIZON",
        /// Those that are open.
        AtLatest = "AT_LATEST",
        /// Those that were open at a time.
        AtTimestamp = "AT_TIMESTAMP",
        /// Those that were open at a time or since.
        FromTimestamp = "FROM_TIMESTAMP",
    }
}
