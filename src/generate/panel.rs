//! A panel of a dashboard, built step by step, and its JSON.
//!
//! Titles, descriptions and queries come in; the classic panel model leaves. Only what we use is here.

use super::style::{GREEN, GREY, colour_override, datasource, level_overrides, promql, ref_id};
use serde_json::{Map, Value, json};

/// One query.
#[derive(Clone, Debug)]
struct Target {
    expr: String,
    legend: String,
    shape: Shape,
}

/// How a query is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Over the range, drawn over time.
    Range,
    /// Over the range, buckets by `le`.
    Heatmap,
    /// Once, at the end of the range.
    Instant,
    /// Once, as a table.
    Table,
}

/// A panel.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    kind: &'static str,
    title: String,
    description: String,
    width: u32,
    height: u32,
    targets: Vec<Target>,
    defaults: Map<String, Value>,
    custom: Map<String, Value>,
    overrides: Vec<Value>,
    options: Value,
    transformations: Vec<Value>,
}

impl Panel {
    fn new(kind: &'static str, title: &str, description: &str, options: Value) -> Panel {
        let defaults = json!({"color": {"mode": "palette-classic"}, "mappings": [], "noValue": "no data"});
        let panel = Panel {
            kind,
            title: title.to_owned(),
            description: description.to_owned(),
            width: 12,
            height: 8,
            targets: Vec::new(),
            defaults: object(defaults),
            custom: Map::new(),
            overrides: Vec::new(),
            options,
            transformations: Vec::new(),
        };
        panel.steps(&[(None, GREEN)])
    }

    /// Lines over time with a legend table of mean, max and last.
    pub(super) fn timeseries(title: &str, description: &str) -> Panel {
        let options = json!({
            "legend": {"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": ["mean", "max", "lastNotNull"], "sortBy": "Max", "sortDesc": true},
            "tooltip": {"mode": "multi", "sort": "desc"},
        });
        let mut panel = Panel::new("timeseries", title, description, options).min(0.0);
        panel.custom = object(json!({
            "drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 12,
            "gradientMode": "opacity", "showPoints": "never", "spanNulls": false, "axisSoftMin": 0,
            "stacking": {"mode": "none", "group": "A"}, "thresholdsStyle": {"mode": "off"},
        }));
        panel
    }

    /// One number with a line behind it.
    pub(super) fn stat(title: &str, description: &str) -> Panel {
        let options = json!({
            "colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto",
            "textMode": "auto", "wideLayout": true,
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
        });
        let panel =
            Panel::new("stat", title, description, options).set("color", json!({"mode": "thresholds"}));
        panel.size(3, 4)
    }

    /// Horizontal bars, one a series.
    pub(super) fn bars(title: &str, description: &str) -> Panel {
        let options = json!({
            "displayMode": "gradient", "orientation": "horizontal", "valueMode": "color", "namePlacement": "auto",
            "showUnfilled": true, "sizing": "auto", "minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 24,
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []},
        });
        Panel::new("bargauge", title, description, options)
            .set("color", json!({"mode": "thresholds"}))
            .min(0.0)
    }

    /// A table of the queries' results, joined by their labels.
    pub(super) fn table(title: &str, description: &str) -> Panel {
        let options = json!({
            "cellHeight": "sm", "showHeader": true,
            "footer": {"show": false, "countRows": false, "fields": "", "reducer": ["sum"]},
        });
        let mut panel = Panel::new("table", title, description, options);
        panel.custom = object(json!({"align": "auto", "cellOptions": {"type": "auto"}, "inspect": false}));
        panel.set("color", json!({"mode": "thresholds"}))
    }

    /// Buckets over time.
    pub(super) fn heatmap(title: &str, description: &str, unit: &str) -> Panel {
        let options = json!({
            "calculate": false, "cellGap": 1,
            "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64, "exponent": 0.5, "fill": "dark-orange", "reverse": false},
            "filterValues": {"le": 1e-9}, "rowsFrame": {"layout": "auto"}, "showValue": "never",
            "yAxis": {"axisPlacement": "left", "reverse": false, "unit": unit},
            "legend": {"show": true}, "tooltip": {"mode": "single", "yHistogram": true, "showColorScale": true},
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
        });
        Panel::new("heatmap", title, description, options)
    }

    /// States over time.
    pub(super) fn states(title: &str, description: &str) -> Panel {
        let options = json!({
            "mergeValues": true, "showValue": "never", "alignValue": "left", "rowHeight": 0.8,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": true},
            "tooltip": {"mode": "single", "sort": "none"},
        });
        let mut panel = Panel::new("state-timeline", title, description, options);
        panel.custom = object(json!({"fillOpacity": 75, "lineWidth": 0}));
        panel.set("color", json!({"mode": "thresholds"}))
    }

    /// Width in columns of 24, and height.
    pub(super) fn size(mut self, width: u32, height: u32) -> Panel {
        (self.width, self.height) = (width, height);
        // A narrow table of a legend would be cut in the middle of a number.
        if self.kind == "timeseries" && width < 8 {
            self.options["legend"]["calcs"] = json!(["max", "lastNotNull"]);
        }
        self
    }

    fn target(mut self, marked: &str, legend: &str, shape: Shape) -> Panel {
        self.targets.push(Target { expr: promql(marked), legend: legend.to_owned(), shape });
        self
    }

    /// Adds a query over the range.
    pub(super) fn query(self, marked: &str, legend: &str) -> Panel {
        self.target(marked, legend, Shape::Range)
    }

    /// Adds a query of buckets by `le`.
    pub(super) fn buckets(self, marked: &str) -> Panel {
        self.target(marked, "{{le}}", Shape::Heatmap)
    }

    /// Adds a query that is asked once, at the end of the range.
    pub(super) fn instant(self, marked: &str, legend: &str) -> Panel {
        self.target(marked, legend, Shape::Instant)
    }

    /// Adds a column: the value of each label set at the end of the range.
    pub(super) fn column(self, marked: &str) -> Panel {
        self.target(marked, "", Shape::Table)
    }

    /// Sets a default of all fields.
    pub(super) fn set(mut self, key: &str, value: Value) -> Panel {
        self.defaults.insert(key.to_owned(), value);
        self
    }

    /// Sets a setting of this panel type's drawing.
    pub(super) fn custom(mut self, key: &str, value: Value) -> Panel {
        self.custom.insert(key.to_owned(), value);
        self
    }

    /// Sets an option of the panel.
    pub(super) fn option(mut self, key: &str, value: Value) -> Panel {
        self.options[key] = value;
        self
    }

    /// The unit, by Grafana's id.
    pub(super) fn unit(self, unit: &str) -> Panel {
        self.set("unit", json!(unit))
    }

    /// The least value of the axis.
    pub(super) fn min(self, min: f64) -> Panel {
        self.set("min", number(min))
    }

    /// The greatest value of the axis.
    pub(super) fn max(self, max: f64) -> Panel {
        self.set("max", number(max))
    }

    /// Digits after the point.
    pub(super) fn decimals(self, digits: u32) -> Panel {
        self.set("decimals", json!(digits))
    }

    /// The text where there is no value; says what that means.
    pub(super) fn no_value(self, text: &str) -> Panel {
        self.set("noValue", json!(text))
    }

    /// Colours by value: each from its limit on, the first from below.
    pub(super) fn steps(self, steps: &[(Option<f64>, &str)]) -> Panel {
        let steps: Vec<Value> =
            steps.iter().map(|(from, colour)| json!({"color": colour, "value": from.map(number)})).collect();
        self.set("thresholds", json!({"mode": "absolute", "steps": steps}))
    }

    /// Draws the thresholds as dashed lines.
    pub(super) fn limits(self, steps: &[(Option<f64>, &str)]) -> Panel {
        self.steps(steps).custom("thresholdsStyle", json!({"mode": "dashed"}))
    }

    /// The series lie on each other.
    pub(super) fn stacked(self) -> Panel {
        self.custom("stacking", json!({"mode": "normal", "group": "A"}))
            .custom("fillOpacity", json!(60))
            .custom("lineWidth", json!(0))
            .custom("gradientMode", json!("none"))
    }

    /// The series are bars that lie on each other.
    pub(super) fn stacked_bars(self) -> Panel {
        self.stacked()
            .custom("drawStyle", json!("bars"))
            .custom("fillOpacity", json!(85))
            .custom("barAlignment", json!(0))
            .custom("barWidthFactor", json!(0.9))
    }

    /// Colours the series that are named like levels.
    pub(super) fn levels(mut self) -> Panel {
        self.overrides.extend(level_overrides());
        self
    }

    /// Colours one series.
    pub(super) fn colour(mut self, name: &str, colour: &str) -> Panel {
        self.overrides.push(colour_override(name, colour));
        self
    }

    /// Puts the legend beside the drawing, where a panel is wide and has many series.
    pub(super) fn legend_right(self) -> Panel {
        let calcs = ["max", "lastNotNull"];
        self.option(
            "legend",
            json!({"displayMode": "table", "placement": "right", "showLegend": true, "calcs": calcs, "sortBy": "Max", "sortDesc": true}),
        )
    }

    /// A dashed grey line for the series that others are measured against.
    pub(super) fn reference(mut self, name: &str) -> Panel {
        self.overrides.push(json!({
            "matcher": {"id": "byName", "options": name},
            "properties": [
                {"id": "color", "value": {"mode": "fixed", "fixedColor": GREY}},
                {"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [6, 4]}},
                {"id": "custom.fillOpacity", "value": 0},
                {"id": "custom.lineWidth", "value": 1},
                {"id": "custom.stacking", "value": {"mode": "none", "group": "R"}},
            ],
        }));
        self
    }

    /// Draws the series whose names match below the axis.
    pub(super) fn below(mut self, regex: &str) -> Panel {
        self.overrides.push(json!({
            "matcher": {"id": "byRegexp", "options": regex},
            "properties": [{"id": "custom.transform", "value": "negative-Y"}],
        }));
        self.defaults.remove("min");
        self.custom.remove("axisSoftMin");
        self
    }

    /// Settings of one field of a table.
    pub(super) fn field(mut self, name: &str, properties: &[(&str, Value)]) -> Panel {
        let properties: Vec<Value> =
            properties.iter().map(|(id, value)| json!({"id": id, "value": value})).collect();
        self.overrides.push(json!({"matcher": {"id": "byName", "options": name}, "properties": properties}));
        self
    }

    /// Joins a table's queries and shows these fields under these names, in this order, sorted by the last argument.
    pub(super) fn columns(mut self, fields: &[(&str, &str)], sort: &str) -> Panel {
        self.transformations.push(json!({"id": "merge", "options": {}}));
        let index: Map<String, Value> =
            fields.iter().enumerate().map(|(i, (field, _))| ((*field).to_owned(), json!(i))).collect();
        let rename: Map<String, Value> =
            fields.iter().filter(|(f, n)| f != n).map(|(f, n)| ((*f).to_owned(), json!(n))).collect();
        self.transformations.push(json!({
            "id": "organize",
            "options": {"excludeByName": {"Time": true}, "indexByName": index, "renameByName": rename, "includeByName": {}},
        }));
        self.option("sortBy", json!([{"displayName": sort, "desc": true}]))
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }

    /// The panel as JSON at a place of the grid.
    pub(super) fn json(&self, id: u32, x: u32, y: u32) -> Value {
        let mut defaults = self.defaults.clone();
        if !self.custom.is_empty() {
            defaults.insert("custom".into(), Value::Object(self.custom.clone()));
        }
        let targets: Vec<Value> = self.targets.iter().enumerate().map(|(i, t)| t.json(&ref_id(i))).collect();
        json!({
            "id": id,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": datasource(),
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "targets": targets,
            "fieldConfig": {"defaults": defaults, "overrides": self.overrides},
            "options": self.options,
            "transformations": self.transformations,
        })
    }
}

impl Target {
    fn json(&self, ref_id: &str) -> Value {
        let range = matches!(self.shape, Shape::Range | Shape::Heatmap);
        let format = match self.shape {
            Shape::Range | Shape::Instant => "time_series",
            Shape::Heatmap => "heatmap",
            Shape::Table => "table",
        };
        json!({
            "refId": ref_id,
            "datasource": datasource(),
            "expr": self.expr,
            "legendFormat": if self.legend.is_empty() { "__auto" } else { &self.legend },
            "range": range,
            "instant": !range,
            "exemplar": self.shape == Shape::Range && self.expr.contains("_total{"),
            "format": format,
        })
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Whole numbers without a point, as people write them.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and far below 2^63")]
        return json!(value as i64);
    }
    json!(value)
}
