//! The command line: flags as exporters have them, each with an environment twin.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Counts the events of log files by level and by pattern, exactly once, for Prometheus.
#[derive(Debug, Parser)]
#[command(name = "logtally", version = crate::app::VERSION_LINE, about, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Examples:\n  logtally '/var/log/**/*.log'        follow, count, serve http://127.0.0.1:10474/metrics\n  logtally count app.log.gz           count a file once\n  logtally check rules.yml            run the tests that rules carry"
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) run: Run,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Follow files, count their events, serve /metrics (the default)
    Run(Run),
    /// Read whole files once (also .gz .zst .bz2 .xz, and - for stdin), print what they hold, exit
    Count(Count),
    /// Validate config and rules, and run the tests that rules carry
    Check(Check),
    /// Say of each line of FILE or stdin what was understood, and which rules match
    Explain(Explain),
    /// Print the Grafana dashboard for this config, as JSON
    Dashboard(Generate),
    /// Print the Prometheus alert and recording rules for this config, as YAML
    Alerts(Generate),
    /// Ask a running exporter whether it is healthy
    Healthcheck(Healthcheck),
    /// Convert a config of mtail, grok_exporter or promtail, and say what has no equivalent
    Import(Import),
}

/// What every command that reads a config understands.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Common {
    /// Config file (YAML)
    #[arg(short = 'c', long = "config.file", value_name = "PATH", env = "LOGTALLY_CONFIG_FILE")]
    pub(super) config: Option<PathBuf>,
    /// Rule file or folder, or builtin, builtin:NAME; repeatable
    #[arg(long = "rules", value_name = "PATH", env = "LOGTALLY_RULES", value_delimiter = ',')]
    pub(super) rules: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum From {
    Beginning,
    #[default]
    End,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum LogFormat {
    #[default]
    Logfmt,
    Json,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Run {
    /// Files, globs or folders to follow
    #[arg(value_name = "FILE|GLOB|DIR")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
    /// Address to serve on; repeatable
    #[arg(
        long = "web.listen-address",
        value_name = "ADDR",
        env = "LOGTALLY_WEB_LISTEN_ADDRESS",
        value_delimiter = ',',
        default_value = "127.0.0.1:10474"
    )]
    pub(super) listen: Vec<String>,
    /// Serve on the sockets that systemd passes instead
    #[arg(long = "web.systemd-socket", env = "LOGTALLY_WEB_SYSTEMD_SOCKET")]
    pub(super) systemd_socket: bool,
    /// TLS and authentication, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", value_name = "PATH", env = "LOGTALLY_WEB_CONFIG_FILE")]
    pub(super) web_config: Option<PathBuf>,
    /// Path of the metrics
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        env = "LOGTALLY_WEB_TELEMETRY_PATH",
        default_value = "/metrics"
    )]
    pub(super) telemetry_path: String,
    /// Allow POST /-/reload
    #[arg(long = "web.enable-lifecycle", env = "LOGTALLY_WEB_ENABLE_LIFECYCLE")]
    pub(super) lifecycle: bool,
    /// Tell since when counters and histograms of logs count, in OpenMetrics and protobuf
    #[arg(long = "web.enable-created-timestamps", env = "LOGTALLY_WEB_ENABLE_CREATED_TIMESTAMPS")]
    pub(super) created_timestamps: bool,
    /// Scrapes answered at the same time; more get 503
    #[arg(
        long = "web.max-requests",
        value_name = "N",
        env = "LOGTALLY_WEB_MAX_REQUESTS",
        default_value_t = 40
    )]
    pub(super) max_requests: usize,
    /// Folder of the store, or none to count in memory only
    #[arg(long = "storage.path", value_name = "DIR|none", env = "LOGTALLY_STORAGE_PATH")]
    pub(super) storage: Option<PathBuf>,
    /// Where to begin with files that existed before the first start
    #[arg(long, value_enum, env = "LOGTALLY_FROM", default_value_t = From::End)]
    pub(super) from: From,
    /// Mount point of the proc file system
    #[arg(long = "path.procfs", value_name = "DIR", env = "LOGTALLY_PATH_PROCFS", default_value = "/proc")]
    pub(super) procfs: PathBuf,
    /// Mount point of the sys file system
    #[arg(long = "path.sysfs", value_name = "DIR", env = "LOGTALLY_PATH_SYSFS", default_value = "/sys")]
    pub(super) sysfs: PathBuf,
    /// Root of the host's file systems
    #[arg(long = "path.rootfs", value_name = "DIR", env = "LOGTALLY_PATH_ROOTFS", default_value = "/")]
    pub(super) rootfs: PathBuf,
    /// Folder of *.prom files to expose
    #[arg(
        long = "collector.textfile.directory",
        value_name = "DIR",
        env = "LOGTALLY_COLLECTOR_TEXTFILE_DIRECTORY"
    )]
    pub(super) textfile: Option<PathBuf>,
    /// Least severe of the exporter's own messages
    #[arg(long = "log.level", value_enum, env = "LOGTALLY_LOG_LEVEL", default_value_t = LogLevel::Info)]
    pub(super) log_level: LogLevel,
    /// Format of the exporter's own messages
    #[arg(long = "log.format", value_enum, env = "LOGTALLY_LOG_FORMAT", default_value_t = LogFormat::Logfmt)]
    pub(super) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    Table,
    Json,
    Prometheus,
    Openmetrics,
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct Count {
    /// Files, globs or folders; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
    /// How to print; a table on a terminal
    #[arg(long, short = 'o', value_enum, env = "LOGTALLY_OUTPUT", default_value_t = Output::Table)]
    pub(super) output: Output,
    /// Threads to use; all cores by default
    #[arg(long, value_name = "N", env = "LOGTALLY_THREADS")]
    pub(super) threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Report {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    /// Rule files or folders to check
    #[arg(value_name = "RULES.yml")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
    /// How to print the problems
    #[arg(long, value_enum, env = "LOGTALLY_FORMAT", default_value_t = Report::Text)]
    pub(super) format: Report,
    /// Print the JSON Schema of the config or of rule files instead, for editors
    #[arg(long, value_enum, value_name = "OF")]
    pub(super) print_schema: Option<SchemaOf>,
}

/// What a schema is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    Config,
    Rules,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// File to explain; standard input without it
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Generate {
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Address of the exporter; https:// before it where the port speaks TLS
    #[arg(
        long = "web.listen-address",
        value_name = "ADDR",
        env = "LOGTALLY_WEB_LISTEN_ADDRESS",
        default_value = "127.0.0.1:10474"
    )]
    pub(super) address: String,
    /// The exporter's own web config: whether the port speaks TLS
    #[arg(long = "web.config.file", value_name = "PATH", env = "LOGTALLY_WEB_CONFIG_FILE")]
    pub(super) web_config: Option<PathBuf>,
    /// Take any certificate behind https://
    #[arg(long, env = "LOGTALLY_INSECURE")]
    pub(super) insecure: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Peer {
    Mtail,
    #[value(name = "grok_exporter", alias = "grok-exporter")]
    GrokExporter,
    Promtail,
}

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The program whose config it is
    #[arg(value_enum, value_name = "PROGRAM")]
    pub(super) peer: Peer,
    /// Its config; - is standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Where the rules go; standard output without it
    #[arg(long, short = 'o', value_name = "PATH", env = "LOGTALLY_IMPORT_OUTPUT")]
    pub(super) output: Option<PathBuf>,
    /// Where the inputs go, as a logtally.yml; a comment below the rules without it
    #[arg(long = "inputs", value_name = "PATH", env = "LOGTALLY_IMPORT_INPUTS")]
    pub(super) inputs: Option<PathBuf>,
}
