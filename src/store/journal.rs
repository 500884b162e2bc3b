//! Late changes in batches of their own, so that a commit writes one run of bytes and not a page for each row.
//!
//! Rows that change together are spread over all pages of their tables: a thousand of them touch a thousand pages. So a
//! commit appends them as a batch, and the tables take rows over later, in the order of their keys, where neighbours
//! share pages, a few with every commit. A row that changes all the time is never taken over: its newest batch is kept.
//!
//! Passes go over the late rows again and again. A pass takes over the rows whose last change is older than its begin;
//! when it ends, no batch from before its begin is needed any more.
//!
//! A batch is a value of the table `journal` under its number. Each of its rows is: the table (one byte), the length of
//! the key and the key, the length of the value and the value; lengths are four bytes, the lowest first, and a length of
//! 2³² − 1 stands for a row that was deleted.

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
/// A pass over the late rows goes with twice as many changes as there are late rows, but at least with this many.
const PASS_ROWS: usize = 8192;

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
    /// Rows in the tables when they were last counted.
    stored: u64,
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
    stored: u64,
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
                opened => opened?.len()?,
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
                let Some((id, value)) = take_row(&mut rest) else { return Ok(None) };
                journal.late.insert(id, Late { value, batch });
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
        if count > self.pass_rows && count as u64 > self.stored / 4 {
            return self.write_whole(writing, changes);
        }
        let (first, next, stored) = (self.first, self.next, self.stored);
        let mut turn = Turn { first, next, stored, cursor: self.cursor.clone(), ..Turn::default() };
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
        let most = (count * self.late.len()).div_ceil((2 * self.late.len()).max(self.pass_rows));
        let mut looked = self.late.range((from, Bound::Unbounded)).take(most).peekable();
        let is_due = |(id, late): &(&Id, &Late)| late.batch < self.until && !changes.rows.contains_key(*id);
        let mut scanned = 0;
        while let Some(table) = looked.peek().map(|(id, _)| id.0) {
            let mut opened = writing.open_table(table.definition())?;
            while let Some((id, late)) = looked.next_if(|(id, _)| id.0 == table) {
                scanned += 1;
                turn.cursor = Some(id.clone());
                if is_due(&(id, late)) {
                    match &late.value {
                        Some(value) => drop_guard(opened.insert(id.1.as_slice(), value.as_slice())?),
                        None => drop_guard(opened.remove(id.1.as_slice())?),
                    }
                    turn.taken.push(id.clone());
                }
            }
        }
        turn.ended = scanned < most || self.late.is_empty();
        Ok(turn)
    }

    /// Writes changes and all late rows into the tables.
    fn write_whole(&self, writing: &WriteTransaction, changes: &Changes) -> Result<Turn, redb::Error> {
        let (whole, ended) = (true, true);
        let mut turn = Turn { whole, ended, first: self.next, next: self.next, ..Turn::default() };
        writing.delete_table(BATCHES)?;
        for table in Table::ALL {
            let of_table = |id: &&Id| id.0 == table;
            let late = self.late.range((table, Vec::new())..).take_while(|(id, _)| of_table(id));
            let late =
                late.filter(|(id, _)| !changes.rows.contains_key(*id)).map(|(id, late)| (id, &late.value));
            let new = changes.rows.range((table, Vec::new())..).take_while(|(id, _)| of_table(id));
            let mut opened = writing.open_table(table.definition())?;
            for ((_, key), value) in late.chain(new) {
                match value {
                    Some(value) => drop_guard(opened.insert(key.as_slice(), value.as_slice())?),
                    None => drop_guard(opened.remove(key.as_slice())?),
                }
            }
            turn.stored += opened.len()?;
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
            let late = |value: &Option<Vec<u8>>| Late { value: value.clone(), batch };
            self.late.extend(changes.rows.iter().map(|(id, value)| (id.clone(), late(value))));
        }
        self.cursor = turn.cursor;
        if turn.ended {
            self.cursor = None;
            (self.spent, self.until) = (self.until, self.next);
        }
    }
}

/// Lets go what stood there before.
fn drop_guard<T>(_: T) {}

/// Changes as batches of no more than some bytes each, unless one row alone is longer.
fn encode(changes: &Changes) -> Vec<Vec<u8>> {
    let mut batches = Vec::new();
    let mut batch: Vec<u8> = Vec::new();
    for ((table, key), value) in &changes.rows {
        let bytes = 9 + key.len() + value.as_ref().map_or(0, Vec::len);
        if !batch.is_empty() && batch.len() + bytes > BATCH_BYTES {
            batches.push(std::mem::take(&mut batch));
        }
        batch.push(*table as u8);
        batch.extend((key.len() as u32).to_le_bytes());
        batch.extend(key);
        batch.extend(value.as_ref().map_or(DELETED, |value| value.len() as u32).to_le_bytes());
        batch.extend(value.iter().flatten());
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Takes one row off the front of a batch.
fn take_row(rest: &mut &[u8]) -> Option<(Id, Option<Vec<u8>>)> {
    let table = *Table::ALL.get(usize::from(*rest.split_off_first()?))?;
    let length = |rest: &mut &[u8]| rest.split_off(..4)?.try_into().ok().map(u32::from_le_bytes);
    let key = length(rest)? as usize;
    let key = rest.split_off(..key)?.to_vec();
    let value = match length(rest)? {
        DELETED => None,
        bytes => Some(rest.split_off(..bytes as usize)?.to_vec()),
    };
    Some(((table, key), value))
}
