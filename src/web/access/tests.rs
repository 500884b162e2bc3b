//! Web configs good and bad, as fixtures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::*;

/// A folder with certificates: `ca.crt`, `server.{crt,key}`, `other.key`, `empty.pem`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    write("ca.crt", params.self_signed(&key).unwrap().pem());
    let ca = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    write("server.crt", server.pem());
    write("server.key", key.serialize_pem());
    write("other.key", KeyPair::generate().unwrap().serialize_pem());
    write("empty.pem", "nothing here\n".to_owned());
    folder
}

/// The fixture, beside the certificates, with those it holds by itself.
fn place(fixture: &Path, folder: &Path) -> PathBuf {
    let mut text = std::fs::read_to_string(fixture).unwrap();
    text = text.replace("@folder@", folder.to_str().unwrap());
    for name in ["server.crt", "server.key", "ca.crt"] {
        let pem = std::fs::read_to_string(folder.join(name)).unwrap();
        let indented: String = pem.lines().map(|line| format!("    {line}\n")).collect();
        text = text.replace(&format!("@{name}@"), &indented);
    }
    let path = folder.join("web.yml");
    std::fs::write(&path, text).unwrap();
    path
}

fn fixtures(kind: &str) -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/web-config");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = files.filter_map(|path| {
        let name = path.file_name()?.to_str()?.strip_suffix(kind)?.to_owned();
        Some((name, path))
    });
    named.collect()
}

/// What a fixture must give stands in the folder's `kind` file; `LOGTALLY_UPDATE=1` writes it anew.
fn compare(kind: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/web-config").join(kind);
    if std::env::var_os("LOGTALLY_UPDATE").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert_eq!(found, expected, "{}", path.display());
}

fn told(problems: &[Problem], folder: &Path) -> String {
    let folder = format!("{}/", folder.display());
    problems.iter().map(|problem| format!("{problem}\n").replace(&folder, "")).collect()
}

#[test]
fn good_configs_are_taken() {
    let folder = folder();
    let mut found = String::new();
    let fixtures = fixtures(".good.yml");
    assert!(fixtures.len() >= 30);
    for (name, path) in fixtures {
        let gate = Gate::open(Some(&place(&path, folder.path())));
        let gate = gate.unwrap_or_else(|problems| panic!("{name}: {}", told(&problems, folder.path())));
        let access = gate.0.state().access.clone();
        found += &format!("{name}: tls {} authenticates {}\n", gate.is_tls(), access.authenticates());
        found += &told(&gate.warnings(), folder.path());
    }
    compare("good.txt", &found);
}

#[test]
fn bad_configs_are_refused_with_place_and_next_step() {
    let folder = folder();
    let mut found = String::new();
    let fixtures = fixtures(".bad.yml");
    assert!(fixtures.len() >= 30);
    for (name, path) in fixtures {
        let problems = Gate::open(Some(&place(&path, folder.path())));
        let problems = problems.err().unwrap_or_else(|| panic!("{name} was taken"));
        let text = told(&problems, folder.path());
        assert!(!text.contains("secretword") && !text.contains("271828"), "{name} tells a secret: {text}");
        found += &format!("--- {name}\n{text}");
    }
    compare("bad.txt", &found);
}

#[test]
fn a_missing_config_is_an_error() {
    let problems = Gate::open(Some(Path::new("/nowhere/web.yml"))).unwrap_err();
    assert!(problems[0].message.starts_with("cannot read it"), "{}", problems[0]);
}
