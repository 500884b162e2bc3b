//! Problems of what users wrote: where, what was found, what is allowed, and what to do next.
//!
//! Config and rules collect [`Problem`]s and report all of them at once; the command line prints them.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place in a file that a user wrote. Lines and columns count from 1; 0 means unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file, or a name such as `builtin:python` or `--rules` for what is no file.
    pub file: PathBuf,
    /// Line, from 1; 0 where it is not known.
    pub line: usize,
    /// Column in characters, from 1; 0 where it is not known.
    pub column: usize,
}

impl Place {
    /// A place in `file` at a line and column (0: unknown).
    pub fn new(file: impl AsRef<Path>, line: usize, column: usize) -> Place {
        Place { file: file.as_ref().to_path_buf(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The program refuses to start or to reload.
    Error,
    /// It works, but not as well as it could.
    Warning,
}

/// One thing wrong with a config, a rule file or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// What was found and what is allowed, one sentence without a full stop.
    pub message: String,
    /// The next step, where there is one.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at a place.
    pub fn error(place: Place, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, place, message: message.into(), hint: None }
    }

    /// A warning at a place.
    pub fn warning(place: Place, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, place, message: message.into(), hint: None }
    }

    /// The same problem with its next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {word}: {}", self.place, self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}
