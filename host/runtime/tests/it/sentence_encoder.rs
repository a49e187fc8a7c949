//! `embed_minilm` as a component: what it reads of a folder, what it says when that does not fit, and that its vectors are
//! those of another implementation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use retailcast_runtime::embedding::{EmbeddingFailure, Purpose};
use retailcast_runtime::{
    Call, CodeCache, EmbeddingProvider, Engine, EngineSettings, GrantedFolder, Plugin, PluginError,
    PluginSettings, open,
};
use serde::Deserialize;
use serde_json::json;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(EngineSettings::default()).unwrap());

fn provider(folder: Option<&Path>) -> Result<Arc<dyn EmbeddingProvider>, PluginError> {
    let folder = folder.map(|path| GrantedFolder {
        path: path.to_owned(),
        granted_in: "retailcast.toml, line 7".to_owned(),
    });
    let settings = PluginSettings { folder, ..PluginSettings::default() };
    let cache = CodeCache::open(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin-code")).unwrap();
    let bytes = retailcast_bundled::find("embed_minilm").unwrap().component;
    match open(&ENGINE, Some(&cache), "embed_minilm", bytes, &settings)? {
        Plugin::EmbeddingProvider(provider) => Ok(provider),
        other => panic!("{}", other.description().kind),
    }
}

fn embed(
    provider: &dyn EmbeddingProvider,
    dimension: usize,
    texts: &[&str],
) -> Result<Vec<Vec<f32>>, EmbeddingFailure> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let config = json!({"dimension": dimension}).to_string();
    provider.embed(&config, Purpose::Document, &texts, dimension, &Call::default()).unwrap()
}

/// The message of a refusal: of its limits, or of texts.
fn refusal(folder: &Path, dimension: usize) -> String {
    let provider = provider(Some(folder)).unwrap();
    match provider.limits(&json!({"dimension": dimension}).to_string(), &Call::default()) {
        Ok(_) => embed(&*provider, dimension, &["a b"]).unwrap_err().error.message,
        Err(PluginError::Guest(refusal)) => refusal.message,
        Err(e) => panic!("{e}"),
    }
}

/// Numbers of a vector of the small encoder.
const SMALL: usize = 4;

/// An encoder of one layer with arbitrary weights, in the files that the large ones have.
fn small_encoder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "vocab_size": 7, "hidden_size": SMALL, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 6, "hidden_act": "gelu", "hidden_dropout_prob": 0.0, "max_position_embeddings": 8,
        "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "model_type": "bert",
    });
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                       "strip_accents": null, "lowercase": true},
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100,
                  "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "##c": 6}},
    });
    write(folder.path(), "config.json", &config.to_string());
    write(folder.path(), "tokenizer.json", &tokenizer.to_string());
    std::fs::write(folder.path().join("model.safetensors"), weights()).unwrap();
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

fn weights() -> Vec<u8> {
    let mut tensors: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (name, rows) in [("word", 7), ("position", 8), ("token_type", 2)] {
        tensors.insert(format!("embeddings.{name}_embeddings.weight"), vec![rows, SMALL]);
    }
    let mut layer = |name: &str, shape: &[usize]| {
        tensors.insert(format!("{name}.weight"), shape.to_vec());
        tensors.insert(format!("{name}.bias"), shape[..1].to_vec());
    };
    layer("embeddings.LayerNorm", &[SMALL]);
    for part in ["self.query", "self.key", "self.value", "output.dense"] {
        layer(&format!("encoder.layer.0.attention.{part}"), &[SMALL, SMALL]);
    }
    layer("encoder.layer.0.attention.output.LayerNorm", &[SMALL]);
    layer("encoder.layer.0.intermediate.dense", &[6, SMALL]);
    layer("encoder.layer.0.output.dense", &[SMALL, 6]);
    layer("encoder.layer.0.output.LayerNorm", &[SMALL]);

    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in tensors {
        let start = data.len();
        for i in 0..shape.iter().product::<usize>() {
            data.extend(((start + 7 * i) as f32).sin().to_le_bytes());
        }
        header.insert(name, json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]}));
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

#[test]
fn a_folder_must_be_granted_and_be_there() {
    let error = provider(None).err().unwrap();
    assert_eq!(error.code(), "RC-P004");
    let text = error.to_string();
    assert!(text.contains("[plugins.settings.embed_minilm]\ngrants = [{ folder"), "{text}");

    let error = provider(Some(Path::new("/no/such/folder"))).err().unwrap();
    assert_eq!(error.code(), "RC-P017");
    let text = error.to_string();
    assert!(text.contains("/no/such/folder (granted in retailcast.toml, line 7)"), "{text}");
}

#[test]
fn vectors_have_length_one_and_depend_on_their_text_alone() {
    let folder = small_encoder();
    let provider = provider(Some(folder.path())).unwrap();
    let texts = ["a b ac", "B", "", "a b a b a b a b a a a, more than is read at once"];
    let together = embed(&*provider, SMALL, &texts).unwrap();
    let alone: Vec<_> =
        texts.iter().map(|text| embed(&*provider, SMALL, &[text]).unwrap().remove(0)).collect();
    assert_eq!(together, alone);
    assert_ne!(together[0], together[1]);
    for (vector, expected) in together.iter().zip([1.0, 1.0, 0.0, 1.0]) {
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        assert!((length - expected).abs() < 1e-5, "{vector:?}");
    }
    // Eight pieces are read at once; what is beyond them counts too.
    assert_ne!(embed(&*provider, SMALL, &["a b a b a b a b"]).unwrap()[0], together[3]);
}

#[test]
fn what_was_read_stays_read() {
    let folder = small_encoder();
    let provider = provider(Some(folder.path())).unwrap();
    let first = embed(&*provider, SMALL, &["a b"]).unwrap();
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    assert_eq!(embed(&*provider, SMALL, &["a b"]).unwrap(), first);
    // A cancelled call ends its instance, and the next one reads again.
    let call = Call::default();
    call.cancel.cancel();
    let texts = ["a".to_owned()];
    let error = provider.embed(r#"{"dimension": 4}"#, Purpose::Query, &texts, SMALL, &call).unwrap_err();
    assert_eq!(error.code(), "RC-P010");
    let failure = embed(&*provider, SMALL, &["a b"]).unwrap_err();
    assert!(failure.error.message.contains("`model.safetensors`: cannot be read"), "{failure:?}");
}

#[test]
fn files_that_do_not_fit_are_named() {
    let folder = small_encoder();
    let path = folder.path();
    let message = refusal(path, 384);
    assert!(message.contains("vectors of 4 numbers, not 384"), "{message}");
    assert!(message.contains("`rag.embedding_dimension` (RAG_EMBEDDING_DIMENSION) to 4"), "{message}");

    let whole = std::fs::read(path.join("model.safetensors")).unwrap();
    std::fs::write(path.join("model.safetensors"), &whole[..whole.len() - 1]).unwrap();
    assert!(refusal(path, SMALL).starts_with("`model.safetensors`: `"), "{}", refusal(path, SMALL));
    std::fs::write(path.join("model.safetensors"), [0xff; 64]).unwrap();
    assert!(refusal(path, SMALL).contains("its header would have 18446744073709551615 bytes"));
    let other =
        String::from_utf8_lossy(&whole[8..]).replace("intermediate.dense.bias", "intermediate.dense.bios");
    let other = [&whole[..8], other.split('\u{fffd}').next().unwrap().as_bytes()].concat();
    std::fs::write(path.join("model.safetensors"), other).unwrap();
    assert!(refusal(path, SMALL).starts_with("`model.safetensors`: "));

    write(path, "tokenizer.json", "{}");
    assert!(refusal(path, SMALL).starts_with("`tokenizer.json`: "), "{}", refusal(path, SMALL));
    write(path, "config.json", r#"{"hidden_size": "four"}"#);
    assert!(refusal(path, SMALL).starts_with("`config.json` does not describe a BERT: "));
    std::fs::remove_file(path.join("config.json")).unwrap();
    assert!(refusal(path, SMALL).starts_with("`config.json` cannot be read: "), "{}", refusal(path, SMALL));
}

#[test]
fn links_that_lead_out_of_the_folder_are_not_followed() {
    let (folder, outside) = (small_encoder(), tempfile::tempdir().unwrap());
    let (inside, secret) = (folder.path().join("config.json"), outside.path().join("config.json"));
    std::fs::rename(&inside, &secret).unwrap();
    std::os::unix::fs::symlink(&secret, &inside).unwrap();
    assert!(std::fs::read(&inside).is_ok());
    let message = refusal(folder.path(), SMALL);
    assert!(message.starts_with("`config.json` cannot be read: "), "{message}");
}

#[derive(Deserialize)]
struct Reference {
    text: String,
    vector: Vec<f32>,
}

/// `plugins/embed-minilm/tests/reference.py` made the vectors.
#[test]
fn all_minilm_l6_v2_gives_the_vectors_of_another_implementation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder: PathBuf = root.join(".retailcast/models/all-MiniLM-L6-v2");
    assert!(folder.is_dir(), "{} is missing: run scripts/encoder.sh", folder.display());
    let provider = provider(Some(&folder)).unwrap();
    let reference = std::fs::read(root.join("plugins/embed-minilm/tests/reference.json")).unwrap();
    let reference: Vec<Reference> = serde_json::from_slice(&reference).unwrap();
    assert!(reference.len() > 10);
    for Reference { text, vector } in &reference {
        let made = embed(&*provider, 384, &[text]).unwrap().remove(0);
        let cosine: f32 = made.iter().zip(vector).map(|(a, b)| a * b).sum();
        assert!(cosine >= 0.9999, "{cosine} for {text:?}");
    }
}
