//! `thalweg cluster certs`
//!
//! An authority that lives in a folder. Its certificate can be made again from its key, so that a run that was interrupted is finished by
//! the next one, and nothing needs to read certificates.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use env::Env;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData,
};
use transport::Identity;
use types::NodeId;

use crate::Outcome;

const DAY: Duration = Duration::from_secs(86_400);
const AUTHORITY_DAYS: u32 = 3_650;
const NODE_DAYS: u32 = 730;
/// Certificates count from the day before, for the sake of machines whose clocks are behind.
const BEFORE_DAYS: u32 = 1;
/// Bytes of the authority's public key that its name shows: two authorities have different names.
const NAME_BYTES: usize = 8;
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

#[derive(clap::Args)]
pub(crate) struct CertsArgs {
    /// Where the files are made
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// Nodes 1 to N get a certificate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000))]
    nodes: u64,
    /// The cluster's name, as in its configuration
    #[arg(long, value_name = "NAME", default_value = "thalweg")]
    cluster: String,
}

/// Why there are not all files.
#[derive(Debug, thiserror::Error)]
enum CertsError {
    #[error("--cluster: {0}")]
    Cluster(#[from] transport::IdentityError),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{} is there without {}: bring the key back, or remove the certificate to make both anew", certificate.display(), key.display())]
    KeyGone { certificate: PathBuf, key: PathBuf },
    #[error("{}: {source}", path.display())]
    Key { path: PathBuf, source: rcgen::Error },
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

pub(crate) fn run(args: &CertsArgs) -> Outcome {
    let made = env::real::run(async { make(args, &env::real::env(args.dir.clone())) });
    let made = made.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let shown = args.dir.display();
    println!("{shown}: {made} of {} certificates made, the others were there", args.nodes + 1);
    println!("Keep {shown}/ca-key.pem to yourself; node N gets these three, and in its configuration:");
    println!(
        "[peer_tls]\nca_file = \"{shown}/ca.pem\"\ncert_file = \"{shown}/node-N.pem\"\nkey_file = \"{shown}/node-N-key.pem\""
    );
    Ok(ExitCode::SUCCESS)
}

/// Returns how many certificates were made.
fn make(args: &CertsArgs, env: &Env) -> Result<u64, CertsError> {
    create_dir(&args.dir)?;
    let nodes: Result<Vec<_>, _> = (1..=args.nodes).map(|node| Identity::new(&args.cluster, NodeId(node))).collect();
    let nodes = nodes?;
    let today = Duration::from_millis(env.clock.unix_ms());
    let ca = Pair::new(&args.dir, "ca");
    let missing: Vec<_> =
        nodes.iter().map(|node| (node, Pair::new(&args.dir, &format!("node-{}", node.node())))).collect();
    let missing: Vec<_> = missing.into_iter().filter(|(_, pair)| !pair.is_whole()).collect();
    if missing.is_empty() && ca.certificate.exists() {
        return Ok(0);
    }
    let key = ca.key()?;
    let params = authority(&key, today);
    let is_new = !ca.certificate.exists();
    if is_new {
        write(&ca.certificate, &params.self_signed(&key)?.pem(), PUBLIC)?;
    }
    let issuer = Issuer::new(params, key);
    for (node, pair) in &missing {
        let key = pair.key()?;
        let certificate = leaf(node, today)?.signed_by(&key, &issuer)?;
        write(&pair.certificate, &certificate.pem(), PUBLIC)?;
    }
    Ok(missing.len() as u64 + u64::from(is_new))
}

/// A certificate and its key.
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
}

impl Pair {
    fn new(dir: &Path, name: &str) -> Self {
        Self { certificate: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}-key.pem")) }
    }

    fn is_whole(&self) -> bool {
        self.certificate.exists() && self.key.exists()
    }

    /// The key, made if there is none.
    fn key(&self) -> Result<KeyPair, CertsError> {
        if self.key.exists() {
            let refuse = |source| CertsError::Key { path: self.key.clone(), source };
            return KeyPair::from_pem(&read(&self.key)?).map_err(refuse);
        }
        if self.certificate.exists() {
            return Err(CertsError::KeyGone { certificate: self.certificate.clone(), key: self.key.clone() });
        }
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        write(&self.key, &key.serialize_pem(), SECRET)?;
        Ok(key)
    }
}

/// All of it follows from the key, but its dates, which nothing that it signs repeats.
fn authority(key: &KeyPair, today: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    // After the byte that says how the key is written.
    let shown: String = key.der_bytes().iter().skip(1).take(NAME_BYTES).map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name.push(DnType::CommonName, format!("Thalweg authority {shown}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    valid(&mut params, today, AUTHORITY_DAYS);
    params
}

fn leaf(node: &Identity, today: Duration) -> Result<CertificateParams, CertsError> {
    let name = node.certificate_name();
    let mut params = CertificateParams::new(vec![name.clone()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    valid(&mut params, today, NODE_DAYS);
    Ok(params)
}

fn valid(params: &mut CertificateParams, today: Duration, days: u32) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + today.saturating_sub(BEFORE_DAYS * DAY);
    params.not_after = epoch + today + days * DAY;
}

#[allow(clippy::disallowed_methods, reason = "the operator's files, outside of any data directory")]
fn create_dir(path: &Path) -> Result<(), CertsError> {
    std::fs::create_dir_all(path).map_err(|source| CertsError::File { path: path.to_owned(), source })
}

#[allow(clippy::disallowed_methods, reason = "the operator's files, outside of any data directory")]
fn read(path: &Path) -> Result<String, CertsError> {
    std::fs::read_to_string(path).map_err(|source| CertsError::File { path: path.to_owned(), source })
}

/// Makes a file that is whole or not there.
#[allow(clippy::disallowed_methods, reason = "the operator's files, outside of any data directory")]
fn write(path: &Path, text: &str, mode: u32) -> Result<(), CertsError> {
    let draft = path.with_extension("pem.new");
    let written = (|| {
        // Left by an interrupted run, with whatever rights.
        match std::fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, path)
    })();
    written.map_err(|source| CertsError::File { path: path.to_owned(), source })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests look at the operator's files")]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use transport::{Tls, TlsError, TlsFiles};

    use super::*;

    fn make_in(dir: &Path, nodes: u64) -> Result<u64, CertsError> {
        let args = CertsArgs { dir: dir.to_owned(), nodes, cluster: "eu".into() };
        env::real::run(async { make(&args, &env::real::env(dir.to_owned())) }).unwrap()
    }

    fn contents(dir: &Path) -> BTreeMap<PathBuf, String> {
        let paths = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
    }

    fn load(dir: &Path, node: u64, cluster: &str) -> Result<Tls, TlsError> {
        let Pair { certificate, key } = Pair::new(dir, &format!("node-{node}"));
        let files = TlsFiles { certificate, key, authority: dir.join("ca.pem") };
        let identity = Identity::new(cluster, NodeId(node)).unwrap();
        env::real::run(async { Tls::load(files, &identity, Arc::clone(&env::real::env(dir.to_owned()).clock)) })
            .unwrap()
    }

    #[test]
    fn each_node_gets_what_it_can_use_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(make_in(dir.path(), 2).unwrap(), 3);
        load(dir.path(), 1, "eu").unwrap();
        load(dir.path(), 2, "eu").unwrap();
        assert!(matches!(load(dir.path(), 2, "us"), Err(TlsError::Name { .. })));
        for (path, _) in contents(dir.path()) {
            let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            let is_secret = path.to_string_lossy().ends_with("-key.pem");
            assert_eq!(mode & 0o077 == 0, is_secret, "{} {mode:o}", path.display());
        }
    }

    #[test]
    fn files_that_are_there_stay_and_a_new_node_is_signed_by_the_same_authority() {
        let dir = tempfile::tempdir().unwrap();
        make_in(dir.path(), 2).unwrap();
        let before = contents(dir.path());
        assert_eq!(make_in(dir.path(), 2).unwrap(), 0);
        assert_eq!(contents(dir.path()), before);
        assert_eq!(make_in(dir.path(), 3).unwrap(), 1);
        let after = contents(dir.path());
        assert!(before.iter().all(|(path, text)| after[path] == *text));
        load(dir.path(), 3, "eu").unwrap();
        // All are there: the authority's key may be elsewhere.
        std::fs::remove_file(dir.path().join("ca-key.pem")).unwrap();
        assert_eq!(make_in(dir.path(), 3).unwrap(), 0);
        assert!(matches!(make_in(dir.path(), 4), Err(CertsError::KeyGone { .. })));
    }

    #[test]
    fn an_interrupted_run_is_finished_by_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        make_in(dir.path(), 1).unwrap();
        let before = contents(dir.path());
        for file in ["ca.pem", "node-1.pem"] {
            std::fs::remove_file(dir.path().join(file)).unwrap();
        }
        assert_eq!(make_in(dir.path(), 1).unwrap(), 2);
        let after = contents(dir.path());
        assert!(
            ["ca-key.pem", "node-1-key.pem"]
                .map(|file| dir.path().join(file))
                .iter()
                .all(|key| after[key] == before[key])
        );
        load(dir.path(), 1, "eu").unwrap();
        std::fs::remove_file(dir.path().join("node-1-key.pem")).unwrap();
        assert!(make_in(dir.path(), 1).unwrap_err().to_string().contains("bring the key back"));
    }

    #[test]
    fn a_name_that_no_cluster_can_have_is_refused() {
        let args = CertsArgs { dir: tempfile::tempdir().unwrap().path().to_owned(), nodes: 1, cluster: "EU".into() };
        let made = env::real::run(async { make(&args, &env::real::env(args.dir.clone())) });
        assert!(matches!(made.unwrap(), Err(CertsError::Cluster(_))));
    }
}
