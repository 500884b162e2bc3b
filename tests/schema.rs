//! The JSON Schemas that editors complete and check with: made from the types that read the files, judged by an
//! outside validator on everything that is shipped and on everything that is known to be wrong.

use crate::support::{logtally, out, project, same_as_file};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The value as an editor sees it; none where the text is no YAML or says the same key twice.
fn yaml(file: &Path) -> Option<Value> {
    serde_yaml::from_slice(&std::fs::read(file).unwrap()).ok()
}

fn schema(of: &str) -> jsonschema::Validator {
    let text = std::fs::read(project(&format!("schema/{of}.schema.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_slice(&text).unwrap()).unwrap()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(project(folder)).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<PathBuf> =
        all.filter(|file| file.extension().is_some_and(|extension| extension == "yml")).collect();
    files.sort();
    files
}

#[test]
fn shipped_schemas_are_what_the_program_prints() {
    for of in ["config", "rules"] {
        let printed = out(&logtally(&["check", "--print-schema", of]));
        same_as_file(&project(&format!("schema/{of}.schema.json")), &printed);
        let schema: Value = serde_json::from_str(&printed).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn everything_shipped_fits() {
    let (rules, config) = (schema("rules"), schema("config"));
    let shipped = ["rules/patterns", "examples", "packaging"].map(files).concat();
    let mut count = 0;
    for file in shipped {
        let value = yaml(&file).unwrap();
        let schema = if value.get("group").is_some() { &rules } else { &config };
        let found: Vec<String> =
            schema.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(found.is_empty(), "{}: {}", file.display(), found.join("; "));
        count += 1;
    }
    assert!(count >= 16);
    let good: Value = serde_yaml::from_str(crate::config::GOOD).unwrap();
    assert!(config.is_valid(&good), "{:?}", config.validate(&good));
}

/// Which bad files a schema lets pass: what is wrong with them takes more than shapes. (serde takes the last of two
/// keys of one name; editors refuse them without any schema.)
const BEYOND_SHAPES: [(&str, &str); 2] = [
    (
        "config",
        "duplicate-key duplicate-label exclude-bad-glob format-both format-grok format-grok-unknown \
         format-neither format-regex format-regex-large host-interval-bytes host-interval-huge \
         host-interval-negative host-interval-small host-interval-unit host-interval-word host-process-regex \
         include-bad-braces include-bad-glob include-bad-range include-empty include-empty-text include-nul \
         input-rules-unknown label-accents label-digit label-empty label-name label-reserved label-taken \
         label-twice limits-all-zero limits-nan limits-zero line-bytes-infinite line-bytes-large \
         line-bytes-small line-bytes-time multiline-empty multiline-regex multiline-regex-large name-empty \
         name-twice path-labels-regex path-labels-reserved path-labels-taken path-labels-twice \
         path-labels-unnamed push-auth-both push-header-name push-header-own push-header-value push-interval \
         push-label push-password-missing push-queue push-tls-half push-twice push-url-user push-url-word \
         redact-regex redact-several rules-bad-glob rules-builtin-unknown rules-empty-text rules-missing \
         rules-no-match storage-empty storage-true",
    ),
    (
        "rules",
        "alert-and alert-for-number alert-metric alert-nan alert-window-zero alert-word bad-label-name \
         bad-rule-name bad-template buckets-descending buckets-huge buckets-unit clash-buckets clash-help \
         clash-labels clash-unit duplicate-key duplicate-rule grok-capture-name grok-cycle grok-deep \
         grok-empty grok-lookahead grok-own-broken grok-own-broken-standard grok-own-twice grok-syntax \
         grok-twice grok-type grok-unclosed grok-unknown group-empty group-slash in-field-empty-part \
         json-log-line label-digit label-le label-map-regex label-number label-unclosed label-value-long \
         levels-empty match-null metric-clash metric-constant metric-counter-name metric-counter-negative \
         metric-gauge-total metric-name-bucket metric-name-colon metric-names metric-twice metric-unit \
         metric-value-nan metric-value-unclosed metric-without-value not-empty regex-atomic \
         regex-backreference regex-backslash-last regex-bad-count regex-bad-escape regex-bad-range \
         regex-block regex-capture-name regex-capture-open regex-capture-twice regex-code-point \
         regex-count-huge regex-count-turned regex-counts-multiplied regex-double-quoted regex-empty \
         regex-flag-twice regex-hex regex-in-flow regex-lookahead regex-lookbehind regex-nested \
         regex-not-broken regex-nothing-to-repeat regex-plain regex-property regex-quote-escape \
         regex-range-class regex-second-of-list regex-too-big regex-unclosed-group regex-unicode-class \
         rule-by-alias span-capture-duration span-key-empty span-timeout-bytes span-timeout-huge \
         span-timeout-negative test-format test-label test-line-empty test-metric unicode-columns \
         warn-anchored-apart warn-capture warn-names warn-never warn-slow warn-twins",
    ),
];

#[test]
fn bad_files_are_refused_where_the_shape_is_wrong() {
    let mut wrong = Vec::new();
    for (of, passing) in BEYOND_SHAPES {
        let schema = schema(of);
        for file in files(&format!("tests/fixtures/bad-{of}")) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let passes = yaml(&file).is_some_and(|value| schema.is_valid(&value));
            if passes != passing.split_whitespace().any(|known| known == name) {
                wrong.push(format!("{of}/{name} {}", if passes { "passes" } else { "is refused" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
