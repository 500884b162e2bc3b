//! Exactly once: random schedules of writers, rotators, crashes and reloads against a truth kept in memory.
//!
//! `world` writes logs and knows what they hold, `schedule` draws what happens, `judge` compares scrapes with the
//! truth and with each other. What is judged is a [`schedule::Subject`]: the real binary with real SIGKILLs (`kills`), or the
//! inputs alone in this process with time in our hands (`model`). `rotators` has the tools that people rotate with, `mounts` the file
//! systems that tell less, hold less, or fail.

mod judge;
mod kills;
mod model;
mod mounts;
mod rotators;
mod schedule;
mod server;
mod trouble;
mod waiting;
mod world;

/// Random numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0xd1b5_4a32_d192_ed03)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}
