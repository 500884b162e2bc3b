//! The keys of JSON lines that mean something, as many writers name them.

use crate::parse::word;

/// What a key is to us. The smaller message rank wins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::parse) enum Key {
    Level,
    LevelName,
    /// A level's word or nothing: zap's short keys.
    LevelWord,
    PythonNumber,
    OtelNumber,
    SyslogNumber,
    Letter,
    Message(u8),
    Nest,
    Serilog,
    Time,
    Stack,
    ErrorType,
    Error,
    Context,
    None,
}

/// The key's meaning; keys are compared as one number, in any case.
pub(in crate::parse) fn key(name: &[u8]) -> Key {
    if name.is_empty() || name.len() > 16 {
        return Key::None;
    }
    let packed = word::pack(name);
    macro_rules! table {
        ($($key:expr => $($name:literal)*;)*) => {{
            $($(if packed == const { word::pack($name) } { return $key; })*)*
        }};
    }
    match name.len() {
        1 => {
            table! { Key::Letter => b"s"; Key::Time => b"t"; Key::LevelWord => b"l"; Key::Message(3) => b"m"; }
        }
        2 => {
            table! { Key::Time => b"ts"; Key::Level => b"@l"; Key::Message(1) => b"@m"; Key::Serilog => b"@t"; }
        }
        3 => table! {
            Key::Message(1) => b"msg"; Key::Level => b"lvl" b"lev"; Key::Nest => b"log"; Key::Message(2) => b"@mt";
            Key::Stack => b"exc"; Key::Error => b"err";
        },
        4 => table! { Key::Time => b"time"; Key::Message(2) => b"body"; },
        5 => {
            table! { Key::Level => b"level"; Key::Message(2) => b"event"; Key::Stack => b"stack"; Key::Error => b"error"; }
        }
        6 => table! { Key::Level => b"@level"; Key::Nest => b"record" b"fields"; },
        7 => {
            table! { Key::Message(1) => b"message"; Key::PythonNumber => b"levelno"; Key::Time => b"asctime";
            Key::Context => b"context"; Key::Nest => b"@fields"; }
        }
        8 => table! {
            Key::Level => b"severity" b"loglevel"; Key::Message(1) => b"@message"; Key::PythonNumber => b"level_no";
            Key::SyslogNumber => b"priority"; Key::Stack => b"exc_info"; Key::ErrorType => b"exc_type";
            Key::LevelName => b"levelstr"; Key::Time => b"datetime";
        },
        9 => table! {
            Key::Time => b"timestamp"; Key::Level => b"log_level" b"@severity" b"_loglevel"; Key::LevelName => b"log.level" b"levelname";
            Key::Stack => b"exception" b"traceback";
        },
        10 => {
            table! { Key::LevelName => b"level_name"; Key::Time => b"@timestamp"; Key::Stack => b"stacktrace";
            Key::ErrorType => b"error.type"; }
        }
        11 => table! { Key::Stack => b"stack_trace"; },
        12 => table! { Key::LevelName => b"severitytext" b"loglevelname"; },
        13 => table! { Key::LevelName => b"severity_text"; Key::Message(2) => b"short_message"; },
        14 => {
            table! { Key::Level => b"error_severity"; Key::OtelNumber => b"severitynumber"; Key::ErrorType => b"exception.type"; }
        }
        15 => {
            table! { Key::OtelNumber => b"severity_number"; Key::SyslogNumber => b"syslog_severity" b"syslog.severity"; }
        }
        _ => {}
    }
    Key::None
}
