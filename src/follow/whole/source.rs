//! What a whole file is read through: plain, or decompressed by its first bytes; as UTF-8, whatever its marks say.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

/// The first bytes of a file decide how it is read.
const MAGIC: usize = 6;

/// A reader of a file's content, uncompressed.
pub(super) enum Source {
    /// A plain file, from its beginning: it can be cut and read by several threads.
    Plain(File),
    /// Anything else: read from front to back.
    Stream(Box<dyn Read + Send>),
}

/// Opens a file; `-` is standard input.
pub(super) fn open(path: &std::path::Path) -> io::Result<Source> {
    if path.as_os_str() == "-" {
        return unpack(io::stdin()).map(|reader| Source::Stream(transcode(reader)));
    }
    let mut file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    let mut head = [0; MAGIC];
    let read = read_full(&mut file, &mut head)?;
    let regular = file.metadata()?.is_file();
    if regular && compression(&head[..read]).is_none() && !has_mark(&head[..read]) {
        return Ok(Source::Plain(file));
    }
    let whole = Cursor::new(head[..read].to_vec()).chain(file);
    unpack(whole).map(|reader| Source::Stream(transcode(reader)))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

fn compression(head: &[u8]) -> Option<Compression> {
    match head {
        [0x1f, 0x8b, ..] => Some(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(Compression::Bzip2),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Some(Compression::Xz),
        _ => None,
    }
}

/// Whether a byte order mark stands in front.
fn has_mark(head: &[u8]) -> bool {
    matches!(head, [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

type Headed<R> = Chain<Cursor<Vec<u8>>, R>;

fn headed<R: Read>(mut reader: R) -> io::Result<(Vec<u8>, Headed<R>)> {
    let mut head = vec![0; MAGIC];
    let read = read_full(&mut reader, &mut head)?;
    head.truncate(read);
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

fn unpack<R: Read + Send + 'static>(reader: R) -> io::Result<Box<dyn Read + Send>> {
    let (head, reader) = headed(reader)?;
    Ok(match compression(&head) {
        None => Box::new(reader),
        Some(Compression::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(reader)),
        Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::new(reader)?),
        Some(Compression::Bzip2) => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Some(Compression::Xz) => Box::new(liblzma::read::XzDecoder::new_multi_decoder(reader)),
    })
}

/// Drops a UTF-8 mark, turns UTF-16 into UTF-8.
fn transcode(reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    let mut reader = BufReader::new(reader);
    // An error here comes back with the first read.
    let head = reader.fill_buf().map(|head| head[..head.len().min(3)].to_vec()).unwrap_or_default();
    match head[..] {
        [0xef, 0xbb, 0xbf] => {
            reader.consume(3);
            Box::new(reader)
        }
        [0xff, 0xfe, ..] => Box::new(Utf16::new(reader, u16::from_le_bytes)),
        [0xfe, 0xff, ..] => Box::new(Utf16::new(reader, u16::from_be_bytes)),
        _ => Box::new(reader),
    }
}

/// UTF-16 read as UTF-8; what is no valid text becomes U+FFFD.
struct Utf16<R> {
    reader: R,
    unit: fn([u8; 2]) -> u16,
    high: Option<u16>,
    ready: Vec<u8>,
    at: usize,
}

impl<R: BufRead> Utf16<R> {
    fn new(mut reader: R, unit: fn([u8; 2]) -> u16) -> Utf16<R> {
        reader.consume(2);
        Utf16 { reader, unit, high: None, ready: Vec::new(), at: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut raw = [0; 8192];
        let read = read_full(&mut self.reader, &mut raw)?;
        let fresh = raw[..read].chunks_exact(2).map(|pair| (self.unit)([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(fresh).collect();
        if read == raw.len() && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        self.ready = String::from_utf16_lossy(&units).into_bytes();
        self.at = 0;
        Ok(())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.refill()?;
        }
        let n = into.len().min(self.ready.len() - self.at);
        into[..n].copy_from_slice(&self.ready[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// Reads until the buffer is full or the reader ends.
fn read_full(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        match reader.read(&mut into[read..]) {
            Ok(0) => break,
            Ok(n) => read += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn text_of(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        let mut text = String::new();
        match open(&path).unwrap() {
            Source::Plain(mut file) => {
                use std::io::Seek;
                file.rewind().unwrap();
                file.read_to_string(&mut text).unwrap();
            }
            Source::Stream(mut stream) => {
                stream.read_to_string(&mut text).unwrap();
            }
        }
        text
    }

    #[test]
    fn archives_are_known_by_their_first_bytes() {
        let text = "line one\nline two\n".repeat(1000);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text.as_bytes()).unwrap();
        let gz = gz.finish().unwrap();
        assert_eq!(text_of(&gz), text);
        assert_eq!(text_of(&[&gz[..], &gz[..]].concat()), text.repeat(2), "members one after another");
        assert_eq!(text_of(&zstd::encode_all(text.as_bytes(), 1).unwrap()), text);
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(text.as_bytes()).unwrap();
        assert_eq!(text_of(&bz.finish().unwrap()), text);
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(text.as_bytes()).unwrap();
        assert_eq!(text_of(&xz.finish().unwrap()), text);
        assert_eq!(text_of(text.as_bytes()), text);
        assert_eq!(text_of(b""), "");
    }

    #[test]
    fn byte_order_marks_are_understood() {
        let text = "größe 🦀 ok\n".repeat(3000);
        let le: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(text_of(&le), text);
        assert_eq!(text_of(&be), text);
        assert_eq!(text_of(format!("\u{feff}{text}").as_bytes()), text);
    }
}
