//! Late changes in batches of their own, so that a commit writes one run of bytes and not a page for each row.
//!
//! Rows that change together are spread over all pages of their tables: a thousand of them touch a thousand pages. So a
//! commit appends them as a batch, and the tables take rows over later, in the order of their keys, where neighbours
//! share pages, a few with every commit. A row that changes all the time is never taken over: its newest batch is kept.
//!
//! Passes go over the late rows again and again. A pass takes over the rows whose last change is older than its begin;
//! when it ends, no batch from before its begin is needed any more. A row of half a page or more shares no page with
//! others anyway: it goes to its table at once, and its batch only says so.
//!
//! A batch is a value of the table `journal` under its number. Each of its rows is: the table (one byte), the length of
//! the key and the key, the length of the value and the value. Lengths are four bytes, the lowest first; a length of
//! 2³² − 1 stands for a row that was deleted, one of 2³² − 2 for a row that stands in its table.

use super::changes::{Changes, Row, Table};
use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition, WriteTransaction,
};
use std::collections::BTreeMap;
use std::ops::Bound;

const BATCHES: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("journal");
/// A batch stays below a power of two of bytes, which is what the database makes room for.
const BATCH_BYTES: usize = 60_000;
const DELETED: u32 = u32::MAX;
const IN_TABLE: u32 = u32::MAX - 1;
/// Values from here on go to their table at once.
const LARGE_BYTES: usize = 2048;
/// A pass over the late rows goes with half as many changes as there are rows in the tables, so that many of a page's
/// rows are late; with half as many as there are late rows, so that those which come up meanwhile are fewer than those
/// that leave; and with this many, so that busy rows are not taken over. The largest of the three counts.
const PASS_ROWS: usize = 4096;

/// A row's table and key.
type Id = (Table, Vec<u8>);

/// The newest that batches say of a row.
#[derive(Debug)]
struct Late {
    value: Option<Vec<u8>>,
    /// The number of that batch.
    batch: u64,
}

/// What stands in batches.
#[derive(Debug)]
pub(super) struct Journal {
    late: BTreeMap<Id, Late>,
    /// The numbers of the batches that are kept, and the next one's.
    first: u64,
    next: u64,
    /// The pass under way takes over rows of batches before this one.
    until: u64,
    /// Batches before this one are not needed any more.
    spent: u64,
    /// The last row that the pass under way has looked at.
    cursor: Option<Id>,
    /// Rows in the tables.
    stored: i64,
    /// [`PASS_ROWS`]; tests make it small.
    pub(super) pass_rows: usize,
}

/// What one commit does to the journal, once it is durable.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Everything stands in the tables.
    whole: bool,
    taken: Vec<Id>,
    cursor: Option<Id>,
    /// The pass has looked at all late rows.
    ended: bool,
    first: u64,
    next: u64,
    stored: i64,
}

impl Journal {
    /// That of a new store.
    pub(super) fn new() -> Journal {
        Journal {
            late: BTreeMap::new(),
            first: 0,
            next: 0,
            until: 0,
            spent: 0,
            cursor: None,
            stored: 0,
            pass_rows: PASS_ROWS,
        }
    }

    /// Reads the batches of a store. `None`: they make no sense.
    pub(super) fn read(db: &Database) -> Result<Option<Journal>, redb::Error> {
        let mut journal = Journal::new();
        let reading = db.begin_read()?;
        for table in Table::ALL {
            journal.stored += match reading.open_table(table.definition()) {
                Err(redb::TableError::TableDoesNotExist(_)) => 0,
                opened => opened?.len()? as i64,
            };
        }
        let batches = match reading.open_table(BATCHES) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Some(journal)),
            opened => opened?,
        };
        if let Some((number, _)) = batches.first()? {
            journal.first = number.value();
        }
        for entry in batches.iter()? {
            let (number, bytes) = entry?;
            let batch = number.value();
            let mut rest = bytes.value();
            while !rest.is_empty() {
                match take_row(&mut rest) {
                    None => return Ok(None),
                    Some((id, Said::InTable)) => drop(journal.late.remove(&id)),
                    Some((id, Said::Value(value))) => drop(journal.late.insert(id, Late { value, batch })),
                }
            }
            journal.next = batch + 1;
        }
        (journal.until, journal.spent) = (journal.next, journal.first);
        Ok(Some(journal))
    }

    /// The rows of a table as they are, given what stands in the table itself.
    pub(super) fn complete(&self, table: Table, rows: Vec<Row>) -> Vec<Row> {
        let late = self.late.range((table, Vec::new())..).take_while(|(id, _)| id.0 == table);
        let mut late = late.peekable();
        if late.peek().is_none() {
            return rows;
        }
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = rows.into_iter().collect();
        for ((_, key), late) in late {
            match &late.value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        rows.into_iter().collect()
    }

    /// Writes changes, and what is due to be taken over. Nothing of this journal changes before [`Journal::done`].
    pub(super) fn write(&self, writing: &WriteTransaction, changes: &Changes) -> Result<Turn, redb::Error> {
        let count = changes.rows.len();
        // So many that neighbours share pages anyway.
        if count > self.pass_rows && count as i64 > self.stored / 4 {
            return self.write_whole(writing, changes);
        }
        let (first, next, stored) = (self.first, self.next, self.stored);
        let mut turn = Turn { first, next, stored, cursor: self.cursor.clone(), ..Turn::default() };
        turn.stored += write_rows(writing, changes.rows.iter().filter(|(_, value)| is_large(value)))?;
        let mut batches = writing.open_table(BATCHES)?;
        for batch in encode(changes) {
            batches.insert(turn.next, batch.as_slice())?;
            turn.next += 1;
        }
        let drop = 2 * (turn.next - self.next) + 1;
        while turn.first < self.spent.min(self.first + drop) {
            batches.remove(turn.first)?;
            turn.first += 1;
        }
        let from = self.cursor.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let most = (count * self.late.len()).div_ceil(self.pass());
        let looked: Vec<(&Id, &Late)> = self.late.range((from, Bound::Unbounded)).take(most).collect();
        let is_due = |(id, late): &(&Id, &Late)| late.batch < self.until && !changes.rows.contains_key(*id);
        turn.cursor = looked.last().map(|(id, _)| (*id).clone()).or(turn.cursor);
        turn.ended = looked.len() < most || self.late.is_empty();
        let due: Vec<(&Id, &Late)> = looked.into_iter().filter(is_due).collect();
        turn.stored += write_rows(writing, due.iter().map(|(id, late)| (*id, &late.value)))?;
        turn.taken.extend(due.into_iter().map(|(id, _)| id.clone()));
        Ok(turn)
    }

    /// How many changes a pass takes.
    fn pass(&self) -> usize {
        (self.stored.max(0) as usize / 2).max(self.late.len() / 2).max(self.pass_rows)
    }

    /// Writes changes and all late rows into the tables.
    fn write_whole(&self, writing: &WriteTransaction, changes: &Changes) -> Result<Turn, redb::Error> {
        let (whole, ended) = (true, true);
        let mut turn = Turn { whole, ended, first: self.next, next: self.next, ..Turn::default() };
        writing.delete_table(BATCHES)?;
        // The new ones come last and stand.
        write_rows(writing, self.late.iter().map(|(id, late)| (id, &late.value)))?;
        write_rows(writing, &changes.rows)?;
        for table in Table::ALL {
            turn.stored += writing.open_table(table.definition())?.len()? as i64;
        }
        Ok(turn)
    }

    /// Late rows, and batches that are kept.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, u64) {
        (self.late.len(), self.next - self.first)
    }

    /// What was written is durable.
    pub(super) fn done(&mut self, changes: &Changes, turn: Turn) {
        let batch = self.next;
        (self.first, self.next, self.stored) = (turn.first, turn.next, turn.stored);
        if turn.whole {
            self.late.clear();
        } else {
            for id in &turn.taken {
                self.late.remove(id);
            }
            for (id, value) in &changes.rows {
                match is_large(value) {
                    true => self.late.remove(id),
                    false => self.late.insert(id.clone(), Late { value: value.clone(), batch }),
                };
            }
        }
        self.cursor = turn.cursor;
        if turn.ended {
            self.cursor = None;
            (self.spent, self.until) = (self.until, self.next);
        }
    }
}

/// Writes rows, given in the order of their tables, into these; gives by how many the rows there have become more.
fn write_rows<'r>(
    writing: &WriteTransaction,
    rows: impl IntoIterator<Item = (&'r Id, &'r Option<Vec<u8>>)>,
) -> Result<i64, redb::Error> {
    let mut more = 0;
    let mut rows = rows.into_iter().peekable();
    while let Some(table) = rows.peek().map(|(id, _)| id.0) {
        let mut opened = writing.open_table(table.definition())?;
        while let Some(((_, key), value)) = rows.next_if(|(id, _)| id.0 == table) {
            more += match value {
                Some(value) => i64::from(opened.insert(key.as_slice(), value.as_slice())?.is_none()),
                None => -i64::from(opened.remove(key.as_slice())?.is_some()),
            };
        }
    }
    Ok(more)
}

/// Whether a row goes to its table at once.
fn is_large(value: &Option<Vec<u8>>) -> bool {
    value.as_ref().is_some_and(|value| value.len() >= LARGE_BYTES)
}

/// Changes as batches of no more than some bytes each, unless one key alone is longer.
fn encode(changes: &Changes) -> Vec<Vec<u8>> {
    let mut batches = Vec::new();
    let mut batch: Vec<u8> = Vec::new();
    for ((table, key), value) in &changes.rows {
        let (length, value) = match value {
            None => (DELETED, [].as_slice()),
            Some(_) if is_large(value) => (IN_TABLE, [].as_slice()),
            Some(value) => (value.len() as u32, value.as_slice()),
        };
        let bytes = 9 + key.len() + value.len();
        if !batch.is_empty() && batch.len() + bytes > BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
        }
        batch.push(*table as u8);
        batch.extend((key.len() as u32).to_le_bytes());
        batch.extend(key);
        batch.extend(length.to_le_bytes());
        batch.extend(value);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// What a batch says of a row.
enum Said {
    InTable,
    /// `None`: it is deleted.
    Value(Option<Vec<u8>>),
}

/// Takes one row off the front of a batch.
fn take_row(rest: &mut &[u8]) -> Option<(Id, Said)> {
    let table = *Table::ALL.get(usize::from(*rest.split_off_first()?))?;
    let length = |rest: &mut &[u8]| rest.split_off(..4)?.try_into().ok().map(u32::from_le_bytes);
    let key = length(rest)? as usize;
    let key = rest.split_off(..key)?.to_vec();
    let value = match length(rest)? {
        DELETED => Said::Value(None),
        IN_TABLE => Said::InTable,
        bytes => Said::Value(Some(rest.split_off(..bytes as usize)?.to_vec())),
    };
    Some(((table, key), value))
}
