//! A round: every file that may have grown gets one turn of one block.
//!
//! The open descriptor is asked first (one `fstat`), so a round over idle files reads nothing. What a turn reveals, a
//! content replaced in place or ended for good, is settled here.

use super::entry::{Entry, Look, Source};
use super::fact::{Fact, FileId, LostReason, OpenReason, Sink, What};
use super::packed::PackedTurn;
use super::read::{self, Turn};
use super::saved::{Encoding, Head, MARK_BYTES, Mark, Saved, State};
use super::{Block, Tailer};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// After this long without a write a file is looked at less often.
const IDLE: Duration = Duration::from_secs(10);
/// After a file could not be read, the next attempt.
const AGAIN: Duration = Duration::from_millis(500);
/// Two writes closer than this may carry the same time stamp.
const STAMP_GRAIN: Duration = Duration::from_millis(50);

/// What a round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Files that have more to give at once: call again without waiting.
    pub backlog: bool,
}

impl Tailer {
    /// Gives every file that was written to, or is due to be looked at, one turn.
    pub fn round(&mut self, now: Instant, sink: &mut dyn Sink, facts: &mut Vec<Fact>) -> Progress {
        while let Some(id) = self.agenda.take(now) {
            match self.entries.get(&id).and_then(|entry| listed_enough(entry, now, self.options.idle_check)) {
                Some(later) => self.agenda.plan(id, later),
                None => self.hot.push(id),
            }
        }
        self.hot_round(now, sink, facts)
    }

    /// Gives only the files that hints named, and those with more to give, one turn: for the time between two rounds.
    pub fn hot_round(&mut self, now: Instant, sink: &mut dyn Sink, facts: &mut Vec<Fact>) -> Progress {
        let turns: BTreeSet<FileId> = std::mem::take(&mut self.hot).into_iter().collect();
        let mut progress = Progress::default();
        // On from where the last round stopped, so that nobody waits for the same files every time.
        let (before, after) = (turns.range(..=self.turn), turns.range(self.turn + 1..));
        for &id in after.chain(before) {
            if progress.read >= self.options.round {
                self.hot.push(id);
                continue;
            }
            self.turn = id;
            let (read, more) = self.visit(id, now, sink, facts);
            progress.read += read;
            if more {
                self.hot.push(id);
            }
        }
        progress.backlog = !self.hot.is_empty();
        progress
    }

    /// One turn of one content: bytes read, and whether there is more.
    fn visit(&mut self, id: FileId, now: Instant, sink: &mut dyn Sink, facts: &mut Vec<Fact>) -> (u64, bool) {
        let Some(entry) = self.entries.get_mut(&id) else { return (0, false) };
        self.agenda.plan(id, next_due(entry, id, now, self.options.idle_check));
        match entry.source {
            Source::Closed => {
                self.look_at_closed(id, now, facts);
                (0, false)
            }
            Source::Packed(_) => self.packed_turn(id, now, sink),
            Source::Plain(_) => self.plain_turn(id, now, sink, facts),
        }
    }

    fn plain_turn(
        &mut self,
        id: FileId,
        now: Instant,
        sink: &mut dyn Sink,
        facts: &mut Vec<Fact>,
    ) -> (u64, bool) {
        let Some(entry) = self.entries.get_mut(&id) else { return (0, false) };
        let Source::Plain(file) = &entry.source else { return (0, false) };
        let look = match file.metadata() {
            Ok(meta) => Look::of(&meta),
            Err(_) => return self.broken(id, now, facts),
        };
        if look.size != entry.look.size || look.stamp != entry.look.stamp {
            entry.look = look;
            entry.written = now;
            entry.recheck = true;
            // Not after the pause that a quiet file gets.
            self.agenda.plan(id, now);
        } else if look.size <= entry.searched {
            return self.idle_turn(id, now, sink, facts);
        }
        let before = (entry.saved.offset, entry.saved.head.len());
        announce(id, &entry.saved, &mut entry.announced, sink);
        let emit = &mut |chunk: &[u8], skipped, encoding| sink.lines(id, chunk, skipped, encoding);
        let outcome =
            read::turn(file, &mut entry.saved, &mut entry.searched, look.size, &mut self.block, emit);
        match outcome {
            Ok(Turn::Read { bytes, more }) => {
                if before != (entry.saved.offset, entry.saved.head.len()) || entry.saved.size != look.size {
                    entry.saved.size = look.size;
                    self.dirty.insert(id);
                }
                if bytes > 0 && !self.failing.is_empty() {
                    self.failing.remove(&entry.place());
                }
                (bytes, more)
            }
            Ok(Turn::Replaced) => {
                let id = self.replaced(id, now, facts);
                self.hot.extend(id);
                (0, true)
            }
            Err(_) => self.broken(id, now, facts),
        }
    }

    /// Nothing new in the file: compare the mark once more, and end a rotated one whose time is over.
    fn idle_turn(
        &mut self,
        id: FileId,
        now: Instant,
        sink: &mut dyn Sink,
        facts: &mut Vec<Fact>,
    ) -> (u64, bool) {
        let grace = self.options.grace;
        let Some(entry) = self.entries.get_mut(&id) else { return (0, false) };
        let Source::Plain(file) = &entry.source else { return (0, false) };
        let quiet = now.saturating_duration_since(entry.written);
        if entry.recheck && quiet >= STAMP_GRAIN {
            entry.recheck = false;
            match read::holds(file, &entry.saved) {
                Ok(true) => {}
                Ok(false) => {
                    let id = self.replaced(id, now, facts);
                    self.hot.extend(id);
                    return (0, true);
                }
                // Says nothing about what the file holds.
                Err(_) => return self.broken(id, now, facts),
            }
        }
        if entry.saved.state == State::Rotated && quiet >= grace {
            self.finish(id, now, sink, facts);
        }
        (0, false)
    }

    /// A rotated content that nobody writes to any more: settles its last piece and closes it.
    fn finish(&mut self, id: FileId, now: Instant, sink: &mut dyn Sink, facts: &mut Vec<Fact>) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let Source::Plain(file) = &entry.source else { return };
        announce(id, &entry.saved, &mut entry.announced, sink);
        let emit = &mut |chunk: &[u8], skipped, encoding| sink.lines(id, chunk, skipped, encoding);
        let outcome = read::finish(file, &mut entry.saved, entry.look.size, &mut self.block, emit);
        match outcome {
            Ok(true) => self.close_for_good(id, sink),
            Ok(false) => {
                let id = self.replaced(id, now, facts);
                self.hot.extend(id);
            }
            Err(_) => {
                self.broken(id, now, facts);
            }
        }
    }

    /// The content is settled to its end: the descriptor goes, the memory of it stays.
    pub(super) fn close_for_good(&mut self, id: FileId, sink: &mut dyn Sink) {
        self.close(id);
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let was = std::mem::replace(&mut entry.saved.state, State::Done);
        entry.searched = entry.saved.offset;
        self.dirty.insert(id);
        if std::mem::take(&mut entry.announced) || was != State::Done {
            sink.closed(id);
        }
    }

    /// Lets the descriptor go.
    pub(super) fn close(&mut self, id: FileId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        if matches!(std::mem::replace(&mut entry.source, Source::Closed), Source::Plain(_)) {
            self.open -= 1;
        }
    }

    fn packed_turn(&mut self, id: FileId, now: Instant, sink: &mut dyn Sink) -> (u64, bool) {
        let (block, line_bytes) = (self.block.size, self.block.line_bytes);
        let Some(entry) = self.entries.get_mut(&id) else { return (0, false) };
        let Source::Packed(packed) = &mut entry.source else { return (0, false) };
        announce(id, &entry.saved, &mut entry.announced, sink);
        let emit = &mut |chunk: &[u8], skipped, encoding| sink.lines(id, chunk, skipped, encoding);
        let outcome = packed.turn(&mut entry.saved, block, line_bytes, emit);
        entry.written = now;
        entry.saved.size = entry.saved.size.max(entry.saved.offset);
        self.dirty.insert(id);
        match outcome {
            Ok(PackedTurn::Read(bytes)) => (bytes, true),
            Ok(PackedTurn::End) => {
                entry.adrift = None;
                self.close_for_good(id, sink);
                (0, false)
            }
            Err(_) => {
                // Counted until here; the rest is lost unless another copy of it turns up within the grace period.
                entry.source = Source::Closed;
                entry.adrift.get_or_insert(now);
                entry.lost_as = LostReason::Decode;
                (0, false)
            }
        }
    }

    /// Reading failed: to be found and compared again, as after a restart.
    fn broken(&mut self, id: FileId, now: Instant, facts: &mut Vec<Fact>) -> (u64, bool) {
        self.close(id);
        let Some(entry) = self.entries.get_mut(&id) else { return (0, false) };
        (entry.verified, entry.look.stamp) = (false, [0; 4]);
        let (path, input) = entry.place();
        self.unreadable(&path, input, Some(id), now, facts);
        (0, false)
    }

    /// Reading a file failed: told once until some of it was read, tried again later. Nothing follows from it.
    pub(super) fn unreadable(
        &mut self,
        path: &std::path::Path,
        input: std::sync::Arc<str>,
        file: Option<FileId>,
        now: Instant,
        facts: &mut Vec<Fact>,
    ) {
        if let Some(id) = file {
            self.agenda.plan(id, now + AGAIN);
        }
        let told = self.failing.insert((path.to_path_buf(), input.clone()), OpenReason::Read);
        let what = match told == Some(OpenReason::Read) {
            true => What::FailedAgain(OpenReason::Read),
            false => What::Failed(OpenReason::Read),
        };
        facts.push(Fact { file, path: path.to_path_buf(), input, what });
    }

    /// The inode holds other bytes now: the old content is adrift, a new one begins there. Gives the new one.
    pub(super) fn replaced(&mut self, id: FileId, now: Instant, facts: &mut Vec<Fact>) -> Option<FileId> {
        let key = self.entries.get(&id)?.key();
        self.inodes.remove(&key);
        let entry = self.entries.get_mut(&id)?;
        facts.push(entry.fact(id, What::Truncated));
        let source = std::mem::replace(&mut entry.source, Source::Closed);
        let look = entry.look;
        let here = entry.here.take();
        let (input, path) = (entry.input.clone(), here.clone().unwrap_or_else(|| entry.path.clone()));
        let state = entry.saved.state;
        set_adrift(entry, now);
        entry.lost_as = LostReason::Truncated;
        self.dirty.insert(id);
        let Source::Plain(file) = source else { return None };
        self.open -= 1;
        let new = self.begin(file, look, &path, input, None, now)?;
        let entry = self.entries.get_mut(&new)?;
        entry.here = here;
        if state != State::Live {
            entry.saved.state = State::Rotated;
        }
        facts.push(entry.fact(new, What::Opened));
        Some(new)
    }

    /// Follows an open file as a new content, from its first byte or after its last complete line.
    pub(super) fn begin(
        &mut self,
        file: std::fs::File,
        look: Look,
        path: &std::path::Path,
        input: std::sync::Arc<str>,
        skip: Option<u64>,
        now: Instant,
    ) -> Option<FileId> {
        use std::os::unix::ffi::OsStrExt;
        let id = self.next_id();
        let head = Head::of_file(&read::read_head(&file).ok()?, 0);
        let mut saved = Saved {
            head,
            dev: look.dev,
            ino: look.ino,
            born: look.born,
            path: path.as_os_str().as_bytes().to_vec(),
            input: input.to_string(),
            size: look.size,
            ..Saved::default()
        };
        if let Some(size) = skip {
            start_at_end(&file, &mut saved, size, &mut self.block).ok()?;
        }
        let mut entry = Entry::new(saved, input, now);
        entry.attach(file, look, now);
        self.open += 1;
        let key = entry.key();
        self.entries.insert(id, entry);
        self.own(key, id);
        self.dirty.insert(id);
        self.hot.push(id);
        Some(id)
    }

    /// Gives up an adrift content.
    pub(super) fn give_up(
        &mut self,
        id: FileId,
        reason: LostReason,
        sink: &mut dyn Sink,
        facts: &mut Vec<Fact>,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let bytes = entry.saved.size.saturating_sub(entry.saved.offset);
        if bytes > 0 && entry.saved.state != State::Done {
            facts.push(entry.fact(id, What::Lost { bytes, reason }));
        }
        self.close_for_good(id, sink);
    }
}

/// Cuts a content loose from its inode.
pub(super) fn set_adrift(entry: &mut Entry, now: Instant) {
    entry.adrift = Some(now);
    entry.verified = false;
    entry.here = None;
    (entry.saved.dev, entry.saved.ino, entry.saved.born) = (0, 0, 0);
    if entry.saved.state == State::Live {
        entry.saved.state = State::Rotated;
    }
}

/// Tells the sink of a content before its first chunk.
fn announce(id: FileId, saved: &Saved, announced: &mut bool, sink: &mut dyn Sink) {
    if !std::mem::replace(announced, true) {
        sink.opened(id, saved, saved.offset > 0);
    }
}

/// Until when a quiet file needs no look of its own: a listing has just asked the system the same question.
fn listed_enough(entry: &Entry, now: Instant, idle_check: Duration) -> Option<Instant> {
    let quiet = now.saturating_duration_since(entry.written) >= IDLE && !entry.recheck;
    let read = entry.saved.state == State::Live && entry.searched >= entry.look.size;
    // Listings come about as often as idle checks: one that is a little late still counts.
    let until = entry.listed? + idle_check + idle_check / 2;
    (quiet && read && until > now).then_some(until)
}

fn next_due(entry: &Entry, id: FileId, now: Instant, idle_check: Duration) -> Instant {
    let quiet = now.saturating_duration_since(entry.written);
    if quiet < IDLE {
        return now;
    }
    // Spread over the period, so that ten thousand idle files are not all looked at in one round.
    now + idle_check / 2 + idle_check.mul_f64((id % 64) as f64 / 128.0)
}

/// Sets the offset behind the last complete line.
fn start_at_end(
    file: &std::fs::File,
    saved: &mut Saved,
    size: u64,
    block: &mut Block,
) -> std::io::Result<()> {
    let head = read::read_head(file)?;
    let (encoding, bom) = Encoding::detect(&head);
    saved.encoding = encoding;
    let from = size.saturating_sub(block.size as u64);
    let from = (from - from % encoding.unit()).max(bom as u64).min(size);
    let mut tail = vec![0; (size - from) as usize];
    let filled = read::read_at(file, from, &mut tail)?;
    tail.truncate(filled);
    let end = encoding.last_line(&tail).unwrap_or(if from > bom as u64 { tail.len() } else { 0 });
    saved.offset = from + end as u64;
    saved.head = Head::of_file(&head, saved.offset);
    let mut before = vec![0; saved.offset.min(MARK_BYTES as u64) as usize];
    let filled = read::read_at(file, saved.offset - before.len() as u64, &mut before)?;
    saved.mark = Mark::of(&before[..filled]);
    Ok(())
}
