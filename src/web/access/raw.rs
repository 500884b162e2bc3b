//! What the user wrote in the file of `--web.config.file`: Prometheus' exporter-toolkit's format, unknown keys refused.
//!
//! Each word with a fixed set of values is checked as it is read, so that its problem has its line and column.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::words::{Cipher, ClientAuth, Curve, Header, Interval, Version};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a mapping")]
pub(super) struct Raw {
    pub(super) tls_server_config: Option<RawTls>,
    pub(super) http_server_config: Option<RawHttp>,
    pub(super) basic_auth_users: Option<Pairs<String, Secret>>,
    pub(super) rate_limit: Option<RawRate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a mapping")]
pub(super) struct RawTls {
    pub(super) cert: Option<String>,
    pub(super) cert_file: Option<String>,
    pub(super) key: Option<Secret>,
    pub(super) key_file: Option<String>,
    pub(super) client_ca: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_auth_type: Option<As<ClientAuth>>,
    pub(super) client_allowed_sans: Option<Vec<String>>,
    pub(super) min_version: Option<As<Version>>,
    pub(super) max_version: Option<As<Version>>,
    pub(super) cipher_suites: Option<Vec<As<Cipher>>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Vec<As<Curve>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a mapping")]
pub(super) struct RawHttp {
    /// Taken and not needed: clients that may speak HTTP/2 speak HTTP/1.1 too.
    #[serde(rename = "http2")]
    pub(super) _http2: Option<bool>,
    pub(super) headers: Option<Pairs<As<Header>, Option<String>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a mapping")]
pub(super) struct RawRate {
    pub(super) interval: Option<As<Interval>>,
    pub(super) burst: Option<u32>,
}

/// A text that no message may show.
#[derive(Default)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        struct Hidden;
        impl Visitor<'_> for Hidden {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
                Ok(Secret(text.to_owned()))
            }
            // Serde's own messages would quote the value.
            fn visit_bool<E: Error>(self, _: bool) -> Result<Secret, E> {
                Err(E::custom("found no text, expected a text in quotes"))
            }
            fn visit_i64<E: Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom("found a number, expected a text in quotes"))
            }
            fn visit_u64<E: Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::custom("found a number, expected a text in quotes"))
            }
            fn visit_f64<E: Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom("found a number, expected a text in quotes"))
            }
        }
        from.deserialize_any(Hidden)
    }
}

/// A value of a fixed set of words.
pub(super) trait Word: Sized {
    /// What stands there, for messages.
    const WHAT: &'static str;
    /// The value of a word; the error is a message and, after a line break, a hint.
    fn read(text: &str) -> Result<Self, String>;
}

/// A [`Word`], read in place.
#[derive(Debug)]
pub(super) struct As<W>(pub(super) W);

impl<'de, W: Word> Deserialize<'de> for As<W> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<As<W>, D::Error> {
        struct Reader<W>(PhantomData<W>);
        impl<W: Word> Visitor<'_> for Reader<W> {
            type Value = As<W>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(W::WHAT)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<As<W>, E> {
                W::read(text).map(As).map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<As<W>, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<As<W>, E> {
                self.visit_str(&number.to_string())
            }
        }
        from.deserialize_any(Reader(PhantomData))
    }
}

/// A mapping in its order, each key once.
#[derive(Debug)]
pub(super) struct Pairs<K, V>(pub(super) Vec<(K, V)>);

/// Keys that can be compared and shown.
pub(super) trait Key {
    fn name(&self) -> &str;
}

impl Key for String {
    fn name(&self) -> &str {
        self
    }
}

impl Key for As<Header> {
    fn name(&self) -> &str {
        self.0.name
    }
}

impl<'de, K: Key + Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Pairs<K, V>, D::Error> {
        struct Reader<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Key + Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for Reader<K, V> {
            type Value = Pairs<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<K, V>, A::Error> {
                let mut seen = std::collections::HashSet::new();
                let mut pairs = Vec::new();
                while let Some(key) = map.next_key::<K>()? {
                    if !seen.insert(key.name().to_owned()) {
                        return Err(A::Error::custom(format!("`{}` stands twice", key.name())));
                    }
                    pairs.push((key, map.next_value()?));
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Reader(PhantomData))
    }
}
