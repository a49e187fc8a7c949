//! Texts of LightGBM models from strangers: what this host did not write is refused, and what is accepted predicts
//! without harm. LightGBM itself believes every number in them.

use proptest::prelude::*;
use retailcast_runtime::boosting::{Booster, BoosterError, Importance, Params};

const ROWS: usize = 120;
const FEATURES: usize = 3;

/// A day of the week, a number that is missing at times, and one that is infinite at times.
fn columns() -> Vec<f64> {
    let rows = || (0..ROWS).map(|i| i as f64);
    let missing = rows().map(|i| if i % 11.0 == 0.0 { f64::NAN } else { i });
    let infinite = rows().map(|i| if i % 13.0 == 0.0 { f64::INFINITY } else { -i });
    rows().map(|i| i % 7.0).chain(missing).chain(infinite).collect()
}

fn trained(given: &[(&str, &str)]) -> Result<Booster, BoosterError> {
    let target: Vec<f64> =
        (0..ROWS).map(|i| 1.0 + if i % 11 == 0 { 90.0 } else { (i % 7 * 3) as f64 }).collect();
    let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Booster::train(&columns(), FEATURES, &target, &Params::new(&given, 7).unwrap(), 1, || false)
}

/// Three trees of four leaves.
fn model() -> String {
    let small = [("num_iterations", "3"), ("num_leaves", "4"), ("min_data_in_leaf", "5")];
    trained(&small).unwrap().save().unwrap()
}

/// The same text with the trees' lengths put right, so that a change inside a tree is judged for itself.
fn with_right_sizes(text: &str) -> String {
    let Some((header, rest)) = text.split_once("\n\nTree=") else { return text.to_owned() };
    let Some((trees, trailer)) = rest.split_once("end of trees") else { return text.to_owned() };
    let sizes: Vec<String> = trees.split("Tree=").map(|tree| (tree.len() + 5).to_string()).collect();
    let header: Vec<String> = header
        .split('\n')
        .map(|line| {
            if line.starts_with("tree_sizes=") {
                format!("tree_sizes={}", sizes.join(" "))
            } else {
                line.to_owned()
            }
        })
        .collect();
    format!("{}\n\nTree={trees}end of trees{trailer}", header.join("\n"))
}

/// The first line of this key, with another value.
fn with_line(text: &str, key: &str, value: impl Fn(&str) -> String) -> String {
    let start = text.find(&format!("\n{key}=")).unwrap() + key.len() + 2;
    let end = start + text[start..].find('\n').unwrap();
    with_right_sizes(&format!("{}{}{}", &text[..start], value(&text[start..end]), &text[end..]))
}

fn refusal(text: &str) -> String {
    match Booster::load(text) {
        Err(BoosterError::Text(reason)) => reason,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn everything_that_training_writes_is_read_again() {
    for objective in
        ["regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"]
    {
        for more in [
            ("reg_sqrt", "true"),
            ("num_leaves", "2"),
            ("min_data_in_leaf", "1000"),
            ("zero_as_missing", "true"),
            ("use_missing", "false"),
            ("min_data_in_leaf", "1"),
            ("extra_trees", "true"),
            ("learning_rate", "0.000001"),
        ] {
            let booster = trained(&[("objective", objective), ("num_iterations", "5"), more]).unwrap();
            let text = booster.save().unwrap();
            let load =
                |text: &str| Booster::load(text).unwrap_or_else(|e| panic!("{objective}, {more:?}: {e}"));
            let loaded = load(&text);
            let again = load(&loaded.save().unwrap());
            assert_eq!(again.save().unwrap(), loaded.save().unwrap(), "{objective}, {more:?}");
            let bits = |booster: &Booster| -> Vec<u64> {
                booster.predict(&columns(), ROWS).unwrap().iter().map(|p| p.to_bits()).collect()
            };
            assert_eq!(bits(&loaded), bits(&booster), "{objective}, {more:?}");
            assert_eq!(bits(&again), bits(&booster), "{objective}, {more:?}");
        }
    }
}

#[test]
fn counts_that_change_the_strides_of_a_prediction_are_refused() {
    let model = model();
    for (key, value) in [
        ("num_class", "1000"),
        ("num_class", "0"),
        ("num_class", "-1"),
        ("num_tree_per_iteration", "3"),
        ("num_tree_per_iteration", "0"),
        ("max_feature_idx", "0"),
        ("max_feature_idx", "100"),
        ("max_feature_idx", "-1"),
        ("max_feature_idx", "4294967298"),
        ("objective", "multiclass num_class:1000"),
        ("objective", "binary sigmoid:1"),
        ("objective", "custom"),
        ("version", "v3"),
    ] {
        let reason = refusal(&with_line(&model, key, |_| value.to_owned()));
        assert!(
            reason.contains(key) || reason.contains(value) || reason.contains("must have"),
            "{key}: {reason}"
        );
    }
}

#[test]
fn trees_that_would_be_read_out_of_bounds_or_in_circles_are_refused() {
    let model = model();
    for (key, value, words) in [
        ("split_feature", "3 0 0", "from 0 to 2"),
        ("split_feature", "1000000 0 0", "from 0 to 2"),
        ("split_feature", "-1 0 0", "from 0 to 2"),
        ("split_feature", "0 0", "3 values"),
        ("split_feature", "0 0 0 0", "3 values"),
        ("left_child", "0 0 0", "reached twice"),
        ("left_child", "1 2 1", "reached twice"),
        ("right_child", "-1 -1 -1", "reached twice"),
        ("left_child", "3 2 1", "from -4 to 2"),
        ("right_child", "-5 -2 -3", "from -4 to 2"),
        ("decision_type", "1 2 2", "numerical"),
        ("decision_type", "3 2 2", "numerical"),
        ("decision_type", "12 2 2", "from 0 to 10"),
        ("num_cat", "1", "0 splits are categorical"),
        ("num_cat", "4", "from 0 to 3"),
        ("is_linear", "1", "`is_linear=0`"),
        ("num_leaves", "0", "from 1"),
        ("num_leaves", "3", "values"),
        ("num_leaves", "2147483647", "from 1"),
        ("leaf_value", "inf 1 1 1", "finite"),
        ("leaf_value", "nan 1 1 1", "finite"),
        ("leaf_value", "1e999 1 1 1", "finite"),
        ("threshold", "nan 1 1", "threshold"),
        ("threshold", "0x1p3 1 1", "not a number"),
        ("shrinkage", "", "not a number"),
    ] {
        let reason = refusal(&with_line(&model, key, |_| value.to_owned()));
        assert!(reason.contains(words), "{key}={value}: {reason}");
    }
    let categorical = with_line(&model, "internal_count", |counts| {
        format!("{counts}\ncat_boundaries=0 1000000\ncat_threshold=1")
    });
    assert!(refusal(&categorical).contains("`is_linear=0`"), "tables that no split has");
}

/// Trees that split on the day of the week as a category, with a second word of bits in some sets.
fn categorical_model() -> String {
    let small = [
        ("num_iterations", "3"),
        ("num_leaves", "4"),
        ("min_data_in_leaf", "5"),
        ("min_data_per_group", "1"),
        ("cat_smooth", "0"),
        ("categorical_feature", "0"),
    ];
    trained(&small).unwrap().save().unwrap()
}

#[test]
fn damaged_tables_of_categories_are_refused() {
    let model = categorical_model();
    let line = |key: &str| model.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
    let sets: usize = line("num_cat=").parse().unwrap();
    assert!(sets >= 1 && line("cat_boundaries=").starts_with("0 1"), "{model}");
    let loaded = Booster::load(&model).unwrap();
    assert_eq!(structure(&loaded.save().unwrap()), structure(&model));
    let last = |value: &str| {
        let mut words: Vec<String> = line("cat_boundaries=").split(' ').map(str::to_owned).collect();
        *words.last_mut().unwrap() = value.to_owned();
        words.join(" ")
    };
    let more = |key: &str, word: &str| format!("{} {word}", line(&format!("{key}=")));
    let every = |key: &str, word: &str| vec![word; line(&format!("{key}=")).split(' ').count()].join(" ");
    for (key, value, words) in [
        ("num_cat", "0".to_owned(), "splits are categorical"),
        ("num_cat", (sets + 1).to_string(), ""),
        ("num_cat", "-1".to_owned(), "from 0"),
        ("cat_boundaries", last("65000"), "sets of 1 to 32768"),
        ("cat_boundaries", last("2147483647"), "from 0 to"),
        ("cat_boundaries", last("-1"), "from 0 to"),
        ("cat_boundaries", last("0"), "sets of 1"),
        ("cat_boundaries", last(&(sets + 5).to_string()), "cat_threshold"),
        ("cat_boundaries", more("cat_boundaries", "9"), "values"),
        ("cat_boundaries", format!("1{}", &line("cat_boundaries=")[1..]), "sets of 1"),
        ("cat_threshold", more("cat_threshold", "1"), "values"),
        ("cat_threshold", String::new(), "values"),
        (
            "cat_threshold",
            line("cat_threshold=").replacen(|c: char| c.is_ascii_digit(), "4294967296", 1),
            "from 0 to",
        ),
        ("cat_threshold", format!("-{}", line("cat_threshold=")), "from 0 to"),
        ("threshold", every("threshold", "7"), "has set `7`"),
        ("threshold", every("threshold", "-1"), "has set `-1`"),
        ("decision_type", every("decision_type", "2"), "categorical feature"),
        ("decision_type", every("decision_type", "3"), "decision type 3"),
        ("feature_infos", line("feature_infos=").replacen("0:", "-2:", 1), "categories"),
        (
            "feature_infos",
            format!("[0:6]{}", &line("feature_infos=")[line("feature_infos=").find(' ').unwrap()..]),
            "categories",
        ),
    ] {
        let reason = refusal(&with_line(&model, key, |_| value.clone()));
        assert!(reason.contains(words), "{key}={value}: {reason}");
    }
    let (text, _) = model.split_once("categories:").unwrap();
    for (line, words) in [
        ("", "neither `none` nor a range"),
        ("categories:[[1,[0,1,2]]]\n", "nor"),
        ("categories:[[7,[0]]]\n", "column 7"),
        ("categories:[[0,[1,0]]]\n", "ascending"),
        ("categories:[[0,[0]]]", "nor"),
        ("categories:{}\n", "cannot be read"),
    ] {
        let reason = refusal(&format!("{text}{line}"));
        assert!(reason.contains(words), "{line}: {reason}");
    }
}

#[test]
fn what_lightgbm_would_read_otherwise_than_the_check_is_refused() {
    let model = model();
    for (what, text) in [
        ("two values of a key", with_line(&model, "num_class", |_| "1\nnum_class=1000".to_owned())),
        ("an unknown key", with_line(&model, "label_index", |_| "0\nparser_config=x".to_owned())),
        ("an average", with_line(&model, "objective", |o| format!("{o}\naverage_output"))),
        (
            "a carriage return for a line's end",
            with_line(&model, "label_index", |_| "0\rnum_class=1000".to_owned()),
        ),
        ("CRLF", model.replace('\n', "\r\n")),
        ("an early end", with_line(&model, "label_index", |_| "0\0".to_owned())),
        ("letters beyond ASCII", with_line(&model, "label_index", |_| "0\u{a0}".to_owned())),
        ("no lengths of trees", model.replacen("tree_sizes", "tree_size", 1)),
        ("a length within a tree", with_lengths(&model, |sizes| sizes[0] -= 1)),
        ("a length beyond a tree", with_lengths(&model, |sizes| sizes[0] += 1)),
        ("lengths beyond the text", with_lengths(&model, |sizes| sizes[2] = 1 << 40)),
        ("fewer lengths than trees", with_lengths(&model, |sizes| sizes.truncate(2))),
        ("more lengths than trees", with_lengths(&model, |sizes| sizes.push(1))),
        ("no trees", with_lengths(&model, Vec::clear)),
        ("a tree after the trees", model.replace("end of trees\n", "end of trees\nTree=3\n")),
        ("text after the end", format!("{model}parser:\n")),
        ("another end", format!("{model}\n")),
        ("no end", model.trim_end().to_owned()),
        ("linear trees", model.replace("[linear_tree: 0]", "[linear_tree: 1]")),
        (
            "a second word on linear trees",
            model.replace("[linear_tree: 0]", "[linear_tree: 0]\n[linear_tree: 1]"),
        ),
        ("two spaces", with_line(&model, "leaf_value", |line| line.replacen(' ', "  ", 1))),
        ("a plus", with_line(&model, "left_child", |line| format!("+{line}"))),
        ("names of its own", model.replacen("Column_1", "a=b", 1)),
        ("nothing", String::new()),
    ] {
        assert_ne!(text, model, "{what} changes nothing");
        assert!(Booster::load(&text).is_err(), "{what}");
    }
}

fn with_lengths(text: &str, change: impl Fn(&mut Vec<usize>)) -> String {
    let start = text.find("tree_sizes=").unwrap() + "tree_sizes=".len();
    let end = start + text[start..].find('\n').unwrap();
    let mut sizes: Vec<usize> = text[start..end].split(' ').map(|size| size.parse().unwrap()).collect();
    change(&mut sizes);
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    format!("{}{}{}", &text[..start], sizes.join(" "), &text[end..])
}

/// One change of a text, at a place given as a share of its length.
#[derive(Debug, Clone)]
enum Change {
    Replace(f64, u8),
    Insert(f64, u8),
    Delete(f64, usize),
    /// A number or name of the text at another place.
    Copy(f64, f64),
    /// A line twice, or at another place.
    Line(f64, f64),
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop::sample::select(b"0123456789-+. =\n\r\0\tTe[]:x".to_vec());
    let byte = prop_oneof![4 => telling, 1 => any::<u8>()].boxed();
    prop_oneof![
        4 => (0.0..1.0, byte.clone()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        2 => (0.0..1.0, byte).prop_map(|(at, byte)| Change::Insert(at, byte)),
        2 => (0.0..1.0, 1_usize..40).prop_map(|(at, count)| Change::Delete(at, count)),
        6 => (0.0..1.0, 0.0..1.0).prop_map(|(from, to)| Change::Copy(from, to)),
        2 => (0.0..1.0, 0.0..1.0).prop_map(|(from, to)| Change::Line(from, to)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let length = bytes.len();
    let place = |share: f64| ((share * length as f64) as usize).min(length.saturating_sub(1));
    let piece = |bytes: &[u8], share: f64, ends: &[u8]| {
        let start = bytes[..place(share)].iter().rposition(|b| ends.contains(b)).map_or(0, |at| at + 1);
        let end = bytes[start..].iter().position(|b| ends.contains(b)).map_or(length, |count| start + count);
        start..end
    };
    match change {
        _ if length == 0 => {}
        Change::Replace(at, byte) => bytes[place(*at)] = *byte,
        Change::Insert(at, byte) => bytes.insert(place(*at), *byte),
        Change::Delete(at, count) => drop(bytes.drain(place(*at)..(place(*at) + count).min(length))),
        Change::Copy(from, to) => {
            let word = bytes[piece(bytes, *from, b" \n=")].to_vec();
            let target = piece(bytes, *to, b" \n=");
            bytes.splice(target, word);
        }
        Change::Line(from, to) => {
            let mut line = bytes[piece(bytes, *from, b"\n")].to_vec();
            line.push(b'\n');
            let start = piece(bytes, *to, b"\n").start;
            bytes.splice(start..start, line);
        }
    }
}

/// The lines of a text that lead through its trees.
fn structure(text: &str) -> Vec<&str> {
    let keys = [
        "num_leaves=",
        "split_feature=",
        "decision_type=",
        "num_cat=",
        "cat_boundaries=",
        "cat_threshold=",
        "left_child=",
        "right_child=",
        "max_feature_idx=",
    ];
    text.lines().filter(|line| keys.iter().any(|key| line.starts_with(key))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_text_is_refused_or_predicts(
        changes in prop::collection::vec(change(), 1..4),
        mend in any::<bool>(),
        categorical in any::<bool>(),
    ) {
        thread_local!(static MODELS: [String; 2] = [model(), categorical_model()]);
        let mut bytes = MODELS.with(|models| models[usize::from(categorical)].clone().into_bytes());
        for change in &changes {
            apply(&mut bytes, change);
        }
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let text = if mend { with_right_sizes(&text) } else { text };
        let Ok(booster) = Booster::load(&text) else { return Ok(()) };
        prop_assert_eq!(booster.features(), FEATURES);
        prop_assert_eq!(booster.predict(&columns(), ROWS).unwrap().len(), ROWS);
        prop_assert_eq!(booster.contributions(&columns(), ROWS).unwrap().len(), ROWS * (FEATURES + 1));
        prop_assert_eq!(booster.importance(Importance::Gain).unwrap().len(), FEATURES);
        // LightGBM has read the trees that were checked.
        let again = booster.save().unwrap();
        prop_assert_eq!(structure(&again), structure(&text));
    }
}
