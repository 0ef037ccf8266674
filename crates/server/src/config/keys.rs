//! The table of keys, in the order of the reference.

use std::path::PathBuf;
use std::time::Duration;

use types::ReplicaId;

use super::key::{Key, Kind};
use super::{AccessKey, Config, LimitsMode, LogFormat, PeerTls};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
/// Longer waits are a mistake: no client waits an hour.
const SECONDS_MAX: u64 = 3_600;

/// Every key there is.
pub(crate) const KEYS: &[Key] = &[
    Key {
        name: "data_dir",
        unit: "",
        default: "thalweg-data",
        kind: Kind::Text("a path", |text| !text.is_empty(), |config, text| config.data_dir = text.into()),
        meaning: "The directory that holds everything: journal, segments, checkpoints. Made if it is not there. One process at a time.",
    },
    Key {
        name: "node_id",
        unit: "",
        default: "1",
        kind: Kind::Integer(1..=ReplicaId::NODE_MAX.0, |config, value| config.node_id = value),
        meaning: "The node's number in its cluster. It belongs to the data directory and never changes.",
    },
    Key {
        name: "api_addr",
        unit: "",
        default: "127.0.0.1:4567",
        kind: Kind::Address(|config, value| config.api_addr = value),
        meaning: "Where the Kinesis API listens: HTTP/1.1 and clear-text HTTP/2. Nothing is encrypted on its way: keep it where only friends listen.",
    },
    Key {
        name: "admin_addr",
        unit: "",
        default: "127.0.0.1:4568",
        kind: Kind::Address(|config, value| config.admin_addr = value),
        meaning: "Where `/health/live`, `/health/ready`, `/metrics` and `/cluster` are served. Whoever reaches it can drain and remove nodes: keep it where only operators are.",
    },
    Key {
        name: "cluster",
        unit: "",
        default: "thalweg",
        kind: Kind::Text("1 to 63 of a-z, 0-9 and -, with no - at its ends", is_cluster, |config, text| {
            config.cluster = text.into();
        }),
        meaning: "The cluster's name. Nodes of another name are refused.",
    },
    Key {
        name: "seeds",
        unit: "",
        default: "",
        kind: Kind::Text(
            "`host:port` of one or more nodes, with commas between, or nothing",
            is_hosts,
            |config, text| {
                config.seeds =
                    text.split(',').map(|seed| seed.trim().to_owned()).filter(|seed| !seed.is_empty()).collect();
            },
        ),
        meaning: "With an empty data directory: the `peer_addr` of nodes whose cluster this one joins. Without any, it founds a cluster.",
    },
    Key {
        name: "peer_addr",
        unit: "",
        default: "",
        kind: Kind::Text("an address such as 10.0.0.1:4569, or nothing", is_address_or_nothing, |config, text| {
            config.peer_addr = text.parse().ok();
        }),
        meaning: "Where other nodes of the cluster are listened for; nothing on a node that has no others. Without `[peer_tls]`, keep it where only nodes listen.",
    },
    Key {
        name: "peer_advertise",
        unit: "",
        default: "",
        kind: Kind::Text("`host:port`, or nothing for `peer_addr` itself", is_host_or_nothing, |config, text| {
            config.peer_advertise = Some(text.to_owned()).filter(|text| !text.is_empty());
        }),
        meaning: "The address that other nodes are told for `peer_addr`, where it is another.",
    },
    Key {
        name: "api_advertise",
        unit: "",
        default: "",
        kind: Kind::Text("`host:port`, or nothing for `api_addr` itself", is_host_or_nothing, |config, text| {
            config.api_advertise = Some(text.to_owned()).filter(|text| !text.is_empty());
        }),
        meaning: "The address that is shown for `api_addr`, where it is another.",
    },
    Key {
        name: "zone",
        unit: "",
        default: "",
        kind: Kind::Text("up to 64 letters, digits, - and _, or nothing", is_zone, |config, text| {
            config.zone = text.into()
        }),
        meaning: "The zone, such as a rack or a data centre, over which a shard's replicas are spread.",
    },
    Key {
        name: "replication",
        unit: "replicas",
        default: "3",
        kind: Kind::Integer(1..=7, |config, value| config.replication = value as u8),
        meaning: "Replicas of each shard of a new stream, on as many nodes. Where there are fewer nodes, the rest is made when more come.",
    },
    Key {
        name: "region",
        unit: "",
        default: "us-east-1",
        kind: Kind::Text("letters, digits and -", is_region, |config, text| config.region = text.into()),
        meaning: "The region in the ARNs of streams.",
    },
    Key {
        name: "account",
        unit: "",
        default: "000000000000",
        kind: Kind::Text("twelve digits", is_account, |config, text| config.account = text.into()),
        meaning: "The account in the ARNs of streams.",
    },
    Key {
        name: "access_key_id",
        unit: "",
        default: "",
        kind: Kind::Text(
            "letters, digits and _ (up to 128), or nothing for `dev`",
            is_access_key_id,
            |config, text| {
                set_access_key(config, |key| key.id = text.into());
            },
        ),
        meaning: "The access key that requests must be signed with. `thalweg server` needs one; `thalweg dev` takes any signature, or none.",
    },
    Key {
        name: "secret_access_key",
        unit: "",
        default: "",
        kind: Kind::Text(
            "up to 128 printable characters without spaces, or nothing for `dev`",
            is_secret,
            |config, text| {
                set_access_key(config, |key| key.secret = text.into());
            },
        ),
        meaning: "The secret of `access_key_id`. Better given as the variable than in the file.",
    },
    Key {
        name: "limits",
        unit: "",
        default: "aws",
        kind: Kind::Word(&["aws", "off"], |config, word| {
            config.limits = if word == "off" { LimitsMode::Off } else { LimitsMode::Aws };
        }),
        meaning: "Whether each shard keeps AWS' limits: 1 MiB and 1,000 records written, 2 MiB and 5 GetRecords read per second.",
    },
    Key {
        name: "shutdown_timeout_seconds",
        unit: "seconds",
        default: "20",
        kind: Kind::Integer(0..=SECONDS_MAX, |config, value| config.shutdown_timeout = Duration::from_secs(value)),
        meaning: "After SIGTERM, requests in flight have this long to finish; then their connections are cut.",
    },
    Key {
        name: "log",
        unit: "",
        // openraft tells every change of leader of every group at this level.
        default: "info,openraft=error",
        kind: Kind::Text(
            "a filter, such as info,journal=debug",
            |text| !text.is_empty(),
            |config, text| {
                config.log = text.into();
            },
        ),
        meaning: "Which log lines are written, to standard error.",
    },
    Key {
        name: "log_format",
        unit: "",
        default: "human",
        kind: Kind::Word(&["human", "json"], |config, word| {
            config.log_format = if word == "json" { LogFormat::Json } else { LogFormat::Human };
        }),
        meaning: "How log lines look.",
    },
    Key {
        name: "peer_tls.ca_file",
        unit: "",
        default: "",
        kind: Kind::Text(
            "a path, or nothing",
            |_| true,
            |config, text| set_peer_tls(config, |tls| &mut tls.ca_file, text),
        ),
        meaning: "PEM: the certificates of the cluster's authority. With the two below, nodes prove to each other who they are and encrypt what they say. All three or none, on all nodes or on none; files that change are taken up within a minute.",
    },
    Key {
        name: "peer_tls.cert_file",
        unit: "",
        default: "",
        kind: Kind::Text(
            "a path, or nothing",
            |_| true,
            |config, text| set_peer_tls(config, |tls| &mut tls.cert_file, text),
        ),
        meaning: "PEM: this node's certificate, valid for the name `node-N.CLUSTER.thalweg`, for servers and clients. `thalweg cluster certs` makes such.",
    },
    Key {
        name: "peer_tls.key_file",
        unit: "",
        default: "",
        kind: Kind::Text(
            "a path, or nothing",
            |_| true,
            |config, text| set_peer_tls(config, |tls| &mut tls.key_file, text),
        ),
        meaning: "PEM: the private key of `peer_tls.cert_file`. Let nobody else read it.",
    },
    Key {
        name: "http.connections_max",
        unit: "connections",
        default: "4096",
        kind: Kind::Integer(1..=1_000_000, |config, value| config.http.connections_max = value as u32),
        meaning: "API connections open at once. One more is closed as soon as it is accepted. Each takes a file descriptor, and half of those that the process may have are the most.",
    },
    Key {
        name: "http.streams_max",
        unit: "requests",
        default: "128",
        kind: Kind::Integer(1..=10_000, |config, value| config.http.streams_max = value as u32),
        meaning: "Requests at once on one HTTP/2 connection.",
    },
    Key {
        name: "http.header_timeout_seconds",
        unit: "seconds",
        default: "60",
        kind: Kind::Integer(1..=SECONDS_MAX, |config, value| config.http.header_timeout = Duration::from_secs(value)),
        meaning: "A connection on which no complete request head arrives for this long is closed, an idle one too.",
    },
    Key {
        name: "http.body_timeout_seconds",
        unit: "seconds",
        default: "30",
        kind: Kind::Integer(1..=SECONDS_MAX, |config, value| config.http.body_timeout = Duration::from_secs(value)),
        meaning: "The time for a request's body to arrive, once its head has.",
    },
    Key {
        name: "http.request_timeout_seconds",
        unit: "seconds",
        default: "30",
        kind: Kind::Integer(1..=SECONDS_MAX, |config, value| config.http.request_timeout = Duration::from_secs(value)),
        meaning: "The time for a request to be answered, once its body has arrived. What a put did that took longer is unknown.",
    },
    Key {
        name: "http.body_bytes_max",
        unit: "bytes",
        // 10 MiB of records are 13.4 MiB of base64; the rest is for names and keys.
        default: "15728640",
        kind: Kind::Integer(64 * KIB..=64 * MIB, |config, value| config.http.body_bytes_max = value as usize),
        meaning: "The largest body of a request. PutRecords takes 10 MiB of records, a third more in base64.",
    },
    Key {
        name: "http.memory_bytes_max",
        unit: "bytes",
        default: "268435456",
        kind: Kind::Integer(16 * MIB..=64 * GIB, |config, value| config.http.memory_bytes_max = value as usize),
        meaning: "Memory for requests and large replies together. A request that no longer fits is refused with `ServiceUnavailable`.",
    },
    Key {
        name: "journal.file_bytes",
        unit: "bytes",
        default: "67108864",
        kind: Kind::Integer(16 * MIB..=GIB, |config, value| config.journal.file_bytes = value),
        meaning: "The size of a journal file. Must hold the largest entry.",
    },
    Key {
        name: "journal.files_max",
        unit: "files",
        default: "8",
        kind: Kind::Integer(2..=1_000, |config, value| config.journal.files_max = value),
        meaning: "Journal files kept at most, spare ones included.",
    },
    Key {
        name: "journal.flush_bytes",
        unit: "bytes",
        default: "67108864",
        kind: Kind::Integer(MIB..=16 * GIB, |config, value| config.journal.flush_bytes = value),
        meaning: "Records are moved from the journal to a segment once this much of them waits.",
    },
    Key {
        name: "journal.tail_bytes_max",
        unit: "bytes",
        default: "268435456",
        kind: Kind::Integer(16 * MIB..=1_024 * GIB, |config, value| config.journal.tail_bytes_max = value),
        meaning: "Memory for the newest records of all shards. New records are refused when what is not yet in a segment fills it.",
    },
    Key {
        name: "journal.free_bytes_reserve",
        unit: "bytes",
        default: "268435456",
        kind: Kind::Integer(0..=1_024 * GIB, |config, value| config.journal.free_bytes_reserve = value),
        meaning: "New records are refused when less than this and the memory above is free on the disk. Reads and trims go on.",
    },
    Key {
        name: "shards.queue_bytes_max",
        unit: "bytes",
        default: "134217728",
        // The largest put of one shard is 12 MiB with its overhead.
        kind: Kind::Integer(16 * MIB..=2 * GIB, |config, value| config.shards.queue_bytes_max = value as u32),
        meaning: "Puts that wait for their shards or are in flight, all shards together. A put that no longer fits is throttled at once.",
    },
    Key {
        name: "shards.read_bytes_max",
        unit: "bytes",
        default: "67108864",
        kind: Kind::Integer(16 * MIB..=2 * GIB, |config, value| config.shards.read_bytes_max = value as u32),
        meaning: "Memory that GetRecords hold at once, before their replies are made. Further ones wait.",
    },
    Key {
        name: "shards.retention_check_seconds",
        unit: "seconds",
        default: "10",
        kind: Kind::Integer(1..=SECONDS_MAX, |config, value| {
            config.shards.retention_check = Duration::from_secs(value)
        }),
        meaning: "How often records past their retention are looked for.",
    },
    Key {
        name: "shards.retention_settle_seconds",
        unit: "seconds",
        default: "60",
        kind: Kind::Integer(0..=SECONDS_MAX, |config, value| {
            config.shards.retention_settle = Duration::from_secs(value)
        }),
        meaning: "Nothing is trimmed for so long after a start: time to put a wrong wall clock right.",
    },
];

fn is_cluster(text: &str) -> bool {
    transport::Identity::new(text, types::NodeId(1)).is_ok()
}

fn is_host(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && !host.contains(' ') && port.parse::<u16>().is_ok())
}

fn is_host_or_nothing(text: &str) -> bool {
    text.is_empty() || is_host(text)
}

fn is_hosts(text: &str) -> bool {
    text.is_empty() || text.split(',').all(|seed| is_host(seed.trim()))
}

fn is_address_or_nothing(text: &str) -> bool {
    text.is_empty() || text.parse::<std::net::SocketAddr>().is_ok()
}

fn is_zone(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn set_access_key(config: &mut Config, set: impl FnOnce(&mut AccessKey)) {
    let mut key = config.access_key.take().unwrap_or_else(|| AccessKey { id: String::new(), secret: String::new() });
    set(&mut key);
    config.access_key = Some(key).filter(|key| !key.id.is_empty() || !key.secret.is_empty());
}

fn set_peer_tls(config: &mut Config, file: impl FnOnce(&mut PeerTls) -> &mut PathBuf, text: &str) {
    let mut tls = config.peer_tls.take().unwrap_or_default();
    *file(&mut tls) = text.into();
    config.peer_tls = Some(tls).filter(|tls| *tls != PeerTls::default());
}

fn is_access_key_id(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_secret(text: &str) -> bool {
    text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_region(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
