//! `logtally run`: flags into options, and into the app.

use super::args::{self, LogFormat, LogLevel, Run};
use super::exit::Exit;
use super::{given, print, report, report_without_lines};
use crate::app;
use crate::config::{self, Config, Given};
use crate::error::{Place, Problem};
use crate::notice::{Format, Log, Severity};
use crate::tail::From;
use crate::web;
use std::sync::Arc;

const NOTHING_TO_DO: &str = "error: no files and no config: there is nothing to follow
  hint: name files, globs or folders:   logtally '/var/log/**/*.log'
  hint: or give a config:               logtally --config.file logtally.yml
  hint: `inputs: []` in a config serves the host alone";

pub(super) fn run(args: Run) -> Exit {
    if let Some(problem) = wrong_telemetry_path(&args.telemetry_path) {
        return report(&[problem]);
    }
    let given = Given { files: absolute(&args.files), storage: args.storage.clone(), ..given(&args.common) };
    let first = match config::load(&given) {
        Ok(config) => config,
        Err(problems) => return report(&problems),
    };
    if first.is_empty {
        print::error(NOTHING_TO_DO);
        return Exit::Usage;
    }
    let load: app::Load = Box::new(move || -> Result<Config, Vec<Problem>> { config::load(&given) });
    let log =
        Arc::new(Log::new(severity(args.log_level), format(args.log_format), Box::new(std::io::stderr())));
    let gate = match web::Gate::open(args.web_config.as_deref()) {
        Ok(gate) => gate,
        Err(problems) => return report_without_lines(&problems),
    };
    match app::run(load, options(args, gate), log) {
        Ok(()) => Exit::Good,
        Err(problems) => report(&problems),
    }
}

/// Paths that could never be asked for, or that already mean something else.
fn wrong_telemetry_path(path: &str) -> Option<Problem> {
    let problem = |message: String| Problem::error(Place::new("--web.telemetry-path", 0, 0), message);
    let visible = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    if !path.starts_with('/') || !path.chars().all(visible) {
        let hint =
            format!("begin with a slash and use no spaces, such as /{}", path.trim_matches(['/', ' ']));
        return Some(problem(format!("'{path}' is no path of a URL")).hint(hint));
    }
    let taken = ["/", "/-/healthy", "/-/ready", "/-/reload", "/api/v1/status"].contains(&path);
    taken.then(|| problem(format!("'{path}' is served already")).hint("the usual path is /metrics"))
}

/// Paths as they are found again after a change of folder, and as they become labels.
fn absolute(files: &[std::path::PathBuf]) -> Vec<std::path::PathBuf> {
    files.iter().map(|file| std::path::absolute(file).unwrap_or_else(|_| file.clone())).collect()
}

fn options(args: Run, gate: web::Gate) -> app::Options {
    app::Options {
        listen: args.listen,
        systemd_socket: args.systemd_socket,
        web: web::Options {
            gate,
            telemetry_path: args.telemetry_path,
            enable_lifecycle: args.lifecycle,
            created_timestamps: args.created_timestamps,
            max_requests: args.max_requests,
            ..web::Options::default()
        },
        from: match args.from {
            args::From::Beginning => From::Beginning,
            args::From::End => From::End,
        },
        procfs: args.procfs,
        sysfs: args.sysfs,
        rootfs: args.rootfs,
        textfile: args.textfile,
    }
}

fn severity(level: LogLevel) -> Severity {
    match level {
        LogLevel::Debug => Severity::Debug,
        LogLevel::Info => Severity::Info,
        LogLevel::Warn => Severity::Warn,
        LogLevel::Error => Severity::Error,
    }
}

fn format(format: LogFormat) -> Format {
    match format {
        LogFormat::Logfmt => Format::Logfmt,
        LogFormat::Json => Format::Json,
    }
}
