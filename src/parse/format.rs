//! The names of the formats.

use serde::{Deserialize, Serialize};

macro_rules! formats {
    ($($variant:ident $name:literal $kind:ident),* $(,)?) => {
        /// The families of layouts that logtally knows.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the names say it")]
        #[repr(u8)]
        pub enum Format {
            #[default]
            Unknown,
            $($variant),*
        }

        impl Format {
            /// Every format that can be detected or named in a config.
            pub const ALL: &'static [Format] = &[$(Format::$variant),*];

            /// The name in configs, metrics and `explain`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Format::Unknown => "unknown",
                    $(Format::$variant => $name),*
                }
            }

            /// How the format's records stand in a file.
            pub(super) const fn kind(self) -> Kind {
                match self {
                    Format::Unknown => Kind::Bare,
                    $(Format::$variant => Kind::$kind),*
                }
            }
        }
    };
}

/// How a format's records stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No layout is known: each line that is not blank is an event.
    Bare,
    /// Each event has a header; lines without one belong to the event above.
    Headed,
    /// One record is one line; only what is indented or looks like a stack trace belongs to the one above.
    Record,
}

formats! {
    Python "python" Headed,
    Basic "python_basic" Headed,
    Loguru "loguru" Headed,
    Plain "plain" Headed,
    LevelFirst "level_first" Headed,
    Log4j "log4j" Headed,
    Spring "spring" Headed,
    Jul "jul" Headed,
    Dotnet "dotnet" Headed,
    Tracing "tracing" Headed,
    Uvicorn "uvicorn" Headed,
    Celery "celery" Headed,
    Gunicorn "gunicorn" Headed,
    Ruby "ruby" Headed,
    Php "php" Headed,
    Glog "glog" Headed,
    Android "android" Headed,
    Redis "redis" Headed,
    Postgres "postgres" Headed,
    Mysql "mysql" Headed,
    Rabbitmq "rabbitmq" Headed,
    Cbs "cbs" Headed,
    NginxError "nginx_error" Headed,
    ApacheError "apache_error" Headed,
    Json "json" Record,
    Logfmt "logfmt" Record,
    Syslog "syslog" Record,
    Access "access" Record,
    Haproxy "haproxy" Record,
    Dmesg "dmesg" Record,
    Auditd "auditd" Record,
    Ras "ras" Record,
    Cri "cri" Record,
    Docker "docker" Record,
    Custom "custom" Headed,
    Named "named" Headed,
    Export "journal_export" Headed,
}

impl Format {
    /// The format of a name as in [`Format::as_str`].
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways_and_are_unique() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.as_str()), Some(*format));
        }
        assert_eq!(Format::from_name("unknown"), None);
    }
}
