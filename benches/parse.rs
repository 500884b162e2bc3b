//! Nanoseconds per line of the commonest formats.

use divan::counter::{BytesCount, ItemsCount};
use logtally::parse::{Memory, Options, Parser};

fn main() {
    divan::main();
}

const LINES: usize = 1000;

fn line(format: &str, i: usize) -> String {
    let level = ["DEBUG", "INFO", "WARNING", "ERROR"][i % 4];
    let text = format!("GET /api/v1/orders/{i} status=200 duration={}ms user={}", i * 7 % 900, i * 31 % 9999);
    let ms = i % 1000;
    match format {
        "python" => format!("2026-11-20 12:00:00,{ms:03} {level} shop.orders {text}"),
        "basic" => format!("{level}:shop.orders:{text}"),
        "loguru" => format!("2026-11-20 12:00:00.{ms:03} | {level:<8} | shop.orders:handle:{i} - {text}"),
        "json" => format!(
            r#"{{"timestamp": "2026-11-20T12:00:00.{ms:03}Z", "level": "{}", "logger": "shop.orders", "message": "{text}"}}"#,
            level.to_lowercase()
        ),
        "logfmt" => format!(
            r#"time=2026-11-20T12:00:00.{ms:03}Z level={} logger=shop.orders msg="{text}""#,
            level.to_lowercase()
        ),
        "syslog" => format!("Nov 20 12:00:00 host app[{i}]: {text}"),
        "access" => format!(
            r#"10.0.0.{} - - [20/Nov/2026:12:00:00 +0000] "GET /{i} HTTP/1.1" 200 612 "-" "curl""#,
            i % 256
        ),
        "log4j" => format!("2026-11-20 12:00:00,{ms:03} {level} [main] com.acme.shop.Orders: {text}"),
        "bare" => text,
        other => unreachable!("{other}"),
    }
}

#[divan::bench(args = ["python", "basic", "loguru", "json", "logfmt", "syslog", "access", "log4j", "bare"])]
fn lines(bencher: divan::Bencher<'_, '_>, format: &str) {
    let lines: Vec<String> = (0..LINES).map(|i| line(format, i)).collect();
    let parser = Parser::new(&Options::default()).expect("the default options hold no regex");
    bencher
        .counter(BytesCount::new(lines.iter().map(String::len).sum::<usize>()))
        .counter(ItemsCount::new(LINES))
        .bench(|| {
            let mut memory = Memory::default();
            for line in &lines {
                divan::black_box(parser.line(&mut memory, divan::black_box(line.as_bytes())));
            }
        });
}
