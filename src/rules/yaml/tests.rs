use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with `name`")]
struct Item {
    name: At<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    kind: Option<Shape>,
    #[serde(default)]
    more: Pairs<At<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Shape {
    Round,
    Square,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a mapping with `items`")]
struct Doc {
    #[serde(default)]
    items: Vec<Item>,
}

fn flaws(text: &str) -> Vec<String> {
    read::<Doc>("f", text).1.iter().map(ToString::to_string).collect()
}

#[test]
fn values_keep_their_places_in_every_style() {
    let text = "items:\n  - name: a\n  - {size: 3, name: 'b b'}\n  - name: |\n      text\n    more: {x: y, z: \"1\"}\n";
    let (doc, problems) = read::<Doc>("f", text);
    assert_eq!(problems, []);
    let items = doc.unwrap().items;
    let spots: Vec<_> = items.iter().map(|item| (item.name.spot.line, item.name.spot.column)).collect();
    assert_eq!(spots[..2], [(2, 11), (3, 21)]);
    assert_eq!(items[1].size, Some(3));
    let more = &items[2].more.0;
    assert_eq!((more[0].0.value.as_str(), more[0].1.value.as_str()), ("x", "y"));
    assert_eq!((more[1].0.spot.line, more[1].0.spot.column), (6, 18));
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_text() {
    let text =
        "items:\n- nme: a\n- name: [1]\n  size: big\n  kind: rund\n- {name: b, kind: square}\n- 7\nitms: 1\n";
    assert_eq!(
        flaws(text),
        [
            "f:2:3: error: unknown key `nme`\n  hint: did you mean `name`?",
            "f:3:9: error: found a list, expected a text\n  hint: write one text; between single quotes everything is one",
            "f:4:9: error: found the text `big`, expected a whole number\n  hint: write digits alone, such as 100",
            "f:5:9: error: found `rund`, allowed: round, square\n  hint: did you mean `round`?",
            "f:7:3: error: found the number 7, expected a mapping with `name`\n  hint: write its keys in lines of their own, indented alike, or between `{` and `}`",
            "f:8:1: error: unknown key `itms`\n  hint: did you mean `items`?",
        ]
    );
    let doc = read::<Doc>("f", text).0.unwrap();
    let kinds: Vec<_> = doc.items.iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [Some(Shape::Square)], "what is wrong is left out, the rest is there");
}

#[test]
fn repeated_keys_aliases_and_merges() {
    assert_eq!(
        flaws("items: []\nitems: []\n"),
        ["f:2:1: error: `items` is given twice, first in line 1\n  hint: keep one of them"]
    );
    let text = "items:\n- &a {name: x, size: 1}\n- *a\n- {<<: *a, size: 2}\n";
    let (doc, problems) = read::<Doc>("f", text);
    assert_eq!(problems, []);
    let sizes: Vec<_> = doc.unwrap().items.iter().map(|item| (item.name.value.clone(), item.size)).collect();
    assert_eq!(sizes, [("x".to_owned(), Some(1)), ("x".to_owned(), Some(1)), ("x".to_owned(), Some(2))]);
}

#[test]
fn syntax_errors_have_a_place_and_a_next_step() {
    let found = flaws("items:\n- name: \"a\\d+\"\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("f:2:11: error: `\\d` is no escape"), "{found:?}");
    assert!(found[0].contains("single quotes"), "{found:?}");
    for text in [
        "items: [",
        "a: b: c",
        "\ta: 1",
        "items: 'x",
        "items: %x",
        "- a\nb: 1",
        "{}\n---\n{}",
        "*a",
        "? [a]\n: b",
    ] {
        let found = flaws(text);
        assert_eq!(found.len(), 1, "{text:?} {found:?}");
        assert!(found[0].starts_with("f:"), "{found:?}");
    }
}

#[test]
fn hostile_texts_are_bounded() {
    let deep = "[".repeat(100_000);
    assert_eq!(flaws(&deep).len(), 1);
    let mut bomb = String::from("n0: &n0 [x,x,x,x,x,x,x,x,x]\n");
    for (from, to) in (0..20).map(|i| (format!("n{i}"), format!("n{}", i + 1))) {
        bomb.push_str(&format!(
            "{to}: &{to} [*{from},*{from},*{from},*{from},*{from},*{from},*{from},*{from}]\n"
        ));
    }
    assert!(flaws(&bomb).iter().any(|flaw| flaw.contains("aliases repeat")));
    let many: String = (0..5000).map(|i| format!("k{i}: 1\n")).collect();
    assert_eq!(flaws(&many).len(), MAX_PROBLEMS);
    let wrong: String =
        std::iter::once("items:\n".to_owned()).chain((0..5000).map(|_| "- 7\n".to_owned())).collect();
    assert_eq!(flaws(&wrong).len(), MAX_PROBLEMS);
}

#[test]
fn bytes_of_a_value_are_found_in_the_file() {
    let text =
        "items:\n- name: 'it''s (x'\n- name: ab(c\n- name: \"a\\\\d\\x41(b\"\n- name: |\n    one\n    tw(o\n";
    let (doc, problems) = read::<Doc>("f", text);
    assert_eq!(problems, []);
    let places: Vec<_> = doc
        .unwrap()
        .items
        .iter()
        .map(|item| item.name.spot.of_byte(text, &item.name.value, item.name.value.find('(').unwrap()))
        .collect();
    assert_eq!(places, [(2, 16), (3, 11), (4, 18), (7, 7)]);
}
