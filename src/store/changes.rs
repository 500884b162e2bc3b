//! Rows, and the changes of rows that one commit makes durable.

use redb::TableDefinition;
use std::collections::BTreeMap;

pub(super) type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// The four kinds of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Facts about the store and the run; the key `schema` is the store's own.
    Meta,
    /// Followed contents: identity and offset.
    Files,
    /// The open event of each file.
    Streams,
    /// Counter values.
    Series,
}

impl Table {
    /// All of them.
    pub const ALL: [Table; 4] = [Table::Meta, Table::Files, Table::Streams, Table::Series];

    pub(super) fn definition(self) -> Definition {
        TableDefinition::new(match self {
            Table::Meta => "meta",
            Table::Files => "files",
            Table::Streams => "streams",
            Table::Series => "series",
        })
    }
}

/// Key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Rows to write or delete in one commit. A later change of the same row replaces the earlier one.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub(super) rows: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl Changes {
    /// Nothing to write.
    pub fn new() -> Changes {
        Changes::default()
    }

    /// Writes a row.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.rows.insert((table, key.into()), Some(value.into()));
    }

    /// Deletes a row, if it is there.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.rows.insert((table, key.into()), None);
    }

    /// Adds newer changes on top of these.
    pub fn extend(&mut self, newer: Changes) {
        self.rows.extend(newer.rows);
    }

    /// How many rows would change.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn stats(&self) -> CommitStats {
        let mut stats = CommitStats::default();
        for ((_, key), value) in &self.rows {
            match value {
                Some(value) => {
                    stats.written += 1;
                    stats.bytes += (key.len() + value.len()) as u64;
                }
                None => stats.deleted += 1,
            }
        }
        stats
    }
}

/// What a commit wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitStats {
    /// Rows written.
    pub written: usize,
    /// Rows deleted (or found gone).
    pub deleted: usize,
    /// Bytes of keys and values written.
    pub bytes: u64,
}
