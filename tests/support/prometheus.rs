//! Databases as users run them: Debian's Prometheus and VictoriaMetrics, started on a free port and asked in PromQL.

use super::{Folder, ask, until};
use std::process::{Child, Command, Stdio};

/// A running database.
pub(crate) struct Database {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
}

/// An address that was free a moment ago: neither program tells which port it was given.
pub(crate) fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

impl Database {
    /// Prometheus with this config and these flags.
    pub(crate) fn prometheus(folder: &Folder, address: &str, config: &str, flags: &[&str]) -> Database {
        let config = folder.write("prometheus.yml", config);
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={config}"));
        command.arg(format!("--storage.tsdb.path={}", folder.at("tsdb")));
        command.arg(format!("--web.listen-address={address}")).args(flags);
        Database::start(command, address, "/-/ready")
    }

    /// VictoriaMetrics.
    pub(crate) fn victoria(folder: &Folder, address: &str) -> Database {
        let mut command = Command::new("victoria-metrics");
        command.arg(format!("-storageDataPath={}", folder.at("vmdata")));
        command.args([&format!("-httpListenAddr={address}"), "-search.latencyOffset=0s"]);
        Database::start(command, address, "/health")
    }

    fn start(mut command: Command, address: &str, ready: &str) -> Database {
        let what = format!("{} is there: `make prepare` installs it", command.get_program().display());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect(&what);
        let database = Database { child, address: address.to_owned() };
        until("a database that answers", || {
            std::net::TcpStream::connect(address).ok()?;
            (ask(address, "GET", ready, &[]).status == 200).then_some(())
        });
        database
    }

    /// The value of a query with one result; `None` where it has none.
    pub(crate) fn query(&self, query: &str) -> Option<f64> {
        let results = self.results(query);
        assert!(results.len() <= 1, "{query}: {results:?}");
        results.first().map(|result| result["value"][1].as_str().unwrap().parse().unwrap())
    }

    /// The results of an instant query.
    pub(crate) fn results(&self, query: &str) -> Vec<serde_json::Value> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = ask(&self.address, "GET", &format!("/api/v1/query?query={escaped}"), &[]).json();
        assert_eq!(answer["status"], "success", "{query}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// Waits until a query gives this value.
    #[track_caller]
    pub(crate) fn wait_for(&self, query: &str, value: f64) {
        until(&format!("{query} = {value}"), || (self.query(query) == Some(value)).then_some(()));
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        until("the end of a database", || self.child.try_wait().unwrap());
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
