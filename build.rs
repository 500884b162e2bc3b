//! Tells the program which revision and compiler it was built from.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-env-changed=LOGTALLY_REVISION");
    let revision = std::env::var("LOGTALLY_REVISION")
        .ok()
        .or_else(|| first_line("git", &["rev-parse", "--short=12", "HEAD"]));
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = first_line(&rustc, &["--version"]);
    let number = version.as_deref().and_then(|line| line.split(' ').nth(1)).unwrap_or("unknown");
    println!("cargo::rustc-env=LOGTALLY_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=LOGTALLY_RUSTC={number}");
}

fn first_line(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()?.lines().next().map(str::to_owned)
}
