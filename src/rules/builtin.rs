//! The packs that the program ships, embedded at build time from `rules/patterns/`.

/// Lists the packs: each is `rules/patterns/NAME.yml`, its group named after it.
macro_rules! packs {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every shipped pack.
        pub(super) const PACKS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/patterns/", $name, ".yml")))),*
        ];
    };
}

packs![
    "container",
    "database",
    "generic",
    "java",
    "linux",
    "mail",
    "network",
    "proxy",
    "python",
    "queue",
    "redis",
    "ruby",
    "transfer",
    "web",
];

/// The names of the shipped packs, as `builtin:NAME` takes them.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}
