//! The packs that the program ships, embedded at build time from `rules/patterns/`.

/// Lists the packs: each is `rules/patterns/NAME.yml`, its group named after it.
macro_rules! packs {
    ($(#[$doc:meta])* $packs:ident: $($name:literal),* $(,)?) => {
        $(#[$doc])*
        pub(super) const $packs: &[(&str, &str)] = &[
            $(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/patterns/", $name, ".yml")))),*
        ];
    };
}

packs![
    /// Name and text of every shipped pack that is in force by default.
    PACKS:
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

packs![
    /// Packs that are in force only where they are named: their labels have as many values as the log has, or their
    /// rules go from line to line, which costs `count` its cores.
    OPT_IN:
    "access",
    "ntp",
    "sessions",
];

/// Whether `builtin:NAME` names a pack.
///
/// # Errors
/// What may have been meant.
pub fn known_builtin(name: &str) -> Result<(), String> {
    let all = || PACKS.iter().chain(OPT_IN).map(|(name, _)| *name);
    match name.is_empty() || name == "all" || all().any(|known| known == name) {
        true => Ok(()),
        false => Err(super::yaml::suggestion(name, all().collect::<Vec<_>>()).unwrap_or_default()),
    }
}

/// The names of the shipped packs that are in force by default, as `builtin:NAME` takes them.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}
