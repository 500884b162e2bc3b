//! Basic authentication: who has which bcrypt hash, who has shown the right password before, and who has to wait.
//!
//! A hash costs much by design. So one is computed at a time, with a rest after a wrong one; a password that was right
//! is known again at once, under a hash that only this process can make; and an unknown user costs as much as a known.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use ring::hmac;
use tokio::sync::oneshot;

use super::tls::Reader;
use super::turns::Turns;

/// Good passwords that are remembered; wrong ones likewise, so that a scraper with an old one costs nothing.
const REMEMBERED: usize = 1024;
/// Whoever has not been checked after this time is sent away; guessers who wait so long guess seldom.
const PATIENCE: Duration = Duration::from_secs(30);
/// Checking a hash of a higher cost takes seconds.
const COSTLY: u32 = 14;

/// The users of a config, with their hashes.
#[derive(Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    /// Checked for users that are none; nobody knows its password.
    decoy: String,
}

impl Users {
    pub(super) fn new(users: impl Iterator<Item = (String, String)>, reader: &mut Reader<'_>) -> Users {
        let mut hashes = BTreeMap::new();
        let mut cost = 0;
        for (name, hash) in users {
            if name.contains(':') {
                reader.error(
                    format!("user `{name}`: no client can send a name with a colon"),
                    "rename the user",
                );
            }
            match hash.parse::<bcrypt::HashParts>() {
                // bcrypt itself knows no others; beyond them every check would fail.
                Ok(parts) if (4..=31).contains(&parts.get_cost()) => {
                    if parts.get_cost() > COSTLY {
                        reader.warn(
                            format!(
                                "user `{name}`: a hash of cost {} takes seconds to check",
                                parts.get_cost()
                            ),
                            "10 to 12 are usual",
                        );
                    }
                    cost = cost.max(parts.get_cost());
                    hashes.insert(name, hash);
                }
                _ => reader.error(
                    format!("user `{name}`: the password is no bcrypt hash"),
                    "`htpasswd -nBC 10 \"\" | tr -d ':\\n'` makes one: $2y$10$…",
                ),
            }
        }
        let decoy = format!("$2b${cost:02}${}{}", "abcdefghijklmnopqrstuu", "u".repeat(31));
        Users { hashes, decoy }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }
}

/// Why somebody may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Denied {
    /// No user and password were sent.
    Unnamed,
    /// They are wrong.
    Wrong,
    /// Too many others try.
    Busy,
}

/// What was sent, and under which tag it is remembered.
pub(super) struct Claim {
    password: Vec<u8>,
    hash: String,
    tag: [u8; 32],
}

/// Checks passwords, and remembers.
pub(super) struct Doorman {
    key: hmac::Key,
    known: Mutex<Known>,
    turns: Arc<Turns>,
}

#[derive(Default)]
struct Known {
    good: HashSet<[u8; 32]>,
    wrong: HashSet<[u8; 32]>,
    wrong_order: VecDeque<[u8; 32]>,
}

impl Doorman {
    /// With a key of its own. Fails only where the system has no randomness.
    pub(super) fn new() -> Option<Doorman> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new()).ok()?;
        Some(Doorman { key, known: Mutex::default(), turns: Arc::default() })
    }

    /// What the header claims.
    pub(super) fn claim(&self, users: &Users, header: Option<&HeaderValue>) -> Result<Claim, Denied> {
        let (user, password) = header.and_then(credentials).ok_or(Denied::Unnamed)?;
        let hash = std::str::from_utf8(&user).ok().and_then(|user| users.hashes.get(user));
        let hash = hash.unwrap_or(&users.decoy).clone();
        let mut tag = hmac::Context::with_key(&self.key);
        for part in [&user, &password, hash.as_bytes()] {
            tag.update(&(part.len() as u64).to_le_bytes());
            tag.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.sign().as_ref());
        Ok(Claim { password, hash, tag: bytes })
    }

    /// Whether the claim was right or wrong before.
    pub(super) fn remembers(&self, claim: &Claim) -> Option<bool> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.good.contains(&claim.tag) {
            return Some(true);
        }
        known.wrong.contains(&claim.tag).then_some(false)
    }

    fn remember(&self, tag: [u8; 32], good: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if good {
            if known.good.len() >= REMEMBERED {
                known.good.clear();
            }
            known.good.insert(tag);
        } else if known.wrong.insert(tag) {
            known.wrong_order.push_back(tag);
            if known.wrong_order.len() > REMEMBERED
                && let Some(oldest) = known.wrong_order.pop_front()
            {
                known.wrong.remove(&oldest);
            }
        }
    }

    /// Checks a claim, however long it takes its turn.
    pub(super) async fn check(self: &Arc<Doorman>, claim: Claim) -> Result<(), Denied> {
        match tokio::time::timeout(PATIENCE, self.verify(claim)).await {
            Ok(Some(true)) => Ok(()),
            Ok(Some(false)) => Err(Denied::Wrong),
            Ok(None) | Err(_) => Err(Denied::Busy),
        }
    }

    async fn verify(self: &Arc<Doorman>, claim: Claim) -> Option<bool> {
        let turn = self.turns.take().await?;
        // The same may have been checked while we waited.
        if let Some(remembered) = self.remembers(&claim) {
            return Some(remembered);
        }
        let (tell, told) = oneshot::channel();
        let me = Arc::clone(self);
        // On its own: a client that goes away must not free the turn of a check that still runs.
        tokio::spawn(async move {
            let begun = Instant::now();
            let Claim { password, hash, tag } = claim;
            let check = move || bcrypt::verify(&password, &hash).unwrap_or(false);
            let good = tokio::task::spawn_blocking(check).await.unwrap_or(false);
            me.remember(tag, good);
            if !good {
                // Guessers leave at least half of one processor to others.
                tokio::time::sleep(begun.elapsed()).await;
            }
            // Who guessed wrong hears of it when the next one has been called, and cannot come in between.
            drop(turn);
            let _ = tell.send(good);
        });
        told.await.ok()
    }
}

/// User and password of a `Basic` authorization.
fn credentials(header: &HeaderValue) -> Option<(Vec<u8>, Vec<u8>)> {
    let bytes = header.as_bytes();
    let at = bytes.iter().position(|b| *b == b' ')?;
    let (scheme, rest) = bytes.split_at(at);
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let mut user = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = user.iter().position(|b| *b == b':')?;
    let password = user.split_off(colon + 1);
    user.pop();
    Some((user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str) -> Option<(String, String)> {
        let header = HeaderValue::from_str(text).unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        credentials(&header).map(|(user, password)| (text(user), text(password)))
    }

    #[test]
    fn credentials_are_read_as_sent() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(sent("Basic YTpi"), pair("a", "b"));
        assert_eq!(sent("basic  YTpiOmM= "), pair("a", "b:c"));
        assert_eq!(sent("BASIC Og=="), pair("", ""));
        for bad in ["", "Basic", "Basic ", "Basic YQ==", "Basic YTpi!", "Bearer YTpi", "BasicYTpi"] {
            assert_eq!(sent(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_decoy_is_a_hash_that_is_computed() {
        for cost in [4, 10, 12] {
            let decoy = format!("$2b${cost:02}${}{}", "abcdefghijklmnopqrstuu", "u".repeat(31));
            assert_eq!(decoy.parse::<bcrypt::HashParts>().unwrap().get_cost(), cost);
            assert!(cost > 4 || !bcrypt::verify("", &decoy).unwrap());
        }
    }

    #[test]
    fn what_is_remembered_has_an_end_and_belongs_to_the_hash() {
        let doorman = Doorman::new().unwrap();
        let header = HeaderValue::from_static("Basic YTpi");
        let users = |hash: &str| Users {
            hashes: BTreeMap::from([("a".to_owned(), hash.to_owned())]),
            decoy: String::new(),
        };
        let first = doorman.claim(&users("one"), Some(&header)).unwrap();
        doorman.remember(first.tag, true);
        assert_eq!(doorman.remembers(&first), Some(true));
        let second = doorman.claim(&users("two"), Some(&header)).unwrap();
        assert_eq!(doorman.remembers(&second), None, "a new password makes the old one strange");
        for n in 0..3 * REMEMBERED as u64 {
            let mut tag = [0; 32];
            tag[..8].copy_from_slice(&n.to_le_bytes());
            doorman.remember(tag, false);
        }
        let known = doorman.known.lock().unwrap();
        assert_eq!((known.wrong.len(), known.wrong_order.len()), (REMEMBERED, REMEMBERED));
    }
}
