//! The page in a real browser: Chromium, driven by `tests/page/drive.js`, looks at what the real binary serves.

use crate::support::{Exporter, Folder, err, out, project};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// The user that may read nothing of others.
const NOBODY: u32 = 65534;
const RULES: &str =
    "group: shop\nrules:\n  - {name: timeout, match: 'timed out'}\n  - {name: never, match: 'never seen'}\n";

/// The browser, if all that it takes is there; else what is missing.
fn browser() -> Result<&'static str, String> {
    let there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    if !there(&"node") {
        return Err("node".to_owned());
    }
    if !project("tests/page/node_modules/playwright-core").exists() {
        return Err("tests/page/node_modules".to_owned());
    }
    ["chromium", "chromium-browser"].into_iter().find(there).ok_or_else(|| "chromium".to_owned())
}

/// An exporter of two files, one of which it may not read, run by nobody where that is possible.
fn exporter(folder: &Folder, more: &str) -> Exporter {
    std::fs::set_permissions(folder.path(""), PermissionsExt::from_mode(0o755)).unwrap();
    let secret = folder.write("secret.log", "ERROR shop.db nobody reads this\n");
    std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o000)).unwrap();
    folder.write("shop.log", "");
    folder.write("rules.yml", RULES);
    let text =
        format!("storage: none\ninputs: [{{name: shop, include: ['*.log']}}]\nrules: [rules.yml]\n{more}");
    let config = folder.write("logtally.yml", text);
    // The build folder may be out of reach for others.
    let program = folder.path("logtally");
    std::fs::copy(env!("CARGO_BIN_EXE_logtally"), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "-c", &config]).current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Exporter::start_command(command)
}

fn drive(samples: &str, more: &str) {
    let browser = match browser() {
        Ok(browser) => browser,
        Err(missing) => {
            assert!(std::env::var("CI").as_deref() != Ok("true"), "no {missing}: `make prepare` installs it");
            eprintln!(
                "SKIPPED: the page is not tested, for there is no {missing}; `make prepare` installs it"
            );
            return;
        }
    };
    let folder = Folder::new();
    let exporter = exporter(&folder, more);
    let output = Command::new("node")
        .arg(project("tests/page/drive.js"))
        .args([browser, &format!("http://{}/", exporter.address), &folder.at("shop.log"), samples])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}\n{}", out(&output), err(&output), exporter.log().join("\n"));
}

#[test]
fn the_page_is_live_and_fits_and_shows_no_secret() {
    drive("on", "redact: ['CUST-[0-9]+']\n");
}

#[test]
fn the_page_shows_no_samples_where_they_are_off() {
    drive("off", "samples: off\nhost: off\n");
}
