use logtally::{follow::whole::{self, Item, Options}, level::Levels, matching::{Scanner, pattern::{Pattern, Target}}, parse::{self, Parser}, pipeline::{Limits, Pipeline}, tally::{guard::Guard, plan::Plan, spec::Counted, stream::StreamKey, exposition::Head}};
use std::sync::Arc;
fn main() {
    let mut args = std::env::args().skip(1);
    let pats = args.next().unwrap();
    let threads: usize = args.next().unwrap().parse().unwrap();
    let files: Vec<String> = args.collect();
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(pats).unwrap()).unwrap();
    let mut patterns = vec![]; let mut counted = vec![];
    for p in json.as_array().unwrap() {
        let name = p["name"].as_str().unwrap().to_owned();
        patterns.push(Pattern { name: format!("g/{name}"), any: vec![p["regex"].as_str().unwrap().to_owned()], not: None, levels: Levels::ALL, target: Target::Message });
        counted.push(Counted { group: "g".into(), name, labels: vec![], metrics: vec![], levels: Levels::ALL });
    }
    let scanner = Arc::new(Scanner::new(&patterns).unwrap());
    let pipeline = Pipeline::new(Parser::new(&parse::Options::default()).unwrap(), scanner, &patterns, Limits::default());
    let plan = Arc::new(Plan::new(counted));
    let items: Vec<Item> = files.iter().map(|f| Item { path: f.into(), key: StreamKey { labels: vec![("path".into(), f.clone())] }, head: Head::default() }).collect();
    let o = Options { pipeline: &pipeline, plan, input: "default", line_bytes: 1 << 20, threads, now: 0.0 };
    let t = std::time::Instant::now();
    let out = whole::count(&o, &items, Arc::new(Guard::new(2000)), &|_| {});
    let e = t.elapsed();
    for (_, s) in out.tally.streams() { println!("lines {} bytes {} levels {:?}", s.lines, s.bytes, s.levels); }
    println!("{:?}", out.tally.pattern_totals());
    eprintln!("{e:?} {:?}", out.failed);
}
