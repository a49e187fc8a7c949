//! References inside an OpenAPI document, and schemas as text.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// References that are followed one after another.
const HOPS: usize = 3;

/// What stands for a schema behind more references than that.
const DEEPER: &str = "{...}";

/// Characters that are kept of a schema.
const KEPT: usize = 500;

/// A schema as indented JSON, its first characters. References inside it stay as they are.
pub(super) fn render(document: &Map<String, Value>, schema: &Value) -> String {
    let Some(schema) = resolve(document, schema) else { return DEEPER.to_owned() };
    let text = format!("{schema:#}");
    text.chars().take(KEPT).collect()
}

/// What a local reference leads to; the value itself when it is none or leads nowhere, `None` when it leads on and on.
pub(super) fn resolve<'a>(document: &'a Map<String, Value>, value: &'a Value) -> Option<&'a Value> {
    let mut found = value;
    for _ in 0..=HOPS {
        let Some(target) = reference(found).and_then(|pointer| follow(document, pointer)) else {
            return Some(found);
        };
        found = target;
    }
    None
}

/// The pointer of a local reference: `#/components/schemas/Order`.
fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()?.strip_prefix("#/")
}

/// RFC 6901 inside a URI fragment.
fn follow<'a>(document: &'a Map<String, Value>, pointer: &str) -> Option<&'a Value> {
    let decoded = percent_decode_str(pointer).decode_utf8().ok()?;
    let unescaped = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let mut parts = decoded.split('/').map(unescaped);
    let first = document.get(&parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Object(members) => members.get(&part),
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(value: Value) -> Map<String, Value> {
        let Value::Object(members) = value else { panic!("{value}") };
        members
    }

    #[test]
    fn three_references_are_followed_and_no_more() {
        let document = document(json!({"s": {
            "a": {"$ref": "#/s/b"}, "b": {"$ref": "#/s/c"}, "c": {"$ref": "#/s/d"}, "d": {"type": "string"},
        }}));
        let at = |name: &str| json!({"$ref": format!("#/s/{name}")});
        assert_eq!(render(&document, &at("b")), "{\n  \"type\": \"string\"\n}");
        assert_eq!(render(&document, &at("a")), "{...}");
        assert_eq!(render(&document, &json!({"type": "integer"})), "{\n  \"type\": \"integer\"\n}");
    }

    #[test]
    fn a_circle_ends() {
        let document = document(json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}));
        assert_eq!(render(&document, &json!({"$ref": "#/a"})), "{...}");
    }

    #[test]
    fn what_leads_nowhere_is_shown_itself() {
        let document = document(json!({}));
        for target in ["#/none", "other.yaml#/a", "#"] {
            let text = render(&document, &json!({"$ref": target}));
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"$ref": target}));
        }
    }

    #[test]
    fn pointers_are_decoded_and_index_arrays() {
        let document = document(json!({"paths": {"/a b": [1, {"x~y": {"type": "null"}}]}}));
        let text = render(&document, &json!({"$ref": "#/paths/~1a%20b/1/x~0y"}));
        assert_eq!(text, "{\n  \"type\": \"null\"\n}");
    }

    #[test]
    fn only_the_first_characters_are_kept_and_inner_references_stay() {
        let document = document(
            json!({"s": {"o": {"properties": {"p": {"$ref": "#/s/p"}}, "description": "ä".repeat(900)}}}),
        );
        let text = render(&document, &json!({"$ref": "#/s/o"}));
        assert_eq!(text.chars().count(), 500);
        assert!(text.contains("\"$ref\": \"#/s/p\""));
    }
}
