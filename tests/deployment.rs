//! What people deploy with: the Compose file and the Kubernetes manifests, against their schemas.

use crate::support::{Folder, err, out, project};
use std::process::{Command, Output};

const COMPOSE: &str = "grafana/compose.yml";
const MANIFESTS: [&str; 4] = ["daemonset", "namespace", "podmonitor", "serviceaccount"];

/// What the schemas say of files; `None` where they are not installed.
fn checked(files: &[String]) -> Option<Output> {
    if !project("tests/schemas/node_modules/ajv").exists() {
        let missing = "tests/schemas/node_modules";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no {missing}: `make prepare` installs it");
        eprintln!(
            "SKIPPED: manifests are not checked, for there is no {missing}; `make prepare` installs it"
        );
        return None;
    }
    let done = Command::new("node").arg(project("tests/schemas/check.mjs")).args(files).output();
    Some(done.expect("node runs"))
}

fn at(path: &str) -> String {
    project(path).to_string_lossy().into_owned()
}

#[test]
fn manifests_are_what_their_schemas_want() {
    let mut files: Vec<String> =
        MANIFESTS.iter().map(|name| at(&format!("packaging/kubernetes/{name}.yaml"))).collect();
    files.push(at(COMPOSE));
    let Some(done) = checked(&files) else { return };
    assert!(done.status.success(), "{}", err(&done));
    assert_eq!(out(&done).lines().count(), files.len());
}

/// The test above would pass if nothing were checked.
#[test]
fn manifests_that_are_wrong_are_refused() {
    let folder = Folder::new();
    let broken = |path: &str, good: &str, bad: &str| {
        let text = std::fs::read_to_string(project(path)).unwrap();
        assert!(text.contains(good), "{path} has no {good}");
        folder.write(&path.replace('/', "-"), text.replacen(good, bad, 1))
    };
    let files = [
        broken(COMPOSE, "read_only: true", "readonly: true"),
        broken("packaging/kubernetes/daemonset.yaml", "periodSeconds: 10", "periodSeconds: often"),
        broken("packaging/kubernetes/podmonitor.yaml", "interval: 30s", "interval: half a minute"),
        broken("packaging/kubernetes/namespace.yaml", "kind: Namespace", "kind: Namespaces"),
    ];
    let Some(done) = checked(&files) else { return };
    assert!(!done.status.success());
    assert_eq!(err(&done).lines().count(), files.len(), "{}", err(&done));
}

/// All files of the folder belong to the kustomization, which renders nothing else.
#[test]
fn the_kustomization_names_every_manifest() {
    let read = |name: &str| std::fs::read_to_string(project("packaging/kubernetes").join(name)).unwrap();
    let text = read("kustomization.yaml");
    for name in MANIFESTS {
        assert!(text.contains(&format!("- {name}.yaml")), "{name}");
    }
    let there = std::fs::read_dir(project("packaging/kubernetes")).unwrap().filter_map(Result::ok);
    let manifests = there.filter(|f| f.path().extension().is_some_and(|e| e == "yaml")).count();
    assert_eq!(manifests, MANIFESTS.len() + 1);
}
