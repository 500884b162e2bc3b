//! The command line: flags in, one command done, an exit code out.

mod args;
mod check;
mod count;
mod exit;
mod explain;
mod generated;
mod health;
mod import;
mod print;
mod run;

pub use exit::Exit;

use crate::config::Given;
use crate::error::{Problem, Severity};
use args::{Cli, Command, Common};
use clap::Parser;

/// Runs the command that the process was started with.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, anything else is bad usage.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Good };
            let _ = error.print();
            return exit;
        }
    };
    match cli.command {
        None => run::run(cli.run),
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Count(args)) => count::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Explain(args)) => explain::run(&args),
        Some(Command::Dashboard(args)) => generated::dashboard(&args),
        Some(Command::Alerts(args)) => generated::alerts(&args),
        Some(Command::Healthcheck(args)) => health::run(&args),
        Some(Command::Import(args)) => import::run(&args),
    }
}

fn given(common: &Common) -> Given {
    Given { config: common.config.clone(), rules: common.rules.clone(), ..Given::default() }
}

/// Prints problems with their lines; their exit code is that of bad usage.
fn report(problems: &[Problem]) -> Exit {
    tell(problems, crate::rules::render(problems, &[]).trim_end())
}

/// The same of a file whose lines are not for everybody's eyes: any of them may hold a password in the wrong place.
fn report_without_lines(problems: &[Problem]) -> Exit {
    tell(problems, &problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))
}

fn tell(problems: &[Problem], text: &str) -> Exit {
    print::error(text);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    if errors > 1 {
        print::error(&format!("{errors} errors"));
    }
    Exit::Usage
}
