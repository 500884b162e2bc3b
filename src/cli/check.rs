//! `logtally check`: config and rules validated, every test that a rule carries run through the real pipeline.

use super::args::{Check, Report, SchemaOf};
use super::exit::Exit;
use super::{given, print};
use crate::app;
use crate::app::build;
use crate::app::trial;
use crate::config;
use crate::error::{Problem, Severity};
use serde_json::json;

pub(super) fn run(args: &Check) -> Exit {
    if let Some(of) = args.print_schema {
        let schema = match of {
            SchemaOf::Config => config::schema(),
            SchemaOf::Rules => crate::rules::schema(),
        };
        print::out(&format!("{schema:#}\n"));
        return Exit::Good;
    }
    let mut given = given(&args.common);
    given.rules.extend(args.files.iter().map(|file| file.to_string_lossy().into_owned()));
    let config = match config::load(&given) {
        Ok(config) => config,
        Err(problems) => return tell(args.format, &problems, &[], 0),
    };
    let sources = config.rules.clone();
    let built = match build::build(config) {
        Ok(built) => built,
        Err(problems) => return tell(args.format, &problems, &sources, 0),
    };
    if let Err(problems) = app::check_push(&built.config) {
        return tell(args.format, &problems, &sources, 0);
    }
    let (tests, failures) = trial::run(&built);
    let problems: Vec<Problem> = failures.into_iter().chain(built.warnings.clone()).collect();
    if args.format == Report::Text && problems.is_empty() {
        let rules = built.rules.rules().count();
        print::out(&format!("{rules} rules, {tests} tests: all good\n"));
    }
    match tell(args.format, &problems, &sources, tests) {
        // The config is usable; a failed test is failed work.
        Exit::Usage => Exit::Failed,
        exit => exit,
    }
}

fn tell(format: Report, problems: &[Problem], sources: &[crate::rules::Source], tests: usize) -> Exit {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    match format {
        Report::Json => {
            let list: Vec<_> = problems.iter().map(object).collect();
            let text = json!({ "problems": list, "errors": errors, "tests": tests });
            print::out(&format!("{text:#}\n"));
        }
        Report::Text if !problems.is_empty() => {
            print::error(crate::rules::render(problems, sources).trim_end());
            let warnings = problems.len() - errors;
            print::error(&format!("{}, {}", amount(errors, "error"), amount(warnings, "warning")));
        }
        Report::Text => {}
    }
    if errors > 0 { Exit::Usage } else { Exit::Good }
}

fn amount(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

fn object(problem: &Problem) -> serde_json::Value {
    json!({
        "severity": if problem.severity == Severity::Error { "error" } else { "warning" },
        "file": problem.place.file.to_string_lossy(),
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "hint": problem.hint,
    })
}
