//! How rows look in the store: what is a file's, a stream's, a series' or an input's, as keys and values.

use crate::pipeline;
use crate::store::{Changes, Store, StoreError, Table};
use crate::tail::{FileId, Saved};
use crate::tally::rows::{InputRow, Row, SeriesId, SeriesRow, StreamId, StreamRow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// Kinds of rows within a table, the first byte of their keys.
mod kind {
    pub(super) const IDENTITY: u8 = b'f';
    pub(super) const CARRY: u8 = b'c';
    pub(super) const STREAM: u8 = b's';
    pub(super) const INPUT: u8 = b'i';
    pub(super) const SERIES: u8 = b'v';
}

fn key<T: Serialize>(kind: u8, id: &T) -> Vec<u8> {
    postcard::to_extend(id, vec![kind]).expect("a vector takes any key: these are plain strings and numbers")
}

fn value<T: Serialize>(row: &T) -> Vec<u8> {
    postcard::to_stdvec(row).expect("a vector takes any row: these are plain data")
}

fn put<K: Serialize, V: Serialize>(to: &mut Changes, table: Table, kind: u8, id: &K, row: Option<&V>) {
    match row {
        Some(row) => to.put(table, key(kind, id), value(row)),
        None => to.delete(table, key(kind, id)),
    }
}

/// Writes or deletes the identity and offset of a file.
pub(super) fn put_identity(to: &mut Changes, id: FileId, saved: Option<&Saved>) {
    put(to, Table::Files, kind::IDENTITY, &id, saved);
}

/// Writes or deletes the open event of a file.
pub(super) fn put_carry(to: &mut Changes, id: FileId, carry: Option<&pipeline::Saved>) {
    put(to, Table::Files, kind::CARRY, &id, carry);
}

/// Writes or deletes a row of a tally.
pub(super) fn put_row(to: &mut Changes, input: &str, row: &Row) {
    match row {
        Row::Stream(id, row) => put(to, Table::Streams, kind::STREAM, id, row.as_ref()),
        Row::Series(id, row) => put(to, Table::Series, kind::SERIES, id, row.as_ref()),
        Row::Input(row) => put(to, Table::Streams, kind::INPUT, &input, Some(row)),
    }
}

/// What the store kept of one input.
#[derive(Debug, Default)]
pub struct Kept {
    pub(super) files: Vec<(FileId, Saved)>,
    pub(super) carries: HashMap<FileId, pipeline::Saved>,
    pub(super) streams: Vec<(StreamId, StreamRow)>,
    pub(super) series: Vec<(SeriesId, SeriesRow)>,
    pub(super) counters: Option<InputRow>,
}

/// The highest file id of all inputs; 0 where there is none.
pub fn highest(kept: &HashMap<String, Kept>) -> FileId {
    kept.values().flat_map(|kept| &kept.files).map(|(id, _)| *id).max().unwrap_or(0)
}

/// Reads everything, by input.
///
/// # Errors
/// Where the store cannot be read, or holds a row that is none: it is damaged.
pub fn load(store: &mut Store) -> Result<HashMap<String, Kept>, StoreError> {
    let mut inputs: HashMap<String, Kept> = HashMap::new();
    let mut carries = HashMap::new();
    for (id, row) in store.load(Table::Files)? {
        let file: FileId = parse(store, &id[1..])?;
        if id[0] == kind::CARRY {
            carries.insert(file, parse::<pipeline::Saved>(store, &row)?);
        } else {
            let saved: Saved = parse(store, &row)?;
            inputs.entry(saved.input.clone()).or_default().files.push((file, saved));
        }
    }
    for kept in inputs.values_mut() {
        let own = kept.files.iter().filter_map(|(id, _)| Some((*id, carries.remove(id)?)));
        kept.carries = own.collect();
    }
    for (id, row) in store.load(Table::Streams)? {
        if id[0] == kind::INPUT {
            let name: String = parse(store, &id[1..])?;
            inputs.entry(name).or_default().counters = Some(parse(store, &row)?);
        } else {
            let id: StreamId = parse(store, &id[1..])?;
            let row = parse(store, &row)?;
            inputs.entry(id.input.clone()).or_default().streams.push((id, row));
        }
    }
    for (id, row) in store.load(Table::Series)? {
        let id: SeriesId = parse(store, &id[1..])?;
        let row = parse(store, &row)?;
        inputs.entry(id.input.clone()).or_default().series.push((id, row));
    }
    Ok(inputs)
}

fn parse<T: DeserializeOwned>(store: &Store, bytes: &[u8]) -> Result<T, StoreError> {
    postcard::from_bytes(bytes).map_err(|error| StoreError::Damaged {
        path: store.path().to_path_buf(),
        detail: format!("a row cannot be read ({error})"),
    })
}
