//! The real binary, with real SIGKILLs, on a real file system.

use super::schedule::{draw, run};
use super::server::Server;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Schedules of a run; `LOGTALLY_KILLS` asks for more.
const SCHEDULES: u64 = 200;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn attempt(seed: u64) -> Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    let ops = draw(seed, 40);
    let mut server = Server::new(dir.path());
    let outcome = catch_unwind(AssertUnwindSafe(|| run(dir.path(), &mut server, &ops, seed)));
    let error = match outcome {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(panic) => panic.downcast_ref::<String>().cloned().unwrap_or_else(|| "a panic".into()),
    };
    let log = server.log().join("\n");
    drop(server);
    let left = dir.keep();
    Err(format!("SEED={seed}: {error}\nin {}\nschedule {ops:?}\n{log}", left.display()))
}

/// `SEED=n` repeats one schedule, or is where the schedules begin that `LOGTALLY_KILLS=m` asks for.
#[test]
fn nothing_is_lost_or_doubled_over_real_kills() {
    let first = number("SEED")
        .unwrap_or_else(|| std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64 % 1_000_000_000);
    let single = number("SEED").map(|_| 1);
    let count = number("LOGTALLY_KILLS").or(single).unwrap_or(SCHEDULES);
    eprintln!("{count} schedules from SEED={first} on");
    let (next, started) = (AtomicU64::new(first), Instant::now());
    let worker = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count {
                return Ok(());
            }
            let began = Instant::now();
            attempt(seed)?;
            if began.elapsed().as_secs() >= 3 {
                eprintln!("SEED={seed} took {:?}", began.elapsed());
            }
        }
    };
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    eprintln!("{count} schedules took {:?}", started.elapsed());
    let failures: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
