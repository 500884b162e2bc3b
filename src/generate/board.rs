//! A dashboard: rows of panels on the grid, variables, annotations and links, and its JSON.
//!
//! Panels come in as rows; places and ids are given here, so that one more panel moves nothing by hand.

use super::panel::Panel;
use super::style::{BLUE, ORANGE, datasource};
use serde_json::{Value, json};

/// The tag that our dashboards share and by which they link to each other.
const TAG: &str = "logtally";

/// A row of panels under a heading.
#[derive(Clone, Debug)]
pub(super) struct Row {
    title: String,
    panels: Vec<Panel>,
    folded: bool,
}

impl Row {
    /// A row that shows its panels.
    pub(super) fn new(title: &str, panels: Vec<Panel>) -> Row {
        Row { title: title.to_owned(), panels, folded: false }
    }

    /// The row with its panels hidden until somebody opens it; until then Grafana does not ask for them.
    pub(super) fn folded(self, folded: bool) -> Row {
        Row { folded, ..self }
    }
}

/// A dashboard.
#[derive(Clone, Debug)]
pub(super) struct Board {
    pub(super) uid: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// The start of the time range that is shown first.
    pub(super) from: &'static str,
    pub(super) variables: Vec<Value>,
    pub(super) rows: Vec<Row>,
}

impl Board {
    /// The dashboard as classic JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": [TAG],
            "schemaVersion": 41,
            "version": 1,
            "editable": false,
            "graphTooltip": 1,
            "timezone": "browser",
            "time": {"from": self.from, "to": "now"},
            "refresh": "30s",
            "timepicker": {"refresh_intervals": ["10s", "30s", "1m", "5m", "15m", "1h"]},
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "links": [{
                "type": "dashboards", "title": "logtally", "tags": [TAG], "asDropdown": false, "icon": "external link",
                "includeVars": true, "keepTime": true, "targetBlank": false, "tooltip": "", "url": "",
            }],
            "annotations": {"list": annotations()},
            "templating": {"list": self.variables},
            "panels": self.panels(),
        })
    }

    fn panels(&self) -> Vec<Value> {
        let mut grid = Grid { y: 0, id: 0 };
        let mut out = Vec::new();
        for row in &self.rows {
            let (id, y) = (grid.next_id(), grid.y);
            grid.y += 1;
            let panels = grid.place(&row.panels);
            // A folded row holds its panels and takes the place of none; opened, it moves what follows down.
            let (inside, after) = if row.folded { (panels, Vec::new()) } else { (Vec::new(), panels) };
            out.push(json!({
                "id": id, "type": "row", "title": row.title, "collapsed": row.folded,
                "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}, "panels": inside,
            }));
            if row.folded {
                grid.y = y + 1;
            }
            out.extend(after);
        }
        out
    }
}

/// The next free place.
struct Grid {
    y: u32,
    id: u32,
}

impl Grid {
    fn next_id(&mut self) -> u32 {
        self.id += 1;
        self.id
    }

    /// Lays panels from left to right and breaks where the 24 columns end.
    fn place(&mut self, panels: &[Panel]) -> Vec<Value> {
        let (mut x, mut tallest) = (0, 0);
        let mut out = Vec::with_capacity(panels.len());
        for panel in panels {
            if x + panel.width() > 24 {
                self.y += tallest;
                (x, tallest) = (0, 0);
            }
            let id = self.next_id();
            out.push(panel.json(id, x, self.y));
            x += panel.width();
            tallest = tallest.max(panel.height());
        }
        self.y += tallest;
        out
    }
}

/// Grafana's own annotations, firing alerts and restarts.
fn annotations() -> Value {
    let ours = |name: &str, colour: &str, expr: &str, title: &str, text: &str, tags: &str| {
        json!({
            "name": name, "enable": true, "hide": false, "iconColor": colour, "datasource": datasource(), "expr": expr,
            "step": "60s", "titleFormat": title, "textFormat": text, "tagKeys": tags, "useValueForTime": false,
        })
    };
    // The moment when an alert begins, not its whole length: regions that lie on each other hide what is below.
    let alerts = r#"ALERTS{alertstate="firing",alertname=~"(Log|Host).+",job=~"$job",instance=~"$instance"}"#;
    let firing = &format!("{alerts} unless {alerts} offset 1m");
    let restarts = r#"changes(process_start_time_seconds{job=~"$job",instance=~"$instance"}[2m]) > 0 and on (job, instance) logtally_build_info"#;
    json!([
        {
            "name": "Annotations & Alerts", "builtIn": 1, "type": "dashboard", "enable": true, "hide": true,
            "iconColor": "rgba(0, 211, 255, 1)", "datasource": {"type": "grafana", "uid": "-- Grafana --"},
        },
        ours("Firing alerts", ORANGE, firing, "{{alertname}}", "{{severity}} on {{instance}} {{input}} {{path}}", "severity,instance"),
        ours("Restarts", BLUE, restarts, "logtally restarted", "{{instance}}", "instance"),
    ])
}

/// The variable that chooses the Prometheus.
pub(super) fn datasource_variable() -> Value {
    json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "", "hide": 0,
        "multi": false, "includeAll": false, "refresh": 1, "options": [], "current": {}, "skipUrlSync": false,
    })
}

/// A variable of the values of a label: several may be chosen, all of them at first.
pub(super) fn variable(name: &str, label: &str, query: &str) -> Value {
    // Without `path_label` there is no path, and "all" must still match.
    let all = if name == "path" { ".*" } else { ".+" };
    json!({
        "name": name, "label": label, "type": "query", "datasource": datasource(), "definition": query,
        "query": {"query": query, "refId": format!("variable-{name}"), "qryType": 1},
        "regex": "", "hide": 0, "multi": true, "includeAll": true, "allValue": all, "refresh": 2, "sort": 5,
        "options": [], "current": {"selected": true, "text": ["All"], "value": ["$__all"]}, "skipUrlSync": false,
    })
}

/// `datasource`, `job` and `instance`, from the instances that serve `family`.
pub(super) fn target_variables(family: &str) -> Vec<Value> {
    vec![
        datasource_variable(),
        variable("job", "Job", &format!("label_values({family}, job)")),
        variable("instance", "Instance", &format!(r#"label_values({family}{{job=~"$job"}}, instance)"#)),
    ]
}

/// A further variable of the values of `label` in a family of the chosen instances (and inputs, after `input`).
pub(super) fn label_variable(name: &str, label: &str, family: &str) -> Value {
    let inputs = if name == "input" { "" } else { r#",input=~"$input""# };
    let query = format!(r#"label_values({family}{{job=~"$job",instance=~"$instance"{inputs}}}, {name})"#);
    variable(name, label, &query)
}
