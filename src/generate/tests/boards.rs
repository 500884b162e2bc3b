//! Dashboards: the files are what the code makes, and every panel says what it shows and asks what exists.

use super::super::{dashboard, dashboards, pretty, reference};
use super::names::{is_known, metric_names};
use super::{groups, project, same_as_file};
use serde_json::Value;
use std::collections::BTreeSet;

/// All panels, those of folded rows too, without the headings of rows.
fn panels(board: &Value) -> Vec<&Value> {
    let shown = board["panels"].as_array().unwrap().iter();
    shown
        .flat_map(
            |p| if p["type"] == "row" { p["panels"].as_array().unwrap().iter().collect() } else { vec![p] },
        )
        .collect()
}

fn targets(panel: &Value) -> Vec<&str> {
    panel["targets"].as_array().unwrap().iter().map(|t| t["expr"].as_str().unwrap()).collect()
}

#[test]
fn shipped_dashboards_are_what_the_code_makes() {
    for (name, board) in dashboards() {
        same_as_file(&format!("grafana/dashboards/{name}"), &pretty(&board));
    }
    let made: BTreeSet<String> = dashboards().iter().map(|(name, _)| (*name).to_owned()).collect();
    let there: BTreeSet<String> = std::fs::read_dir(project("grafana/dashboards"))
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, made);
}

#[test]
fn the_reference_is_what_the_catalog_makes() {
    same_as_file("docs/metrics.md", &reference());
}

#[test]
fn every_panel_explains_itself() {
    for (file, board) in dashboards().into_iter().chain([("rules", dashboard(&groups()))]) {
        let mut ids = BTreeSet::new();
        for panel in panels(&board) {
            let title = panel["title"].as_str().unwrap();
            assert!(ids.insert(panel["id"].as_u64().unwrap()), "{file}: {title}: the id is taken");
            assert!(panel["description"].as_str().unwrap().len() > 60, "{file}: {title}: no description");
            assert!(!panel["fieldConfig"]["defaults"]["unit"].is_null(), "{file}: {title}: no unit");
            assert!(!panel["fieldConfig"]["defaults"]["noValue"].is_null(), "{file}: {title}: no noValue");
            assert!(!targets(panel).is_empty(), "{file}: {title}: asks nothing");
        }
    }
}

#[test]
fn every_query_reads_what_exists_of_the_chosen_targets() {
    for (file, board) in dashboards() {
        for (title, expr) in
            panels(&board).iter().flat_map(|p| targets(p).into_iter().map(|t| (&p["title"], t)))
        {
            for name in metric_names(expr) {
                assert!(is_known(&name), "{file}: {title}: {name} is in no list");
                assert!(
                    !expr
                        .replace(&format!("{name}{{job=~\"$job\",instance=~\"$instance\""), "")
                        .contains(&format!("{name}{{")),
                    "{file}: {title}: {expr}"
                );
            }
        }
    }
}

#[test]
fn panels_do_not_overlap() {
    for (file, board) in dashboards().into_iter().chain([("rules", dashboard(&groups()))]) {
        let mut taken = BTreeSet::new();
        for panel in board["panels"].as_array().unwrap() {
            let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
            assert!(at("x") + at("w") <= 24);
            for cell in
                (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
            {
                assert!(taken.insert(cell), "{file}: {} lies on another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn dashboards_can_be_provisioned() {
    let mut uids = BTreeSet::new();
    for (file, board) in dashboards().into_iter().chain([("rules", dashboard(&groups()))]) {
        assert!(uids.insert(board["uid"].as_str().unwrap().to_owned()), "{file}: the uid is taken");
        assert!(board.get("__inputs").is_none() && board.get("id").is_none(), "{file}");
        assert_eq!(board["schemaVersion"], 41);
        assert_eq!(board["editable"], false);
        let names: Vec<_> = board["templating"]["list"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v["name"].as_str().unwrap())
            .collect();
        assert_eq!(&names[..3], ["datasource", "job", "instance"], "{file}");
        let text = pretty(&board);
        assert!(!text.contains("{@") && !text.contains("[@]"), "{file}: a mark is left");
    }
}

#[test]
fn a_config_gets_a_row_for_each_group_and_panels_for_each_metric() {
    let board = dashboard(&groups());
    let titles: Vec<_> =
        board["panels"].as_array().unwrap().iter().map(|p| p["title"].as_str().unwrap()).collect();
    for title in [
        "shop",
        "web",
        "db_timeout_seconds",
        "db_timeout_seconds: quantiles",
        "db_bytes_total",
        "db_pool_size",
    ] {
        assert!(titles.contains(&title), "{title} is missing in {titles:?}");
    }
    assert!(!titles.contains(&"empty"));
    // A pack that nobody named comes last, and its panels are asked for when its row is opened.
    assert_eq!(titles.last(), Some(&"pack"));
    assert!(!titles.contains(&"pack_bytes_total"));
    let rows: Vec<&Value> =
        board["panels"].as_array().unwrap().iter().filter(|p| p["type"] == "row").collect();
    for row in &rows {
        let folded = row["title"] == "pack";
        assert_eq!(
            (&row["collapsed"], row["panels"].as_array().unwrap().len()),
            (&folded.into(), 3 * usize::from(folded))
        );
    }
    let kind = |title: &str| {
        board["panels"].as_array().unwrap().iter().find(|p| p["title"] == title).unwrap()["type"].clone()
    };
    let unit = |title: &str| {
        let panels = board["panels"].as_array().unwrap();
        let panel = panels.iter().find(|p| p["title"] == title).unwrap();
        panel["fieldConfig"]["defaults"]["unit"].clone()
    };
    // The name says what the rule does not.
    assert_eq!((unit("db_bytes_total"), unit("db_pool_size")), ("Bps".into(), "short".into()));
    assert_eq!(kind("db_timeout_seconds"), "heatmap");
    assert_eq!(kind("db_pool_size"), "timeseries");
    assert_eq!(pretty(&board), pretty(&dashboard(&groups())));
}
