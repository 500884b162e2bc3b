//! The journal under a store: whatever the order of commits, the rows are right and nothing piles up.

use super::*;

/// Random commits, failures and restarts against a plain map; passes of few rows, so that many of them end.
#[test]
fn any_order_of_commits_failures_and_restarts_gives_the_rows_of_the_last_good_commit() {
    for seed in 0..30_u64 {
        let dir = tempfile::tempdir().unwrap();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |most: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % most
        };
        let (mut store, switches) = switched(dir.path());
        switches.skip_sync.store(true, Relaxed);
        let mut truth: BTreeMap<(Table, Vec<u8>), Vec<u8>> = BTreeMap::new();
        let keys = [5, 60, 400][below(3) as usize];
        let most = [3, 30, 300][below(3) as usize];
        for step in 0..120 {
            store.database().unwrap().journal.pass_rows = [4, 32][(seed % 2) as usize];
            let mut changes = Changes::new();
            for _ in 0..below(most) {
                let table = Table::ALL[below(4) as usize];
                let key = below(keys).to_be_bytes().to_vec();
                // Some rows go to their tables at once.
                let long = if below(20) == 0 { 2_000 + below(100) } else { below(40) } as usize;
                match below(5) {
                    0 => changes.delete(table, key),
                    _ => changes.put(table, key, vec![below(256) as u8; long]),
                }
            }
            switches.full.store(below(12) == 0, Relaxed);
            let outcome = store.commit(&changes);
            switches.full.store(false, Relaxed);
            if outcome.is_ok() {
                for (id, value) in changes.rows {
                    match value {
                        Some(value) => truth.insert(id, value),
                        None => truth.remove(&id),
                    };
                }
            }
            if below(15) == 0 {
                drop(store);
                store = Store::open_with(dir.path(), connect(&switches)).unwrap();
            }
            if below(4) == 0 || step == 119 {
                let rows = Table::ALL.map(|table| store.load(table).unwrap());
                let ids = truth.iter().map(|((table, key), value)| (*table, key.clone(), value.clone()));
                let found: Vec<_> = Table::ALL
                    .into_iter()
                    .zip(rows)
                    .flat_map(|(table, rows)| rows.into_iter().map(move |(key, value)| (table, key, value)))
                    .collect();
                assert!(ids.eq(found), "seed {seed}, step {step}");
            }
        }
    }
}

/// However many rows come and go, the journal holds a few passes of changes.
#[test]
fn rows_that_come_up_all_the_time_do_not_pile_up_in_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, switches) = switched(dir.path());
    switches.skip_sync.store(true, Relaxed);
    store.database().unwrap().journal.pass_rows = 64;
    for round in 0..400_u32 {
        let mut changes = Changes::new();
        for n in 0..10 {
            changes.put(Table::Series, (round * 10 + n).to_be_bytes(), "born");
            changes.put(Table::Series, (round * 7 + n).to_be_bytes(), "changed");
            changes.delete(Table::Series, (round * 5 + n).to_be_bytes());
        }
        changes.put(Table::Streams, "open", vec![7; 100_000]);
        store.commit(&changes).unwrap();
    }
    let (late, batches) = store.database().unwrap().journal.sizes();
    assert!(late <= 1_200 && batches <= 120, "{late} rows, {batches} batches");
    let bytes = fs::metadata(dir.path().join(FILE_NAME)).unwrap().len();
    assert!(bytes < 4 << 20, "{bytes} bytes");
}

/// Rows that change all the time do not pile up, and those that rest leave the journal.
#[test]
fn batches_that_nothing_needs_any_more_are_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let (mut store, switches) = switched(dir.path());
    switches.skip_sync.store(true, Relaxed);
    let rows: Vec<(String, String)> = (0..200).map(|i| (format!("{i:03}"), "x".repeat(1000))).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    store.database().unwrap().journal.pass_rows = 64;
    let mut sizes = Vec::new();
    for round in 0..60 {
        put(&mut store, Table::Series, &rows[round % 3 * 50..][..50]);
        sizes.push(fs::metadata(dir.path().join(FILE_NAME)).unwrap().len());
    }
    assert_eq!(sizes[30], sizes[59], "{sizes:?}");
    for _ in 0..100 {
        put(&mut store, Table::Files, &[("a", "1"), ("b", "2"), ("c", "3")]);
    }
    let (late, batches) = store.database().unwrap().journal.sizes();
    assert!(late <= 10 && batches <= 100, "{late} rows, {batches} batches");
    assert_eq!(store.load(Table::Series).unwrap().len(), 150);
}
