//! The sample configurations in `cluster/` are what this build takes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test reads files of the repository")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use server::Config;

fn samples() -> Vec<(PathBuf, Config)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cluster");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    paths.sort_unstable();
    let load = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = server::load(Some((&path, &text)), std::iter::empty()).unwrap_or_else(|error| panic!("{error}"));
        (path, loaded.config)
    };
    paths.into_iter().map(load).collect()
}

/// The configurations of the cluster whose files begin with `word`, by number.
fn cluster(word: &str) -> Vec<Config> {
    let named = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with(word);
    samples().into_iter().filter(|(path, _)| named(path)).map(|(_, config)| config).collect()
}

#[test]
fn every_sample_is_taken_and_there_are_those_for_one_three_and_five_nodes() {
    assert_eq!(samples().len(), 1 + 3 + 5);
    let [one] = &cluster("one-node")[..] else { panic!("one node is one file") };
    assert_eq!((&one.peer_addr, &one.peer_tls), (&None, &None));
}

#[test]
fn the_nodes_of_a_sample_form_one_cluster() {
    for (word, nodes) in [("three-nodes", 3), ("five-nodes", 5)] {
        let configs = cluster(word);
        let peers: Vec<_> = configs.iter().map(|config| config.peer_addr.unwrap().to_string()).collect();
        let distinct = |values: Vec<String>| values.into_iter().collect::<BTreeSet<_>>().len();
        assert_eq!(configs.iter().map(|config| config.node_id).collect::<Vec<_>>(), (1..=nodes).collect::<Vec<_>>());
        assert_eq!(distinct(peers.clone()), configs.len());
        assert_eq!(distinct(configs.iter().map(|config| config.zone.clone()).collect()), 3);
        for (index, config) in configs.iter().enumerate() {
            // One founds, all others join it.
            let mut others = peers.clone();
            others.remove(index);
            assert_eq!(config.seeds, if index == 0 { Vec::new() } else { others }, "{word} {}", config.node_id);
            let (tls, number) = (config.peer_tls.as_ref().unwrap(), config.node_id);
            assert!(tls.cert_file.ends_with(format!("node-{number}.pem")));
            assert!(tls.key_file.ends_with(format!("node-{number}-key.pem")));
            assert_eq!(
                (&config.cluster, &tls.ca_file),
                (&configs[0].cluster, &configs[0].peer_tls.as_ref().unwrap().ca_file)
            );
        }
    }
}
