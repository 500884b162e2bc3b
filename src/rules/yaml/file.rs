//! Files of config and rules as text: of a bounded size, and in UTF-8.

use crate::error::{Place, Problem};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Larger files are no config and no rules, in bytes; devices such as `/dev/zero` have no end at all.
const LARGEST: u64 = 16 << 20;

/// The text of a file that `what` names for messages, such as `rule file`; `gone` says what to do where it is not there.
///
/// # Errors
/// It cannot be read, is larger than 16 MiB, or is not UTF-8, with the place of the first such byte.
pub fn text_of(file: &Path, what: &str, gone: &str) -> Result<String, Problem> {
    let problem =
        |message: String, hint: &str| Err(Problem::error(Place::new(file, 0, 0), message).hint(hint));
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        let hint = match error.kind() {
            ErrorKind::NotFound => gone,
            ErrorKind::PermissionDenied => "make it readable for the user that logtally runs as",
            ErrorKind::IsADirectory => "name a file in that folder",
            _ => "it must be a readable text file",
        };
        return problem(format!("this {what} cannot be read: {error}"), hint);
    }
    if bytes.len() as u64 > LARGEST {
        let message = format!("this {what} is larger than {} MiB", LARGEST >> 20);
        return problem(message, "check the path; many rules are better kept in several files");
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let good = String::from_utf8_lossy(&error.as_bytes()[..at]);
        let line = 1 + good.matches('\n').count();
        let column = 1 + good.rsplit('\n').next().unwrap_or_default().chars().count();
        let found = error.as_bytes().get(at).copied().unwrap_or_default();
        let message = format!("this {what} is not UTF-8: found the byte 0x{found:02X}");
        Problem::error(Place::new(file, line, column), message).hint(match (error.as_bytes(), at) {
            ([0xFF, 0xFE, ..] | [0xFE, 0xFF, ..], 0) => "it is UTF-16: save it as UTF-8",
            ([0x1F, 0x8B, ..], 1) => "it is compressed: unpack it",
            _ => "save it as UTF-8; in an expression such a byte is written `(?-u:\\xFF)`",
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, bytes).unwrap();
        let problem = text_of(&file, "config", "").unwrap_err().to_string();
        problem.replace(&file.display().to_string(), "f")
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let place = "f:2:4: error: this config is not UTF-8: found the byte 0xE9\n";
        assert!(said(b"a\nb\xc3\xa9c\xe9").starts_with(place), "{}", said(b"a\nb\xc3\xa9c\xe9"));
        assert!(said(b"\xff\xfea\0").ends_with("hint: it is UTF-16: save it as UTF-8"));
        assert!(said(b"\x1f\x8b\x08\0").ends_with("hint: it is compressed: unpack it"));
        assert!(said(&vec![b'#'; (16 << 20) + 1]).contains("is larger than 16 MiB"));
    }

    #[test]
    fn devices_without_an_end_and_folders_are_refused() {
        let refused = |path: &str| text_of(Path::new(path), "rule file", "check the path").unwrap_err();
        assert!(refused("/dev/zero").message.contains("larger"));
        assert!(refused("/").hint.is_some_and(|hint| hint.contains("folder")));
        assert_eq!(refused("/gone/gone").hint.as_deref(), Some("check the path"));
    }
}
