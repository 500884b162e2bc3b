//! Lines as bytes: pieces, long ones, holes, encodings, compression.

use super::*;

#[test]
fn lines_count_when_their_end_has_arrived() {
    let mut w = World::new(only_app);
    w.append("app.log", "one\ntwo\r\nthr");
    w.step();
    w.expect(&["one", "two"]);
    for byte in b"ee" {
        w.append("app.log", [*byte]);
        w.step();
    }
    w.expect(&["one", "two"]);
    w.append("app.log", "\nfour\n");
    w.step();
    w.expect(&["one", "two", "three", "four"]);
}

#[test]
fn long_lines_give_their_head() {
    let options = Options { block: 1024, line_bytes: 3000, ..Options::default() };
    let mut w = World::with(only_app, options);
    w.append("app.log", format!("a\n{}", "x".repeat(9000)));
    w.drain();
    w.step();
    w.expect(&["a"]);
    w.append("app.log", "yyy\nb\n");
    w.step();
    w.expect(&["a", &"x".repeat(3001), "b"]);
    assert_eq!(w.sink.skipped, 9003 - 3001);
    w.append("app.log", format!("{}\nc\n", "z".repeat(2500)));
    w.step();
    w.expect(&["a", &"x".repeat(3001), "b", &"z".repeat(2500), "c"]);
}

#[test]
fn holes_and_runs_of_nul_are_passed() {
    let mut w = World::new(only_app);
    let file = w.append("app.log", "1\n");
    w.step();
    file.set_len(1 << 36).unwrap();
    w.append("app.log", "\n2\n");
    w.step();
    assert!(w.sink.lines.iter().any(|(_, line)| line == "2"));
    assert_eq!(w.sink.lines.len(), 3);
    assert!(w.sink.skipped > (1 << 36) - (2 << 20));
    w.append("app.log", [&[0; 100][..], b"3\n"].concat());
    w.step();
    assert_eq!(w.sink.lines.len(), 4);
}

#[test]
fn byte_order_marks_and_utf16() {
    let mut w = World::new(all_logs);
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    w.append("le.log", b"\xff");
    w.append("bom.log", b"\xef\xbb");
    w.step();
    w.append("le.log", [b"\xfe".to_vec(), little("ein Ċ\nzw")].concat());
    w.append("be.log", [b"\xfe\xff".to_vec(), big("drei\nv")].concat());
    w.append("bom.log", b"\xbfutf8\n");
    w.step();
    w.expect(&["ein Ċ", "drei", "utf8"]);
    w.restart();
    w.append("le.log", &little("ei\n")[..3]);
    w.append("be.log", big("ier\n"));
    w.step();
    w.append("le.log", &little("ei\n")[3..]);
    w.step();
    w.expect(&["ein Ċ", "zwei", "drei", "vier", "utf8"]);
}

#[test]
fn every_compression_and_long_lines_in_it() {
    let pack = |text: &[u8], ending: &str| -> Vec<u8> {
        let mut out = Vec::new();
        match ending {
            "gz" => {
                flate2::read::GzEncoder::new(text, flate2::Compression::fast()).read_to_end(&mut out).unwrap()
            }
            "zst" => zstd::stream::read::Encoder::new(text, 1).unwrap().read_to_end(&mut out).unwrap(),
            "bz2" => {
                bzip2::read::BzEncoder::new(text, bzip2::Compression::fast()).read_to_end(&mut out).unwrap()
            }
            _ => liblzma::read::XzEncoder::new(text, 1).read_to_end(&mut out).unwrap(),
        };
        out
    };
    for ending in ["gz", "zst", "bz2", "xz"] {
        let options = Options { block: 1024, line_bytes: 3000, ..Options::default() };
        let mut w = World::with(only_app, options);
        w.append("app.log", "1\n2\nhalf");
        w.step();
        w.commit();
        let lines: String = (3..300).map(|i| format!("{i}\n")).collect();
        w.append("app.log", format!(" and half\n{}\n{lines}{}", "x".repeat(9000), "end"));
        // Compressed in two parts, as `gzip -c >>` would.
        let text = fs::read(w.path("app.log")).unwrap();
        let (front, back) = text.split_at(text.len() / 2);
        let packed = [pack(front, ending), pack(back, ending)].concat();
        fs::write(w.path(&format!("app.log.1.{ending}")), packed).unwrap();
        w.remove("app.log");
        w.crash();
        w.wait();
        let long = "x".repeat(3001);
        let numbers: Vec<String> = (3..300).map(|i| i.to_string()).collect();
        let mut wanted = vec!["1", "2", "half and half", &long, "end"];
        wanted.extend(numbers.iter().map(String::as_str));
        w.expect(&wanted);
        assert_eq!((w.sink.skipped, w.lost()), (9000 - 3001, 0), "{ending}");
        let saved = w.stored.values().next().unwrap().clone();
        w.commit();
        let done = w.stored.values().next().unwrap();
        assert_eq!((done.offset, done.state), (text.len() as u64, State::Done), "was {saved:?}");
    }
}

#[test]
fn a_damaged_archive_is_counted_as_far_as_it_goes() {
    let mut w = World::new(only_app);
    w.append("app.log", "1\n2\n");
    w.step();
    let lines: String = (0..40_000).map(|i| format!("line {i} {}\n", i * 7919 % 10_007)).collect();
    w.append("app.log", &lines);
    w.round();
    w.commit();
    let size = fs::metadata(w.path("app.log")).unwrap().len();
    w.gzip("app.log", "app.log.1.gz");
    let packed = fs::read(w.path("app.log.1.gz")).unwrap();
    fs::write(w.path("app.log.1.gz"), &packed[..packed.len() / 2]).unwrap();
    w.crash();
    w.wait();
    let read: u64 = w.sink.lines.iter().map(|(_, line)| line.len() as u64 + 1).sum();
    assert!(read > size / 4 && read < size, "{read} of {size}");
    let lost = What::Lost { bytes: size - read, reason: LostReason::Decode };
    assert!(w.facts.iter().any(|fact| fact.what == lost), "{:?}", w.facts);
}

#[test]
fn an_unfinished_line_may_be_written_over() {
    use std::os::unix::fs::FileExt;
    let mut w = World::new(only_app);
    let file = w.append("app.log", "one\ntwo\nprogress 10%");
    let writer = OpenOptions::new().write(true).open(w.path("app.log")).unwrap();
    w.step();
    for done in ["20%", "55%", "99%\n"] {
        writer.write_all_at(format!("progress {done}").as_bytes(), 8).unwrap();
        w.step();
        w.now += Duration::from_secs(1);
        w.step();
    }
    drop(file);
    w.expect(&["one", "two", "progress 99%"]);
    assert_eq!((w.lost(), w.count(&What::Truncated)), (0, 0));
}

#[test]
fn a_hole_may_be_filled_later() {
    use std::os::unix::fs::FileExt;
    let mut w = World::new(only_app);
    w.append("app.log", "one\n");
    w.step();
    let writer = OpenOptions::new().write(true).open(w.path("app.log")).unwrap();
    writer.set_len(64).unwrap();
    w.step();
    w.now += Duration::from_secs(1);
    w.step();
    let rest = format!("{}\n", "x".repeat(59));
    writer.write_all_at(rest.as_bytes(), 4).unwrap();
    w.step();
    w.append("app.log", "last\n");
    w.step();
    w.expect(&["one", rest.trim_end(), "last"]);
    assert_eq!((w.lost(), w.count(&What::Truncated)), (0, 0));
}
