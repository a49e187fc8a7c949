//! Hashes of configurations: the first 16 hex digits of SHA-256 over a canonical JSON text. Two texts exist
//! (contract `README.md` §8) and give different hashes of the same object.

use std::fmt::Write;

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

/// Algorithm A, nulls kept: model and backtest configurations. Members stand in the order of the object.
pub fn schema_hash(value: &Value) -> String {
    digest(&schema_text(value))
}

/// Algorithm A, nulls dropped at every level: feature-set configurations.
pub fn schema_hash_without_nulls(value: &Value) -> String {
    digest(&schema_text(&without_nulls(value)))
}

/// Algorithm B: the free-form hash of the registry.
pub fn free_form_hash(value: &Value) -> String {
    digest(&free_form_text(value))
}

fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(16);
    for byte in &Sha256::digest(text.as_bytes())[..8] {
        // Writing into a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The text of algorithm A: no spaces, members in order, non-ASCII characters as they are.
pub fn schema_text(value: &Value) -> String {
    Writer { text: String::new(), separators: (",", ":"), ascii: false, sorted: false }.finish(value)
}

/// The text of algorithm B: keys sorted by code point, `", "` and `": "`, non-ASCII characters escaped.
pub fn free_form_text(value: &Value) -> String {
    Writer { text: String::new(), separators: (", ", ": "), ascii: true, sorted: true }.finish(value)
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        _ => value.clone(),
    }
}

struct Writer {
    text: String,
    separators: (&'static str, &'static str),
    ascii: bool,
    sorted: bool,
}

impl Writer {
    fn finish(mut self, value: &Value) -> String {
        self.value(value);
        self.text
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.text.push_str("null"),
            Value::Bool(true) => self.text.push_str("true"),
            Value::Bool(false) => self.text.push_str("false"),
            Value::Number(number) => self.text.push_str(&number_text(number)),
            Value::String(text) => self.string(text),
            Value::Array(items) => self.array(items),
            Value::Object(members) => self.object(members),
        }
    }

    fn array(&mut self, items: &[Value]) {
        self.text.push('[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.text.push_str(self.separators.0);
            }
            self.value(item);
        }
        self.text.push(']');
    }

    fn object(&mut self, members: &Map<String, Value>) {
        let mut members: Vec<(&String, &Value)> = members.iter().collect();
        if self.sorted {
            // UTF-8 sorts like code points.
            members.sort_by_key(|(key, _)| *key);
        }
        self.text.push('{');
        for (i, (key, value)) in members.into_iter().enumerate() {
            if i > 0 {
                self.text.push_str(self.separators.0);
            }
            self.string(key);
            self.text.push_str(self.separators.1);
            self.value(value);
        }
        self.text.push('}');
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                c if c < ' ' || (self.ascii && c > '~') => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing into a String cannot fail.
                        let _ = write!(self.text, "\\u{unit:04x}");
                    }
                }
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

/// Shortest digits that read back as the same number, always with a point or an exponent; exponent form below 1e-4
/// and from 1e16, with at least two exponent digits.
pub fn float_text(float: f64) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    // Rust writes an exponent for every finite number in this format; infinities have none and returned above.
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let plain = format!("{float}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parse(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn all_vectors_of_algorithm_a() {
        for (text, hash) in [
            (r#"{"schema_version":"1.0","model_type":"naive"}"#, "d9f8003eacfc9599"),
            (
                r#"{"schema_version":"1.0","model_type":"seasonal_naive","season_length":7}"#,
                "a9baf055e83a554f",
            ),
            (r#"{"schema_version":"1.0","model_type":"moving_average","window_size":7}"#, "c221092145a157cb"),
            (
                r#"{"schema_version":"1.0","model_type":"lightgbm","n_estimators":100,"max_depth":6,"learning_rate":0.1,"feature_config_hash":null}"#,
                "f2fcd44619ba5fec",
            ),
            (
                r#"{"schema_version":"1.0","model_type":"regression","max_iter":200,"learning_rate":0.05,"max_depth":6,"feature_config_hash":null}"#,
                "2476880df7bad7cc",
            ),
            (
                r#"{"schema_version":"1.0","model_type":"regression","max_iter":200,"learning_rate":1.0,"max_depth":6,"feature_config_hash":null}"#,
                "d1263e92e041d26c",
            ),
            (
                r#"{"schema_version":"1.0","name":"x","entity_columns":["store_id","product_id"],"date_column":"date","target_column":"quantity"}"#,
                "6c12b1a783eccdd4",
            ),
            (
                r#"{"schema_version":"1.0","name":"café","entity_columns":["store_id","product_id"],"date_column":"date","target_column":"quantity"}"#,
                "23c158554b06176d",
            ),
        ] {
            assert_eq!(schema_text(&parse(text)), text);
            assert_eq!(schema_hash(&parse(text)), hash, "{text}");
        }
    }

    #[test]
    fn dropped_nulls_do_not_count() {
        let with = parse(
            r#"{"schema_version":"1.0","name":"x","description":null,"entity_columns":["store_id","product_id"],"date_column":"date","target_column":"quantity","lag_config":null}"#,
        );
        assert_eq!(schema_hash_without_nulls(&with), "6c12b1a783eccdd4");
        assert_ne!(schema_hash(&with), "6c12b1a783eccdd4");
    }

    #[test]
    fn backtest_configurations() {
        let split = |strategy: &str, n: u32, gap: u32| json!({"strategy": strategy, "n_splits": n, "min_train_size": 30, "gap": gap, "horizon": 14});
        let config = |split: Value, model: Value| {
            json!({"schema_version": "1.0", "split_config": split, "model_config_main": model,
                   "include_baselines": true, "store_fold_details": true})
        };
        let naive = json!({"schema_version": "1.0", "model_type": "naive"});
        assert_eq!(schema_hash(&config(split("expanding", 5, 0), naive)), "413c7109df10c87c");
        let regression = json!({"schema_version": "1.0", "model_type": "regression", "max_iter": 200,
                                "learning_rate": 0.05, "max_depth": 6, "feature_config_hash": null});
        assert_eq!(schema_hash(&config(split("sliding", 3, 2), regression)), "4e7e1ae7313b8070");
    }

    #[test]
    fn all_vectors_of_algorithm_b() {
        for (value, text, hash) in [
            (parse(r#"{"model_type":"naive"}"#), r#"{"model_type": "naive"}"#, "dab039f4526243f8"),
            (
                parse(r#"{"b":1,"é":"ü","a":[1,2.0,null,true]}"#),
                r#"{"a": [1, 2.0, null, true], "b": 1, "\u00e9": "\u00fc"}"#,
                "026ff949311d087d",
            ),
            (
                parse(r#"{"z":0.1,"y":1e16,"x":0.00001,"w":{"k2":2,"k1":"a\"b"}}"#),
                r#"{"w": {"k1": "a\"b", "k2": 2}, "x": 1e-05, "y": 1e+16, "z": 0.1}"#,
                "2cc1f1f39716a527",
            ),
        ] {
            assert_eq!(free_form_text(&value), text);
            assert_eq!(free_form_hash(&value), hash);
        }
    }

    #[test]
    fn characters_beyond_the_basic_plane_are_surrogate_pairs() {
        assert_eq!(free_form_text(&json!("a🦀\u{7f}")), r#""a\ud83e\udd80\u007f""#);
        assert_eq!(schema_text(&json!("a🦀")), "\"a🦀\"");
    }

    proptest! {
        #[test]
        fn floats_read_back_as_the_same_number(float in any::<f64>().prop_filter("finite", |f| f.is_finite())) {
            let text = float_text(float);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), float.to_bits());
            prop_assert!(text.contains('.') || text.contains('e'));
        }

        #[test]
        fn the_order_of_keys_does_not_matter_to_b(keys in proptest::collection::vec("[a-zé🦀]{1,4}", 1..6)) {
            let forward: Map<String, Value> = keys.iter().map(|k| (k.clone(), json!(1))).collect();
            let backward: Map<String, Value> = keys.iter().rev().map(|k| (k.clone(), json!(1))).collect();
            prop_assert_eq!(free_form_hash(&Value::Object(forward)), free_form_hash(&Value::Object(backward)));
        }
    }
}
