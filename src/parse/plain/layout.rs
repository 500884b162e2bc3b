//! What is known of a line once the walk over its fields has ended: the layout's name and where the message begins.

use super::Walk;
use crate::level::Level;
use crate::parse::format::Format;
use crate::parse::head::{Head, Place, Strength, Trust, skip_blanks};
use crate::parse::message;
use crate::parse::time::Shape;

impl Walk<'_> {
    pub(super) fn found(&self, level: Option<Level>, trust: Trust) -> Head {
        let format = self.format();
        let at = if self.inside { message::after_bracket(self.text, self.at) } else { self.at };
        let message = match format {
            Format::ApacheError => message::after_groups(self.text, at, &[b"[pid ", b"[tid "]),
            Format::Mysql => {
                message::after_groups(self.text, at, &[b"[MY-", b"[Server", b"[InnoDB", b"[Repl", b"[System"])
            }
            Format::Rabbitmq => message::after_groups(self.text, at, &[b"<0."]),
            Format::Cbs => message::after_column(self.text, at),
            _ => message::after_level(self.text, at),
        };
        let head = Head::new(format, level, message);
        let without = message::after_separators(self.text, self.stamp.end + usize::from(self.bracketed));
        Head { trust, without, ..head }
    }

    pub(super) fn without_level(&self) -> Head {
        let from = if self.bracketed {
            memchr::memchr(b']', self.text.get(self.stamp.end..).unwrap_or_default())
                .map_or(self.stamp.end, |n| self.stamp.end + n + 1)
        } else {
            self.stamp.end
        };
        // A word and a colon may be the message's own: nothing is taken from it.
        let message = message::after_separators(self.text, message::after_bars(self.text, from));
        let apache = self.bracketed && self.text.get(1).is_some_and(u8::is_ascii_alphabetic);
        let format = if apache { Format::ApacheError } else { Format::Plain };
        let mut head = Head { place: Place::From(message), ..Head::new(format, None, message) };
        if matches!(self.stamp.shape, Shape::Epoch | Shape::Clock) {
            head.strength = Strength::Weak;
        }
        head
    }

    /// The name of the layout around a level that ends at the walk's place.
    fn format(&self) -> Format {
        let text = self.text;
        let rest = text.get(self.at..).unwrap_or_default();
        let date = text.get(usize::from(self.bracketed)..self.stamp.end).unwrap_or_default();
        let apart = self.separator == b'[' || self.brackets > 0;
        if apart && self.bracketed && date.first().is_some_and(u8::is_ascii_alphabetic) {
            return Format::ApacheError;
        }
        if self.separator == b'[' {
            if self.bracketed {
                return if self.brackets == 1 { Format::Gunicorn } else { Format::Log4j };
            }
            let nginx = date.get(4) == Some(&b'/') && self.words == 0 && self.brackets == 0;
            if nginx && rest.get(1).is_some_and(u8::is_ascii_digit) {
                return Format::NginxError;
            }
            if matches!(rest, [b' ', b'<', b'0', b'.', ..]) {
                return Format::Rabbitmq;
            }
            if matches!(rest, [b' ', b'[', b'M', b'Y', b'-', ..]) {
                return Format::Mysql;
            }
            let short = date.get(6) == Some(&b' ') && date[..6].iter().all(u8::is_ascii_digit);
            if short && self.brackets == 0 {
                return Format::Mysql;
            }
        }
        if self.inside && rest.first() == Some(&b'/') {
            return Format::Celery;
        }
        match self.separator {
            b'|' => return Format::Loguru,
            b',' if self.words == 0 => return Format::Cbs,
            _ => {}
        }
        let number = skip_blanks(rest, 0);
        let digits = rest.get(number..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 && rest.get(number + digits..).is_some_and(|r| r.starts_with(b" ---")) {
            return Format::Spring;
        }
        if self.words == 0 && (self.brackets == 1 || rest.get(number) == Some(&b'[')) {
            return Format::Log4j;
        }
        let hadoop = date.len() == 13 && date.get(6) == Some(&b' ');
        if date.get(2) == Some(&b'/') && date.len() == 17 && date.get(5) == Some(&b'/') || hadoop {
            return Format::Log4j;
        }
        let upper = self.at > 0 && text[self.at - 1].is_ascii_uppercase();
        if upper && date.get(10) == Some(&b'T') && self.words == 0 && self.brackets == 0 {
            return Format::Tracing;
        }
        if date.get(19) == Some(&b',') { Format::Python } else { Format::Plain }
    }
}
